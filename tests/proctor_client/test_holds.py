"""Moments in which people decide: a second seat, a pause, a lock; and what a seat tells of its surroundings."""

from typing import Any

from playwright.async_api import Page, expect

from tests.proctor_client import papers
from tests.proctor_client.conftest import Check, OpenContext, go_to, saved, sign_in, start
from tests.proctor_client.peer import ExamPeer, PeerServer


def _values(peer: ExamPeer) -> dict[int, Any]:
    return {slot: held["value"] for slot, held in sorted(peer.responses.items())}


async def _run(page: Page, seconds: int) -> None:
    """Let the page's clock run second by second; what the server answered is taken in before the next one begins."""
    await page.evaluate("fetch('/nothing').then(reply => reply.text())")
    for _ in range(seconds):
        await page.clock.run_for(1_000)
        await page.evaluate("fetch('/nothing').then(reply => reply.text())")


def _kinds(peer: ExamPeer) -> list[str]:
    return [event["kind"] for event in peer.events]


async def test_a_second_seat_waits_until_the_invigilator_lets_it_in(
    page: Page, open_context: OpenContext, peer: ExamPeer, check_accessible: Check
) -> None:
    peer.second_seat = "admit"
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    other = await (await open_context()).new_page()
    await sign_in(other)
    await other.click(".attempt .button:not([disabled])")
    await expect(other.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    await expect(other.locator(".ending .lead")).to_contain_text("Giơ tay báo giám thị")
    await check_accessible(other)
    await other.click("text=Xem bài (chỉ đọc)")
    await other.wait_for_selector(".strip__line--reading:visible")
    await other.keyboard.press("c")
    await expect(other.locator(".choice__input:checked")).to_have_value("A")
    peer.admit()
    await other.wait_for_selector(".save--saved")
    await expect(other.locator(".strip__line--reading")).to_be_hidden(timeout=10_000)
    await other.keyboard.press("d")
    await saved(other)
    await page.keyboard.press("b")
    await expect(page.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    assert _values(peer) == {1: "D"}


async def test_a_second_tab_of_the_same_computer_waits_too_and_is_noticed(page: Page, peer: ExamPeer) -> None:
    peer.second_seat = "admit"
    await start(page)
    second = await page.context.new_page()
    await sign_in(second)
    await second.click(".attempt .button:not([disabled])")
    await expect(second.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    device, tab = peer.client.split(".")
    assert peer.claimant.split(".")[0] == device
    assert peer.claimant.split(".")[1] != tab
    await page.keyboard.press("a")
    await saved(page)
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await saved(page)
    assert "second_window" in _kinds(peer)
    assert _values(peer) == {1: "A", 2: "D"}


async def test_a_pause_hides_the_items_and_stops_the_clock(page: Page, peer: ExamPeer, check_accessible: Check) -> None:
    await page.clock.install()
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    peer.is_paused = True
    await page.clock.run_for(12_000)
    await expect(page.locator(".ending h1")).to_have_text("Bài thi tạm dừng")
    await expect(page.locator(".item")).to_have_count(0)
    await check_accessible(page)
    peer.say("Mất điện, chờ mười phút.")
    await page.clock.run_for(6_000)
    await expect(page.locator(".ending")).to_contain_text("Mất điện, chờ mười phút.")
    peer.deadline_ms += 600_000
    peer.is_paused = False
    await page.clock.run_for(6_000)
    await page.wait_for_selector(".item")
    await expect(page.locator(".timer__extra")).to_contain_text("10")
    await page.keyboard.press("b")
    await saved(page)
    assert _values(peer) == {1: "B"}


async def test_a_locked_seat_keeps_answers_and_sends_them_when_it_is_unlocked(page: Page, peer: ExamPeer) -> None:
    await page.clock.install()
    async with page.expect_response("**/time?*"):
        await start(page)
        await page.clock.run_for(500)
    await _run(page, 1)
    peer.is_locked = True
    await page.keyboard.press("a")
    await _run(page, 1)
    await expect(page.locator(".ending h1")).to_have_text("Bài thi đang bị khóa")
    await expect(page.locator(".ending")).to_contain_text("1 câu trả lời đang giữ trên máy này")
    assert _values(peer) == {}
    peer.is_locked = False
    await page.clock.run_for(8_000)
    await page.wait_for_selector(".item")
    await saved(page)
    assert _values(peer) == {1: "A"}


async def test_ten_minutes_without_a_cable_lose_nothing(page: Page, peer: ExamPeer) -> None:
    await page.clock.install()
    await start(page)
    await page.context.set_offline(True)
    for position in range(1, 8):
        await go_to(page, position)
        await page.keyboard.press("a")
        await page.clock.fast_forward(90_000)
    await page.wait_for_selector(".save--not-saved")
    assert _values(peer) == {}
    await page.context.set_offline(False)
    await page.clock.run_for(25_000)
    await saved(page)
    assert len(_values(peer)) == 7


async def test_a_full_disk_is_told_and_the_server_still_gets_everything(
    open_context: OpenContext, peer: ExamPeer, server: PeerServer
) -> None:
    """A disk that is really full: the browser lets the write begin and then gives the transaction up."""
    context = await open_context(service_workers="block")
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Storage.overrideQuotaForOrigin", {"origin": server.address, "quotaSize": 150_000})
    await start(page)
    await go_to(page, 17)
    long = "chữ " * 20_000
    await page.fill("textarea", long)
    await page.wait_for_selector(".strip__line--hint:has-text('không ghi được vào máy')")
    await saved(page)
    assert _values(peer)[17] == long
    async with page.expect_response("**/events"):
        await page.evaluate("window.dispatchEvent(new Event('online'))")
    assert "storage_full" in _kinds(peer)
    await page.fill("textarea", "chữ")
    await page.wait_for_selector(".strip__line--hint", state="hidden")
    await saved(page)
    assert _values(peer)[17] == "chữ"


async def test_a_browser_that_keeps_nothing_says_so_in_the_waiting_room(
    open_context: OpenContext, peer: ExamPeer
) -> None:
    context = await open_context()
    await context.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }")
    page = await context.new_page()
    await sign_in(page)
    await expect(page.locator(".waiting__status")).to_contain_text("Trình duyệt này không lưu được gì lên máy")
    await page.click(".attempt .button:not([disabled])")
    await page.wait_for_selector(".item")
    await page.keyboard.press("a")
    await saved(page)
    assert _values(peer) == {1: "A"}


async def test_a_wrong_clock_is_shown_and_ignored(page: Page, peer: ExamPeer) -> None:
    peer.ahead_ms = 47 * 60_000
    await page.clock.install()
    await sign_in(page)
    await expect(page.locator(".waiting__status")).to_contain_text("lệch 47 phút")
    await page.click(".attempt .button:not([disabled])")
    await page.wait_for_selector(".item")
    await expect(page.locator(".timer__digits")).to_have_text("1:30:00")
    # Somebody turns the computer's clock back by two hours; the counter does not care, nor does the exam.
    await page.evaluate("() => { const now = Date.now; Date.now = () => now() - 7_200_000 }")
    await page.clock.run_for(12_000)
    await page.keyboard.press("a")
    await page.clock.run_for(1_000)
    await saved(page)
    await expect(page.locator(".timer__digits")).to_contain_text("1:29:")
    await page.clock.run_for(12_000)
    assert "clock_jump" in _kinds(peer)


async def test_extra_time_and_messages_are_seen_within_ten_seconds(page: Page, peer: ExamPeer) -> None:
    await page.clock.install()
    async with page.expect_response("**/time?*"):
        await start(page)
        await page.clock.run_for(500)
    peer.give_minutes(7, "Mất điện")
    peer.say("Giữ trật tự.")
    await _run(page, 9)  # the tenth second is the server's: a worker hears of what another was told within one
    await expect(page.locator(".strip__line--time")).to_contain_text("7 phút")
    await expect(page.locator(".strip__line--message")).to_contain_text("Giữ trật tự.")


async def test_text_from_outside_cannot_be_pasted_but_own_text_can_be_moved(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await go_to(page, 17)
    paste = """text => { const data = new DataTransfer(); data.setData('text/plain', text)
        return document.querySelector('textarea').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })) }"""
    await page.fill("textarea", "câu một")
    assert await page.evaluate(paste, "từ nơi khác") is False
    await expect(page.locator(".strip__line--warning")).to_contain_text("Không dán được")
    await page.locator("textarea").select_text()
    await page.evaluate(
        "document.querySelector('textarea').dispatchEvent(new ClipboardEvent('copy', { bubbles: true }))"
    )
    assert await page.evaluate(paste, "câu một") is True


async def test_leaving_full_screen_losing_the_network_and_pasting_are_told_and_end_nothing(
    page: Page, peer: ExamPeer
) -> None:
    await start(page)
    await page.click("#tools-button")
    await page.get_by_role("group", name="Toàn màn hình").get_by_text("Bật").click()
    await page.wait_for_function("document.fullscreenElement !== null")
    await page.evaluate("document.exitFullscreen()")
    await page.keyboard.press("Escape")
    await page.context.set_offline(True)
    await go_to(page, 17)
    await page.evaluate(
        """() => { const data = new DataTransfer(); data.setData('text/plain', 'từ nơi khác')
        document.querySelector('textarea').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })) }"""
    )
    await page.fill("textarea", "của em")
    await page.wait_for_selector(".save--not-saved")
    told = {"fullscreen_left", "offline", "paste_blocked", "online"}
    async with page.expect_response(lambda _: told <= set(_kinds(peer))):
        await page.context.set_offline(False)
    await saved(page)
    assert peer.state == "running"
    assert _values(peer) == {17: "của em"}


async def test_the_receipt_is_shown_with_a_code_and_the_computer_is_wiped(
    page: Page, peer: ExamPeer, check_accessible: Check
) -> None:
    await start(page)
    await page.keyboard.press("a")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(page.locator(".proof__qr")).to_be_visible()
    await check_accessible(page)
    counts = """new Promise(done => { const open = indexedDB.open('exam-vault'); open.onsuccess = () => {
        const names = [...open.result.objectStoreNames]; const found = {}; let left = names.length
        for (const name of names) { const all = open.result.transaction(name).objectStore(name).count()
        all.onsuccess = () => { found[name] = all.result; if (--left === 0) done(found) } } } })"""
    await page.wait_for_function(f"({counts}).then(found => Object.values(found).every(count => count === 0))")
    await page.reload()
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    await expect(page.locator(".receipt__code")).to_have_text("3F2A-91BC")


async def test_a_paper_closed_by_time_has_its_receipt_too(page: Page, peer: ExamPeer) -> None:
    await page.clock.install()
    async with page.expect_response("**/time?*"):
        await start(page)
        await page.clock.run_for(500)
    peer.state = "closed"
    await _run(page, 10)
    await expect(page.locator(".ending h1")).to_have_text("Bài đã được thu")
    await expect(page.locator(".proof__qr")).to_be_visible()


async def test_four_hundred_percent_zoom_needs_no_sideways_scrolling(
    open_context: OpenContext, peer: ExamPeer, check_accessible: Check
) -> None:
    """1280 × 1024 at 400 %: 320 × 256 CSS pixels (WCAG 1.4.10)."""
    context = await open_context(viewport={"width": 320, "height": 256}, device_scale_factor=4)
    page = await context.new_page()
    await start(page)
    for position in (1, 9, 10, 13, 17):
        while (await page.locator(".item__number").inner_text()) != f"Câu {position}":
            await page.keyboard.press("Alt+n")
        await _fits(page, check_accessible)


async def _fits(page: Page, check_accessible: Check) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await check_accessible(page)


async def test_four_hundred_percent_zoom_reaches_every_other_screen(
    open_context: OpenContext, peer: ExamPeer, check_accessible: Check
) -> None:
    peer.form = papers.english()
    context = await open_context(viewport={"width": 320, "height": 256}, device_scale_factor=4)
    page = await context.new_page()
    await sign_in(page)
    await _fits(page, check_accessible)
    await page.click(".attempt .button:not([disabled])")
    await page.wait_for_selector(".item")
    while (await page.locator(".item__number").inner_text()) != "Câu 3":
        await page.keyboard.press("Alt+n")
    await _fits(page, check_accessible)  # a passage with its items
    peer.is_paused = True
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await page.wait_for_selector(".ending")
    await _fits(page, check_accessible)
    peer.is_paused = False
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await page.wait_for_selector(".item")
    await page.keyboard.press("r")
    await page.wait_for_selector(".review")
    await _fits(page, check_accessible)
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await page.wait_for_selector(".ending--good")
    await expect(page.locator(".proof__qr")).to_be_visible()
    await _fits(page, check_accessible)
