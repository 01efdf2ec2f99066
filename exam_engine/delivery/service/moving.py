"""A candidate moves to another seat, in the same room or another one, while the sitting is open.

Answers, paper and time stay as they are: only where the attempt is sat changes, so that the board, the map, the rights
and the statement are those of the room where the candidate sits. The plan of the seats stays what was printed.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import store
from exam_engine.delivery.errors import ActImpossible, AttemptUnknown, RequestReused, SeatTaken
from exam_engine.delivery.model import AttemptId, AttemptState, Sitting, SittingId
from exam_engine.delivery.service.desk import Desk, Scope, lock_open, look_at, record, seats_in
from exam_engine.delivery.store import Seat
from exam_engine.delivery.store.acts import StoredAct
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Room

MOVE = "move"
LIVE = (AttemptState.READY, AttemptState.RUNNING)


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Who moves where; the same `request` moves once."""

    attempt_id: AttemptId
    room_id: UUID
    seat_number: int | None  # none: the first that is free
    request: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
    reason: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where a candidate sat and where they sit now."""

    request: str
    attempt_id: AttemptId
    from_room_id: UUID | None
    from_room: str
    from_seat: int | None
    room_id: UUID | None
    room: str
    seat: int | None
    changed: int = 1
    is_undoable: bool = True
    is_repeated: bool = False  # the same request again: nothing was done this time

    @property
    def place_before(self) -> str:
        """The old place in words for the record."""
        return f"{self.from_room} {self.from_seat if self.from_seat is not None else '–'}"

    @property
    def to(self) -> str:
        """The new place in words for the record."""
        return f"{self.room} {self.seat if self.seat is not None else '–'}"


class FreeSeats(msgspec.Struct, frozen=True, kw_only=True):
    """A room of the exam, and its seats where nobody of the sitting sits."""

    room_id: UUID
    room: str
    seats: tuple[int, ...]


async def move_seat(desk: Desk, sitting_id: SittingId, move: Move) -> Moved:
    """Move a candidate to a free seat of a room of the exam.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AttemptUnknown, SeatTaken, ServiceUnavailable
    ActImpossible
        The paper is over.
    """
    sitting = await lock_open(desk, sitting_id)
    done = await store.find_act(desk.session, sitting_id, move.request)
    if done is not None:
        if done.kind != MOVE:
            raise RequestReused(move.request, done.kind)
        return msgspec.convert(done.outcome | {"is_repeated": True}, Moved)
    number = move.seat_number or await _first_free(desk.session, sitting, move.room_id)
    moved = await _move(desk, sitting, move.attempt_id, move.room_id, number, move.request)
    act = StoredAct(
        request=move.request,
        kind=MOVE,
        actor=desk.actor,
        at=desk.now,
        reason=move.reason,
        room_id=moved.from_room_id,
        attempts=(move.attempt_id,),
        outcome=msgspec.to_builtins(moved),
        undone_by=None,
    )
    await store.insert_act(desk.session, sitting_id, act)
    await record(
        desk,
        "sitting.move",
        sitting,
        reason=move.reason,
        request=move.request,
        attempts=[str(move.attempt_id)],
        place_before=moved.place_before,
        to=moved.to,
    )
    return moved


async def move_back(desk: Desk, sitting: Sitting, done: StoredAct) -> Moved:
    """Undo a move of a locked sitting, if the old seat is still free.

    Raises
    ------
    As `move_seat`.
    """
    moved = msgspec.convert(done.outcome, Moved)
    return await _move(desk, sitting, moved.attempt_id, moved.from_room_id, moved.from_seat, done.request)


async def free_seats(session: AsyncSession, sitting: Sitting) -> list[FreeSeats]:
    """Return the rooms of the exam with the seats that are free, by code; rooms that are full are left out."""
    seats = await store.load_seats(session, sitting.id)
    found = []
    for room in await _rooms(session, sitting):
        taken = {seat.seat_number for seat in seats if seat.room_id == room.id}
        free = tuple(number for number in range(1, room.capacity + 1) if number not in taken)
        if free:
            found.append(FreeSeats(room_id=room.id, room=room.code, seats=free))
    return found


async def rooms_moved_to(session: AsyncSession, sitting_id: SittingId | None = None) -> dict[SittingId, set[UUID]]:
    """Return the rooms in which somebody who was moved sits now: perhaps nobody was to sit there by the plan."""
    return await store.rooms_moved_to(session, sitting_id)


async def _move(
    desk: Desk, sitting: Sitting, attempt_id: AttemptId, room_id: UUID | None, number: int | None, request: str
) -> Moved:
    seats = await store.load_seats(desk.session, sitting.id)
    (seat,) = await seats_in(desk, sitting.id, Scope(attempts=(attempt_id,)))
    held = (await look_at(desk, sitting, [attempt_id]))[attempt_id]
    if held.facts.state not in LIVE:
        raise ActImpossible(MOVE, held.facts.state, held.facts.reason)
    room = "" if room_id is None else await _require_free(desk.session, sitting, seats, room_id, number)
    await store.save_place(desk.session, sitting.id, attempt_id, room_id, number)
    return Moved(
        request=request,
        attempt_id=attempt_id,
        from_room_id=seat.room_id,
        from_room=seat.room_code or "",
        from_seat=seat.seat_number,
        room_id=room_id,
        room=room,
        seat=number,
    )


async def _require_free(
    session: AsyncSession, sitting: Sitting, seats: Sequence[Seat], room_id: UUID, number: int | None
) -> str:
    room = next((room for room in await _rooms(session, sitting) if room.id == room_id), None)
    if room is None:
        raise AttemptUnknown(room_id)
    is_taken = any(seat.room_id == room_id and seat.seat_number == number for seat in seats)
    if is_taken or number is None or not 1 <= number <= room.capacity:
        raise SeatTaken(room.code, number or 0)
    return room.code


async def _first_free(session: AsyncSession, sitting: Sitting, room_id: UUID) -> int | None:
    return next((room.seats[0] for room in await free_seats(session, sitting) if room.room_id == room_id), None)


async def _rooms(session: AsyncSession, sitting: Sitting) -> Sequence[Room]:
    subject = await enrolment.require_subject_by_id(session, sitting.exam_subject_id)
    return await enrolment.load_rooms(session, subject.exam_id)
