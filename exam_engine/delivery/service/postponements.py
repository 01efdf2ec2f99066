"""What a postponed start would mean, what earlier ones became, and when each room begins; nothing is changed here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import store
from exam_engine.delivery.errors import AttemptUnknown
from exam_engine.delivery.model import AttemptState, Sitting, SittingId, SittingState
from exam_engine.delivery.service.acts import ActKind
from exam_engine.delivery.service.desk import Desk, Scope, load_sitting, look_at, seats_in
from exam_engine.delivery.service.postponing import (
    POSTPONE,
    Postponed,
    Postponement,
    plan_after,
    plan_before,
    require_waiting,
)
from exam_engine.delivery.store import RoomCount
from exam_engine.delivery.store.acts import StoredAct
from exam_engine.infra.clock import from_milliseconds


class Obstacle(StrEnum):
    """Why a postponement is no longer taken back."""

    TAKEN_BACK = "taken-back"
    CLOSED = "closed"
    STARTED = "started"
    PASSED = "passed"  # the earlier beginning


class RoomStart(msgspec.Struct, frozen=True, kw_only=True):
    """When a room begins and ends, and who sits there."""

    room_id: UUID | None  # none: those who sit anywhere
    code: str
    starts_at: datetime
    ends_at: datetime
    seats: int
    started: int  # as far as PostgreSQL was told

    @property
    def is_waiting(self) -> bool:
        """Whether nobody there has begun."""
        return self.started == 0


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What a postponement would come to."""

    starts_at: datetime  # there
    ends_at: datetime
    starts_before: datetime
    ends_before: datetime
    seats: int  # that would wait for the new beginning
    rooms: Sequence[RoomStart]  # of the sitting that begin apart from it, as they would
    is_undoable: bool  # afterwards; not once the earlier beginning has passed
    is_past: bool  # the new beginning has passed as well: it could begin at once
    is_done: bool  # a postponement under this request was done before


class PastPostponement(msgspec.Struct, frozen=True, kw_only=True):
    """A postponement that was done, and what became of it."""

    act: StoredAct
    seconds: int
    room_code: str
    starts_at: datetime  # that it led to then
    starts_before: datetime
    starts_at_without: datetime  # if it were taken back now
    undone: StoredAct | None
    obstacle: Obstacle | None


async def room_starts(session: AsyncSession, sitting: Sitting) -> list[RoomStart]:
    """Return the rooms of a sitting in which somebody sits or will sit, by code."""
    return [_room_start(sitting, count) for count in await store.count_rooms(session, sitting)]


async def may_postpone(session: AsyncSession, sitting: Sitting) -> bool:
    """Whether the sitting, or some room of it, can still begin later: it is not closed and somewhere nobody has begun.

    What PostgreSQL was told decides; `postpone` asks Redis.
    """
    if sitting.state is not SittingState.OPEN:
        return sitting.state is SittingState.PLANNED
    return any(not count.started for count in await store.count_rooms(session, sitting))


async def foresee(desk: Desk, sitting_id: SittingId, postponement: Postponement) -> Foreseen:
    """Return what a postponement would mean now, refused where it would be, and change nothing.

    Raises
    ------
    As `postpone`.
    """
    sitting = (await load_sitting(desk.session, sitting_id)).sitting
    done = await store.find_act(desk.session, sitting_id, postponement.request)
    later = plan_after(sitting, postponement)
    room_code = postponement.room_code
    rooms = await room_starts(desk.session, later)
    beginning = later.starts_in(room_code)
    end = later.ends_in(room_code)
    span = timedelta(seconds=postponement.seconds)
    return Foreseen(
        starts_at=beginning,
        ends_at=end,
        starts_before=beginning - span,
        ends_before=end - span,
        seats=await _waiting(desk, sitting, postponement, rooms),
        rooms=[] if room_code else [room for room in rooms if room.starts_at != beginning],
        is_undoable=beginning - span > desk.now,
        is_past=beginning <= desk.now,
        is_done=done is not None,
    )


async def load_postponements(session: AsyncSession, sitting: Sitting, now: datetime) -> list[PastPostponement]:
    """Load the postponements of a sitting, the newest first, and why some are no longer taken back."""
    acts = await store.load_acts_of(session, sitting.id, (POSTPONE, ActKind.BRING_FORWARD))
    by_request = {act.request: act for act in acts}
    counts = await store.count_rooms(session, sitting) if sitting.state is SittingState.OPEN else []
    begun = {count.room_id for count in counts if count.started}
    found = []
    for act in acts:
        if act.kind != POSTPONE:
            continue
        outcome = msgspec.convert(act.outcome, Postponed)
        without = _without(sitting, act, outcome.room_code)
        led_to = from_milliseconds(outcome.starts_at_ms)
        found.append(
            PastPostponement(
                act=act,
                seconds=outcome.seconds,
                room_code=outcome.room_code,
                starts_at=led_to,
                starts_before=led_to - timedelta(seconds=outcome.seconds),
                starts_at_without=without,
                undone=by_request.get(act.undone_by or ""),
                obstacle=_obstacle(sitting, act, begun, is_past=without <= now),
            )
        )
    return found


def _without(sitting: Sitting, act: StoredAct, room_code: str) -> datetime:
    return (sitting if act.undone_by else plan_before(sitting, act)).starts_in(room_code)


def _obstacle(sitting: Sitting, act: StoredAct, begun: set[UUID | None], *, is_past: bool) -> Obstacle | None:
    if act.undone_by is not None:
        return Obstacle.TAKEN_BACK
    if sitting.state is SittingState.CLOSED:
        return Obstacle.CLOSED
    if begun if act.room_id is None else act.room_id in begun:
        return Obstacle.STARTED
    return Obstacle.PASSED if is_past else None


async def _waiting(desk: Desk, sitting: Sitting, postponement: Postponement, rooms: Sequence[RoomStart]) -> int:
    """Count whom it would reach: those who will be taken in, or who were and have not begun."""
    room_id = postponement.room_id
    if sitting.state is SittingState.PLANNED:
        seats = sum(room.seats for room in rooms if room_id in (None, room.room_id))
        if not seats and room_id is not None:
            raise AttemptUnknown(room_id)
        return seats
    found = await seats_in(desk, sitting.id, Scope(room_id=room_id))
    held = await look_at(desk, sitting, [seat.attempt_id for seat in found])
    for one in held.values():
        require_waiting(one)
    return sum(one.facts.state is AttemptState.READY for one in held.values())


def _room_start(sitting: Sitting, count: RoomCount) -> RoomStart:
    return RoomStart(
        room_id=count.room_id,
        code=count.code,
        starts_at=sitting.starts_in(count.code),
        ends_at=sitting.ends_in(count.code),
        seats=count.seats,
        started=count.started,
    )
