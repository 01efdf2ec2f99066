"""The live board of a room, from Redis and the worker's memory; extra time and messages are `delivery.service`."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.rolls import Roll, Sat
from exam_engine.infra.clock import to_milliseconds
from exam_engine.invigilation.errors import RoomUnknown
from exam_engine.invigilation.model import Board, BoardSeat, RoomLine, SeatFacts, board_seat, count_seats


async def board(delivery: Delivery, sitting_id: SittingId, room_id: UUID | None = None) -> Board:
    """Return a room of a sitting as it is now; without a room, everybody.

    Raises
    ------
    SittingUnknown, RoomUnknown, ServiceUnavailable
    """
    roll = await delivery.roll(sitting_id)
    sats = [sat for sat in _sats(roll) if room_id is None or sat.seat.room_id == room_id]
    if room_id is not None and not sats:
        raise RoomUnknown(room_id)
    seats = await _board_seats(delivery, roll, sats)
    return Board(
        sitting_id=roll.sitting.id,
        sitting=roll.sitting.name,
        subject=roll.context.subject_name,
        is_open=roll.is_open,
        room_id=room_id,
        room=sats[0].seat.room_code if room_id is not None else None,
        server_time_ms=delivery.now_ms(),
        starts_at_ms=to_milliseconds(roll.sitting.starts_at),
        ends_at_ms=to_milliseconds(roll.sitting.ends_at),
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
    for sat, seat in zip(sats, await _board_seats(delivery, roll, sats), strict=True):
        by_room.setdefault(sat.seat.room_id, []).append(seat)
        codes[sat.seat.room_id] = sat.seat.room_code
    return [
        RoomLine(room_id=room_id, room=codes[room_id], counts=count_seats(seats)) for room_id, seats in by_room.items()
    ]


def _sats(roll: Roll) -> list[Sat]:
    return [Sat(roll, seat, roll.places[attempt_id]) for attempt_id, seat in roll.seats.items()]


async def _board_seats(delivery: Delivery, roll: Roll, sats: Sequence[Sat]) -> list[BoardSeat]:
    starts_ms = to_milliseconds(roll.sitting.starts_at)
    facts = await asyncio.gather(*(_facts(delivery, sat) for sat in sats))
    now_ms = delivery.now_ms()
    return [board_seat(one, starts_ms=starts_ms, now_ms=now_ms, is_open=roll.is_open) for one in facts]


async def _facts(delivery: Delivery, sat: Sat) -> SeatFacts:
    held = await delivery.look(sat)
    return SeatFacts(
        attempt_id=sat.seat.attempt_id,
        number=sat.seat.number,
        name=sat.seat.full_name,
        seat=sat.seat.seat_number,
        state=held.facts.state,
        lease=held.facts.lease,
        close_reason=held.facts.reason,
        started_ms=held.facts.started_ms,
        deadline_ms=held.facts.deadline_ms,
        extra_ms=held.facts.extra_ms,
        saved_ms=held.saved_ms,
        seen_ms=held.seen_ms,
        answered=held.answered,
        total=len(sat.roll.paper.shapes),
        focus_lost=held.focus_lost,
    )
