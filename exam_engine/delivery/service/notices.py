"""Extra time and messages: to one seat, a room or everybody, while a sitting is open."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.bulletins import Notice
from exam_engine.delivery.errors import AttemptClosed, SittingPlanInvalid
from exam_engine.delivery.model import Change, ChangeKind, Sitting, SittingId
from exam_engine.delivery.register import Held, place_of
from exam_engine.delivery.service.desk import Desk, Scope, change_attempts, lock_open, record, require_open, seats_in
from exam_engine.delivery.store import Seat
from item_bank import messages

MAXIMUM_MESSAGE = 1000


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


class Extended(msgspec.Struct, frozen=True, kw_only=True):
    """What an extension came to."""

    extended: int
    reopened: int
    unchanged: int  # handed in, closed for good, or credited before
    notice: int


async def extend(desk: Desk, sitting_id: SittingId, extension: Extension) -> Extended:
    """Give extra time; what time closed a moment ago reopens, what was handed in stays handed in.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, AttemptUnknown, AttemptClosed, ServiceUnavailable
    """
    if not 1 <= extension.seconds <= model.MAXIMUM_EXTRA_SECONDS:
        raise SittingPlanInvalid(
            "seconds", messages.message("extra time is 1 to {maximum} seconds", maximum=model.MAXIMUM_EXTRA_SECONDS)
        )
    sitting = await lock_open(desk, sitting_id)
    scope = extension.scope
    seats = await seats_in(desk, sitting_id, scope)

    def decide(held: Held) -> Change | None:
        try:
            return model.extend(held.facts, extension.request, extension.seconds, desk.now_ms)
        except AttemptClosed:
            if scope.attempt_id is not None:
                raise
            return None  # of a room, those who are done stay done

    attempts = [seat.attempt_id for seat in seats]
    changes = await change_attempts(desk, sitting, attempts, decide, seconds=extension.seconds)
    number = await post_notice(
        desk, sitting, scope, seats, extension.request, kind="time", extra_seconds=extension.seconds
    )
    reopened = sum(change.kind is ChangeKind.REOPEN for change in changes.values())
    await record(
        desk,
        "sitting.extend",
        sitting,
        seconds=extension.seconds,
        reason=extension.reason,
        attempts=len(changes),
        room_id=scope.room_id,
        attempt_id=scope.attempt_id,
    )
    return Extended(
        extended=len(changes) - reopened, reopened=reopened, unchanged=len(seats) - len(changes), notice=number
    )


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
    number = await post_notice(desk, sitting, scope, seats, message.request, kind="message", text=text)
    await record(desk, "sitting.message", sitting, room_id=scope.room_id, attempt_id=scope.attempt_id)
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
        attempt_id=scope.attempt_id,
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
