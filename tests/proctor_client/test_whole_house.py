"""A candidate's real browser on a whole installation: the worst hours of an exam day, from both sides of the desk."""

import asyncio
import plistlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from exam_engine.delivery.receipts import GivenAnswer, verify_receipt
from exam_engine.delivery.signing import read_keys
from exam_engine.invigilation.safe_browser import config_key
from tests.api.own_sittings import OwnSitting, own_sitting
from tests.api.test_room_desk import board_seat
from tests.proctor_client.conftest import saved
from tests.proctor_client.test_console import open_room, tile
from tests.proctor_client.whole_house import (
    HELD,
    Slow,
    Whole,
    begin,
    choose,
    enter,
    held_at,
    new_seat,
    open_whole_house,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SEEN_WITHIN_SECONDS = 9  # of the seat; the tenth is the server's: a worker hears within one what another was told

FETCHED = """new Promise(done => { const open = indexedDB.open('exam-vault'); open.onsuccess = () => {
    const counting = open.result.transaction('starts').objectStore('starts').count()
    counting.onsuccess = () => { open.result.close(); done(counting.result === 1) } } })"""

BY_SCRIPT = (
    "window.SafeExamBrowser = { version: '3.9', security: { configKey: '%s' } }",
    # Version 3.0 on macOS has the hash only when it is asked for.
    """window.SafeExamBrowser = { version: '3.0', security: { configKey: '', updateKeys(done) {
        this.configKey = '%s'; setTimeout(done) } } }""",
    "window.SafeExamBrowser = { version: '3.9', security: { configKey: '%s' } }",
)

SeatMaker = Callable[..., Awaitable[BrowserContext]]


@pytest_asyncio.fixture(scope="module")
async def whole() -> AsyncIterator[Whole]:
    async with open_whole_house() as whole:
        yield whole


@pytest_asyncio.fixture
async def sitting(whole: Whole) -> OwnSitting:
    return await own_sitting(whole.house, begins_in=-timedelta(minutes=1), is_open=True)


@pytest_asyncio.fixture
async def seat(browser: Browser, whole: Whole) -> AsyncIterator[SeatMaker]:
    """Put up computers whose pages may not complain."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def put_up(**options: Any) -> BrowserContext:
        context = await new_seat(browser, whole, **options)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield put_up
    whole.cable.plug_in()
    for context in contexts:
        await context.close()
    assert complaints == []


async def _hand_in(page: Page) -> None:
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")


async def test_what_an_invigilator_does_is_seen_at_the_seat_within_ten_seconds(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker, browser: Browser
) -> None:
    sat = await whole.candidate(sitting, 0)
    page = await (await seat()).new_page()
    slow = Slow(page)
    await page.clock.install()
    await enter(page, sat)
    await begin(page)
    await slow.stop()
    console = await open_room(whole.house, browser, sat.room, user="board")

    async def seen(what: str) -> bool:
        return await page.locator(what).count() > 0

    await tile(console, sat.name).get_by_role("button", name=re.compile("^Thêm giờ")).click()
    await console.fill("#act-minutes", "7")
    await console.keyboard.press("Enter")
    await expect(console.locator(".toast--good")).to_contain_text("Đã thêm 7 phút")
    await whole.until_told(sat, lambda told: any(one.get("kind") == "time" for one in told["notices"]))
    assert await slow.seconds_until(lambda: seen(".strip__line--time >> text=7 phút")) <= SEEN_WITHIN_SECONDS

    await tile(console, sat.name).get_by_role("button", name=re.compile("^Nhắn tin")).click()
    await console.fill("#act-text", "Ngồi đúng chỗ nhé.")
    await console.click("dialog .button--primary")
    await whole.until_told(sat, lambda told: any(one.get("text") == "Ngồi đúng chỗ nhé." for one in told["notices"]))
    assert await slow.seconds_until(lambda: seen(".strip__line--message >> text=Ngồi đúng")) <= SEEN_WITHIN_SECONDS

    await console.get_by_role("button", name="Tạm dừng", exact=True).first.click()
    await console.click("dialog .button--primary")
    await whole.until_told(sat, lambda told: told.get("is_paused", False))
    assert await slow.seconds_until(lambda: seen(".ending >> text=Bài thi tạm dừng")) <= SEEN_WITHIN_SECONDS
    assert await page.locator(".item, .choice").count() == 0
    await console.get_by_role("button", name="Tiếp tục làm bài").first.click()
    await console.click("dialog .button--primary")
    await whole.until_told(sat, lambda told: not told.get("is_paused", False))
    assert await slow.seconds_until(lambda: seen(".item")) <= SEEN_WITHIN_SECONDS
    await page.clock.resume()
    await choose(page, "b")
    await saved(page)
    await console.context.close()


async def test_a_second_tab_reads_until_it_is_admitted_and_then_the_first_one_does(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker, browser: Browser
) -> None:
    sat = await whole.candidate(sitting, 0)
    context = await seat()
    first, second = await context.new_page(), await context.new_page()
    await enter(first, sat)
    await begin(first)
    await choose(first, "b")
    await saved(first)
    await enter(second, sat)
    await second.click(".attempt .button--primary:not([disabled])")
    elsewhere = "Bài thi đang mở ở máy khác"
    await expect(second.locator(".ending h1")).to_have_text(elsewhere)
    await second.click("text=Xem bài (chỉ đọc)")
    await second.wait_for_selector(".strip__line--reading:visible")
    await second.keyboard.press("d")
    await first.keyboard.press("c")
    await saved(first)
    kept = await held_at(first)
    await whole.until_stored(sitting, sat, kept)
    assert len(kept) == 1

    console = await open_room(whole.house, browser, sat.room, user="board")
    await expect(tile(console, sat.name)).to_contain_text("cửa sổ thứ hai")
    door = console.locator(".door", has_text=sat.name)
    await door.get_by_role("button", name="Chuyển chỗ, không bù giờ").click()
    await expect(console.locator(".toast--good")).to_contain_text(f"{sat.name} đã chuyển sang máy mới")
    # Idle seats learn of it with their next question.
    await expect(first.locator(".ending h1")).to_have_text(elsewhere, timeout=20_000)
    await expect(second.locator(".strip__line--reading")).to_be_hidden(timeout=20_000)
    await second.keyboard.press("d")
    await saved(second)
    (changed,) = (await held_at(second)).items()
    assert changed not in kept.items()
    await whole.until_stored(sitting, sat, dict([changed]))
    done = await whole.ask(
        "select kind, detail ->> 'client' as client from attempt_event where attempt_id = :a and source = 'server'"
        " and kind in ('start', 'claim', 'admit') order by id",
        a=sat.attempt,
    )
    assert [one.kind for one in done] == ["start", "claim", "admit"]
    # Both are on record: two windows of one computer.
    (device, tab), (same_device, other_tab) = (one.client.split(".") for one in done[:2])
    assert (device, tab) == (same_device, tab) != (device, other_tab)
    await console.context.close()


async def test_ten_minutes_without_a_cable_and_the_hand_in_meanwhile_end_in_a_receipt_that_holds(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker
) -> None:
    sat = await whole.candidate(sitting, 0)
    page = await (await seat()).new_page()
    await page.clock.install()
    await enter(page, sat)
    await begin(page)
    await choose(page, "b")
    await saved(page)
    before = await held_at(page)
    whole.cable.pull()
    for key in "cad":
        await page.keyboard.press("Alt+n")
        await choose(page, key)
        await page.clock.fast_forward(200_000)
    await page.wait_for_selector(".save--not-saved")
    await _hand_in(page)
    await expect(page.locator(".ending h1")).to_have_text("Đang nộp bài")
    kept = await held_at(page)
    given = [GivenAnswer(row["slot"], row["sequence"], row["value"]) for row in await page.evaluate(HELD)]
    assert len(kept) == 4
    await whole.until_stored(sitting, sat, before)
    whole.cable.plug_in()
    await page.clock.fast_forward(30_000)
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    await whole.until("select state = 'submitted' from attempt where id = :a", a=sat.attempt)
    await whole.until_stored(sitting, sat, kept)
    await page.click(".proof summary")
    receipt = await page.locator(".proof__text").inner_text()
    async with whole.house.browser() as anybody:
        keys = read_keys((await anybody.get("/.well-known/receipt-keys.json")).text).ring()
    signed = verify_receipt(receipt, keys, given)
    assert (signed.attempt_id, signed.outcome, signed.slots) == (sat.attempt, "submitted", 4)


async def test_what_a_cable_held_back_past_the_end_is_on_record_and_counts_for_nothing(
    whole: Whole, seat: SeatMaker
) -> None:
    sitting = await own_sitting(
        whole.house, begins_in=-timedelta(minutes=50), is_open=True, ends_in=timedelta(seconds=40)
    )
    sat = await whole.candidate(sitting, 0)
    page = await (await seat()).new_page()
    await enter(page, sat)
    await begin(page)
    await choose(page, "b")
    await saved(page)
    before = await held_at(page)
    whole.cable.pull()
    await page.keyboard.press("Alt+n")
    await choose(page, "c")
    await expect(page.locator(".ending h1")).to_have_text("Hết giờ làm bài", timeout=90_000)
    await expect(page.locator(".ending .lead")).to_contain_text("Chưa kết nối được")
    after = await held_at(page)
    await whole.until("select state = 'closed' from attempt where id = :a", a=sat.attempt)
    whole.cable.plug_in()
    await expect(page.locator(".ending")).to_contain_text("Có 1 câu trả lời về máy chủ sau khi hết giờ", timeout=60_000)
    await whole.until("select count(*) = 1 from late_response where attempt_id = :a", a=sat.attempt)
    ((slot, value, refusal),) = await whole.ask(
        "select slot, value, refusal from late_response where attempt_id = :a", a=sat.attempt
    )
    assert {slot: value} == {slot: value for slot, value in after.items() if slot not in before}
    assert refusal in ("time-over", "attempt-closed")
    assert await whole.stored(sitting, sat) == before
    async with whole.house.staff("board") as board:
        late = await board.get(f"/staff/sittings/{sitting.id}/late", headers={"accept": "text/html"})
    assert sat.card.number in late.text


async def test_a_paper_begun_by_the_rooms_code_comes_in_on_a_stick_when_the_network_never_returns(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker, browser: Browser, tmp_path: Path
) -> None:
    sat = await whole.candidate(sitting, 0)
    page = await (await seat()).new_page()
    await page.clock.install()
    async with page.expect_response("**/sealed-start"):
        await enter(page, sat)
    await page.wait_for_function(FETCHED)
    whole.cable.pull()
    await page.clock.run_for(12_000)
    desk = await open_room(whole.house, browser, sat.room, user="board")
    await desk.goto(f"/staff/sittings/{sitting.id}/offline")
    await desk.click(f"form[action$='/offline/rooms/{sat.room.room}/code'] button")
    code = await desk.locator(".countdown.code").inner_text()
    await page.fill(".code-start input", code)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".item")
    for key in "bca":
        await choose(page, key)
        await page.keyboard.press("Alt+n")
    await page.clock.fast_forward(121_000)
    async with page.expect_download() as coming:
        await page.click(".hand-over .button")
    kept = await held_at(page)
    assert len(kept) == 3
    stick = tmp_path / (await coming.value).suggested_filename
    await (await coming.value).save_as(stick)
    assert await whole.stored(sitting, sat) == {}

    await desk.set_input_files("input[type=file]", stick)
    await desk.get_by_role("button", name="Nhận câu trả lời").click()
    await expect(desk.locator(".alert--good")).to_contain_text(f"{sat.card.number}, {sat.name}: đã nhận 3 câu trả lời")
    await whole.until_stored(sitting, sat, kept)
    # The network returns after all: the seat finds its answers there, goes on, and hands in.
    whole.cable.plug_in()
    await page.clock.run_for(30_000)
    await saved(page)
    await choose(page, "d")
    await saved(page)
    everything = await held_at(page)
    await _hand_in(page)
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    await whole.until_stored(sitting, sat, everything)
    await desk.context.close()


async def test_a_redis_begun_empty_and_a_hand_in_without_postgresql_lose_nothing_and_nobody_notices(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker
) -> None:
    sat = await whole.candidate(sitting, 0)
    page = await (await seat()).new_page()
    await enter(page, sat)
    await begin(page)
    await choose(page, "b")
    await saved(page)
    await whole.until_stored(sitting, sat, await held_at(page))
    whole.site.forget_answers()
    whole.site.kill("valkey")
    for key in "ca":
        await page.keyboard.press("Alt+n")
        await choose(page, key)
    await page.wait_for_selector(".save--saved", timeout=60_000)
    await whole.until_stored(sitting, sat, await held_at(page))

    with whole.site.unsupervised():
        whole.site.kill("postgresql")
        await page.keyboard.press("Alt+n")
        await choose(page, "d")
        await saved(page)
        kept = await held_at(page)
        await _hand_in(page)
        await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
        assert await held_at(page) == kept  # until both stores have it
    await whole.until("select state = 'submitted' from attempt where id = :a", a=sat.attempt)
    await whole.until_stored(sitting, sat, kept)
    async with asyncio.timeout(60):
        while await held_at(page):
            await page.evaluate("0")


async def test_a_safe_exam_browser_shows_its_key_by_script_and_a_wrong_one_only_warns(
    whole: Whole, sitting: OwnSitting, seat: SeatMaker
) -> None:
    """Safe Exam Browser is the script interface it puts into pages, with the key of the file it was started with."""
    path = f"/api/sittings/{sitting.id}/safe-browser"
    async with whole.house.staff("board") as board:
        await board.post(path, json={"quit_password": "4711"})
        key = config_key(plistlib.loads((await board.get(f"{path}/file")).content))
        flags = []
        for position, shown in enumerate((key, key, "0" * 64)):
            sat = await whole.candidate(sitting, position)
            address = f"{whole.house.url}/exam/?exam={sat.card.exam}"
            hashed = sha256(f"{address}{shown}".encode()).hexdigest()
            context = await seat(base_url=whole.house.url)  # the address the file was made for
            await context.add_init_script(BY_SCRIPT[position] % hashed)
            page = await context.new_page()
            await enter(page, sat)
            async with page.expect_response("**/safe-browser"):
                await begin(page)
            await choose(page, "b")
            await saved(page)
            found = await board_seat(board, sat.room, sat.attempt)
            flags.append({flag["kind"] for flag in found.get("flags", [])})  # type: ignore[attr-defined]
            assert found["state"] == "running"
    assert [flag & {"no_safe_browser", "seb_check_failed"} for flag in flags] == [set(), set(), {"seb_check_failed"}]
