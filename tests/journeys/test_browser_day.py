"""A day in real browsers: a candidate sits through a lost network, a marker marks, a parent looks up."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Response, expect

from exam_engine.assembly import service as assembly
from exam_engine.cli.rehearsal.day import PASSWORD
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.delivery.store.attempts import load_stored_values
from exam_engine.infra.database import transaction
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.sample.sign_ins import CandidateSignIn, candidate_sign_ins
from exam_engine.wiring import Engine, open_engine
from tests.proctor_client.conftest import go_to, saved

EXAM = "lam-quen-2027"
ESSAY = "Em thích đọc sách vì sách cho em gặp nhiều người."
LATER_ESSAY = ESSAY + " Mỗi tối em đọc mười trang."

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module")
async def engine_of_day() -> AsyncIterator[Engine]:
    populations = {
        population.GRADUATION: partial(population.mock_graduation, 2),
        population.INTAKE: partial(population.grade_10_intake, 2),
        population.PRACTICE: partial(population.practice, 2),
    }
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            await load_sample(engine, populations=populations)
            yield engine


@pytest_asyncio.fixture
async def context(browser: Browser, engine_of_day: Engine) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(base_url=engine_of_day.settings.base_url, locale="vi-VN")
    context.set_default_timeout(20_000)
    yield context
    await context.close()


async def test_a_paper_survives_reload_and_lost_network_and_ends_in_a_result(
    context: BrowserContext, browser: Browser, engine_of_day: Engine
) -> None:
    card = await card_of(engine_of_day)
    heard = Heard(context)
    page = await context.new_page()
    await page.clock.install()
    await sit_down(page, card)
    kinds = heard.kinds_in_display_order()
    assert set(kinds) == {"single_choice", "multiple_choice", "true_false_cluster", "short_numeric", "essay"}

    for number, kind in enumerate(kinds, start=1):
        await go_to(page, number)
        await answer(page, kind)
    await saved(page)

    await page.reload()
    await page.wait_for_selector(".item")
    await go_to(page, kinds.index("essay") + 1)
    await expect(page.locator("textarea")).to_have_value(ESSAY)

    await context.set_offline(True)
    await page.fill("textarea", LATER_ESSAY)
    await go_to(page, kinds.index("short_numeric") + 1)
    await page.keyboard.press("Backspace")
    await page.keyboard.type("7")
    await page.clock.fast_forward(60_000)
    await page.wait_for_selector(".save--not-saved")
    await context.set_offline(False)
    await page.clock.fast_forward(30_000)
    await saved(page)

    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await page.click("#hand-in")
    await page.click("dialog .button:has-text('Nộp bài')")
    await expect(page.locator(".ending h1")).to_have_text("Đã nộp bài")

    held = heard.values_sent()
    async with StaffClient(engine_of_day.settings.base_url, "board") as board:
        await board.sign_in(PASSWORD)
        sitting = next(s for s in await board.get("/api/sittings", exam=EXAM) if s["exam"] == EXAM)
        await board.post(f"/api/sittings/{sitting['id']}/close")
        async with transaction(engine_of_day.sessions) as session:
            stored = await load_stored_values(session, sitting["id"])
        assert {slot: value for (_, slot), value in stored.items()} == held
        assert held[heard.slot_of("essay")] == LATER_ESSAY
        await no_key_was_sent(heard, engine_of_day, sitting["form_id"])

        await mark_in_a_browser(browser, engine_of_day)
        await board.post(f"/api/exams/{EXAM}/score-runs", {"reason": "first scoring"})
        release = await board.post(f"/api/exams/{EXAM}/releases", {"release_at": engine_of_day.clock().isoformat()})
    async with StaffClient(engine_of_day.settings.base_url, "board2") as second:
        await second.sign_in(PASSWORD)
        await second.post(f"/api/releases/{release['id']}/approve")
    await look_up_in_a_browser(browser, engine_of_day, card)


async def card_of(engine: Engine) -> CandidateSignIn:
    return next(card for card in await candidate_sign_ins(engine) if card.exam == EXAM)


async def sit_down(page: Page, card: CandidateSignIn) -> None:
    await page.goto(f"/exam/?exam={EXAM}")
    await page.fill("#number", card.candidate_number)
    await page.fill("#code", card.sit_code)
    await page.keyboard.press("Enter")
    await expect(page.locator(".identity")).to_contain_text(card.full_name)
    await page.click(".attempt .button--primary")
    await page.wait_for_selector(".item")


async def answer(page: Page, kind: str) -> None:
    match kind:
        case "single_choice":
            await page.keyboard.press("b")
        case "multiple_choice":
            await page.keyboard.press("a")
            await page.keyboard.press("c")
        case "true_false_cluster":
            for key in "1212":
                await page.keyboard.press(key)
        case "short_numeric":
            await page.keyboard.type("5")
        case "essay":
            await page.fill("textarea", ESSAY)
    await page.keyboard.press("Escape")


async def mark_in_a_browser(browser: Browser, engine: Engine) -> None:
    context = await browser.new_context(base_url=engine.settings.base_url, locale="vi-VN")
    page = await context.new_page()
    await staff_sign_in(page, "marker", "/staff/marking/next")
    await expect(page.locator("article")).to_contain_text(LATER_ESSAY)
    for field in await page.locator("input[name^=criterion-]").all():
        await field.fill("0,5")
    await page.click("form .button--primary")
    await expect(page.locator("main")).to_contain_text("1/1")
    await context.close()


async def look_up_in_a_browser(browser: Browser, engine: Engine, card: CandidateSignIn) -> None:
    context = await browser.new_context(base_url=engine.settings.base_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"/results?exam={EXAM}&number={card.candidate_number}")
    await expect(page.locator("#candidate_number")).to_have_value(card.candidate_number)
    await page.fill("#code", "0000-0000-0000")
    await page.click("form .button--primary")
    await expect(page.locator("[role=alert]")).to_be_visible()
    await expect(page.locator("#candidate_number")).to_have_value(card.candidate_number)
    await page.fill("#code", card.look_up_code.lower().replace("-", " "))
    await page.click("form .button--primary")
    await expect(page.locator("h1")).to_contain_text(card.candidate_number)
    await expect(page.locator("main")).to_contain_text("Làm quen")
    await context.close()


async def staff_sign_in(page: Page, user_name: str, target: str) -> None:
    await page.goto(f"/staff/sign-in?next={target}")
    await page.fill("#user_name", user_name)
    await page.fill("#password", PASSWORD)
    await page.click("form .button--primary")


async def no_key_was_sent(heard: "Heard", engine: Engine, form_id: str) -> None:
    """Scan everything the candidate's browser received: no field of a key, no explanation, no author's order."""
    async with transaction(engine.sessions) as session:
        items = await assembly.load_items(session, form_id)  # type: ignore[arg-type]
        orders = [slot.option_order for slot in await assembly.load_slots(session, form_id)]  # type: ignore[arg-type]
    received = b"\n".join(await heard.bodies())
    assert b'"stem"' in received
    assert any(orders)
    for field in (b'"key"', b'"accepted"', b'"correct"', b'"rule"', b'"explanation"', b'"option_order"', b'"criteria"'):
        assert field not in received
    for item in items.values():
        assert item.code.encode() not in received
        if item.explanation:
            assert item.explanation.encode() not in received


class Heard:
    """Everything a browser received and sent."""

    def __init__(self, context: BrowserContext) -> None:
        self._responses: list[Response] = []
        self._bodies: dict[int, bytes] = {}
        self._form: dict[str, Any] = {}
        self._envelope: dict[str, Any] = {}
        self._sent: dict[int, tuple[int, Any]] = {}
        context.on("response", self._note)

    async def _note(self, response: Response) -> None:
        if "/api/" not in response.url and "/exam" not in response.url:
            return
        try:
            body = await response.body()
        except Exception:  # noqa: BLE001 (a response cut off by the lost network has no body)
            return
        self._bodies[len(self._bodies)] = body
        if "/api/forms/" in response.url and response.ok:
            self._form = json.loads(body)
        elif response.url.endswith("/start") and response.ok:
            self._envelope = json.loads(body)
        elif response.url.endswith("/responses") and response.ok:
            for entry in (response.request.post_data_json or {}).get("responses", []):
                slot, sequence = entry["slot"], entry["sequence"]
                if sequence >= self._sent.get(slot, (0, None))[0]:
                    self._sent[slot] = (sequence, entry["value"])

    def kinds_in_display_order(self) -> list[str]:
        kinds = {item["slot"]: item["kind"] for item in self._form["items"]}
        return [kinds[entry["slot"]] for entry in self._envelope["ordering"]]

    def slot_of(self, kind: str) -> int:
        return next(int(item["slot"]) for item in self._form["items"] if item["kind"] == kind)

    def values_sent(self) -> dict[int, Any]:
        return {slot: value for slot, (_, value) in self._sent.items() if value is not None}

    async def bodies(self) -> list[bytes]:
        return list(self._bodies.values())
