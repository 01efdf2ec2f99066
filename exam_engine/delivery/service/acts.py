"""What staff does to seats while a sitting is open: pause, lock, end, admit a second seat, and taking it back.

Redis is changed before the transaction commits. An act whose commit failed is done again by the same request: who
was changed already stays as they are, and is among those the act can be taken back for.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import counters, model, store
from exam_engine.delivery.errors import ActUnknown, AttemptRefusal, RequestReused
from exam_engine.delivery.model import AttemptFacts, AttemptId, Change, ChangeKind, CloseReason, Sitting, SittingId
from exam_engine.delivery.register import Held
from exam_engine.delivery.service.desk import (
    Desk,
    Scope,
    change_attempts,
    lock_open,
    look_at,
    record,
    require_open,
    seats_in,
)
from exam_engine.delivery.service.notices import LeftOut
from exam_engine.delivery.store.acts import StoredAct

ACTS_SHOWN = 100


class ActKind(StrEnum):
    """What can be done to seats."""

    PAUSE = "pause"
    RESUME = "resume"
    LOCK = "lock"
    UNLOCK = "unlock"
    ADMIT = "admit"
    REFUSE = "refuse"
    ALLOW = "allow"
    END = "end"
    ABSENT = "absent"
    MALPRACTICE = "malpractice"
    REOPEN = "reopen"
    TAKE_BACK = "take_back"  # extra time
    MOVE_BACK = "move_back"
    BRING_FORWARD = "bring_forward"  # a start that was postponed


INVERSES: Mapping[ActKind, ActKind] = {
    ActKind.PAUSE: ActKind.RESUME,
    ActKind.RESUME: ActKind.PAUSE,
    ActKind.LOCK: ActKind.UNLOCK,
    ActKind.REFUSE: ActKind.ALLOW,
    ActKind.UNLOCK: ActKind.LOCK,
    ActKind.END: ActKind.REOPEN,
    ActKind.ABSENT: ActKind.REOPEN,
    ActKind.MALPRACTICE: ActKind.REOPEN,
}


class SeatAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act on seats; the same `request` is done once."""

    kind: ActKind
    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    reason: str
    scope: Scope
    is_credited: bool = False  # an admission gives back the time the old seat was silent

    @property
    def is_single(self) -> bool:
        """Whether one seat is named: then what does not fit it is refused."""
        return len(self.scope.wanted) == 1


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What an act came to."""

    act: ActKind
    request: str
    changed: int
    unchanged: int  # it was so already, or the attempt is over
    credited_ms: int = 0  # by an admission
    left: tuple[LeftOut, ...] = ()  # whom it did not reach, or not wholly
    is_undoable: bool = False
    is_repeated: bool = False  # the same request again: nothing was done this time


def _closing(reason: CloseReason) -> Callable[[AttemptFacts, int], Change | None]:
    return lambda facts, now_ms: model.close(facts, reason, now_ms)


# Each act that asks for nothing but the facts and the time; an admission asks for signs of life as well.
TRANSITIONS: Mapping[ActKind, Callable[[AttemptFacts, int], Change | None]] = {
    ActKind.PAUSE: model.pause,
    ActKind.RESUME: model.resume,
    ActKind.LOCK: model.lock,
    ActKind.UNLOCK: model.unlock,
    ActKind.REFUSE: model.refuse_claim,
    ActKind.ALLOW: model.allow_again,
    ActKind.END: _closing(CloseReason.INVIGILATOR),
    ActKind.ABSENT: _closing(CloseReason.ABSENT),
    ActKind.MALPRACTICE: _closing(CloseReason.MALPRACTICE),
    ActKind.REOPEN: model.reopen,
}


async def act_on_seats(desk: Desk, sitting_id: SittingId, act: SeatAct) -> Acted:
    """Do one act to one seat, several, a room or everybody; of many, those whom it does not fit stay as they are.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AttemptUnknown, ServiceUnavailable
    ActImpossible
        A single attempt was named and stands otherwise.
    """
    # Two requests at once must not both find that nothing was done: the sitting's row makes them queue.
    sitting = await lock_open(desk, sitting_id)
    done = await store.find_act(desk.session, sitting_id, act.request)
    if done is not None:
        return repeated(done, {act.kind})
    seats = await seats_in(desk, sitting_id, act.scope)
    return await perform(desk, sitting, act, [seat.attempt_id for seat in seats])


async def preview(desk: Desk, sitting_id: SittingId, act: SeatAct) -> Acted:
    """Return what an act would come to now, and change nothing.

    Raises
    ------
    As `act_on_seats`.
    """
    sitting = await require_open(desk, sitting_id)
    seats = await seats_in(desk, sitting_id, act.scope)
    held = await look_at(desk, sitting, [seat.attempt_id for seat in seats])
    changed = sum(_decide(one, act, desk.now_ms) is not None for one in held.values())
    return Acted(act=act.kind, request=act.request, changed=changed, unchanged=len(seats) - changed)


async def load_acts(session: AsyncSession, sitting_id: SittingId, limit: int = ACTS_SHOWN) -> list[StoredAct]:
    """Load the latest acts of a sitting, the newest first."""
    return await store.load_acts(session, sitting_id, limit)


async def require_act(session: AsyncSession, sitting_id: SittingId, request: str) -> StoredAct:
    """Return an act by its request.

    Raises
    ------
    ActUnknown
    """
    done = await store.find_act(session, sitting_id, request)
    if done is None:
        raise ActUnknown(request)
    return done


def repeated(done: StoredAct, kinds: Collection[str]) -> Acted:
    """Return what a request came to when it came first."""
    if done.kind not in kinds:
        raise RequestReused(done.request, done.kind)
    return msgspec.convert(done.outcome | {"is_repeated": True}, Acted)


async def perform(desk: Desk, sitting: Sitting, act: SeatAct, attempts: Sequence[AttemptId]) -> Acted:
    """Do an act to these attempts of a locked sitting, keep it and write it down."""
    extra_ms = 0

    def decide(held: Held) -> Change | None:
        nonlocal extra_ms
        extra_ms = held.facts.extra_ms
        return _decide(held, act, desk.now_ms)

    told = {"request": act.request, "reason": act.reason}
    changes = await change_attempts(desk, sitting, attempts, decide, again=act.request, **told)
    now_changed = [change for change in changes.values() if change.kind is not ChangeKind.RESUME]
    for change in now_changed:
        if change.facts.reason:
            counters.CLOSED.labels(change.facts.reason).inc()
    admits = act.is_single and act.kind is ActKind.ADMIT and bool(now_changed)
    acted = Acted(
        act=act.kind,
        request=act.request,
        changed=len(changes),
        unchanged=len(attempts) - len(changes),
        credited_ms=sum(change.facts.extra_ms for change in now_changed) - extra_ms if admits else 0,
        is_undoable=act.kind in INVERSES and bool(changes),
    )
    await store.insert_act(desk.session, sitting.id, _stored(desk, act, list(changes), acted))
    await record(
        desk,
        f"sitting.{act.kind.value}",
        sitting,
        reason=act.reason,
        request=act.request,
        changed=len(changes),
        room_id=act.scope.room_id,
        attempts=sorted(map(str, changes)) if act.scope.wanted else None,
        credited_ms=acted.credited_ms or None,
    )
    return acted


def _decide(held: Held, act: SeatAct, now_ms: int) -> Change | None:
    try:
        if act.kind is ActKind.ADMIT:
            return model.admit(held.facts, act.request, held.alive_ms, now_ms, is_credited=act.is_credited)
        return TRANSITIONS[act.kind](held.facts, now_ms)
    except AttemptRefusal:
        if act.is_single:
            raise
        return None  # of a room, those who are done stay done


def _stored(desk: Desk, act: SeatAct, changed: list[AttemptId], acted: Acted) -> StoredAct:
    return StoredAct(
        request=act.request,
        kind=act.kind.value,
        actor=desk.actor,
        at=desk.now,
        reason=act.reason,
        room_id=act.scope.room_id,
        attempts=tuple(changed),
        outcome=msgspec.to_builtins(acted),
        undone_by=None,
    )
