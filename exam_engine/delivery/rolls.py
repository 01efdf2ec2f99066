"""What a worker keeps in memory of the sittings that are open: who sits where, on which form, in which order.

Loaded once when a sitting opens, so that neither starts nor saves ask PostgreSQL, and its absence is not noticed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.errors import AssemblyError
from exam_engine.assembly.model import CompiledForm
from exam_engine.authoring import service as authoring
from exam_engine.authoring.errors import MediaUnknown
from exam_engine.delivery import store
from exam_engine.delivery.errors import AttemptUnknown, DeliveryError, NotYours, SittingUnknown
from exam_engine.delivery.model import AttemptId, Sitting, SittingId, SittingState
from exam_engine.delivery.papers import Paper, read_paper
from exam_engine.delivery.places import Place, place_of, stream_keys
from exam_engine.delivery.sealing import Figure, SealedPaper, SittingSeals, figure_addresses, seal_paper
from exam_engine.delivery.store import Seat, SittingContext
from exam_engine.infra.database import SessionMaker, reaching_database

logger = structlog.get_logger(__name__)

REMEMBERED_AFTER_CLOSE = timedelta(hours=6)
BELIEVED_SECONDS = 15.0
_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class Roll(msgspec.Struct, kw_only=True):
    """One sitting in memory; only its state ever changes."""

    context: SittingContext
    seats: Mapping[AttemptId, Seat]
    places: Mapping[AttemptId, Place]
    paper: Paper
    seals: SittingSeals
    sealed: SealedPaper
    streams: list[str]
    is_open: bool
    left_at: datetime | None = None  # when this worker saw it closed

    @property
    def sitting(self) -> Sitting:
        """The sitting."""
        return self.context.sitting


class Sat(NamedTuple):
    """One attempt in memory: its sitting's roll, its seat, its place in Redis."""

    roll: Roll
    seat: Seat
    place: Place


class Rolls:
    """The rolls of a worker, kept in step with PostgreSQL once a second."""

    def __init__(self, sessions: SessionMaker, secret: bytes) -> None:
        self._sessions = sessions
        self._secret = secret
        self._rolls: dict[SittingId, Roll] = {}
        self._attempts: dict[int, Sat] = {}  # by the id as a number: a UUID is hashed and compared in Python
        self._candidates: dict[UUID, list[Sat]] = {}
        self._numbers: dict[tuple[str, str], UUID] = {}
        self._reissued: dict[int, int] = {}  # code versions of cards that were ever reissued
        self._loading: dict[SittingId, asyncio.Task[Roll]] = {}
        self._without: dict[UUID, float] = {}  # candidates with no attempt, and until when we believe it

    def all_open(self) -> list[Roll]:
        """Return the rolls of sittings that are open."""
        return [roll for roll in self._rolls.values() if roll.is_open]

    def streams(self) -> set[str]:
        """Return the streams of all sittings that are remembered."""
        return {stream for roll in self._rolls.values() for stream in roll.streams}

    async def refresh(self, now: datetime) -> None:
        """Load sittings that opened or were postponed, note those that closed, forget those closed long ago."""
        with reaching_database():
            async with self._sessions() as session:
                states = await store.sitting_states(session)
                plans = await store.open_plans(session)
                reissued = await store.reissued_cards(session)
        self._reissued |= {candidate_id.int: version for candidate_id, version in reissued.items()}
        for sitting_id, roll in list(self._rolls.items()):
            if roll.left_at is not None and now - roll.left_at > REMEMBERED_AFTER_CLOSE:
                self._forget(roll)
            if roll.is_open and states.get(sitting_id) is not SittingState.OPEN:
                roll.is_open = False
                roll.left_at = now
                logger.info("sitting_left", sitting=roll.sitting.code)
        for sitting_id, plan in plans.items():
            known = self._rolls.get(sitting_id)
            if known is None or store.plan_of(known.sitting) != plan:
                try:
                    await self.load(sitting_id, anew=known is not None)
                except (DeliveryError, AssemblyError) as error:
                    # One sitting that cannot be loaded must not keep the others waiting.
                    logger.error("sitting_not_met", sitting_id=str(sitting_id), error=str(error))  # noqa: TRY400

    async def load(self, sitting_id: SittingId, *, anew: bool = False) -> Roll:
        """Return a sitting's roll, from memory or from PostgreSQL, once for all who ask at the same time.

        Raises
        ------
        SittingUnknown, ServiceUnavailable
        """
        roll = self._rolls.get(sitting_id)
        if roll is not None and not anew:
            return roll
        task = self._loading.get(sitting_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(sitting_id))
            self._loading[sitting_id] = task
            task.add_done_callback(lambda _: self._loading.pop(sitting_id, None))
        return await asyncio.shield(task)

    async def require(self, candidate_id: UUID, attempt_id: AttemptId) -> Sat:
        """Return an attempt of this very candidate.

        Raises
        ------
        AttemptUnknown, NotYours, ServiceUnavailable
        """
        sat = self._attempts.get(attempt_id.int) or await self._find(attempt_id)
        if sat.seat.candidate_id != candidate_id:
            raise NotYours
        return sat

    def known(self, candidate_id: UUID, attempt_id: AttemptId) -> Sat | None:
        """Return an attempt of this very candidate if it is in memory, else ask `require`."""
        sat = self._attempts.get(attempt_id.int)
        return sat if sat is not None and sat.seat.candidate_id.int == candidate_id.int else None

    async def of_candidate(self, candidate_id: UUID) -> list[Sat]:
        """Return a candidate's attempts, by start of the sitting."""
        sats = self._candidates.get(candidate_id)
        if sats is None and self._without.get(candidate_id, 0.0) < asyncio.get_running_loop().time():
            # No roll has them; perhaps a sitting that is closed, or one that took them in later.
            for sitting_id in await self._ask(store.sittings_of_candidate, candidate_id):
                await self.load(sitting_id, anew=True)
            sats = self._candidates.get(candidate_id)
            if sats is None:
                self._without[candidate_id] = asyncio.get_running_loop().time() + BELIEVED_SECONDS
        return sorted(sats or (), key=lambda sat: sat.roll.sitting.starts_at)

    def is_reissued(self, candidate_id: UUID, code_version: int) -> bool:
        """Whether a card of this version has been replaced, as far as this worker knows."""
        return code_version < self._reissued.get(candidate_id.int, 0)

    def candidate_named(self, exam_code: str, number: str) -> Sat | None:
        """Find somebody who sits by exam and candidate number, in memory alone."""
        candidate_id = self._numbers.get((exam_code, number))
        return None if candidate_id is None else self._candidates[candidate_id][0]

    async def _find(self, attempt_id: AttemptId) -> Sat:
        sitting_id = await self._ask(store.sitting_of_attempt, attempt_id)
        if sitting_id is None:
            raise AttemptUnknown(attempt_id)
        await self.load(sitting_id, anew=True)
        sat = self._attempts.get(attempt_id.int)
        if sat is None:
            raise AttemptUnknown(attempt_id)
        return sat

    async def _ask(self, question: Callable[[AsyncSession, _Key], Awaitable[_Answer]], key: _Key) -> _Answer:
        with reaching_database():
            async with self._sessions() as session:
                return await question(session, key)

    async def _load(self, sitting_id: SittingId) -> Roll:
        with reaching_database():
            async with self._sessions() as session:
                context = await store.find_sitting(session, sitting_id)
                if context is None or context.sitting.state is SittingState.PLANNED:
                    raise SittingUnknown(str(sitting_id))
                sitting = context.sitting
                seats = await store.load_seats(session, sitting_id)
                compiled = await assembly.load_compiled(session, sitting.form_hash)
                codes = await assembly.load_paper_codes(session, sitting.form_id)
                figures = await _load_figures(session, compiled)
        seals = SittingSeals(self._secret, sitting_id, compiled.hash)
        roll = Roll(
            context=context,
            seats={seat.attempt_id: seat for seat in seats},
            places={seat.attempt_id: place_of(sitting_id, sitting.shards, seat.attempt_id) for seat in seats},
            paper=read_paper(compiled, codes),
            seals=seals,
            sealed=seal_paper(seals, compiled, figures),
            streams=stream_keys(sitting_id, sitting.shards),
            is_open=sitting.state is SittingState.OPEN,
        )
        self._remember(roll)
        logger.info("sitting_met", sitting=sitting.code, attempts=len(seats), is_open=roll.is_open)
        return roll

    def _remember(self, roll: Roll) -> None:
        before = self._rolls.get(roll.sitting.id)
        if before is not None:
            self._forget(before)
        self._rolls[roll.sitting.id] = roll
        for attempt_id, seat in roll.seats.items():
            sat = Sat(roll, seat, roll.places[attempt_id])
            self._attempts[attempt_id.int] = sat
            self._candidates.setdefault(seat.candidate_id, []).append(sat)
            self._numbers[(roll.context.exam_code, seat.number)] = seat.candidate_id
        self._without.clear()

    def _forget(self, roll: Roll) -> None:
        del self._rolls[roll.sitting.id]
        for attempt_id, seat in roll.seats.items():
            del self._attempts[attempt_id.int]
            others = [sat for sat in self._candidates[seat.candidate_id] if sat.roll is not roll]
            if others:
                self._candidates[seat.candidate_id] = others
            else:
                del self._candidates[seat.candidate_id]
                self._numbers.pop((roll.context.exam_code, seat.number), None)


async def _load_figures(session: AsyncSession, compiled: CompiledForm) -> list[Figure]:
    figures = []
    for path, sha256 in figure_addresses(compiled).items():
        try:
            media = await authoring.load_media(session, sha256)
        except MediaUnknown:
            continue  # its address leads nowhere for anybody; the text of the item says what it shows
        figures.append(Figure(path, media.media_type, media.content))
    return figures
