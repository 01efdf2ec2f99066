"""Where a load test takes place: an installation of its own, a sitting with its candidates, the bots at their seats."""

import asyncio
import os
import re
import resource
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from exam_engine.cli.rehearsal.day import PASSWORD
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.delivery.store.attempts import load_stored_values
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import look_up_code, sit_code
from exam_engine.infra.database import transaction
from exam_engine.sample import population
from exam_engine.sample.loader import Populations, load_sample
from exam_engine.wiring import Engine, open_engine
from loadtests.candidate_bot.seat import Card, Habits, Seat, Town
from loadtests.processes import cpu_seconds, difference
from loadtests.tally import Tally

EXAM = population.GRADUATION
FILES_BESIDE = 500  # of the bots' process: the database, the staff, the log
LAG_PATIENCE_SECONDS = 120

Tell = Callable[[str], None]


class TooFewFiles(Exception):
    """The system lets this process open too few files for so many connections."""

    def __init__(self, needed: int, allowed: int) -> None:
        super().__init__(f"{needed} open files are needed and {allowed} allowed; raise it first: ulimit -n {needed}")


class Measured(msgspec.Struct, frozen=True):
    """What a measured span used: CPU seconds by part, write-behind batches by the bound of their lag in seconds."""

    began: float = 0.0
    seconds: float = 0.0
    cpu_seconds: dict[str, float] = {}
    lag: dict[float, float] = {}

    @property
    def lag_p99_seconds(self) -> float:
        """The bound below which 99 of 100 batches reached PostgreSQL."""
        all_batches = max(self.lag.values(), default=0.0)
        return next((bound for bound, count in sorted(self.lag.items()) if count >= 0.99 * all_batches), 0.0)


class Stage:
    """A running installation and its bots."""

    def __init__(self, engine: Engine, base_url: str, town: Town, cards: Sequence[Card], seed: int, tell: Tell) -> None:
        self.engine, self.base_url, self.town, self.cards, self.tell = engine, base_url, town, cards, tell
        self.seed = seed
        self.habits = Habits()
        self.seats = [Seat(town, card, self.habits, 1000 * seed + place) for place, card in enumerate(cards)]
        self.sitting: dict[str, Any] = {}
        self.measured = Measured()
        self.figures: dict[str, float] = {}  # what a scenario measures besides, by the name of its bar

    @property
    def tally(self) -> Tally:
        """The counters of all bots."""
        return self.town.tally

    async def spread(
        self, moments: Sequence[float], act: Callable[[Seat], "asyncio.Future[None]"], seats: Sequence[Seat] = ()
    ) -> None:
        """Let every seat (or some) act at its moment, and wait until all have finished."""
        began = self.town.loop.time()

        async def one(seat: Seat, moment: float) -> None:
            await asyncio.sleep(began + moment - self.town.loop.time())
            await act(seat)

        await asyncio.gather(*(one(*pair) for pair in zip(seats or self.seats, moments, strict=True)))

    async def everybody_in(self, seconds: float) -> None:
        """Bring in and start whoever is not there yet, evenly."""
        for act, waiting in (
            (Seat.come_in, [seat for seat in self.seats if not seat.attempt_id]),
            (Seat.start, [seat for seat in self.seats if not seat.protocol.lease]),
        ):
            if waiting:
                await self.spread([seconds * n / len(waiting) for n in range(len(waiting))], act, waiting)

    async def staff(self, user_name: str) -> StaffClient:
        """Return a member of staff, signed in."""
        return await StaffClient(self.base_url, user_name).sign_in(PASSWORD)

    async def begin_measuring(self) -> None:
        """Forget what was measured so far: it was getting there."""
        lag = lag_buckets(await self.counters())
        self.tally.forget()
        self.figures.clear()
        self.measured = Measured(self.town.loop.time(), 0.0, self.cpu_seconds(), lag)

    async def end_measuring(self) -> None:
        """Note what was used meanwhile."""
        before = self.measured
        cpu = difference(self.cpu_seconds(), before.cpu_seconds)
        lag = lag_buckets(await self.counters())
        grown = {bound: count - before.lag.get(bound, 0.0) for bound, count in lag.items()}
        self.measured = Measured(before.began, self.town.loop.time() - before.began, cpu, grown)

    async def everything_confirmed(self) -> None:
        """Wait until the server has confirmed what every seat holds."""
        await asyncio.gather(*(seat.when_confirmed() for seat in self.seats))

    async def differences(self) -> list[str]:
        """Compare what was acknowledged with what PostgreSQL has, once it has caught up."""
        acknowledged = {
            (seat.card.number, slot): seat.protocol.held[slot]
            for seat in self.seats
            for slot, sequence in seat.protocol.confirmed.items()
            if seat.protocol.held[slot].sequence == sequence
        }
        deadline = time.monotonic() + LAG_PATIENCE_SECONDS
        while True:
            async with transaction(self.engine.sessions) as session:
                stored = await load_stored_values(session, self.sitting["id"])
            missing = [place for place, held in acknowledged.items() if stored.get(place) != held.value]
            extra = [place for place in stored if place not in acknowledged]
            if (not missing and not extra) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        self.tell(f"acknowledged {len(acknowledged)}, stored {len(stored)}")
        lost = [f"candidate {number}, slot {slot}: acknowledged, not stored so" for number, slot in missing]
        return lost + [f"candidate {number}, slot {slot}: stored, never acknowledged" for number, slot in extra]

    async def counters(self) -> str:
        """Return the installation's metrics."""
        async with httpx.AsyncClient(base_url=self.base_url, timeout=30) as client:
            return (await client.get("/metrics")).text

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU used so far, by part; the bots' own stands apart."""
        own = os.times()
        return {**cpu_seconds(os.getpid(), without=os.getpid()), "bots": own.user + own.system}


@asynccontextmanager
async def open_stage(candidates: int, seed: int, tell: Tell) -> AsyncIterator[Stage]:
    """Start an installation, load candidates, open the sitting, and seat a bot for each.

    Raises
    ------
    TooFewFiles
    EmbeddedServerError
    """
    _raise_file_limit(candidates + FILES_BESIDE)
    people = population.mock_graduation(candidates, seed)
    populations: Populations = {
        population.GRADUATION: lambda: people,
        population.INTAKE: partial(population.grade_10_intake, 6, seed),
        population.PRACTICE: partial(population.practice, seed=seed),
    }
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        tell("starting an installation of its own …")
        settings = stack.enter_context(own_installation())
        engine = await stack.enter_async_context(open_engine(settings))
        tell(f"loading {candidates} candidates …")
        await load_sample(engine, populations=populations)
        address = urlsplit(settings.base_url)
        town = Town(loop, address.hostname or "127.0.0.1", address.port or 80, Tally())
        stage = Stage(engine, settings.base_url, town, await _cards(engine), seed, tell)
        board = await stage.staff("board")
        (stage.sitting,) = await board.get("/api/sittings", exam=EXAM)
        tell("opening the sitting …")
        await board.post(f"/api/sittings/{stage.sitting['id']}/open")
        try:
            yield stage
        finally:
            for seat in stage.seats:
                seat.leave()


def lag_buckets(metrics: str) -> dict[float, float]:
    """Read the cumulative counts of the write-behind's lag from the metrics page."""
    found = re.findall(r'^exam_write_behind_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', metrics, re.MULTILINE)
    return {float(bound): float(count) for bound, count in found}


async def _cards(engine: Engine) -> list[Card]:
    async with transaction(engine.sessions) as session:
        exam = await enrolment.require_exam(session, EXAM)
        candidates = await enrolment.load_candidates(session, exam.id)
    secret = engine.master_secret
    return [
        Card(
            EXAM,
            c.number or "",
            *(code(secret, EXAM, c.number or "", c.code_version) for code in (sit_code, look_up_code)),
        )
        for c in candidates
    ]


def _raise_file_limit(needed: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise TooFewFiles(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
