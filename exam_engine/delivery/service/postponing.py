"""A postponed start: the whole sitting, or one room of it, begins and ends later by the same span."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from exam_engine.delivery import model, store
from exam_engine.delivery.errors import (
    AttemptRefusal,
    PlanChanged,
    RequestReused,
    SittingPlanInvalid,
    SittingStateWrong,
    SomebodyStarted,
    StartPassed,
)
from exam_engine.delivery.model import (
    MAXIMUM_POSTPONEMENT_SECONDS,
    AttemptState,
    Change,
    Sitting,
    SittingId,
    SittingState,
)
from exam_engine.delivery.register import Held
from exam_engine.delivery.service.desk import Desk, Scope, change_attempts, lock_sitting, record, seats_in
from exam_engine.delivery.store.acts import StoredAct
from exam_engine.infra.clock import to_milliseconds
from item_bank.messages import message

POSTPONE = "postpone"


class Postponement(msgspec.Struct, frozen=True, kw_only=True):
    """By how much; the same `request` postpones once."""

    seconds: int
    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    reason: str
    room_code: str = ""  # none: the whole sitting
    room_id: UUID | None = None
    seen_starts_ms: int | None = None  # the beginning there when it was decided; another by now: nothing is done


class Postponed(msgspec.Struct, frozen=True, kw_only=True):
    """The plan after it: when it begins and ends there, in milliseconds."""

    starts_at_ms: int
    ends_at_ms: int
    seats: int  # that wait for the new beginning
    request: str
    seconds: int = 0  # by which it was postponed
    room_code: str = ""
    is_undoable: bool = False
    is_repeated: bool = False


async def postpone(desk: Desk, sitting_id: SittingId, postponement: Postponement) -> Postponed:
    """Let a sitting, or one of its rooms, begin later; nobody there may have started.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, PlanChanged, AttemptUnknown, SomebodyStarted,
    ServiceUnavailable
    """
    sitting = await lock_sitting(desk, sitting_id)
    done = await store.find_act(desk.session, sitting_id, postponement.request)
    if done is not None:
        if done.kind != POSTPONE:
            raise RequestReused(postponement.request, done.kind)
        return msgspec.convert(done.outcome | {"is_repeated": True}, Postponed)
    later = plan_after(sitting, postponement)
    seats = 0
    if sitting.state is SittingState.OPEN:
        seats = await _move_seats(desk, later, postponement)
    await store.save_plan(desk.session, later)
    planned = model.planned_facts(later, postponement.room_code)
    outcome = Postponed(
        starts_at_ms=planned.starts_ms,
        ends_at_ms=planned.ends_ms,
        seats=seats,
        request=postponement.request,
        seconds=postponement.seconds,
        room_code=postponement.room_code,
        is_undoable=True,
    )
    act = StoredAct(
        request=postponement.request,
        kind=POSTPONE,
        actor=desk.actor,
        at=desk.now,
        reason=postponement.reason,
        room_id=postponement.room_id,
        attempts=(),
        outcome=msgspec.to_builtins(outcome),
        undone_by=None,
    )
    await store.insert_act(desk.session, sitting_id, act)
    await record(
        desk,
        "sitting.postpone",
        later,
        seconds=postponement.seconds,
        reason=postponement.reason,
        request=postponement.request,
        room_id=postponement.room_id,
        seats=seats,
    )
    return outcome


async def bring_forward(desk: Desk, sitting: Sitting, done: StoredAct) -> int:
    """Take a postponement of a locked sitting back: it begins as planned before, if that moment still lies ahead.

    Returns how many seats wait for the earlier beginning.

    Raises
    ------
    SittingStateWrong, StartPassed
        The sitting is closed; the earlier beginning has passed, so nobody could be told in time.
    SomebodyStarted
    """
    if sitting.state is SittingState.CLOSED:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.OPEN)
    back = _back(done)
    earlier = _moved(sitting, back)
    before = earlier.starts_in(back.room_code)
    if before <= desk.now:
        raise StartPassed(done.kind, done.request, -back.seconds // 60, before.isoformat())
    seats = await _move_seats(desk, earlier, back) if sitting.state is SittingState.OPEN else 0
    await store.save_plan(desk.session, earlier)
    return seats


def plan_after(sitting: Sitting, postponement: Postponement) -> Sitting:
    """Return the plan as a postponement would make it.

    Raises
    ------
    SittingStateWrong, SittingPlanInvalid, PlanChanged
    """
    if sitting.state is SittingState.CLOSED:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.OPEN)
    longest = MAXIMUM_POSTPONEMENT_SECONDS
    if not 1 <= postponement.seconds <= longest:
        raise SittingPlanInvalid("seconds", message("a start is postponed by 1 to {maximum} seconds", maximum=longest))
    beginning = sitting.starts_in(postponement.room_code)
    if postponement.seen_starts_ms not in (None, to_milliseconds(beginning)):
        raise PlanChanged(sitting.code, beginning.isoformat())
    later = _moved(sitting, postponement)
    if later.settings.room_delays.get(postponement.room_code, 0) > longest:
        raise SittingPlanInvalid("seconds", message("a start is postponed by 1 to {maximum} seconds", maximum=longest))
    return later


def plan_before(sitting: Sitting, done: StoredAct) -> Sitting:
    """Return the plan as it would be with one postponement taken back."""
    return _moved(sitting, _back(done))


def require_waiting(held: Held) -> None:
    """Refuse who has begun.

    Raises
    ------
    SomebodyStarted
    """
    if held.facts.state in (AttemptState.RUNNING, AttemptState.SUBMITTED):
        raise SomebodyStarted(POSTPONE, held.facts.state, held.facts.reason)


def _back(done: StoredAct) -> Postponement:
    outcome = msgspec.convert(done.outcome, Postponed)
    return Postponement(
        seconds=-outcome.seconds,
        request=done.request,
        reason=done.reason,
        room_code=outcome.room_code,
        room_id=done.room_id,
    )


def _moved(sitting: Sitting, postponement: Postponement) -> Sitting:
    if not postponement.room_code:
        span = timedelta(seconds=postponement.seconds)
        return msgspec.structs.replace(sitting, starts_at=sitting.starts_at + span, ends_at=sitting.ends_at + span)
    delays = dict(sitting.settings.room_delays)
    delays[postponement.room_code] = delays.get(postponement.room_code, 0) + postponement.seconds
    delays = {room: delay for room, delay in delays.items() if delay}
    settings = msgspec.structs.replace(sitting.settings, room_delays=delays)
    return msgspec.structs.replace(sitting, settings=settings)


async def _move_seats(desk: Desk, later: Sitting, postponement: Postponement) -> int:
    seats = await seats_in(desk, later.id, Scope(room_id=postponement.room_id))
    rooms = {seat.attempt_id: seat.room_code or "" for seat in seats}
    await change_attempts(desk, later, list(rooms), require_waiting)
    moved = 0
    for room_code in sorted(set(rooms.values())):
        starts_ms = model.planned_facts(later, room_code).starts_ms

        def decide(held: Held, starts_ms: int = starts_ms) -> Change | None:
            try:
                return model.postpone(held.facts, starts_ms, desk.now_ms)
            except AttemptRefusal:
                return None  # closed meanwhile, or started in this very moment: it keeps its time

        attempts = [attempt_id for attempt_id, code in rooms.items() if code == room_code]
        moved += len(await change_attempts(desk, later, attempts, decide))
    return moved
