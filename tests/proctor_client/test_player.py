"""A candidate at the screen: every kind of item by keyboard, hand in; and what the screen says on the way."""

from typing import Any

from playwright.async_api import Page, expect

from tests.proctor_client import papers
from tests.proctor_client.conftest import OpenContext, go_to, saved, sign_in, start
from tests.proctor_client.peer import ExamPeer


def _values(peer: ExamPeer) -> dict[int, Any]:
    return {slot: held["value"] for slot, held in sorted(peer.responses.items())}


# What the vault holds, and the papers somebody left behind, as text: attempts, responses, forms, papers.
KEPT = """(async () => {
    const done = request => new Promise(resolve => { request.onsuccess = () => resolve(request.result) })
    const vault = await done(indexedDB.open('exam-vault'))
    const count = store => done(vault.transaction(store).objectStore(store).count())
    const counts = [await count('attempts'), await count('responses'), await count('forms')]
    vault.close()
    return [...counts, localStorage.getItem('exam.left-behind')].join() })()"""


async def test_a_candidate_answers_every_kind_of_item_by_keyboard_and_hands_in(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("c")  # item 1, shown as C
    await page.keyboard.press("n")
    await page.keyboard.press("1")  # item 2 has its options turned round: the first is D
    await page.keyboard.press("f")
    await go_to(page, 9)
    await page.keyboard.press("b")
    await page.keyboard.press("d")
    await go_to(page, 10)
    for key in "1221":
        await page.keyboard.press(key)
    await go_to(page, 13)
    for key in "-1.5":
        await page.keyboard.press(key)
    await page.keyboard.press("Alt+n")
    await go_to(page, 17)
    await page.fill("textarea", "Tự học là con đường ngắn nhất.")
    await saved(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await expect(page.locator("dialog")).to_contain_text("Còn 11 câu chưa trả lời")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")
    await expect(page.locator(".receipt")).to_contain_text("6 trên 17")
    await expect(page.locator(".receipt__code")).to_have_text("3F2A-91BC")
    assert _values(peer) == {
        1: "C",
        2: "D",
        9: ["B", "D"],
        10: {"a": True, "b": False, "c": False, "d": True},
        13: "-1,5",
        17: "Tự học là con đường ngắn nhất.",
    }
    assert peer.state == "submitted"


async def test_the_card_may_be_typed_as_people_type_it_and_mistakes_are_named(page: Page, peer: ExamPeer) -> None:
    await page.goto("/exam/?exam=thi-thu-tn-2027")
    await expect(page.locator("#number")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#number-error")).to_have_text("Điền ô này.")
    await page.fill("#number", "31000123")
    await page.fill("#code", "7k3m 9")
    await page.keyboard.press("Enter")
    await expect(page.locator("#code-error")).to_contain_text("mới có 5")
    await page.fill("#code", "7k3m-9qxa-2b4e")
    await page.keyboard.press("Enter")
    await expect(page.locator(".alert--bad")).to_contain_text("không khớp")
    await expect(page.locator("#code")).to_be_focused()
    await expect(page.locator("#number")).to_have_value("31000123")
    peer.failing = (503, 0)
    await page.keyboard.press("Enter")
    await expect(page.locator(".alert--bad")).to_contain_text("Chưa kết nối được")
    peer.failing = None
    await page.fill("#code", "7K3M9QXA2B4D")
    await page.keyboard.press("Enter")
    await expect(page.locator(".identity")).to_contain_text("Nguyễn Trần Khánh Vân")


async def test_the_waiting_room_counts_down_and_opens_by_itself(page: Page, peer: ExamPeer) -> None:
    peer.ahead_ms = -5 * 3_600_000  # the computer's clock is five hours wrong
    peer.starts_in_ms = 3_000
    await sign_in(page)
    await expect(page.locator(".countdown")).to_contain_text("00:0")
    await expect(page.locator(".attempt .button--primary")).to_be_disabled()
    await expect(page.locator(".attempt .button--primary")).to_be_enabled()
    await page.click("summary:has-text('Trả lời ngắn')")
    await page.fill("#sample-4", "0.5")
    await expect(page.locator("#sample-4")).to_have_value("0,5")
    assert peer.saves == []


async def test_who_waits_reads_what_the_invigilator_says(page: Page, peer: ExamPeer) -> None:
    peer.starts_in_ms = 600_000
    await sign_in(page)
    peer.say("Mở đề muộn 5 phút.")
    said = page.locator(".waiting [role=status] .alert")
    await expect(said).to_have_text("Tin từ giám thị: Mở đề muộn 5 phút.", timeout=15_000)
    peer.starts_in_ms = 0
    await page.click(".attempt .button--primary:not([disabled])", timeout=15_000)
    await expect(page.locator(".strip__line--message")).to_contain_text("Mở đề muộn 5 phút.")


async def test_the_palette_shows_five_states_and_says_them(page: Page) -> None:
    await start(page)
    await page.keyboard.press("a")
    await page.keyboard.press("n")
    await page.keyboard.press("f")
    await page.keyboard.press("n")
    await page.keyboard.press("a")
    await page.keyboard.press("f")
    await page.keyboard.press("n")
    await page.keyboard.press("n")
    cells = page.locator(".desk__side .palette .cell")
    labels = [await cells.nth(index).get_attribute("aria-label") for index in range(6)]
    assert labels == [
        "Câu 1: Đã trả lời",
        "Câu 2: Đánh dấu, chưa trả lời",
        "Câu 3: Đánh dấu, đã trả lời",
        "Câu 4: Đã xem, chưa trả lời",
        "Câu 5: Đã xem, chưa trả lời",
        "Câu 6: Chưa xem",
    ]
    await go_to(page, 10)
    await page.keyboard.press("1")
    await expect(cells.nth(9)).to_have_attribute("aria-label", "Câu 10: Đã trả lời, mới trả lời 1/4 ý")


async def test_an_answer_can_be_cleared(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.click(".item__clear")
    await expect(page.locator(".choice__input:checked")).to_have_count(0)
    await expect(page.locator(".item__clear")).to_be_hidden()
    await saved(page)
    assert _values(peer) == {1: None}


async def test_the_short_answer_explains_what_it_does_not_take(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await go_to(page, 13)
    field = page.locator(".numeric__input")
    await field.press_sequentially("12a")
    await expect(page.locator(".numeric__hint")).to_contain_text("Chỉ nhận chữ số")
    await field.fill("")
    await field.press_sequentially("1,2,")
    await expect(page.locator(".numeric__hint")).to_contain_text("Chỉ được một dấu phẩy")
    await expect(field).to_have_value("1,2")
    await field.fill(",5")
    await expect(page.locator(".numeric__hint")).to_contain_text("Trước dấu phẩy")
    await field.fill("12345")
    await expect(field).to_have_value("1234")
    await saved(page)
    assert _values(peer)[13] == "1234"


async def test_a_multiple_choice_holds_its_maximum(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await go_to(page, 9)
    for key in "abc":
        await page.keyboard.press(key)
    await expect(page.locator(".choices__note")).to_contain_text("Đã đủ 2 phương án")
    await expect(page.locator(".choice__input:checked")).to_have_count(2)
    await saved(page)
    assert _values(peer) == {9: ["A", "B"]}


async def test_the_language_changes_while_an_answer_is_being_written(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await go_to(page, 17)
    await page.fill("textarea", "một hai ba")
    await page.click("#tools-button")
    await page.click(".tools__panel .button:text-is('English')")
    await expect(page.locator(".item__number")).to_have_text("Question 17")
    await expect(page.locator("textarea")).to_have_value("một hai ba")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".save")).to_have_text("Saved")
    assert _values(peer) == {17: "một hai ba"}


async def test_single_letter_keys_can_be_switched_off(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.click("#tools-button")
    await page.click(".tools__row:has-text('Phím tắt') .button:text-is('Tắt')")
    await page.keyboard.press("Escape")
    await page.locator(".item__number").focus()
    await page.keyboard.press("a")
    await page.keyboard.press("n")
    await expect(page.locator(".item__number")).to_have_text("Câu 1")
    await page.keyboard.press("Control+ArrowRight")
    await expect(page.locator(".item__number")).to_have_text("Câu 2")
    assert peer.saves == []


async def test_the_clock_can_be_hidden_and_comes_back_for_the_last_minutes(page: Page, peer: ExamPeer) -> None:
    peer.minutes = 6
    await start(page)
    await page.click(".timer__toggle")
    await expect(page.locator(".timer__digits")).to_have_text("Đã ẩn")
    peer.deadline_ms -= 59_000
    await page.keyboard.press("a")  # the answer brings the new deadline
    await expect(page.locator(".timer--soon .timer__digits")).to_contain_text("04:")
    await expect(page.locator(".strip__line--warning")).to_contain_text("Còn 5 phút")


async def test_notices_and_extra_time_reach_the_seat_calmly(page: Page, peer: ExamPeer) -> None:
    await start(page)
    peer.say("Câu 5: sửa 2y thành 3y.")
    peer.give_minutes(5, "Mất điện")
    await page.keyboard.press("a")
    await expect(page.locator(".strip__line--message")).to_contain_text("Câu 5: sửa 2y thành 3y.")
    await expect(page.locator(".strip__line--time")).to_contain_text("Thêm 5 phút. Mất điện")
    await expect(page.locator(".timer__extra")).to_have_text("+5 phút")
    await page.click(".strip__line--message .button")
    await expect(page.locator(".strip__line--message")).to_have_count(0)
    await page.keyboard.press("n")
    await page.reload()
    await page.wait_for_selector(".item")
    await expect(page.locator(".strip__line--message")).to_have_count(0)
    await expect(page.locator(".strip__line--time")).to_have_count(1)


async def test_when_time_is_over_the_paper_closes_and_added_time_opens_it_again(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await go_to(page, 17)
    await page.fill("textarea", "đến phút cuối")
    await saved(page)
    peer.deadline_ms = peer.now_ms() + 1_500
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await page.keyboard.press("3")
    await expect(page.locator(".ending h1")).to_have_text("Hết giờ làm bài")
    await expect(page.locator(".ending")).to_contain_text("Mọi câu trả lời đã được lưu")
    assert _values(peer) == {16: "3", 17: "đến phút cuối"}
    peer.deadline_ms = peer.now_ms() + 600_000
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(page.locator(".item__number")).to_have_text("Câu 16")


async def test_content_passes_the_sanitiser_and_formulas_stay(
    page: Page, peer: ExamPeer, complaints: list[str]
) -> None:
    hostile = (
        "<p onclick='window.hit=1' style='color:red' class='x'>Một <b>hai</b><script>window.hit=1</script>"
        "<img src=x onerror='window.hit=1'><img src='/media/../api/x' alt='lạ'><svg><script>window.hit=1</script></svg>"
        "<iframe src='/exam/'></iframe><a href='javascript:window.hit=1'>ba</a>"
        "<math><mfrac href='javascript:1'><mn>1</mn><mn>2</mn></mfrac>"
        "<annotation-xml encoding='text/html'><img src=x onerror='window.hit=1'></annotation-xml></math></p>"
    )
    peer.form["items"][0]["stem"] = hostile
    await start(page)
    stem = page.locator(".item__stem")
    await expect(stem).to_contain_text("Một hai")
    await expect(stem.locator("math mfrac mn")).to_have_count(2)
    html = await stem.inner_html()
    for word in ("script", "onclick", "onerror", "style", "iframe", "svg", "href", "javascript", "class="):
        assert word not in html
    await expect(stem.locator("img")).to_have_count(0)
    assert await page.evaluate("window.hit") is None
    # The inert document it is read into says that it would have refused the handlers too.
    assert all(
        complaint.startswith(("Executing inline event handler", "Applying inline style")) for complaint in complaints
    )
    complaints.clear()


async def test_hats_and_arrows_reach_over_all_their_letters(page: Page, peer: ExamPeer) -> None:
    letters = "<mrow><mi>A</mi><mi>B</mi><mi>C</mi></mrow>"
    peer.form["items"][0]["stem"] = (
        f"<p><math><mover accent='true'>{letters}<mo stretchy='true'>\u0302</mo></mover></math> "
        f"<math><mover>{letters}<mo>→</mo></mover></math> <math><mover><mi>a</mi><mo>→</mo></mover></math> "
        f"<math><mover>{letters}<mo>‾</mo></mover></math></p>"
    )
    await start(page)
    overs = page.locator(".item__stem mover")
    classes = [await overs.nth(index).get_attribute("class") for index in range(4)]
    assert classes == ["wide-hat", "wide-arrow", None, None]
    drawn = await overs.nth(0).evaluate("over => getComputedStyle(over).backgroundImage")
    assert drawn.count("linear-gradient") == 2


async def test_leaving_wipes_the_paper_from_the_computer(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await page.click(".ending__leave .button")
    await page.wait_for_selector("#number")
    await expect(page.locator("#exam")).to_have_value("thi-thu-tn-2027")
    assert await page.evaluate("sessionStorage.length") == 0
    assert await page.evaluate("localStorage.getItem('exam.open-visit')") is None
    await page.wait_for_function(f"(async () => (await {KEPT}) === '0,0,0,')()")


async def test_a_paper_handed_in_is_kept_here_until_the_server_has_it_twice(page: Page, peer: ExamPeer) -> None:
    peer.is_stored = False
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(page.locator("h1")).to_have_text("Đã nộp bài")
    await page.wait_for_function(f"(async () => (await {KEPT}).startsWith('1,1,1,'))()")
    peer.lose_hand_in()
    await page.reload()
    await expect(page.locator("h1")).to_have_text("Đã nộp bài")
    assert (peer.state, peer.responses[1]["value"]) == ("submitted", "A")
    await expect(page.get_by_text("ở hai nơi")).to_be_hidden()
    peer.is_stored = True
    await expect(page.get_by_text("Bài đã được cất an toàn ở hai nơi.")).to_be_visible(timeout=15_000)
    await page.wait_for_function(f"(async () => (await {KEPT}) === '0,0,0,')()")


async def test_a_page_left_early_asks_on_for_the_candidate_who_is_gone(page: Page, peer: ExamPeer) -> None:
    peer.is_stored = False
    await start(page)
    await page.keyboard.press("a")
    await saved(page)
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await page.click(".ending__leave .button")
    await page.wait_for_selector("#number")
    await page.wait_for_function(f"(async () => (await {KEPT}).startsWith('1,1,1,'))()")
    peer.is_stored = True
    await page.wait_for_function(f"(async () => (await {KEPT}) === '0,0,0,')()", timeout=15_000)


async def test_events_of_the_seat_are_reported(page: Page, peer: ExamPeer) -> None:
    await start(page)
    await page.evaluate("window.dispatchEvent(new Event('blur')); window.dispatchEvent(new Event('focus'))")
    await page.evaluate("window.dispatchEvent(new Event('online'))")

    def kinds() -> list[str]:
        return [event["kind"] for event in peer.events]

    async with page.expect_response(lambda _: {"focus_lost", "focus_back", "online"} <= set(kinds())):
        await page.keyboard.press("a")
    assert kinds()[:1] == ["start"]


async def test_a_passage_stands_beside_its_items_and_stays_while_one_moves_among_them(
    page: Page, peer: ExamPeer
) -> None:
    peer.form = papers.english()
    await start(page)
    await expect(page.locator(".desk__passage")).to_be_hidden()
    for _ in range(2):
        await page.keyboard.press("n")
    passage = page.locator(".desk__passage")
    await expect(passage).to_contain_text("The library by the river")
    await expect(passage.locator("summary")).to_have_text("Ngữ liệu cho câu 3–8")
    await passage.evaluate("element => element.setAttribute('data-same', 'yes')")
    same = await passage.locator(".content").element_handle()
    await page.keyboard.press("n")
    await expect(page.locator(".item__number")).to_have_text("Câu 4")
    assert same is not None
    assert await same.evaluate("element => element.isConnected")
    box, item = await passage.bounding_box(), await page.locator(".desk__page").bounding_box()
    assert box is not None
    assert item is not None
    assert box["x"] + box["width"] <= item["x"] + 1


async def test_a_phone_has_no_sideways_scrolling_at_any_text_size(open_context: OpenContext) -> None:
    context = await open_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = await context.new_page()
    await start(page)
    for size in (1, 2, 3, 4):
        await page.evaluate("size => { document.documentElement.dataset.textSize = size }", str(size))
        for position in (1, 2, 10, 13, 17):
            await page.click(".frame__place")
            await page.click(f"dialog .palette-part .cell >> nth={position - 1}")
            await page.wait_for_selector(f".item__number:text-is('Câu {position}')")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"text size {size}, item {position}"
