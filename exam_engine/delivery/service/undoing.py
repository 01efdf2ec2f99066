"""Taking an act back: for exactly those it changed, by an act of its own that says who and why."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from exam_engine.delivery import model, store
from exam_engine.delivery.errors import ActNotUndoable, ActUndoneTooLate, RequestReused
from exam_engine.delivery.model import AttemptId, Change, Sitting, SittingId
from exam_engine.delivery.register import Held
from exam_engine.delivery.service.acts import INVERSES, Acted, ActKind, SeatAct, perform, require_act
from exam_engine.delivery.service.desk import (
    Desk,
    Scope,
    change_attempts,
    lock_open,
    lock_sitting,
    look_at,
    record,
    seats_in,
)
from exam_engine.delivery.service.moving import MOVE, move_back
from exam_engine.delivery.service.notices import (
    EXTEND,
    TAKE_BACK_WITHIN,
    Extended,
    LeftOut,
    left_out,
    tell_each,
)
from exam_engine.delivery.service.postponing import POSTPONE, bring_forward
from exam_engine.delivery.store import Seat
from exam_engine.delivery.store.acts import StoredAct

Undoing = Callable[[Desk, Sitting, StoredAct, str, str], Awaitable[Acted]]


async def undo(desk: Desk, sitting_id: SittingId, undone: str, request: str, reason: str) -> Acted:
    """Take an act back for exactly those it changed.

    Raises
    ------
    ActUnknown, ActNotUndoable, ActUndoneTooLate, SittingUnknown, SittingStateWrong, ServiceUnavailable
    """
    done = await require_act(desk.session, sitting_id, undone)
    # A start is postponed before the sitting opens as well; everything else is done to seats.
    sitting = await (lock_sitting if done.kind == POSTPONE else lock_open)(desk, sitting_id)
    done = await require_act(desk.session, sitting_id, undone)
    again = await store.find_act(desk.session, sitting_id, request)
    if again is not None:
        if done.undone_by != request:
            raise RequestReused(request, again.kind)
        return msgspec.convert(again.outcome | {"is_repeated": True}, Acted)
    undoing = UNDOING.get(done.kind)
    if undoing is None or done.undone_by is not None:
        raise ActNotUndoable(done.kind, undone)
    acted = await undoing(desk, sitting, done, request, reason)
    await store.mark_undone(desk.session, sitting_id, undone, request)
    return acted


def is_undoable(done: StoredAct, now: datetime) -> bool:
    """Whether an act can be taken back at this moment."""
    if done.kind not in UNDOING or done.undone_by is not None or not done.outcome.get("is_undoable"):
        return False
    within = WITHIN.get(done.kind)
    return within is None or now - done.at <= within


async def _by_inverse(desk: Desk, sitting: Sitting, done: StoredAct, request: str, reason: str) -> Acted:
    attempts = tuple(AttemptId(attempt_id) for attempt_id in done.attempts)
    inverse = SeatAct(
        kind=INVERSES[ActKind(done.kind)],
        request=request,
        reason=reason,
        scope=Scope(room_id=done.room_id, attempts=attempts),
    )
    return await perform(desk, sitting, inverse, attempts)


async def _take_time_back(desk: Desk, sitting: Sitting, done: StoredAct, request: str, reason: str) -> Acted:
    """Take extra time back: what leaves who writes a minute; each is told how much."""
    if desk.now - done.at > TAKE_BACK_WITHIN:
        raise ActUndoneTooLate(done.kind, done.request, int(TAKE_BACK_WITHIN.total_seconds()) // 60)
    extended = msgspec.convert(done.outcome, Extended)
    attempts = tuple(AttemptId(attempt_id) for attempt_id in done.attempts)
    seats = await seats_in(desk, sitting.id, Scope(attempts=attempts))

    def decide(held: Held) -> Change | None:
        return model.take_back(held.facts, done.request, extended.seconds, request, desk.now_ms)

    before = await look_at(desk, sitting, attempts)
    changes = await change_attempts(desk, sitting, attempts, decide, request=request, reason=reason)
    taken = {a: (before[a].facts.extra_ms - change.facts.extra_ms) // 1000 for a, change in changes.items()}
    for seconds in sorted(set(taken.values())):
        shortened = [seat for seat in seats if taken.get(seat.attempt_id) == seconds]
        await tell_each(desk, sitting, shortened, request, kind="time", seconds=-seconds)
    acted = Acted(
        act=ActKind.TAKE_BACK,
        request=request,
        changed=len(taken),
        unchanged=len(attempts) - len(taken),
        left=tuple(
            _less(seat, before[seat.attempt_id], taken)
            for seat in seats
            if taken.get(seat.attempt_id) != extended.seconds
        ),
    )
    await _keep(desk, sitting, done, acted, reason, tuple(taken))
    await record(
        desk,
        "sitting.take_back",
        sitting,
        reason=reason,
        request=request,
        changed=len(taken),
        room_id=done.room_id,
        seconds=max(taken.values(), default=0),
        attempts=sorted(map(str, taken)),
    )
    return acted


def _less(seat: Seat, held: Held, taken: Mapping[AttemptId, int]) -> LeftOut:
    if seat.attempt_id in taken:
        return left_out(seat, "partly", taken[seat.attempt_id])
    state = held.facts.reason or held.facts.state.value
    return left_out(seat, "nothing-left" if state in ("ready", "running") else state)


async def _begin_as_before(desk: Desk, sitting: Sitting, done: StoredAct, request: str, reason: str) -> Acted:
    seats = await bring_forward(desk, sitting, done)
    acted = Acted(act=ActKind.BRING_FORWARD, request=request, changed=seats, unchanged=0)
    await _keep(desk, sitting, done, acted, reason, ())
    await record(
        desk, "sitting.bring_forward", sitting, reason=reason, request=request, room_id=done.room_id, seats=seats
    )
    return acted


async def _move_back(desk: Desk, sitting: Sitting, done: StoredAct, request: str, reason: str) -> Acted:
    attempts = (AttemptId(done.attempts[0]),)
    moved = await move_back(desk, sitting, done)
    acted = Acted(act=ActKind.MOVE_BACK, request=request, changed=1, unchanged=0)
    await _keep(desk, sitting, done, acted, reason, attempts)
    facts = {"reason": reason, "request": request, "attempts": [str(attempts[0])], "to": moved.to}
    await record(desk, "sitting.move_back", sitting, **facts)
    return acted


async def _keep(
    desk: Desk, sitting: Sitting, done: StoredAct, acted: Acted, reason: str, attempts: tuple[AttemptId, ...]
) -> None:
    act = StoredAct(
        request=acted.request,
        kind=acted.act.value,
        actor=desk.actor,
        at=desk.now,
        reason=reason,
        room_id=done.room_id,
        attempts=attempts,
        outcome=msgspec.to_builtins(acted),
        undone_by=None,
    )
    await store.insert_act(desk.session, sitting.id, act)


UNDOING: Mapping[str, Undoing] = {
    **{kind.value: _by_inverse for kind in INVERSES},
    EXTEND: _take_time_back,
    MOVE: _move_back,
    POSTPONE: _begin_as_before,
}
WITHIN: Mapping[str, timedelta] = {EXTEND: TAKE_BACK_WITHIN}
