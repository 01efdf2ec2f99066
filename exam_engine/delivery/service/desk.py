"""What every use case on a sitting works with, and what they share: locking, changing many attempts, the record."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.delivery import store
from exam_engine.delivery.errors import AttemptUnknown, SittingStateWrong, SittingUnknown
from exam_engine.delivery.model import AttemptId, Change, ChangeKind, Sitting, SittingId, SittingState
from exam_engine.delivery.places import NotHeld, place_of
from exam_engine.delivery.projection import write_changes
from exam_engine.delivery.register import Held, Register, StoredChange
from exam_engine.delivery.store import Seat, SittingContext
from exam_engine.infra.clock import to_milliseconds

AT_ONCE = 500


class Scope(msgspec.Struct, frozen=True):
    """Whom something is for: one attempt or several, a room, or (none of them) everybody."""

    room_id: UUID | None = None
    attempt_id: AttemptId | None = None
    attempts: tuple[AttemptId, ...] = ()

    @property
    def wanted(self) -> frozenset[AttemptId]:
        """The attempts that are named."""
        return frozenset((*self.attempts, *([self.attempt_id] if self.attempt_id is not None else ())))


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where a use case acts from: its transaction, the register, who asks and when."""

    session: AsyncSession
    register: Register
    actor: str  # "person:<user name>", "system:<what>"
    now: datetime

    @property
    def now_ms(self) -> int:
        """The present time in milliseconds."""
        return to_milliseconds(self.now)


async def load_sitting(session: AsyncSession, reference: UUID | str) -> SittingContext:
    """Load a sitting by id or code.

    Raises
    ------
    SittingUnknown
    """
    context = await store.find_sitting(session, reference)
    if context is None:
        raise SittingUnknown(str(reference))
    return context


async def lock_sitting(desk: Desk, sitting_id: SittingId) -> Sitting:
    """Lock a sitting.

    Raises
    ------
    SittingUnknown
    """
    sitting = await store.lock_sitting(desk.session, sitting_id)
    if sitting is None:
        raise SittingUnknown(str(sitting_id))
    return sitting


async def lock_open(desk: Desk, sitting_id: SittingId) -> Sitting:
    """Lock a sitting that must be open: acts on its attempts queue, and none overtakes its closing.

    Raises
    ------
    SittingUnknown, SittingStateWrong
    """
    sitting = await lock_sitting(desk, sitting_id)
    if sitting.state is not SittingState.OPEN:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.OPEN)
    return sitting


async def require_open(desk: Desk, sitting_id: SittingId) -> Sitting:
    """Load a sitting that must be open.

    Raises
    ------
    SittingUnknown, SittingStateWrong
    """
    sitting = (await load_sitting(desk.session, sitting_id)).sitting
    if sitting.state is not SittingState.OPEN:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.OPEN)
    return sitting


async def change_attempts(
    desk: Desk,
    sitting: Sitting,
    attempts: Sequence[AttemptId],
    decide: Callable[[Held], Change | None],
    *,
    again: str = "",
    **detail: Any,
) -> dict[AttemptId, Change]:
    """Apply one transition to many attempts, taking those back from PostgreSQL that Redis does not know.

    Returns those that changed. `again`: the request; whom an earlier try of it has changed, of which the reply or the
    commit was lost, counts as changed (of the kind `RESUME`) and is not changed twice. What people were told was done
    is in PostgreSQL with their act, not only on its way there, changed now or by an earlier try: a Redis that loses
    its disk must not take back a promise.
    """
    changes: dict[AttemptId, Change] = {}
    found_facts: dict[UUID, StoredChange] = {}

    async def change_one(attempt_id: AttemptId) -> tuple[AttemptId, Change | None]:
        place = place_of(sitting.id, sitting.shards, attempt_id)
        is_done = False

        def decide_once(held: Held) -> Change | None:
            nonlocal is_done
            is_done = bool(again) and again in held.acts.split()
            return None if is_done else decide(held)

        facts, change = await desk.register.act(place, decide_once, desk.actor, **detail)
        if is_done:
            change = Change(facts, ChangeKind.RESUME, desk.now_ms)
        kind = change.kind if change else ChangeKind.RESUME
        found_facts[attempt_id] = StoredChange(kind=kind, at_ms=desk.now_ms, by=desk.actor, facts=facts)
        return attempt_id, change

    for first in range(0, len(attempts), AT_ONCE):
        part = attempts[first : first + AT_ONCE]
        outcomes = await asyncio.gather(*map(change_one, part), return_exceptions=True)
        lost = [attempt for attempt, found in zip(part, outcomes, strict=True) if isinstance(found, NotHeld)]
        if lost:
            found = await store.load_stored_attempts(desk.session, sitting, lost, is_lost=True)
            await desk.register.prime(found)
            outcomes = [outcome for outcome in outcomes if not isinstance(outcome, NotHeld)]
            outcomes += await asyncio.gather(*map(change_one, lost), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            attempt_id, change = outcome
            if change is not None:
                changes[attempt_id] = change
    if found_facts:
        connection = await (await desk.session.connection()).get_raw_connection()
        await write_changes(connection.driver_connection, found_facts)
    return changes


async def look_at(desk: Desk, sitting: Sitting, attempts: Sequence[AttemptId]) -> dict[AttemptId, Held]:
    """Return attempts as Redis holds them, taking those back from PostgreSQL that it does not know.

    Raises
    ------
    ServiceUnavailable
    """

    async def look(attempt_id: AttemptId) -> Held | None:
        try:
            return await desk.register.look(place_of(sitting.id, sitting.shards, attempt_id))
        except NotHeld:
            return None

    found: dict[AttemptId, Held] = {}
    for first in range(0, len(attempts), AT_ONCE):
        part = attempts[first : first + AT_ONCE]
        held = dict(zip(part, await asyncio.gather(*map(look, part)), strict=True))
        lost = [attempt_id for attempt_id, one in held.items() if one is None]
        if lost:
            await desk.register.prime(await store.load_stored_attempts(desk.session, sitting, lost, is_lost=True))
            held |= dict(zip(lost, await asyncio.gather(*map(look, lost)), strict=True))
        found |= {attempt_id: one for attempt_id, one in held.items() if one is not None}
    return found


async def seats_in(desk: Desk, sitting_id: SittingId, scope: Scope) -> list[Seat]:
    """Load whom something is for.

    Raises
    ------
    AttemptUnknown
        An attempt named does not belong to the sitting, or nobody of it sits in the room.
    """
    seats = await store.load_seats(desk.session, sitting_id)
    wanted = scope.wanted
    if wanted:
        found = {seat.attempt_id for seat in seats}
        for attempt_id in wanted:
            if attempt_id not in found:
                raise AttemptUnknown(attempt_id)
        seats = [seat for seat in seats if seat.attempt_id in wanted]
    elif scope.room_id is not None:
        seats = [seat for seat in seats if seat.room_id == scope.room_id]
    if not seats:
        raise AttemptUnknown(scope.room_id or sitting_id)
    return seats


async def record(desk: Desk, action: str, sitting: Sitting, **facts: Any) -> None:
    """Write an act into the audit record; the last thing a use case does."""
    known = {name: fact for name, fact in facts.items() if fact is not None}
    await audit.append(
        desk.session,
        actor=desk.actor,
        action=action,
        subject=f"sitting:{sitting.id}",
        facts={"code": sitting.code, **known},
        now=desk.now,
    )
