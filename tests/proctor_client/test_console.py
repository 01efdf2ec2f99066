"""The invigilator's console in a browser, on the real API: who needs help, acts and their undo, map, phone."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.api.conftest import PASSWORDS, House, house, province
from tests.api.rooms import Room, room_of
from tests.proctor_client.conftest import AXE

__all__ = ["house", "province"]

SITTING = "thi-thu-tn-2027-toan"


class Candidate:
    """A candidate's browser, as far as the console can tell."""

    def __init__(self, client: httpx.AsyncClient, attempt: str) -> None:
        self.client, self.attempt, self.sequence = client, attempt, 0

    async def start(self, device: str = "pc-1.a") -> dict[str, Any]:
        answer = await self.client.post(f"/api/attempts/{self.attempt}/start", json={"client_id": device})
        assert answer.status_code == 200, answer.text
        started: dict[str, Any] = answer.json()
        return started

    async def note(self, kind: str) -> None:
        event = {"kind": kind, "client_time_ms": 0, "detail": {}}
        answer = await self.client.post(f"/api/attempts/{self.attempt}/events", json={"events": [event]})
        assert answer.status_code < 300, answer.text

    async def time(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.client.get(f"/api/attempts/{self.attempt}/time")).json()
        return answer


@pytest_asyncio.fixture
async def seats(house: House) -> AsyncIterator[Any]:
    """Open candidates by their place in the list of the exam."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def sit(position: int) -> Candidate:
            client = await stack.enter_async_context(house.seat("thi-thu-tn-2027", position))
            attempts = (await client.get("/api/candidate/attempts")).json()["attempts"]
            return Candidate(client, attempts[0]["attempt_id"])

        yield sit


@pytest_asyncio.fixture
async def room(house: House) -> Room:
    return await room_of(house, SITTING)


async def open_room(
    house: House, browser: Browser, room: Room, user: str = "invigilator", language: str = "vi", **options: Any
) -> Page:
    context = await browser.new_context(base_url=house.url, **{"viewport": {"width": 1440, "height": 900}} | options)
    context.set_default_timeout(15_000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Failed to load" not in message.text
            else None
        ),
    )
    page.complaints = complaints  # type: ignore[attr-defined]
    await page.goto(f"/staff/sign-in?lang={language}")
    await page.fill("input[name=user_name]", user)
    await page.fill("input[name=password]", PASSWORDS[user])
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/staff/?$"))
    await page.goto(f"/staff/sittings/{room.sitting}/rooms/{room.room}")
    await page.wait_for_selector(".seat")
    return page


@pytest_asyncio.fixture
async def console(house: House, browser: Browser, room: Room) -> AsyncIterator[Page]:
    page = await open_room(house, browser, room)
    yield page
    assert page.complaints == []  # type: ignore[attr-defined]
    await page.context.close()


def tile(page: Page, name: str) -> Any:
    return page.locator(".seat", has=page.get_by_role("button", name=re.compile(f"^Mở thẻ của {re.escape(name)},")))


async def name_of(house: House, position: int) -> str:
    return (await house.candidates("thi-thu-tn-2027"))[position].full_name


async def test_who_may_need_help_stands_on_top_until_somebody_looked(house: House, console: Page, seats: Any) -> None:
    candidate = await seats(0)
    name = await name_of(house, 0)
    await candidate.start()
    await candidate.note("focus_lost")
    on_top = console.locator("section[aria-labelledby=board-help] .seat", has_text=name)
    await expect(on_top).to_contain_text("Rời cửa sổ thi 1 lần")
    await on_top.get_by_role("button", name=re.compile("^Đã xem")).click()
    await expect(console.locator("section[aria-labelledby=board-fine] .seat", has_text=name)).to_contain_text(
        "rời cửa sổ 1×"
    )
    await candidate.note("devtools_open")
    await expect(on_top).to_contain_text("Mở công cụ lập trình 1 lần")
    assert (await candidate.time())["state"] == "running"


async def test_time_says_what_it_does_before_it_is_sent_and_a_message_reaches_the_seat(
    house: House, console: Page, seats: Any
) -> None:
    candidate = await seats(1)
    name = await name_of(house, 1)
    started = await candidate.start()
    seat = tile(console, name)
    await expect(seat).to_contain_text("Đang làm bài")
    await seat.get_by_role("button", name=re.compile("^Thêm giờ")).click()
    dialog = console.locator("dialog")
    await dialog.get_by_role("button", name="10 phút").click()
    await dialog.locator("#act-reason").select_option("network")
    await expect(dialog.locator(".alert[role=status]")).to_contain_text(f"{name} (SBD 31000002) được thêm 10 phút")
    await console.keyboard.press("Escape")
    assert (await candidate.time())["deadline_ms"] == started["deadline_ms"]
    await seat.get_by_role("button", name=re.compile("^Thêm giờ")).click()
    await console.fill("#act-minutes", "7")
    await console.keyboard.press("Enter")
    await expect(console.locator(".toast--good")).to_contain_text(f"Đã thêm 7 phút cho {name}")
    await expect(seat).to_contain_text("+7 phút")
    await seat.get_by_role("button", name=re.compile("^Nhắn tin")).click()
    await console.fill("#act-text", "Ngồi đúng chỗ nhé.")
    await console.click("dialog .button--primary")
    await expect(console.locator(".toast--good >> nth=1")).to_contain_text("Đã gửi tin")
    texts: list[str] = []
    while "Ngồi đúng chỗ nhé." not in texts:
        answer = await candidate.time()
        texts = [notice.get("text", "") for notice in answer["notices"]]
    assert answer["deadline_ms"] == started["deadline_ms"] + 7 * 60_000


async def test_a_locked_seat_is_unlocked_by_the_way_back_in_the_toast_and_in_the_list(
    house: House, console: Page, seats: Any
) -> None:
    candidate = await seats(2)
    name = await name_of(house, 2)
    await candidate.start()
    seat = tile(console, name)
    await seat.get_by_role("checkbox").check()
    await expect(console.locator(".board__target")).to_have_text("1 thí sinh đã chọn:")
    await console.locator(".board__more").select_option("lock")
    await console.click("dialog .button--primary")
    await expect(seat).to_contain_text("Đang khóa")
    await console.locator(".toast--good").get_by_role("button", name="Hoàn tác").click()
    await expect(seat).not_to_contain_text("Đang khóa")
    await console.click("#board-log")
    newest = console.locator("details:has(#board-log) .act-line")
    await expect(newest.nth(0)).to_contain_text("Mở khóa")
    await expect(newest.nth(1)).to_have_class(re.compile("act-line--undone"))


async def test_what_ends_a_paper_is_asked_twice_and_can_be_taken_back(house: House, console: Page, seats: Any) -> None:
    candidate = await seats(3)
    name = await name_of(house, 3)
    await candidate.start()
    await expect(tile(console, name)).to_contain_text("Đang làm bài")
    await tile(console, name).get_by_role("button", name=re.compile("^Mở thẻ")).click()
    card = console.locator("dialog.dialog--wide")
    await card.get_by_role("button", name="Đình chỉ vì vi phạm").click()
    await console.locator("#act-reason").select_option("object")
    await console.fill("#act-more", "điện thoại trong túi")
    await console.get_by_role("button", name="Tiếp tục…").click()
    sure = console.locator("dialog", has_text="Lý do: Mang vật cấm: điện thoại trong túi")
    await expect(sure.get_by_role("button", name="Hủy")).to_be_focused()
    await console.keyboard.press("Escape")
    assert (await candidate.time())["state"] == "running"
    await card.get_by_role("button", name="Đình chỉ vì vi phạm").click()
    await console.get_by_role("button", name="Tiếp tục…").click()
    await console.locator("dialog").last.get_by_role("button", name="Đình chỉ vì vi phạm").click()
    await expect(card.locator(".card-badges")).to_contain_text("Vi phạm quy chế")
    await card.get_by_role("button", name="Mở lại bài").click()
    await console.click("dialog >> nth=-1 >> .button--primary")
    await expect(card.locator(".card-badges")).to_contain_text("Đang làm bài")


async def test_a_second_seat_is_admitted_in_one_place_with_the_lost_time(
    house: House, console: Page, seats: Any
) -> None:
    candidate = await seats(4)
    name = await name_of(house, 4)
    await candidate.start("old-pc.a")
    waiting = await candidate.start("new-pc.b")
    assert waiting["lease"] == 0
    door = console.locator(".door", has_text=name)
    await expect(door).to_contain_text("Máy cũ vẫn đang hoạt động")
    await door.get_by_role("button", name="Chuyển chỗ, bù giờ đã mất").click()
    await expect(console.locator(".toast--good")).to_contain_text(f"{name} đã chuyển sang máy mới")
    await expect(door).to_have_count(0)
    assert (await candidate.start("new-pc.b"))["lease"] == 2


async def test_the_card_shows_the_name_check_and_the_record_of_the_seat(
    house: House, console: Page, seats: Any
) -> None:
    candidate = await seats(5)
    name = await name_of(house, 5)
    await candidate.start()
    await candidate.note("clock_jump")
    await expect(tile(console, name)).to_contain_text("đồng hồ máy nhảy 1×")
    await tile(console, name).get_by_role("button", name=re.compile("^Mở thẻ")).click()
    card = console.locator("dialog")
    await card.get_by_role("button", name="Chưa chắc").click()
    await expect(card.locator(".card-badges")).to_contain_text("Người và ảnh chưa khớp")
    await card.get_by_role("button", name="Đúng người").click()
    await expect(card.get_by_role("button", name="Đúng người")).to_have_attribute("aria-pressed", "true")
    await card.locator("summary", has_text="Nhật ký").click()
    await expect(card.locator(".record")).to_contain_text("Đồng hồ máy nhảy")
    await console.keyboard.press("Escape")
    await expect(tile(console, name)).to_contain_text("Đúng người")


async def test_an_incident_is_reported_and_withdrawn(house: House, console: Page) -> None:
    name = await name_of(house, 6)
    await tile(console, name).get_by_role("checkbox").check()
    await console.get_by_role("button", name="Lập biên bản").click()
    await console.select_option("#incident-kind", "disturbance")
    await console.fill("#incident-text", "Nói chuyện nhiều lần.")
    await console.click("dialog .button--primary")
    await expect(console.locator(".toast--good")).to_contain_text("Đã lưu biên bản số")
    await expect(tile(console, name)).to_contain_text("1 biên bản")
    await console.click("#board-incidents")
    line = console.locator("details:has(#board-incidents) .act-line", has_text="Nói chuyện nhiều lần.")
    await expect(line).to_contain_text(name)
    await line.get_by_role("button", name="Rút lại").click()
    await expect(tile(console, name)).not_to_contain_text("1 biên bản")


async def test_a_second_invigilator_sees_what_the_first_did(
    house: House, browser: Browser, console: Page, seats: Any, room: Room
) -> None:
    candidate = await seats(7)
    name = await name_of(house, 7)
    await candidate.start()
    deputy = await open_room(house, browser, room, user="board", language="en")
    mine = deputy.locator(".seat", has_text=name)
    await expect(mine).to_contain_text("Working")
    await console.get_by_role("button", name="Tạm dừng", exact=True).first.click()
    await console.click("dialog .button--primary")
    await expect(mine).to_contain_text("Paused")
    await expect(tile(console, name)).to_contain_text("Tạm dừng")
    left = await mine.locator(".seat__facts").first.inner_text()
    await console.get_by_role("button", name="Tiếp tục làm bài").first.click()
    await console.click("dialog .button--primary")
    await expect(mine).not_to_contain_text("Paused")
    assert "left" in left
    await deputy.context.close()


async def test_a_tile_with_the_focus_keeps_it_while_the_board_changes(house: House, console: Page, seats: Any) -> None:
    name = await name_of(house, 8)
    button = tile(console, name).get_by_role("button", name=re.compile("^Nhắn tin"))
    await button.focus()
    candidate = await seats(9)
    await candidate.start()
    await expect(tile(console, await name_of(house, 9))).to_contain_text("Đang làm bài")
    await expect(button).to_be_focused()


async def test_the_map_shows_every_seat_in_words_as_well_and_opens_cards_by_keyboard(
    house: House, console: Page
) -> None:
    await console.get_by_role("button", name="Sơ đồ", exact=True).click()
    await expect(console.locator(".map-seat[data-attempt]")).to_have_count(10)
    cell = console.get_by_role("button", name=re.compile(f"Chỗ 9: {await name_of(house, 8)}"))
    await cell.focus()
    await console.keyboard.press("Enter")
    await expect(console.locator("dialog h2")).to_have_text(await name_of(house, 8))
    await console.keyboard.press("Escape")
    await expect(cell).to_be_focused()


async def test_the_board_says_when_nobody_is_signed_in_any_more(house: House, browser: Browser, room: Room) -> None:
    page = await open_room(house, browser, room)
    await page.context.clear_cookies()
    await page.route("**/events", lambda route: route.abort())
    await page.reload()
    await page.wait_for_url(re.compile("sign-in"))
    await page.context.close()


@pytest.mark.parametrize("width", [390, 1024, 1440])
async def test_the_console_is_accessible_and_fits_its_screen(
    house: House, browser: Browser, room: Room, width: int
) -> None:
    page = await open_room(house, browser, room, viewport={"width": width, "height": 844})
    source = AXE.read_text()

    async def check() -> None:
        await page.evaluate(source + ";0")
        found = await page.evaluate(
            """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
            'wcag22aa', 'best-practice']}))
            .violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | '))"""
        )
        assert found == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await check()
    await page.get_by_role("button", name="Sơ đồ", exact=True).click()
    await check()
    await page.locator(".map-seat[data-attempt] >> nth=0").click()
    await check()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Lập biên bản").click()
    await check()
    await page.context.close()


async def test_a_room_is_offered_only_what_may_be_done_to_a_room(
    house: House, console: Page, browser: Browser, room: Room
) -> None:
    bar = console.locator(".board__acts")
    for_room = bar.get_by_role("button", name="Thêm giờ", exact=True)
    await expect(for_room).to_be_hidden()
    await expect(bar).to_contain_text("Thêm giờ cho cả phòng là việc của hội đồng thi")
    await bar.locator("select").select_option("end")
    await expect(console.locator(".toast--bad")).to_contain_text("Thu bài: hãy chọn thí sinh trước")
    assert await console.locator("dialog[open]").count() == 0
    last = tile(console, await name_of(house, 8))
    await last.locator(".seat__check").check()
    await expect(for_room).to_be_in_viewport()
    board = await open_room(house, browser, room, user="board")
    await expect(board.locator(".board__acts").get_by_role("button", name="Thêm giờ", exact=True)).to_be_visible()
    await board.context.close()


async def test_what_was_done_is_told_with_the_names_of_people(house: House, console: Page, seats: Any) -> None:
    candidate = await seats(9)
    await candidate.start()
    seat = tile(console, await name_of(house, 9))
    await seat.get_by_role("button", name=re.compile("^Thêm giờ")).click()
    await console.fill("#act-minutes", "3")
    await console.keyboard.press("Enter")
    await console.locator("#board-log").click()
    line = console.locator("details", has=console.locator("#board-log")).locator("li").first
    await expect(line).to_contain_text("03:00 phút")
    await expect(line).to_contain_text("Bùi Văn Khang")


async def test_who_comes_after_being_marked_absent_is_sent_to_the_invigilator(
    house: House, browser: Browser, room: Room
) -> None:
    card = await house.card("thi-thu-tn-2027", 6)
    async with house.seat("thi-thu-tn-2027", 6) as seat, house.staff("invigilator") as staff:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        body = {"request_id": "came-late", "reason": "Không đến thi", "attempts": [attempt]}
        assert (await staff.post(f"/api/sittings/{room.sitting}/absent", json=body)).status_code == 200
        context = await browser.new_context(base_url=house.url, locale="vi")
        page = await context.new_page()
        await page.goto("/exam/")
        await page.fill("#exam", card.exam)
        await page.fill("#number", card.number)
        await page.fill("#code", card.sit_code)
        await page.keyboard.press("Enter")
        # A page that was told before the act reached this worker asks again within ten seconds.
        await expect(page.locator(".attempt")).to_contain_text("báo giám thị ngay", timeout=15_000)
        await context.close()
        back = {"request_id": "came-late-undo", "reason": "đã đến"}
        undone = await staff.post(f"/api/sittings/{room.sitting}/acts/came-late/undo", json=back)
        assert undone.status_code == 200
