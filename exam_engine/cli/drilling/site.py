"""The place of a drill: an engine of its own, candidates with cards, an invigilator, and processes to strike down."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from exam_engine.assembly import service as assembly
from exam_engine.cli.drilling.cable import Cable
from exam_engine.cli.drilling.seat import Card, DrillRefused, Seat
from exam_engine.cli.rehearsal.staff import StaffClient
from exam_engine.delivery import service as sittings
from exam_engine.delivery.draining import drain
from exam_engine.delivery.hand_over import HandOverFile
from exam_engine.delivery.model import AttemptId, Sitting
from exam_engine.delivery.service import SittingPlan
from exam_engine.delivery.store.attempts import load_stored_values
from exam_engine.delivery.store.statements import load_evidence
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import sit_code
from exam_engine.infra.database import transaction
from exam_engine.infra.embedded.places import Places
from exam_engine.infra.embedded.running import Running, read_running
from exam_engine.infra.randomness import generator
from exam_engine.wiring import Engine

PASSWORD = "demo-only-2027"  # noqa: S105 (of the sample's invented people)
EXAM, SUBJECT, FORM = "thi-thu-tn-2027", "TOAN", "TOAN-2027-TT1"
MINUTES = 30
_LOOK_SECONDS = 0.05


class Hall(msgspec.Struct, frozen=True):
    """One sitting of the drill with its seats."""

    sitting: Sitting
    seats: list[Seat]


class Site:
    """What every scenario works with."""

    def __init__(self, engine: Engine, places: Places, cable: Cable, board: StaffClient, seed: int) -> None:
        self.engine, self.cable, self.board = engine, cable, board
        self._places, self._seed = places, seed
        self._halls = 0

    # The exam

    @asynccontextmanager
    async def hall(self, seats: int, *, ends_in: timedelta | None = None, pace: float = 1.0) -> AsyncIterator[Hall]:
        """Plan and open a sitting of its own, and let candidates sit down and start.

        With `ends_in` the sitting has begun long ago and ends so soon.
        """
        sitting = await self._plan(ends_in)
        # Anew each time: staff sessions are kept in Redis, and an earlier scenario may have emptied it.
        await self.board.sign_in(PASSWORD)
        await self.board.post(f"/api/sittings/{sitting.id}/open")
        cards = (await self._cards())[:seats]
        taken = [self.seat(card, f"pc{position}", pace) for position, card in enumerate(cards)]
        try:
            for seat in taken:
                await seat.sign_in(UUID(str(sitting.id)))
            await asyncio.gather(*(seat.start() for seat in taken))
            yield Hall(sitting, taken)
        finally:
            for seat in taken:
                await seat.close()

    def seat(self, card: Card, device: str, pace: float = 1.0) -> Seat:
        """Put a browser in front of a candidate."""
        self._halls += 1
        return Seat(self.cable.url, card, device, generator(self._seed, self._halls), pace)

    async def act(self, hall: Hall, path: str, **body: Any) -> Any:
        """Do what an invigilator does, over HTTP."""
        return await self.board.post(f"/api/sittings/{hall.sitting.id}/{path}", {"request_id": uuid4().hex, **body})

    async def extend(self, hall: Hall, seconds: int, **scope: str) -> Any:
        """Give extra time."""
        body = {"seconds": seconds, "reason": "drill", "request": uuid4().hex, **scope}
        return await self.board.post(f"/api/sittings/{hall.sitting.id}/extend", body)

    async def take_in(self, hall: Hall, file: HandOverFile) -> Any:
        """Take a seat's hand-over file in."""
        return await self.board.post(f"/api/sittings/{hall.sitting.id}/hand-over", msgspec.to_builtins(file))

    async def room_of(self, seat: Seat) -> str:
        """Return the room a seat is in."""
        async with transaction(self.engine.sessions) as session:
            found = await load_evidence(session, [AttemptId(UUID(seat.attempt_id))])
        return str(found[UUID(seat.attempt_id)].evidence.facts["room_id"])

    # What came of it

    async def lost(self, hall: Hall) -> list[str]:
        """Return every acknowledged answer that PostgreSQL holds otherwise, once everything has arrived."""
        await drain(self.engine.redis, hall.sitting, timeout_seconds=60.0)
        async with transaction(self.engine.sessions) as session:
            stored = await load_stored_values(session, hall.sitting.id)
        return [
            f"candidate {seat.card.number}, slot {slot}"
            for seat in hall.seats
            for slot, typed in seat.acknowledged.items()
            # A later answer of the same slot may have been stored without its acknowledgement having arrived.
            if stored.get((seat.card.number, slot)) not in (typed.value, seat.typed[slot].value)
        ]

    async def events(self, seat: Seat) -> list[str]:
        """Return what the record says happened to an attempt, in order."""
        async with transaction(self.engine.sessions) as session:
            found = await load_evidence(session, [AttemptId(UUID(seat.attempt_id))])
        log = sorted(found[UUID(seat.attempt_id)].evidence.log, key=lambda row: row.key)
        return [str(row.content[1]) for row in log if row.table == "attempt_event"]

    # What goes wrong

    def kill(self, name: str) -> None:
        """Kill a server without warning; the supervisor starts it again."""
        marks = {mark.name.lower(): mark for mark in self._running().children}
        os.kill(marks[name].pid, signal.SIGKILL)

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Whatever dies inside stays dead until the end."""
        supervisor = self._running().supervisor.pid
        os.kill(supervisor, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)

    def forget_answers(self) -> None:
        """Take Valkey's files away, as if its disk had been replaced; it starts empty when it is killed."""
        folder = self._places.valkey / "appendonlydir"
        folder.rename(folder.with_name(f"taken-away-{uuid4().hex}"))

    def _running(self) -> Running:
        running = read_running(self.engine.settings.data_folder)
        if running is None:
            raise DrillRefused("the engine of the drill does not run")
        return running

    async def _plan(self, ends_in: timedelta | None) -> Sitting:
        now = self.engine.clock()
        ends_at = now + (ends_in or timedelta(minutes=MINUTES + 10))
        starts_at = now - timedelta(seconds=1) if ends_in is None else ends_at - timedelta(minutes=MINUTES)
        async with transaction(self.engine.sessions) as session:
            exam = await enrolment.require_exam(session, EXAM)
            plan = SittingPlan(
                exam_subject_id=(await enrolment.require_subject(session, exam.id, SUBJECT)).id,
                form_id=(await assembly.load_form_coded(session, FORM)).id,
                code=f"drill-{uuid4().hex[:8]}",
                name="Diễn tập",
                starts_at=starts_at,
                ends_at=ends_at,
                duration_seconds=60 * MINUTES,
                late_limit_seconds=60 * MINUTES,
                grace_seconds=1,
                seed=self._seed,
            )
            return await sittings.plan_sitting(session, plan, actor="system:drill", now=now)

    async def _cards(self) -> list[Card]:
        async with transaction(self.engine.sessions) as session:
            exam = await enrolment.require_exam(session, EXAM)
            candidates = await enrolment.load_candidates(session, exam.id)
        secret = self.engine.master_secret
        return [
            Card(EXAM, number, sit_code(secret, EXAM, number, candidate.code_version))
            for candidate in candidates
            if (number := candidate.number or "")
        ]


async def until(holds: Callable[[], bool], seconds: float) -> float:
    """Wait until something holds, and return after how many seconds it did.

    Raises
    ------
    DrillRefused
        Not within the time given.
    """
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise DrillRefused(f"it did not happen within {seconds:g} seconds")
        await asyncio.sleep(_LOOK_SECONDS)
    return time.monotonic() - began


def all_live(seats: Sequence[Seat]) -> None:
    """Let every seat begin to answer."""
    for seat in seats:
        seat.live()
