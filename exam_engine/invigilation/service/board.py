"""The live board of a room, from Redis and the worker's memory, with what people noted from PostgreSQL."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.rolls import Roll, Sat
from exam_engine.infra.clock import to_milliseconds
from exam_engine.invigilation import store
from exam_engine.invigilation.errors import RoomUnknown
from exam_engine.invigilation.model import (
    Board,
    BoardSeat,
    Hours,
    RoomLine,
    SeatFacts,
    SeatNotes,
    board_seat,
    count_seats,
)

Notes = Mapping[UUID, SeatNotes]
NO_NOTES: Notes = {}


async def load_notes(session: AsyncSession, sitting_id: SittingId, room_id: UUID | None = None) -> Notes:
    """Return what people noted about the seats of a room."""
    return await store.load_notes(session, sitting_id, room_id)


async def board(
    delivery: Delivery,
    sitting_id: SittingId,
    room_id: UUID | None = None,
    *,
    notes: Notes = NO_NOTES,
    needs_safe_browser: bool = False,
    room_code: str = "",
) -> Board:
    """Return a room of a sitting as it is now; without a room, everybody.

    `room_code`: what a room of the exam is called, for who knows it; without it a room where nobody sits is unknown.

    Raises
    ------
    SittingUnknown, RoomUnknown, ServiceUnavailable
    """
    roll = await delivery.roll(sitting_id)
    sats = [sat for sat in _sats(roll) if room_id is None or sat.seat.room_id == room_id]
    if room_id is not None and not sats and not room_code:
        raise RoomUnknown(room_id)
    seats = await _board_seats(delivery, roll, sats, notes, needs_safe_browser=needs_safe_browser)
    return Board(
        sitting_id=roll.sitting.id,
        sitting=roll.sitting.code,
        sitting_name=roll.sitting.name,
        subject=roll.context.subject_name,
        is_open=roll.is_open,
        room_id=room_id,
        room=(sats[0].seat.room_code if sats else room_code) if room_id is not None else None,
        server_time_ms=delivery.now_ms(),
        starts_at_ms=to_milliseconds(roll.sitting.starts_at),
        ends_at_ms=to_milliseconds(roll.sitting.ends_at),
        columns=roll.sitting.settings.columns,
        counts=count_seats(seats),
        seats=tuple(seats),
    )


async def rooms(delivery: Delivery, sitting_id: SittingId) -> list[RoomLine]:
    """Return the rooms of a sitting in numbers.

    Raises
    ------
    SittingUnknown, ServiceUnavailable
    """
    roll = await delivery.roll(sitting_id)
    sats = _sats(roll)
    by_room: dict[UUID | None, list[BoardSeat]] = {}
    codes: dict[UUID | None, str | None] = {}
    for sat, seat in zip(sats, await _board_seats(delivery, roll, sats, NO_NOTES), strict=True):
        by_room.setdefault(sat.seat.room_id, []).append(seat)
        codes[sat.seat.room_id] = sat.seat.room_code
    return [
        RoomLine(room_id=room_id, room=codes[room_id], counts=count_seats(seats)) for room_id, seats in by_room.items()
    ]


def _sats(roll: Roll) -> list[Sat]:
    return [Sat(roll, seat, roll.places[attempt_id]) for attempt_id, seat in roll.seats.items()]


async def _board_seats(
    delivery: Delivery, roll: Roll, sats: Sequence[Sat], notes: Notes, *, needs_safe_browser: bool = False
) -> list[BoardSeat]:
    hours = Hours(
        starts_ms=to_milliseconds(roll.sitting.starts_at),
        ends_ms=to_milliseconds(roll.sitting.ends_at),
        is_open=roll.is_open,
        needs_safe_browser=needs_safe_browser,
    )
    facts = await asyncio.gather(*(_facts(delivery, sat, notes) for sat in sats))
    now_ms = delivery.now_ms()
    return [board_seat(one, hours, now_ms) for one in facts]


async def _facts(delivery: Delivery, sat: Sat, notes: Notes) -> SeatFacts:
    return SeatFacts(
        attempt_id=sat.seat.attempt_id,
        number=sat.seat.number,
        name=sat.seat.full_name,
        seat=sat.seat.seat_number,
        held=await delivery.look(sat),
        total=len(sat.roll.paper.shapes),
        notes=notes.get(sat.seat.attempt_id, SeatNotes()),
    )
