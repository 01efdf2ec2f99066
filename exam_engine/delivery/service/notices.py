"""Extra time and messages: to one seat, several, a room or everybody, while a sitting is open."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import msgspec

from exam_engine.delivery import model, store
from exam_engine.delivery.bulletins import Notice
from exam_engine.delivery.errors import AttemptClosed, RequestReused, SittingPlanInvalid
from exam_engine.delivery.model import AttemptId, Change, ChangeKind, Sitting, SittingId
from exam_engine.delivery.places import place_of
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
from exam_engine.delivery.store import Seat
from exam_engine.delivery.store.acts import StoredAct
from exam_engine.infra.clock import to_milliseconds
from item_bank import messages

EXTEND = "extend"
MAXIMUM_MESSAGE = 1000
TAKE_BACK_WITHIN = timedelta(minutes=10)
"""How long extra time can be taken back: later a candidate has planned with it."""


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """Extra time; the same `request` is never credited twice."""

    seconds: int
    reason: str
    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    scope: Scope = Scope()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Words to seats; the same `request` is never shown twice."""

    text: str
    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    scope: Scope = Scope()


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom an act did not reach, or not wholly, and why."""

    attempt_id: AttemptId
    number: str
    name: str
    why: str  # submitted; time, sitting, invigilator, malpractice, absent: closed so; nothing-left; partly
    seconds: int = 0  # partly: so much was done


class Extended(msgspec.Struct, frozen=True, kw_only=True):
    """What an extension came to."""

    request: str
    seconds: int
    changed: int  # who got it
    extended: int
    reopened: int
    unchanged: int  # handed in, or closed for good
    left: tuple[LeftOut, ...]  # they, by name
    notice: int
    is_undoable: bool
    undo_until_ms: int
    is_repeated: bool = False  # the same request again: nothing was done this time


async def extend(desk: Desk, sitting_id: SittingId, extension: Extension) -> Extended:
    """Give extra time; what time closed a moment ago reopens, what was handed in stays handed in.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, AttemptUnknown, ServiceUnavailable
    AttemptClosed
        A single attempt was named and is over; of several, they are named in the answer.
    """
    if not 1 <= extension.seconds <= model.MAXIMUM_EXTRA_SECONDS:
        raise SittingPlanInvalid(
            "seconds", messages.message("extra time is 1 to {maximum} seconds", maximum=model.MAXIMUM_EXTRA_SECONDS)
        )
    sitting = await lock_open(desk, sitting_id)
    done = await store.find_act(desk.session, sitting_id, extension.request)
    if done is not None:
        if done.kind != EXTEND:
            raise RequestReused(extension.request, done.kind)
        return msgspec.convert(done.outcome | {"is_repeated": True}, Extended)
    scope = extension.scope
    seats = await seats_in(desk, sitting_id, scope)

    def decide(held: Held) -> Change | None:
        try:
            return model.extend(held.facts, extension.request, extension.seconds, desk.now_ms)
        except AttemptClosed:
            if len(scope.wanted) == 1:
                raise
            return None  # of a room, those who are done stay done

    attempts = [seat.attempt_id for seat in seats]
    told = {"request": extension.request, "reason": extension.reason}
    changes = await change_attempts(desk, sitting, attempts, decide, seconds=extension.seconds, **told)
    over = await _not_credited(desk, sitting, [a for a in attempts if a not in changes], extension.request)
    given = [seat for seat in seats if seat.attempt_id not in over]
    number = await _tell_of_time(desk, sitting, scope, given, extension.request, extension.seconds)
    reopened = sum(change.kind is ChangeKind.REOPEN for change in changes.values())
    extended = Extended(
        request=extension.request,
        seconds=extension.seconds,
        changed=len(given),
        extended=len(given) - reopened,
        reopened=reopened,
        unchanged=len(over),
        left=tuple(left_out(seat, over[seat.attempt_id]) for seat in seats if seat.attempt_id in over),
        notice=number,
        is_undoable=bool(given),
        undo_until_ms=to_milliseconds(desk.now + TAKE_BACK_WITHIN),
    )
    act = StoredAct(
        request=extension.request,
        kind=EXTEND,
        actor=desk.actor,
        at=desk.now,
        reason=extension.reason,
        room_id=scope.room_id,
        attempts=tuple(seat.attempt_id for seat in given),
        outcome=msgspec.to_builtins(extended),
        undone_by=None,
    )
    await store.insert_act(desk.session, sitting_id, act)
    await record(
        desk,
        "sitting.extend",
        sitting,
        seconds=extension.seconds,
        **told,
        changed=len(given),
        room_id=scope.room_id,
        attempts=sorted(str(seat.attempt_id) for seat in given) if scope.wanted else None,
    )
    return extended


async def tell_each(
    desk: Desk, sitting: Sitting, seats: Sequence[Seat], request: str, *, kind: str, text: str = "", seconds: int = 0
) -> int:
    """Post a notice to every one of these seats by name; returns the newest number, 0 for nobody.

    Raises
    ------
    ServiceUnavailable
    """
    number = 0
    for seat in seats:
        one = Scope(attempt_id=seat.attempt_id)
        own = f"{request}.{seat.attempt_id.hex}"
        number = await post_notice(desk, sitting, one, [seat], own, kind=kind, text=text, extra_seconds=seconds)
    return number


def left_out(seat: Seat, why: str, seconds: int = 0) -> LeftOut:
    """Name somebody whom an act did not reach."""
    return LeftOut(attempt_id=seat.attempt_id, number=seat.number, name=seat.full_name, why=why, seconds=seconds)


async def _not_credited(
    desk: Desk, sitting: Sitting, attempts: Sequence[AttemptId], request: str
) -> dict[AttemptId, str]:
    """Return who did not get the time of a request, and why; a try whose transaction failed may have given it."""
    held = await look_at(desk, sitting, attempts)
    return {
        attempt_id: one.facts.reason or one.facts.state.value
        for attempt_id, one in held.items()
        if request not in one.facts.extensions.split()
    }


async def _tell_of_time(
    desk: Desk, sitting: Sitting, scope: Scope, given: Sequence[Seat], request: str, seconds: int
) -> int:
    if len(scope.wanted) > 1:
        return await tell_each(desk, sitting, given, request, kind="time", seconds=seconds)
    return await post_notice(desk, sitting, scope, given, request, kind="time", extra_seconds=seconds)


async def send_message(desk: Desk, sitting_id: SittingId, message: Message) -> int:
    """Send a message; returns its number.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, AttemptUnknown, ServiceUnavailable
    """
    text = message.text.replace("\x00", "").strip()
    if not 1 <= len(text) <= MAXIMUM_MESSAGE:
        raise SittingPlanInvalid(
            "text", messages.message("a message has 1 to {maximum} characters", maximum=MAXIMUM_MESSAGE)
        )
    sitting = await require_open(desk, sitting_id)
    scope = message.scope
    seats = await seats_in(desk, sitting_id, scope)
    if len(scope.wanted) > 1:
        number = await tell_each(desk, sitting, seats, message.request, kind="message", text=text)
    else:
        number = await post_notice(desk, sitting, scope, seats, message.request, kind="message", text=text)
    attempts = sorted(map(str, scope.wanted)) if scope.wanted else None
    await record(desk, "sitting.message", sitting, room_id=scope.room_id, attempts=attempts)
    return number


async def post_notice(
    desk: Desk,
    sitting: Sitting,
    scope: Scope,
    seats: Sequence[Seat],
    request: str,
    *,
    kind: str,
    text: str = "",
    extra_seconds: int = 0,
) -> int:
    """Post a notice to the shards of these seats, once for each request; returns its number.

    Raises
    ------
    ServiceUnavailable
    """
    notice = Notice(
        sitting_id=sitting.id,
        kind=kind,
        text=text,
        extra_seconds=extra_seconds,
        room_id=scope.room_id,
        attempt_id=next(iter(scope.wanted), None),
        created_by=desk.actor,
        created_ms=desk.now_ms,
    )
    content = msgspec.json.encode(notice)
    streams = sorted({place_of(sitting.id, sitting.shards, seat.attempt_id).stream for seat in seats})
    number = notice.created_ms
    for position, stream in enumerate(streams):
        # The first shard carries it to PostgreSQL; the others take its number or, if they must, a greater one.
        posted = await desk.register.post(stream, request, number, content, is_kept=position == 0)
        number = posted if position == 0 else number
    return number
