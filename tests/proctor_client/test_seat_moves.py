"""A seat dies: the same candidate goes on at another one, on the real API, with the same paper and the lost time."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.api.conftest import Card, House, house, province
from tests.api.rooms import Room, practice_room
from tests.proctor_client.conftest import saved

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


async def _seat_of(house: House, room: Room, attempt: str) -> dict[str, Any]:
    async with house.staff("board") as board:
        shown = (await board.get(f"{room.path}/board")).json()
    return next(seat for seat in shown["seats"] if seat["attempt_id"] == attempt)


async def test_a_dead_seat_is_replaced_with_paper_answers_and_time(house: House, seats: list[BrowserContext]) -> None:
    room = await practice_room(house)
    card = await house.card(EXAM, 2)
    envelopes: list[dict[str, Any]] = []

    async def note(response: Any) -> None:
        if response.url.endswith("/start") and response.ok:
            envelopes.append(await response.json())

    first, second = await seats[0].new_page(), await seats[1].new_page()
    first.on("response", note)
    second.on("response", note)
    await _sign_in(first, card)
    await first.click(".attempt .button--primary:not([disabled])")
    await first.wait_for_selector(".item")
    given = await _answer_first_choice(first)
    await seats[0].close()

    await _sign_in(second, card)
    await second.click(".attempt .button--primary:not([disabled])")
    await expect(second.locator(".ending h1")).to_have_text("Bài thi đang mở ở máy khác")
    assert envelopes[-1]["lease"] == 0
    attempt = envelopes[0]["attempt_id"]
    async with house.staff("invigilator") as invigilator:
        body = {"request_id": uuid4().hex, "credit": True, "reason": "máy hỏng"}
        admitted = await invigilator.post(f"/api/sittings/{room.sitting}/attempts/{attempt}/admit", json=body)
        assert admitted.status_code == 200, admitted.text
    await second.wait_for_selector(".item")
    while not await second.locator(".choice__input").count():
        await second.keyboard.press("Alt+n")
    await expect(second.locator(".choice__input:checked")).to_have_value(given)
    before, after = envelopes[0], envelopes[-1]
    assert after["ordering"] == before["ordering"]
    assert after["paper_code"] == before["paper_code"]
    assert after["lease"] == before["lease"] + 1
    assert after["deadline_ms"] > before["deadline_ms"]
    await second.keyboard.press("a")
    await saved(second)


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
