"""The scripts of staff pages: confirmation, tables, toasts, HTMX under the content policy, preview."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.proctor_client import pages
from tests.proctor_client.conftest import OpenContext
from tests.proctor_client.peer import ExamPeer, Refusal


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
    await page.wait_for_url("**/api/seal")  # a context closed between request and answer may never be gone


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
