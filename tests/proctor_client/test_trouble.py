"""Bad moments: no network, a reload without one, a busy server, another seat, a server that came back empty."""

from typing import Any

from playwright.async_api import Page, expect

from tests.proctor_client.conftest import CODE, OpenContext, go_to, saved, start
from tests.proctor_client.peer import ExamPeer


def _values(peer: ExamPeer) -> dict[int, Any]:
    return {slot: held["value"] for slot, held in sorted(peer.responses.items())}


KEPT_RESPONSES = """(async () => {
    const done = request => new Promise(resolve => { request.onsuccess = () => resolve(request.result) })
    const vault = await done(indexedDB.open('exam-vault'))
    const kept = await done(vault.transaction('responses').objectStore('responses').count())
    vault.close()
    return kept })()"""


async def ready_for_offline(page: Page) -> None:
    """The service worker rules the page and has its files."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    if not await page.evaluate("navigator.serviceWorker.controller !== null"):
        await page.evaluate(
            """new Promise(done => { navigator.serviceWorker.oncontrollerchange = () => done(null)
            if (navigator.serviceWorker.controller) done(null) })"""
        )


async def test_answers_given_without_a_network_survive_a_reload_without_one(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await ready_for_offline(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await page.keyboard.press("b")
    await page.keyboard.press("f")
    await page.wait_for_selector(".save--not-saved")
    await expect(page.locator(".strip__line--hint")).to_contain_text("đang được giữ trên máy này")
    await page.reload()
    await page.wait_for_selector(".item")
    await expect(page.locator(".item__number")).to_have_text("Câu 2")
    await expect(page.locator(".choice__input:checked")).to_have_value("C")  # item 2 is shown in the order D, C, B, A
    await expect(page.locator(".foot__flag")).to_have_attribute("aria-pressed", "true")
    await go_to(page, 13)
    await expect(page.locator(".item__stem img")).to_be_visible()
    assert await page.locator(".item__stem img").evaluate("image => image.complete && image.naturalWidth > 0")
    for key in "0,5":
        await page.keyboard.press(key)
    assert _values(peer) == {1: "A"}
    await page.context.set_offline(False)
    await saved(page)
    assert _values(peer) == {1: "A", 2: "C", 13: "0,5"}
    await expect(page.locator(".strip__line--hint")).to_be_hidden()


async def test_handing_in_without_a_network_goes_through_when_it_is_back(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(page.locator(".ending .lead")).to_contain_text("sẽ tự nộp ngay khi có mạng")
    assert peer.state == "running"
    await page.context.set_offline(False)
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    assert _values(peer) == {1: "A", 2: "D"}


async def test_a_busy_server_is_waited_for(page: Page, peer: ExamPeer) -> None:
    await start(page)
    peer.failing = (503, 1)
    await page.keyboard.press("a")
    await page.wait_for_selector(".save--not-saved")
    peer.failing = None
    await saved(page)
    assert _values(peer) == {1: "A"}


async def test_another_seat_makes_this_one_read_only_until_it_is_taken_back(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    peer.take_lease()
    peer.responses[2] = {"slot": 2, "sequence": 200_001, "value": "B", "client_time_ms": 0}
    await page.keyboard.press("n")
    await page.keyboard.press("n")
    await page.keyboard.press("b")
    await expect(page.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    assert _values(peer) == {1: "A", 2: "B"}
    await page.click("text=Làm tiếp ở máy này")
    await page.wait_for_selector(".item")
    await saved(page)
    assert _values(peer) == {1: "A", 2: "B", 3: "B"}
    await go_to(page, 2)
    await expect(page.locator(".choice__input:checked")).to_have_value("B")


async def test_two_tabs_never_write_at_once(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    second = await page.context.new_page()
    await start(second)
    await expect(second.locator(".choice__input:checked")).to_have_value("A")
    await page.keyboard.press("b")
    await expect(page.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    await second.keyboard.press("d")
    await saved(second)
    assert _values(peer) == {1: "D"}


async def test_a_reload_keeps_the_lease_and_the_answers(page: Page, peer: ExamPeer) -> None:
    await start(page)
    lease = peer.lease
    await go_to(page, 17)
    await page.fill("textarea", "chưa kịp dừng tay")
    await page.reload()
    await page.wait_for_selector("textarea")
    await expect(page.locator("textarea")).to_have_value("chưa kịp dừng tay")
    await saved(page)
    assert peer.lease == lease
    assert _values(peer) == {17: "chưa kịp dừng tay"}


async def test_a_server_that_came_back_empty_gets_every_answer_again(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await saved(page)
    peer.failing = (503, 0)
    await page.keyboard.press("b")
    await page.wait_for_selector(".save--not-saved")
    with peer.lock:
        peer.responses.clear()
        peer.failing = None
    await saved(page)
    assert _values(peer) == {1: "A", 2: "C"}


async def test_after_a_power_cut_the_card_opens_the_paper_while_the_network_is_still_out(
    page: Page, peer: ExamPeer
) -> None:
    await start(page)
    await ready_for_offline(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await page.wait_for_function(KEPT_RESPONSES + ".then(kept => kept === 2)")
    again = await page.context.new_page()  # what belonged to the tab alone is gone
    await page.close()
    await again.goto("/exam/?exam=thi-thu-tn-2027")
    await again.fill("#number", "31000123")
    await again.fill("#code", "7k3m 9qxa 2b4e")
    await again.keyboard.press("Enter")
    await expect(again.locator(".alert--bad")).to_contain_text("Chưa kết nối được")
    await again.fill("#code", CODE)
    await again.keyboard.press("Enter")
    await expect(again.locator(".item__number")).to_have_text("Câu 2")
    await expect(again.locator(".choice__input:checked")).to_have_value("D")
    await again.keyboard.press("n")
    await again.keyboard.press("b")
    await again.context.set_offline(False)
    await saved(again)
    assert _values(peer) == {1: "A", 2: "D", 3: "B"}


async def test_an_expired_token_asks_for_the_card_and_loses_nothing(page: Page, peer: ExamPeer) -> None:
    await start(page)
    peer.token = "token-2"
    await page.keyboard.press("a")
    await page.wait_for_selector("#code")
    await expect(page.locator(".alert--warn")).to_contain_text("mọi câu trả lời trên máy này vẫn còn")
    await expect(page.locator("#number")).to_have_value("31000123")
    await page.fill("#code", CODE)
    await page.keyboard.press("Enter")
    await page.click(".attempt .button:has-text('Tiếp tục làm bài')")
    await page.wait_for_selector(".item")
    await saved(page)
    assert _values(peer) == {1: "A"}


async def test_answers_that_came_too_late_are_on_record_told_and_found_after_a_reload(
    page: Page, peer: ExamPeer
) -> None:
    await start(page)
    peer.failing = (503, 0)
    await page.keyboard.press("a")
    await page.wait_for_selector(".save--not-saved")
    with peer.lock:
        peer.state, peer.failing = "closed", None
    told = "Có 1 câu trả lời về máy chủ sau khi hết giờ"
    await expect(page.locator(".ending")).to_contain_text(told)
    assert [(late["slot"], late["value"]) for late in peer.late] == [(1, "A")]
    assert peer.responses == {}
    await page.reload()
    await expect(page.locator(".ending")).to_contain_text(told)
    await page.click(".ending__leave .button")
    await page.wait_for_selector("#number")
    await page.wait_for_function(KEPT_RESPONSES + ".then(kept => kept === 1)")


async def test_the_cable_that_was_out_at_the_end_brings_every_answer_for_the_record(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    peer.deadline_ms = peer.now_ms() + 4_000
    await page.keyboard.press("b")  # brings the new deadline
    await saved(page)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await page.keyboard.press("b")
    await expect(page.locator(".ending h1")).to_have_text("Hết giờ làm bài", timeout=15_000)
    await expect(page.locator(".ending .lead")).to_contain_text("Chưa kết nối được")
    await expect(page.locator(".ending__leave")).to_be_hidden()
    peer.state = "closed"
    await page.context.set_offline(False)
    late = "Có 1 câu trả lời về máy chủ sau khi hết giờ"
    await expect(page.locator(".ending .lead")).to_contain_text(late, timeout=15_000)
    assert _values(peer) == {1: "B"}
    assert [(late["slot"], late["value"]) for late in peer.late] == [(2, "C")]


async def test_a_browser_without_a_service_worker_still_works_off_line(
    open_context: OpenContext, peer: ExamPeer
) -> None:
    context = await open_context(service_workers="block", viewport={"width": 1024, "height": 768})
    page = await context.new_page()
    await start(page)
    await context.set_offline(True)
    await page.keyboard.press("a")
    await page.wait_for_selector(".save--not-saved")
    await context.set_offline(False)
    await saved(page)
    assert _values(peer) == {1: "A"}


async def test_a_seat_that_is_refused_the_start_says_why(page: Page, peer: ExamPeer) -> None:
    await page.goto("/exam/?exam=x")
    await page.fill("#number", "1")
    await page.fill("#code", CODE)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waiting")
    peer.failing = (503, 0)
    await page.click(".attempt .button:not([disabled])")
    await expect(page.locator(".waiting .alert")).to_contain_text("Chưa mở được bài thi")
    peer.failing = None
    await page.click(".attempt .button:not([disabled])")
    await page.wait_for_selector(".item")
