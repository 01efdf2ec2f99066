"""A seat dies: the same candidate goes on at another one, on the real API, with the same paper and the lost time."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import Card, House, house, province
from tests.api.rooms import practice_room
from tests.proctor_client.conftest import saved
from tests.proctor_client.test_console import open_room

__all__ = ["house", "province"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
EXAM = "lam-quen-2027"


@pytest_asyncio.fixture
async def seats(browser: Browser, house: House) -> AsyncIterator[list[BrowserContext]]:
    """Two computers of the lab."""
    contexts = [await browser.new_context(base_url=house.url, locale="vi-VN") for _ in range(2)]
    for context in contexts:
        context.set_default_timeout(20_000)
    yield contexts
    for context in contexts:
        await context.close()


async def _sign_in(page: Page, card: Card) -> None:
    await page.goto(f"/exam/?exam={EXAM}")
    await page.fill("#number", card.number)
    await page.fill("#code", card.sit_code)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waiting")


async def _answer_first_choice(page: Page) -> str:
    while not await page.locator(".choice__input").count():
        await page.keyboard.press("Alt+n")
    await page.keyboard.press("b")
    await saved(page)
    return await page.locator(".choice__input:checked").input_value()


async def _answer_three(page: Page) -> None:
    """Answer three items, each with another letter."""
    for key in "bca":
        await _next_choice(page)
        await page.keyboard.press(key)
        await saved(page)
        await page.keyboard.press("Alt+n")


async def _next_choice(page: Page) -> None:
    while not await page.locator(".choice__input").count():
        await page.keyboard.press("Alt+n")


async def _admitted(house: House, attempt: str) -> tuple[dict[str, Any], int]:
    """What the admission came to, and how long before it the last answer of the old seat had been stored, ms."""
    query = """select act.outcome, round(1000 * extract(epoch from act.at - max(e.server_time))) as silent_ms
        from sitting_act act join response_event e on e.attempt_id = (act.attempts ->> 0)::uuid
            and e.server_time < act.at
        where act.kind = 'admit' and act.attempts ->> 0 = :attempt group by act.outcome, act.at"""
    while True:  # the write-behind is under way
        async with transaction(house.engine.sessions) as session:
            row = (await session.execute(text(query), {"attempt": attempt})).first()
        if row is not None:
            return row.outcome, int(row.silent_ms)


async def test_a_dead_seat_is_replaced_from_the_console_with_paper_answers_and_exactly_the_lost_time(
    house: House, browser: Browser, seats: list[BrowserContext]
) -> None:
    """The second seat's clock stands but for what the test lets pass: how long it waits by itself is counted."""
    room = await practice_room(house)
    card = await house.card(EXAM, 2)
    name = (await house.candidates(EXAM))[2].full_name
    envelopes: list[dict[str, Any]] = []
    asked: list[str] = []

    async def note(response: Any) -> None:
        if response.url.endswith("/start") and response.ok:
            envelopes.append(await response.json())

    def count(request: Any) -> None:
        if request.url.endswith("/start"):
            asked.append(request.url)

    console = await open_room(house, browser, room)
    first, second = await seats[0].new_page(), await seats[1].new_page()
    first.on("response", note)
    second.on("response", note)
    first.on("request", count)
    second.on("request", count)
    await _sign_in(first, card)
    await first.click(".attempt .button--primary:not([disabled])")
    await first.wait_for_selector(".item")
    await _answer_three(first)
    before, attempt = envelopes[0], envelopes[0]["attempt_id"]
    await seats[0].close()

    await second.clock.install()
    await _sign_in(second, card)
    await second.click(".attempt .button--primary:not([disabled])")
    await expect(second.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    await second.clock.pause_at(await second.evaluate("Date.now() + 1000"))
    assert envelopes[-1]["lease"] == 0
    door = console.locator(".door", has_text=name)
    await door.get_by_role("button", name="Chuyển chỗ, bù giờ đã mất").click()
    await expect(console.locator(".toast--good")).to_contain_text(f"{name} đã chuyển sang máy mới")
    waited_seconds = 0
    while envelopes[-1]["lease"] == 0:
        await second.clock.run_for(1_000)
        waited_seconds += 1
        assert waited_seconds < 60
        while len(asked) > len(envelopes):  # an answer takes as long as it takes; the seat's clock stands
            await second.evaluate("0")
    await second.clock.resume()
    await second.wait_for_selector(".item")

    after = envelopes[-1]
    assert (after["ordering"], after["paper_code"]) == (before["ordering"], before["paper_code"])
    assert after["lease"] == before["lease"] + 1
    held = {answer["slot"]: answer["value"] for answer in after["responses"]}
    assert len(held) >= 3
    shown = []
    await _next_choice(second)
    while len(shown) < 3:
        shown.append(await second.locator(".choice__input:checked").input_value())
        await second.keyboard.press("Alt+n")
        await _next_choice(second)
    assert len(set(shown)) > 1
    outcome, silent_ms = await _admitted(house, attempt)
    assert after["deadline_ms"] - before["deadline_ms"] == outcome["credited_ms"] > 0
    assert outcome["credited_ms"] <= silent_ms  # from the last sign of life, which no answer comes after
    await _next_choice(second)
    await second.keyboard.press("d")
    await saved(second)
    assert console.complaints == []  # type: ignore[attr-defined]
    await console.context.close()


async def test_the_paper_is_fetched_sealed_and_opened_by_the_start(house: House, seats: list[BrowserContext]) -> None:
    card = await house.card(EXAM, 3)
    page = await seats[0].new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    async with page.expect_response("**/sealed-start"):
        await _sign_in(page, card)
    await page.click(".attempt .button--primary:not([disabled])")
    await page.wait_for_selector(".item")
    assert [url for url in asked if "/api/papers/" in url]
    await _answer_first_choice(page)
