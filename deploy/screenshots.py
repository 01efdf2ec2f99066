"""Takes the pictures of the README: a demo of its own, simulated candidates who write, then four pages.

Run by `make screenshots`; the pictures land in docs/images/ and are committed.
"""

import asyncio
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from exam_engine.cli.rehearsal.bot import CandidateBot, Habits, Tally
from exam_engine.cli.rehearsal.day import PASSWORD, Day, ExamOfDay
from exam_engine.cli.rehearsal.simulator import Step
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.infra.randomness import generator
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.sample.sign_ins import CandidateSignIn, candidate_sign_ins
from exam_engine.wiring import Engine, open_engine

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAXIMUM_BYTES = 200_000
SEED = 2027
GRADUATES, APPLICANTS = 72, 24


async def take_all() -> None:
    """Start a demo, let candidates write, take the pictures, stop it again."""
    graduates = population.mock_graduation(GRADUATES, SEED)
    applicants = population.grade_10_intake(APPLICANTS, SEED)
    populations = {
        population.GRADUATION: lambda: graduates,
        population.INTAKE: lambda: applicants,
        population.PRACTICE: partial(population.practice, seed=SEED),
    }
    with own_installation() as settings:
        async with open_engine(settings) as engine, async_playwright() as playwright:
            await load_sample(engine, populations=populations)
            browser = await playwright.chromium.launch(executable_path=_browser_path(), args=["--no-sandbox"])
            cards = await candidate_sign_ins(engine, APPLICANTS)
            graduate = next(card for card in cards if card.exam == graduates.exam)
            await take_player(browser, settings.base_url, graduate)
            exam = ExamOfDay(graduates.exam, graduates.abilities)
            await Day(engine, settings.base_url, SEED, Habits(batch=12), lambda *_: None).run([exam])
            await take_look_up(browser, settings.base_url, graduate)
            await take_item_list(browser, settings.base_url)
            writers = [card for card in cards if card.exam == applicants.exam]
            await take_room_board(browser, engine, writers)
            await browser.close()


async def take_player(browser: Browser, address: str, card: CandidateSignIn) -> None:
    """A candidate in the middle of the mathematics paper, one item flagged."""
    page = await _open(browser, address)
    await page.goto(f"/exam/?exam={card.exam}")
    await page.fill("#number", card.candidate_number)
    await page.fill("#code", card.sit_code)
    await page.keyboard.press("Enter")
    await page.click(".attempt .button--primary")
    await page.wait_for_selector(".item")
    for key in ("b", "n", "d", "n", "f", "n", "a", "n", "c", "n", "b", "n", "d", "n"):
        await page.keyboard.press(key)
    await page.wait_for_selector(".save--saved")
    await _go_to_a_figure(page)
    await _take(page, "player")


async def take_look_up(browser: Browser, address: str, card: CandidateSignIn) -> None:
    """A graduate's result with the way to the graduation score."""
    page = await _open(browser, address, height=1240)
    await page.goto(f"/results?exam={card.exam}&number={card.candidate_number}")
    await page.fill("#code", card.look_up_code)
    await page.click("main button")
    await page.wait_for_selector("main table")
    await _take(page, "look_up")


async def take_item_list(browser: Browser, address: str) -> None:
    """The bank of mathematics as its author sees it."""
    page = await _open(browser, address)
    await _sign_in(page, "author")
    await page.goto("/staff/items?bank=toan-12")
    await _take(page, "item_list")


async def take_room_board(browser: Browser, engine: Engine, cards: list[CandidateSignIn]) -> None:
    """A room in the middle of the English exam: most write, some have handed in, one has not come."""
    address = engine.settings.base_url
    async with (
        StaffClient(address, "board") as board,
        httpx.AsyncClient(base_url=address, timeout=30.0) as seats,
    ):
        await board.sign_in(PASSWORD)
        sittings = await board.get("/api/sittings", exam=cards[0].exam)
        (sitting,) = [sitting for sitting in sittings if sitting["state"] != "closed"]
        await board.post(f"/api/sittings/{sitting['id']}/open")
        rng = generator(SEED, 9)
        for place, card in enumerate(cards[:-1]):
            calm = Habits(batch=10, reload_probability=0.0, drop_probability=0.0)
            bot = CandidateBot(seats, Tally(), card.exam, card.candidate_number, card.sit_code, rng, calm)
            await bot.check_in()
            await bot.start()
            answered = len(bot.order) if place % 6 == 0 else int(rng.integers(8, len(bot.order)))
            steps = [Step(slot, "ABCD"[int(rng.integers(4))]) for slot in bot.order[:answered]]
            await bot.sit(steps, lambda _: None)
            if place % 6 == 0:
                await bot.submit()
    page = await _open(browser, address)
    await _sign_in(page, "invigilator")
    await page.goto(f"/staff/sittings/{sitting['id']}")
    await page.click("main a.card")
    await page.wait_for_selector(".seat")
    await _take(page, "room_board")


async def _open(browser: Browser, address: str, height: int = 900) -> Page:
    context = await browser.new_context(
        base_url=address, locale="vi-VN", viewport={"width": 1440, "height": height}, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    return await context.new_page()


async def _sign_in(page: Page, user_name: str) -> None:
    await page.goto("/staff/sign-in")
    await page.fill("#user_name", user_name)
    await page.fill("#password", PASSWORD)
    await page.click("main button")
    await page.wait_for_selector("nav.shell__nav")


async def _go_to_a_figure(page: Page) -> None:
    """Stop at the first item with a figure, for the picture's sake; else where we are."""
    for cell in await page.query_selector_all(".desk__side .cell"):
        await cell.click()
        if await page.query_selector(".item img"):
            return


async def _take(page: Page, name: str) -> None:
    """Photograph the window and keep the picture small."""
    await page.evaluate("document.fonts.ready")
    await page.wait_for_function("[...document.images].every(image => image.complete)")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.png"
        await page.screenshot(path=raw)
        IMAGES.mkdir(parents=True, exist_ok=True)
        target = IMAGES / f"{name}.png"
        with Image.open(raw) as picture:
            picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    size = target.stat().st_size
    print(f"{target.relative_to(IMAGES.parents[1])}: {size // 1000} kB")
    if size > MAXIMUM_BYTES:
        sys.exit(f"{target.name} is larger than {MAXIMUM_BYTES // 1000} kB")


def _browser_path() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit("Chromium is needed to take pictures: install the package chromium")
    return found


if __name__ == "__main__":
    asyncio.run(take_all())
