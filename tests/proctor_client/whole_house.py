"""A whole installation as `exam-engine up` runs it, the cable between it and its seats, and seats in real browsers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from exam_engine.cli.drilling.cable import Cable
from exam_engine.cli.drilling.site import Site
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.delivery.store.attempts import load_stored_values
from exam_engine.infra.database import transaction
from exam_engine.infra.embedded.places import settle
from exam_engine.sample import population
from exam_engine.sample.loader import Populations, load_sample
from exam_engine.wiring import open_engine
from tests.api.conftest import Card, House
from tests.api.own_sittings import OwnSitting
from tests.api.rooms import Room

HELD = """new Promise(done => { const open = indexedDB.open('exam-vault'); open.onsuccess = () => {
    const rows = open.result.transaction('responses').objectStore('responses').getAll()
    rows.onsuccess = () => { open.result.close(); done(rows.result) } } })"""
WORKERS_ASKED = 16  # connections, so many that every worker of the API has answered one


class Whole(msgspec.Struct, frozen=True):
    """The installation, how staff reach it, the cable its seats hang on, and what strikes its servers down."""

    house: House
    cable: Cable
    site: Site

    async def candidate(self, sitting: OwnSitting, position: int) -> "Sat":
        """Return where a candidate of a sitting of one's own sits."""
        card = await self.house.card(sitting.exam, position)
        query = """select a.id, a.room_id, c.full_name from attempt a join candidate c on c.id = a.candidate_id
            where a.sitting_id = :sitting and c.number = :number"""
        async with transaction(self.house.engine.sessions) as session:
            row = (await session.execute(text(query), {"sitting": sitting.id, "number": card.number})).one()
        return Sat(card, row.full_name, row.id, Room(sitting.id, row.room_id, (row.id,)))

    async def ask(self, query: str, **parameters: Any) -> list[Any]:
        """Ask PostgreSQL."""
        async with transaction(self.house.engine.sessions) as session:
            return list((await session.execute(text(query), parameters)).all())

    async def until(self, query: str, **parameters: Any) -> None:
        """Wait until PostgreSQL says yes, which may be only just coming back."""
        async with asyncio.timeout(90):
            while True:
                try:
                    if (await self.ask(query, **parameters))[0][0]:
                        return
                except (OSError, DBAPIError):
                    pass
                await asyncio.sleep(0.05)

    async def stored(self, sitting: OwnSitting, sat: "Sat") -> dict[int, Any]:
        """Return what PostgreSQL holds of a candidate, by slot."""
        async with transaction(self.house.engine.sessions) as session:
            found = await load_stored_values(session, sitting.id)  # type: ignore[arg-type]
        return {slot: value for (number, slot), value in found.items() if number == sat.card.number}

    async def until_stored(self, sitting: OwnSitting, sat: "Sat", answers: Mapping[int, Any]) -> None:
        """Wait until PostgreSQL holds exactly these answers."""
        async with asyncio.timeout(90):
            while await self.stored(sitting, sat) != answers:
                await asyncio.sleep(0.05)

    async def until_told(self, sat: "Sat", holds: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until every worker of the API knows of an act; each connection meets one of them."""
        async with self.house.browser() as door:
            claim = sat.card.claim(sat.card.sit_code)
            token = (await door.post("/api/candidate/sign-in", json=claim)).json()["token"]
        agreed = 0
        async with asyncio.timeout(30):
            while agreed < WORKERS_ASKED:
                async with self.house.browser() as asker:
                    answer = await asker.get(
                        f"/api/attempts/{sat.attempt}/time", headers={"Authorization": f"Bearer {token}"}
                    )
                agreed = agreed + 1 if holds(answer.json()) else 0


class Sat(msgspec.Struct, frozen=True):
    """A candidate at a place."""

    card: Card
    name: str
    attempt: UUID
    room: Room


class Slow:
    """A page whose clock moves only by whole seconds, each after everything asked before it was answered."""

    def __init__(self, page: Page) -> None:
        self._page, self._asked = page, 0
        page.on("request", lambda _: self._count(1))
        page.on("requestfinished", lambda _: self._count(-1))
        page.on("requestfailed", lambda _: self._count(-1))

    async def stop(self) -> None:
        """Let the page's clock stand."""
        await self._page.clock.pause_at(await self._page.evaluate("Date.now() + 1000"))

    async def seconds_until(self, is_seen: Callable[[], Awaitable[bool]]) -> int:
        """Let seconds pass until something is seen, and return how many."""
        for seconds in range(60):
            await self._answered()
            if await is_seen():
                return seconds
            await self._page.clock.run_for(1_000)
        raise AssertionError("not within a minute")

    async def _answered(self) -> None:
        for _ in range(2):  # an answer may lead to the next question
            await self._page.evaluate("0")
            while self._asked > 0:
                await self._page.evaluate("0")

    def _count(self, change: int) -> None:
        self._asked += change


@asynccontextmanager
async def open_whole_house() -> AsyncIterator[Whole]:
    """Start everything with a few people of the sample."""
    populations: Populations = {
        population.GRADUATION: partial(population.mock_graduation, 2),
        population.INTAKE: partial(population.grade_10_intake, 2),
        population.PRACTICE: partial(population.practice, 2),
    }
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            await load_sample(engine, populations=populations)
            async with (
                Cable(settings.http_host, settings.http_port) as cable,
                StaffClient(settings.base_url, "board") as board,
            ):
                house = House(settings, engine, Path(settings.data_folder) / "none.log")
                yield Whole(house, cable, Site(engine, settle(settings.data_folder), cable, board, seed=5))


async def enter(page: Page, sat: Sat) -> None:
    """From the address on the card to the waiting room."""
    await page.goto(f"/exam/?exam={sat.card.exam}")
    await page.fill("#number", sat.card.number)
    await page.fill("#code", sat.card.sit_code)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".waiting")


async def begin(page: Page) -> None:
    """From the waiting room to the first item."""
    await page.click(".attempt .button--primary:not([disabled])")
    await page.wait_for_selector(".item")


async def choose(page: Page, key: str) -> None:
    """Answer the next single choice; from an item that is none, go on to one."""
    while not await page.locator(".choice__input").count():
        await page.keyboard.press("Alt+n")
    await page.keyboard.press(key)


async def held_at(page: Page) -> dict[int, Any]:
    """Return what the computer itself keeps of the paper, by slot."""
    return {row["slot"]: row["value"] for row in await page.evaluate(HELD)}


async def new_seat(browser: Browser, whole: Whole, **options: Any) -> BrowserContext:
    """A computer of the lab, behind the cable."""
    context = await browser.new_context(**{"base_url": whole.cable.url, "locale": "vi-VN"} | options)
    context.set_default_timeout(20_000)
    return context
