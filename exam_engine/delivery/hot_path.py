"""Delivery as the API sees it: everything a seat asks, answered from Redis and the worker's memory.

One object a worker, opened in its lifespan. Writes go on when the client that asked is gone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from exam_engine.assembly.errors import CompiledFormUnknown
from exam_engine.delivery import counters, model, tokens
from exam_engine.delivery.answers import believable_ms, pack_answers, require_slot
from exam_engine.delivery.bulletins import Bulletins
from exam_engine.delivery.cards import CardDesk
from exam_engine.delivery.envelopes import attempt_summary, envelope
from exam_engine.delivery.errors import AttemptClosed, AttemptRefusal
from exam_engine.delivery.model import AttemptFacts, AttemptId, AttemptState, Change, ChangeKind, SittingId
from exam_engine.delivery.offline_starts import StartClaim, require_proof, start_as_claimed
from exam_engine.delivery.packing import sequence_of
from exam_engine.delivery.places import NotHeld
from exam_engine.delivery.receipts import ReceiptDesk
from exam_engine.delivery.recollection import Known, Recollection
from exam_engine.delivery.register import Held, Register, SeatNote
from exam_engine.delivery.repeating import every_second
from exam_engine.delivery.restoring import Restorer
from exam_engine.delivery.rolls import Roll, Rolls, Sat
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.signs import Role, give_sign
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.delivery.wire import (
    AttemptList,
    Envelope,
    EventsBody,
    ReceiptReply,
    SaveBody,
    SavedSlot,
    SaveReply,
    SeatNotice,
    SignedIn,
    SignInBody,
    SubmitBody,
    SubmitReply,
    TimeReply,
)
from exam_engine.infra.clock import Clock, millisecond_clock
from exam_engine.infra.database import SessionMaker
from exam_engine.infra.redis_client import Durability, ScriptRunner, require_durable
from exam_engine.infra.secrets import derive_key

logger = structlog.get_logger(__name__)

TOKEN_LIFE = timedelta(hours=14)  # one exam day
CLOCK_ALARM_MS = 250
_RUNNING = AttemptState.RUNNING.value
_Result = TypeVar("_Result")


class Delivery:
    """The seat's side of every open sitting."""

    def __init__(self, clock: Clock, sessions: SessionMaker, runner: ScriptRunner, master_secret: bytes) -> None:
        self.clock = clock
        self.now_ms = millisecond_clock(clock)
        self.rolls = Rolls(sessions, master_secret)
        self.register = Register(runner)
        self.restorer = Restorer(sessions, self.register)
        self.bulletins = Bulletins()
        self._cards = CardDesk(sessions, self.rolls, master_secret)
        self._token_key = derive_key(master_secret, tokens.PURPOSE)
        self._passes = tokens.PassDesk(self._token_key, self.rolls.is_reissued)
        self._receipts = ReceiptDesk(SigningKey(master_secret))
        self._recollection = Recollection()
        self._tasks: set[asyncio.Task[Any]] = set()

    # Who asks

    def authenticate(self, token: str) -> CandidatePass:
        """Check a bearer token.

        Raises
        ------
        TokenInvalid, TokenExpired
        """
        return self._passes.check(token, self.now_ms())

    async def sign_in(self, body: SignInBody) -> SignedIn:
        """Let a candidate in by exam, number and the code on the card.

        Raises
        ------
        CodeRefused
            They do not belong together; whether anybody has that number is neither said nor to be timed.
        CodeExpired, ServiceUnavailable
        """
        now = self.clock()
        holder = await self._cards.check(body, now)
        until_s = int((now + TOKEN_LIFE).timestamp())
        candidate = CandidatePass(holder.candidate_id, holder.exam_id, until_s, holder.code_version)
        listed = await self.attempts_of(candidate)
        return SignedIn(
            token=tokens.issue_token(self._token_key, candidate),
            candidate=holder.candidate,
            exam=holder.exam,
            attempts=listed.attempts,
            server_time_ms=listed.server_time_ms,
        )

    async def attempts_of(self, candidate: CandidatePass) -> AttemptList:
        """List a candidate's attempts."""
        sats = [
            sat
            for sat in await self.rolls.of_candidate(candidate.candidate_id)
            if sat.roll.context.exam_id == candidate.exam_id
        ]
        known = await asyncio.gather(*(self._recall(sat) for sat in sats))
        return AttemptList(
            [attempt_summary(sat, facts, self._notices(sat, 0)) for sat, facts in zip(sats, known, strict=True)],
            self.now_ms(),
        )

    # The paper

    async def start(
        self, candidate: CandidatePass, attempt_id: AttemptId, client_id: str, claim: StartClaim | None = None
    ) -> Envelope:
        """Start, come back, take over, or wait as a second seat (the envelope's lease is 0 then).

        `claim`: the seat began without a network.

        Raises
        ------
        AttemptUnknown, NotYours, StartProofInvalid, SittingNotStarted, LateStart, AttemptLocked, AttemptClosed,
        TimeOver, LeaseTaken, ServiceUnavailable
        """
        # No sign of life yet: it may be a second seat, and the silence of the first decides what it gets.
        sat = await self.rolls.require(candidate.candidate_id, attempt_id)
        if claim is not None:
            require_proof(sat.roll.seals, attempt_id, claim)
        return await self._finish(self._start(sat, client_id, claim))

    async def form_blob(self, candidate: CandidatePass, form_hash: str, accepts: str) -> tuple[bytes, str]:
        """Return the compiled form as one of the encodings accepted, to a candidate who has started on it.

        Raises
        ------
        CompiledFormUnknown
        """
        for sat in await self.rolls.of_candidate(candidate.candidate_id):
            if sat.roll.paper.hash != form_hash:
                continue
            if (await self._recall_started(sat)).gate.state is not AttemptState.READY:
                return sat.roll.paper.blob(accepts)
        raise CompiledFormUnknown(form_hash)

    # Answers

    async def save(self, candidate: CandidatePass, attempt_id: AttemptId, body: SaveBody) -> SaveReply:
        """Keep answers: acknowledged means written to disk.

        Raises
        ------
        AttemptUnknown, NotYours, UnknownSlot, ResponseInvalid, NotStarted, AttemptClosed, LeaseTaken, AttemptLocked,
        TimeOver, ServiceUnavailable
        """
        arrival_ms = self.now_ms()
        sat = self.rolls.known(candidate.candidate_id, attempt_id)
        if sat is None:
            sat = await self.rolls.require(candidate.candidate_id, attempt_id)
        place = sat.place
        saved: list[SavedSlot] = []
        for packed in pack_answers(sat.roll.paper.shapes, body.responses):
            try:
                kept = await self.register.save(place, body.lease, arrival_ms, packed)
            except NotHeld:
                await self._restore(sat)
                kept = await self.register.save(place, body.lease, arrival_ms, packed)
            if kept.sequences is None:
                saved += [SavedSlot(slot, sequence_of(answer)) for slot, answer in packed]
            else:
                saved += [SavedSlot(slot, newest) for (slot, _), newest in zip(packed, kept.sequences, strict=True)]
        gate = kept.gate
        self.bulletins.seen(place, arrival_ms)
        self._recollection.keep(place.attempt, Known(gate, arrival_ms))
        notices = self._notices(sat, body.after)
        return SaveReply(saved, gate.deadline_ms, self.now_ms(), _RUNNING, notices, gate.is_paused)

    async def time(
        self, candidate: CandidatePass, attempt_id: AttemptId, after: int = 0, lease: int | None = None
    ) -> TimeReply:
        """Tell an idle seat the time, from memory unless something may have changed.

        `lease` is the one the seat believes it has: a seat that waits or lost it gives no sign of life for the holder.
        """
        sat = self.rolls.known(candidate.candidate_id, attempt_id)
        if sat is None:
            sat = await self.rolls.require(candidate.candidate_id, attempt_id)
        gate = (await self._recall_started(sat)).gate
        now_ms = self.now_ms()
        if lease is None or lease == gate.lease:
            self.bulletins.seen(sat.place, now_ms)
        notices = self._notices(sat, after)
        return TimeReply(now_ms, gate.deadline_ms, gate.state, notices, gate.is_paused, gate.is_locked, gate.lease)

    async def submit(self, candidate: CandidatePass, attempt_id: AttemptId, body: SubmitBody) -> SubmitReply:
        """Hand in, if the server holds everything the seat holds.

        Raises
        ------
        AttemptUnknown, NotYours, UnknownSlot, ResponsesMissing, NotStarted, AttemptClosed, LeaseTaken, TimeOver,
        ServiceUnavailable
        """
        sat = await self._mine(candidate, attempt_id)
        return await self._finish(self._submit(sat, body))

    async def receipt(self, candidate: CandidatePass, attempt_id: AttemptId) -> ReceiptReply:
        """Return the receipt of a paper that has ended, handed in or closed, and whether PostgreSQL has it whole.

        Raises
        ------
        AttemptUnknown, NotYours, ReceiptNotYet, ServiceUnavailable
        """
        sat = await self._mine(candidate, attempt_id)
        held = await self._held(sat, "r")
        text, facts = self._receipts.require(sat, held), held.facts
        is_stored = await self.restorer.has_stored(attempt_id, held)
        saved = [SavedSlot(slot, sequence) for slot, sequence in held.sequences().items()]
        return ReceiptReply(text, facts.state.value, facts.reason, facts.finished_ms, held.answered, saved, is_stored)

    async def events(self, candidate: CandidatePass, attempt_id: AttemptId, body: EventsBody) -> None:
        """Keep what the seat noticed."""
        sat = await self.rolls.require(candidate.candidate_id, attempt_id)
        now_ms = self.now_ms()
        events = [
            SeatNote(kind=e.kind, client_ms=believable_ms(e.client_time_ms), at_ms=now_ms, detail=e.detail)
            for e in body.events
        ]
        await self._finish(self._note(sat, events))

    # For the rooms above

    async def note(self, sat: Sat, kind: str, **detail: Any) -> None:
        """Keep what the server found out about a seat of an open sitting, under a kind that no seat may tell."""
        note = SeatNote(kind=kind, at_ms=self.now_ms(), detail=detail, source="server")
        if sat.roll.is_open:
            await self._finish(self._note(sat, [note]))

    async def look(self, sat: Sat, depth: str = "f") -> Held:
        """Read an attempt with its signs of life; `depth` as `Register.look` has it."""
        held = await self._held(sat, depth)
        return msgspec.structs.replace(held, seen_ms=max(held.seen_ms, self.bulletins.last_seen(sat.place)))

    async def change(
        self, sat: Sat, decide: Callable[[Held], Change | None], by: str, **detail: Any
    ) -> tuple[AttemptFacts, Change | None]:
        """Apply a transition to an attempt, taking it back from PostgreSQL first if Redis lacks it."""
        now_ms = self.now_ms()
        facts, change = await self._taken_back(sat, decide, lambda: self.register.act(sat.place, decide, by, **detail))
        self._recollection.remember(sat.place.attempt, facts, now_ms)
        return facts, change

    async def roll(self, sitting_id: SittingId) -> Roll:
        """Return the roll of a sitting that is open or closed."""
        return await self.rolls.load(sitting_id)

    async def exchange(self) -> None:
        """Exchange notices and signs of life with Redis once; the worker does so every second."""
        self.register.publish_counters()
        streams = [stream for roll in self.rolls.all_open() for stream in roll.streams]
        offset_ms = await self.bulletins.exchange(self.register.redis, streams, self.now_ms)
        counters.CLOCK_OFFSET.set(offset_ms / 1000)
        if abs(offset_ms) > CLOCK_ALARM_MS:
            logger.warning("clocks_differ", redis_ahead_ms=offset_ms)

    async def run(self) -> None:
        """Keep memory in step until cancelled; the lifespan runs this beside the requests."""
        await asyncio.gather(every_second(self._refresh), every_second(self.exchange), every_second(self._give_sign))

    async def close(self) -> None:
        """Finish every write that was accepted."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        with suppress(RedisError, OSError):
            await self.exchange()
        await self.register.close()

    async def _give_sign(self) -> None:
        await give_sign(self.register.redis, Role.API, self.now_ms())

    async def _refresh(self) -> None:
        await self.rolls.refresh(self.clock())
        self.bulletins.keep_only(self.rolls.streams())

    async def _mine(self, candidate: CandidatePass, attempt_id: AttemptId) -> Sat:
        sat = await self.rolls.require(candidate.candidate_id, attempt_id)
        self.bulletins.seen(sat.place, self.now_ms())
        return sat

    async def _start(self, sat: Sat, client_id: str, claim: StartClaim | None) -> Envelope:
        now_ms = self.now_ms()

        def decide(held: Held) -> Change:
            if claim is not None and held.facts.state is AttemptState.READY:
                return start_as_claimed(held.facts, client_id, claim.started_at_ms, now_ms)
            seen_ms = max(held.alive_ms, self.bulletins.last_seen(sat.place))
            second_seat = sat.roll.sitting.settings.second_seat
            return model.start(held.facts, client_id, now_ms, seen_ms=seen_ms, second_seat=second_seat)

        held, change = await self._change_answers(sat, decide, lambda _held, _change: {"client": client_id})
        kind = change.kind if change else ChangeKind.RESUME
        counters.STARTED.labels(kind.value).inc()
        if held.facts.client == client_id:
            self.bulletins.seen(sat.place, now_ms)
        if kind is ChangeKind.RESUME:
            await self._note(sat, [SeatNote(kind="resumed", at_ms=now_ms, source="server")])
        return envelope(sat, held.facts, held, self._notices(sat, 0), self.now_ms(), client_id)

    async def _submit(self, sat: Sat, body: SubmitBody) -> SubmitReply:
        for slot in body.sequences:
            require_slot(sat.roll.paper.shapes, slot)
        now_ms = self.now_ms()
        # The receipt travels with the change: these are the final answers, or nothing is applied.
        held, change = await self._change_answers(
            sat,
            lambda held: model.submit(held.facts, body.lease, body.sequences, held.sequences(), now_ms),
            lambda held, _change: {"sequences": body.sequences, "receipt": self._receipts.require(sat, held)},
        )
        if change is not None:
            counters.SUBMITTED.inc()
        facts = held.facts
        return SubmitReply(facts.state.value, facts.finished_ms, held.answered, self._receipts.require(sat, held))

    async def _change_answers(
        self,
        sat: Sat,
        decide: Callable[[Held], Change | None],
        tell: Callable[[Held, Change], dict[str, Any]],
    ) -> tuple[Held, Change | None]:
        """Apply a seat's transition; returned are the facts after it with the answers they were decided with."""
        now_ms = self.now_ms()
        try:
            held, change = await self._taken_back(
                sat, decide, lambda: self.register.act_on_answers(sat.place, decide, "seat", tell)
            )
        except AttemptRefusal as refusal:
            counters.REFUSED.labels(type(refusal).__name__).inc()
            raise
        self._recollection.remember(sat.place.attempt, held.facts, now_ms)
        return held, change

    async def _taken_back(
        self, sat: Sat, decide: Callable[[Held], Change | None], act: Callable[[], Awaitable[_Result]]
    ) -> _Result:
        """Act on an attempt, taking it back from PostgreSQL first if Redis lacks it."""
        if not sat.roll.is_open:
            decide(await self.restorer.stored(sat.roll.sitting, sat.seat.attempt_id))
            raise AttemptClosed(AttemptState.CLOSED)
        try:
            return await act()
        except NotHeld:
            await self._restore(sat)
            return await act()

    async def _note(self, sat: Sat, notes: Sequence[SeatNote]) -> None:
        try:
            await self.register.note(sat.place, notes)
        except NotHeld:
            if not sat.roll.is_open:
                return
            await self._restore(sat)
            await self.register.note(sat.place, notes)

    def _notices(self, sat: Sat, after: int) -> list[SeatNotice]:
        return self.bulletins.board(sat.place.stream).after(after, sat.seat)

    async def _recall(self, sat: Sat) -> Known:
        now_ms = self.now_ms()
        stale_ms = self.bulletins.board(sat.place.stream).stale_since(sat.place.attempt)
        known = self._recollection.recall(sat.place.attempt, now_ms, stale_ms)
        if known is None:
            held = await self._held(sat, "f")
            known = self._recollection.remember(sat.place.attempt, held.facts, now_ms)
        return known

    async def _recall_started(self, sat: Sat) -> Known:
        """Recall an attempt whose seat asks what only a started one needs: it may have started at another worker."""
        known = await self._recall(sat)
        if known.gate.state is AttemptState.READY:
            asked_ms = self.now_ms()
            held = await self._held(sat, "f")
            known = self._recollection.remember(sat.place.attempt, held.facts, asked_ms)
        return known

    async def _held(self, sat: Sat, depth: str) -> Held:
        try:
            return await self.register.look(sat.place, depth)
        except NotHeld:
            if not sat.roll.is_open:
                return await self.restorer.stored(sat.roll.sitting, sat.seat.attempt_id)
            await self._restore(sat)
            return await self.register.look(sat.place, depth)

    async def _restore(self, sat: Sat) -> None:
        if not sat.roll.is_open:
            raise AttemptClosed(AttemptState.CLOSED)
        await self.restorer.restore(sat.roll.sitting, sat.seat.attempt_id)

    async def _finish(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do the work to its end even if whoever asked is gone."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen by whoever waits; if nobody does, there is nobody to tell


@asynccontextmanager
async def open_delivery(
    *, clock: Clock, sessions: SessionMaker, redis: Redis, master_secret: bytes, durability: Durability | None = None
) -> AsyncIterator[Delivery]:
    """Open the facade for one worker: refuses a Redis that loses answers, keeps memory in step, ends cleanly.

    Raises
    ------
    RedisNotDurable, ServiceUnavailable
    """
    runner = ScriptRunner(redis, durability or await require_durable(redis))
    delivery = Delivery(clock, sessions, runner, master_secret)
    keeping = asyncio.get_running_loop().create_task(delivery.run())
    try:
        yield delivery
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await delivery.close()
