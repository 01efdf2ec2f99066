"""The scripts of staff pages: room board, confirmation, tables, toasts, HTMX under the content policy, preview."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.proctor_client import pages
from tests.proctor_client.conftest import OpenContext
from tests.proctor_client.peer import ExamPeer, Refusal


@pytest.fixture
def acts(peer: ExamPeer) -> list[tuple[str, dict[str, Any]]]:
    """What the board sent, in order."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def take(verb: str) -> Any:
        def answer(body: dict[str, Any]) -> dict[str, Any]:
            sent.append((verb, body))
            if (body.get("attempt_id") or "").endswith("2"):
                raise Refusal(409, "attempt-closed")
            return {}

        return answer

    peer.pages["/staff/room"] = pages.board_page()
    peer.routes["GET", pages.BOARD] = lambda _body: pages.board_view(peer)
    peer.routes["POST", f"/api/sittings/{pages.SITTING}/extend"] = take("extend")
    peer.routes["POST", f"/api/sittings/{pages.SITTING}/messages"] = take("messages")
    return sent


async def test_the_board_puts_on_top_who_may_need_help_and_says_why(page: Page, acts: list[Any]) -> None:
    await page.goto("/staff/room")
    top = page.locator("section[aria-labelledby=board-help] .seat")
    await expect(top).to_have_count(2)
    await expect(top.nth(0)).to_contain_text("Đặng Quốc Việt")
    await expect(top.nth(0)).to_contain_text("Mất kết nối 1 phút")
    await expect(top.nth(1)).to_contain_text("Máy chưa kết nối")
    await expect(page.locator("section[aria-labelledby=board-fine] .seat")).to_have_count(10)
    await page.fill("#board-find", "anh duc")
    await expect(page.locator(".seat")).to_have_count(1)
    await expect(page.locator(".seat")).to_contain_text("Đỗ Đức Anh")


async def test_adding_time_says_what_will_happen_before_it_is_sent(
    page: Page, acts: list[tuple[str, dict[str, Any]]]
) -> None:
    await page.goto("/staff/room")
    await page.click(".seat:has-text('Đặng Quốc Việt') button >> nth=0")
    dialog = page.locator("dialog")
    await dialog.get_by_role("button", name="10 phút").click()
    await dialog.locator("select").select_option("network")
    await expect(dialog.locator(".alert")).to_contain_text("Đặng Quốc Việt (SBD 31000113) được thêm 10 phút")
    await dialog.get_by_role("button", name="Hủy").click()
    assert acts == []
    await page.click(".seat:has-text('Đặng Quốc Việt') button >> nth=0")
    await page.fill("#act-minutes", "7")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast--good")).to_contain_text("Đã thêm 7 phút cho Đặng Quốc Việt")
    [(verb, body)] = acts
    assert verb == "extend"
    assert body.pop("request")
    assert body == {
        "room_id": pages.ROOM,
        "attempt_id": "33333333-0000-4000-8000-000000000003",
        "seconds": 420,
        "reason": "Máy hỏng hoặc đổi máy",
    }


async def test_a_message_goes_to_the_chosen_or_to_the_room(page: Page, acts: list[tuple[str, dict[str, Any]]]) -> None:
    await page.goto("/staff/room")
    await page.check(".seat:has-text('Lê Hoàng Minh') input")
    await page.check(".seat:has-text('Bùi Gia Huy') input")
    await expect(page.locator(".board__target")).to_have_text("2 thí sinh đã chọn:")
    await page.click(".board__bar .button:has-text('Nhắn tin')")
    await page.fill("#act-text", "Còn 15 phút.")
    await page.click("dialog .button--primary")
    await expect(page.locator(".toast--good")).to_contain_text("2 thí sinh")
    await page.click(".board__bar .button:has-text('Nhắn tin')")
    await expect(page.locator("dialog h2")).to_contain_text("cả phòng (12 thí sinh)")
    await page.fill("#act-text", "Hết giờ.")
    await page.click("dialog .button--primary")
    await expect(page.locator(".toast--good >> nth=1")).to_contain_text("cả phòng")
    assert [(verb, body["attempt_id"], body["text"]) for verb, body in acts] == [
        ("messages", "33333333-0000-4000-8000-000000000001", "Còn 15 phút."),
        ("messages", "33333333-0000-4000-8000-000000000005", "Còn 15 phút."),
        ("messages", None, "Hết giờ."),
    ]
    assert len({body["request"] for _, body in acts}) == 3


async def test_an_act_the_server_refuses_is_named(page: Page, acts: list[Any]) -> None:
    await page.goto("/staff/room")
    await page.click(".seat:has-text('Phạm Thị Ngọc Ánh') button >> nth=0")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast--bad")).to_contain_text("Phạm Thị Ngọc Ánh")


async def test_the_board_says_when_it_is_out_of_date_and_goes_on_by_itself(
    page: Page, peer: ExamPeer, acts: list[Any]
) -> None:
    await page.clock.install()
    await page.goto("/staff/room")
    await page.wait_for_selector(".seat")
    peer.failing = (503, 0)
    for _ in range(8):
        await page.clock.run_for(2_000)
        await page.wait_for_load_state("networkidle")
    await expect(page.locator("room-board > .alert")).to_contain_text("Bảng chưa cập nhật được")
    await expect(page.locator(".seat")).to_have_count(12)
    peer.failing = None
    await page.clock.run_for(2_500)
    await expect(page.locator("room-board > .alert")).to_be_hidden()


async def test_a_tile_with_the_focus_keeps_it_over_new_readings(page: Page, peer: ExamPeer, acts: list[Any]) -> None:
    await page.goto("/staff/room")
    button = page.locator(".seat:has-text('Bùi Gia Huy') button >> nth=0")
    await button.focus()
    async with page.expect_response("**/board"):
        pass
    async with page.expect_response("**/board"):
        pass
    await expect(button).to_be_focused()


async def test_a_dangerous_act_asks_first_and_sends_the_button_that_was_pressed(page: Page, peer: ExamPeer) -> None:
    sent: list[dict[str, Any]] = []

    def seal(body: dict[str, Any]) -> dict[str, Any]:
        sent.append(body)
        return {}

    peer.pages["/staff/list"] = pages.list_page()
    peer.routes["POST", "/api/seal"] = seal
    await page.goto("/staff/list")
    await page.click("text=Niêm phong đề")
    dialog = page.locator("dialog")
    await expect(dialog).to_contain_text("đề không sửa được nữa")
    await expect(dialog.get_by_role("button", name="Hủy")).to_be_focused()
    await page.keyboard.press("Escape")
    assert sent == []
    await page.click("text=Niêm phong đề")
    async with page.expect_request("**/api/seal") as request:
        await dialog.get_by_role("button", name="Niêm phong").click()
    assert (await request.value).post_data == "form=F1&act=seal"


async def test_htmx_asks_too_and_turns_problems_into_toasts(page: Page, peer: ExamPeer) -> None:
    def refuse(_body: dict[str, Any]) -> Any:
        raise Refusal(409, "form-sealed")

    peer.pages["/staff/list"] = pages.list_page()
    peer.routes["GET", "/api/refused"] = refuse
    peer.routes["POST", "/api/seal"] = lambda _body: "xong"
    await page.goto("/staff/list")
    await page.click("text=Bị từ chối")
    await expect(page.locator(".toast--bad")).to_contain_text("form-sealed")
    await expect(page.locator("#part")).to_be_empty()
    await page.get_by_role("button", name="Gửi", exact=True).click()
    await page.click("dialog .button--primary")
    await expect(page.locator("#part")).to_have_text('"xong"')


async def test_attributes_that_hold_script_are_refused(page: Page, peer: ExamPeer, complaints: list[str]) -> None:
    peer.pages["/staff/x"] = pages.staff_page(
        "X",
        '<button class="button" hx-on:click="window.hit = 1">Bấm</button>'
        '<button class="button" hx-get="/api/x" hx-vals="js:{a: window.hit = 1}">Gửi</button>',
    )
    await page.goto("/staff/x")
    await page.click("text=Bấm")
    await page.click("text=Gửi")
    assert await page.evaluate("window.hit") is None
    assert complaints
    complaints.clear()


async def test_a_short_table_filters_without_marks_and_sorts(page: Page, peer: ExamPeer) -> None:
    peer.pages["/staff/list"] = pages.list_page()
    await page.goto("/staff/list")
    await page.fill("#find", "dang viet")
    await expect(page.locator("#people tbody tr:visible")).to_have_count(1)
    await page.fill("#find", "khong co")
    await expect(page.locator("#people tbody")).to_contain_text("Không có dòng nào khớp.")
    await page.fill("#find", "")
    await page.click("#people th:has-text('Điểm') button")
    await expect(page.locator("#people tbody th")).to_have_text(["Đặng Quốc Việt", "Lê Hoàng Minh", "Ánh Tuyết"])
    await expect(page.locator("#people th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    await page.click("#people th:has-text('Điểm') button")
    await expect(page.locator("#people tbody th >> nth=0")).to_have_text("Ánh Tuyết")


async def test_the_theme_is_kept_for_the_next_page(page: Page, peer: ExamPeer) -> None:
    peer.pages["/staff/list"] = pages.list_page()
    await page.goto("/staff/list")
    await page.select_option("theme-switch select", "contrast")
    await expect(page.locator("html")).to_have_attribute("data-theme", "contrast")
    assert {cookie["name"]: cookie["value"] for cookie in await page.context.cookies()}["theme"] == "contrast"
    await page.goto("/exam/")
    await expect(page.locator("html")).to_have_attribute("data-theme", "contrast")


async def test_pages_read_without_script(open_context: OpenContext, peer: ExamPeer) -> None:
    context = await open_context(java_script_enabled=False)
    page = await context.new_page()
    peer.pages["/staff/list"] = pages.list_page()
    await page.goto("/staff/list")
    await expect(page.locator("[data-toast]")).to_have_text("Đã lưu câu hỏi.")
    await expect(page.locator("#people tbody tr")).to_have_count(3)
    await page.goto("/exam/")
    await expect(page.locator("noscript")).to_have_count(1)


@pytest.mark.parametrize("position", [1, 9, 10, 13, 17])
async def test_the_preview_shows_an_item_as_the_player_does(page: Page, peer: ExamPeer, position: int) -> None:
    item = peer.form["items"][position - 1]
    peer.pages["/staff/item"] = pages.preview_page(item)
    await page.goto("/staff/item")
    await expect(page.locator("item-preview .item__stem")).to_be_visible()
    shown = await page.locator("item-preview .item__stem").inner_html()
    assert "<math" in shown or "<p>" in shown
    await expect(page.locator("item-preview :is(.choices, .cluster, .numeric, .essay)")).to_be_visible()
