"""WCAG 2.2 AA by axe-core on every screen, in the three themes; targets, focus, and what axe cannot see."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.proctor_client import pages, papers
from tests.proctor_client.conftest import CODE, Check, OpenContext, go_to, saved, sign_in, start
from tests.proctor_client.peer import ExamPeer, PeerServer

THEMES = ("light", "dark", "contrast")


@pytest.fixture(params=THEMES)
async def themed(request: pytest.FixtureRequest, open_context: OpenContext, server: PeerServer) -> Page:
    context = await open_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    await context.add_cookies([{"name": "theme", "value": request.param, "url": server.address}])
    return await context.new_page()


async def test_door_and_waiting_room(themed: Page, check_accessible: Check) -> None:
    await themed.goto("/exam/?exam=thi-thu-tn-2027")
    await themed.wait_for_selector("#number")
    await check_accessible(themed)
    await themed.keyboard.press("Enter")
    await check_accessible(themed)
    await sign_in(themed)
    for summary in await themed.query_selector_all("summary"):
        await summary.click()
    await check_accessible(themed)


async def test_every_kind_of_item(themed: Page, check_accessible: Check) -> None:
    await start(themed)
    for position, key in ((1, "a"), (9, "b"), (10, "1"), (13, "7"), (17, None)):
        await go_to(themed, position)
        if key:
            await themed.keyboard.press(key)
        await check_accessible(themed)


async def test_a_passage_with_its_items(themed: Page, peer: ExamPeer, check_accessible: Check) -> None:
    peer.form = papers.english()
    await start(themed)
    for _ in range(3):
        await themed.keyboard.press("n")
    await check_accessible(themed)


async def test_panels_notices_review_and_receipt(themed: Page, peer: ExamPeer, check_accessible: Check) -> None:
    await start(themed)
    peer.say("Giữ trật tự.")
    peer.give_minutes(5, "Mất điện")
    await themed.keyboard.press("a")
    await themed.wait_for_selector(".strip__line--message")
    await themed.click("#tools-button")
    await check_accessible(themed)
    await themed.keyboard.press("Escape")
    await themed.locator(".item__number").focus()
    await themed.keyboard.press("?")
    await check_accessible(themed)
    await themed.keyboard.press("Escape")
    await saved(themed)
    await themed.keyboard.press("r")
    await themed.wait_for_selector(".review")
    await check_accessible(themed)
    await themed.click("#hand-in")
    await check_accessible(themed)
    await themed.click("dialog .button:has-text('Nộp bài')")
    await themed.wait_for_selector(".ending--good")
    await check_accessible(themed)


async def test_preview_and_list(themed: Page, peer: ExamPeer, check_accessible: Check) -> None:
    peer.pages["/staff/item"] = pages.preview_page(
        peer.form["items"][9], {"title": "Ngữ liệu", "content": "<p>Chung.</p>"}
    )
    peer.pages["/staff/list"] = pages.list_page()
    await themed.goto("/staff/item")
    await themed.wait_for_selector(".cluster")
    await check_accessible(themed)
    await themed.goto("/staff/list")
    await themed.wait_for_selector(".toast")
    await check_accessible(themed)


@pytest.mark.parametrize("width", [390, 1024, 1440])
async def test_targets_are_large_enough_to_hit(open_context: OpenContext, width: int) -> None:
    context = await open_context(viewport={"width": width, "height": 844})
    page = await context.new_page()
    await start(page)
    await page.keyboard.press("a")
    for key in ("n", "n"):
        await page.keyboard.press(key)
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, label, summary, select, textarea, input[type=text]')]
        .filter(element => {
          const box = element.getBoundingClientRect()
          const isShown = box.width > 0 && getComputedStyle(element).visibility !== 'hidden'
          return isShown && !element.closest('.visually-hidden, .skip-link') && (box.width < 24 || box.height < 24)
        })
        .map(element => element.outerHTML.slice(0, 80))"""
    )
    assert small == []


async def test_every_control_shows_its_focus_and_is_not_hidden_by_the_bars(
    open_context: OpenContext, peer: ExamPeer
) -> None:
    context = await open_context(viewport={"width": 390, "height": 640})
    page = await context.new_page()
    await start(page)
    peer.say("Một tin dài của giám thị, để chân trang cao lên và che bớt màn hình nhỏ này.")
    await page.keyboard.press("b")
    await page.wait_for_selector(".strip__line--message")
    await page.locator(".item__number").focus()
    for _ in range(8):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement === document.body"):
            break  # round the page once
        seen = await page.evaluate(
            """() => {
              const focused = document.activeElement
              const box = focused.getBoundingClientRect()
              const row = focused.matches('.choice__input') ? focused.nextElementSibling : focused
              const at = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 12))
              const hit = row.contains(at) || at === focused || row.parentElement.contains(at)
              return { hit, outline: getComputedStyle(row).outlineStyle, what: focused.outerHTML.slice(0, 60) }
            }"""
        )
        assert seen["hit"], seen
        assert seen["outline"] != "none", seen


async def test_state_and_time_are_spoken(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await expect(page.locator(".save")).to_have_role("status")
    await expect(page.get_by_role("timer", name="Thời gian còn lại")).to_be_visible()
    voice = page.locator("exam-app > [role=status]")
    await page.keyboard.press("t")
    await expect(voice).to_have_text(re.compile(r"Còn (90|89) phút \d+ giây\."))
    peer.say("Giữ trật tự.")
    await page.keyboard.press("a")
    await expect(voice).to_have_text("Tin từ giám thị: Giữ trật tự.")


async def test_statements_of_a_cluster_are_named_by_row_and_column(page: Page) -> None:
    await start(page)
    await go_to(page, 10)
    await expect(
        page.get_by_role("radio", name="b) Sau 2 năm, số tiền lãi là 24 triệu đồng (làm tròn đến hàng đơn vị). Sai")
    ).to_have_count(1)
    await expect(page.get_by_role("rowheader")).to_have_count(4)


async def test_every_ending_and_every_hold(themed: Page, peer: ExamPeer, check_accessible: Check) -> None:
    await _meet_every_ending_and_hold(themed, peer, check_accessible)


async def test_every_ending_and_every_hold_at_four_hundred_percent(
    open_context: OpenContext, peer: ExamPeer, check_accessible: Check
) -> None:
    """1280 × 1024 at 400 %: 320 × 256 CSS pixels (WCAG 1.4.10)."""
    context = await open_context(viewport={"width": 320, "height": 256}, device_scale_factor=4)

    async def check(page: Page) -> None:
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await check_accessible(page)

    await _meet_every_ending_and_hold(await context.new_page(), peer, check)


async def _meet_every_ending_and_hold(page: Page, peer: ExamPeer, check: Check) -> None:
    peer.second_seat = "admit"
    await start(page)
    titles = page.locator(".ending h1")
    nudge = "window.dispatchEvent(new Event('online'))"
    peer.is_paused = True
    await page.evaluate(nudge)
    await expect(titles).to_have_text("Bài thi tạm dừng")
    await check(page)
    peer.is_paused, peer.is_locked = False, True
    await page.evaluate(nudge)
    await expect(titles).to_have_text("Bài thi đang bị khóa")
    await check(page)
    peer.is_locked = False
    peer.take_lease()
    await page.evaluate(nudge)
    await expect(titles).to_have_text("Bài thi đang mở ở máy khác")
    await check(page)
    await page.click("text=Làm tiếp ở máy này")
    await expect(page.locator(".ending")).to_contain_text("Giơ tay")
    await check(page)
    peer.admit()
    await page.evaluate(nudge)
    await page.wait_for_selector(".item")
    peer.failing = (503, 0)
    await page.keyboard.press("a")
    await page.wait_for_selector(".save--not-saved")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(titles).to_have_text("Đang nộp bài")
    await check(page)
    with peer.lock:
        peer.state, peer.failing = "closed", None
    await expect(page.locator(".ending--warn, .ending .lead")).to_contain_text("sau khi hết giờ", timeout=20_000)
    await check(page)


async def _tab_to(page: Page, selector: str) -> None:
    """Move the focus by the Tab key alone."""
    for _ in range(80):
        if await page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reached {selector}")


async def test_a_paper_is_sat_from_the_door_to_the_receipt_without_a_pointer(page: Page, peer: ExamPeer) -> None:
    await page.goto("/exam/?exam=thi-thu-tn-2027")
    await expect(page.locator("#number")).to_be_focused()
    await page.keyboard.type("31000123")
    await page.keyboard.press("Tab")
    await page.keyboard.type(CODE)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waiting")
    await _tab_to(page, ".attempt .button--primary")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".item")
    await _tab_to(page, ".choice__input")
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowDown")
    await saved(page)
    assert peer.responses[1]["value"] == "B"
    await _tab_to(page, ".desk__side .cell[aria-label^='Câu 10:']")
    await page.keyboard.press("Enter")
    await expect(page.locator(".item__number")).to_have_text("Câu 10")
    await _tab_to(page, ".cluster input")
    await page.keyboard.press("Space")
    await _tab_to(page, ".desk__side .cell[aria-label^='Câu 13:']")
    await page.keyboard.press("Enter")
    await _tab_to(page, ".numeric__input")
    await page.keyboard.type("0,5")
    await _tab_to(page, ".foot__flag")
    await page.keyboard.press("Enter")
    await _tab_to(page, ".foot__next")
    await page.keyboard.press("Enter")
    await expect(page.locator(".item__number")).to_have_text("Câu 14")
    await saved(page)
    await page.keyboard.press("r")
    await _tab_to(page, "#hand-in")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog[open]")
    for _ in range(10):
        if await page.evaluate("document.activeElement.textContent.trim()") == "Nộp bài":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    assert {slot: held["value"] for slot, held in sorted(peer.responses.items())} == {
        1: "B",
        10: {"a": True},
        13: "0,5",
    }
    await expect(page.locator(".skip-link")).to_have_count(0)
