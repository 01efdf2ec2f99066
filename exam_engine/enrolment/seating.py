"""Rooms and seats: rooms are filled in the order of numbers, and the last room may take a few more."""

from collections.abc import Sequence

import msgspec

from exam_engine.enrolment.errors import SeatingRefused

CAPACITY = 24
LAST_ROOM_CAPACITY = 28


class SeatPlan(msgspec.Struct, frozen=True):
    """A seat to be given: room (counted from 0) and number in it (from 1)."""

    who: object
    room: int
    number: int


def room_sizes(count: int, capacity: int = CAPACITY, last_room_capacity: int = LAST_ROOM_CAPACITY) -> list[int]:
    """Return how many sit in each room.

    Every room but the last holds `capacity`; a rest that fits into the last one beyond that needs no room of its own.

    Raises
    ------
    SeatingRefused
        The capacities contradict each other.
    """
    if capacity < 1 or last_room_capacity < capacity:
        raise SeatingRefused("a room needs at least one seat, and the last room no fewer than the others")
    full, rest = divmod(count, capacity)
    if not rest:
        return [capacity] * full
    if full and rest <= last_room_capacity - capacity:
        return [capacity] * (full - 1) + [capacity + rest]
    return [capacity] * full + [rest]


def plan_seats(
    people: Sequence[object], capacity: int = CAPACITY, last_room_capacity: int = LAST_ROOM_CAPACITY
) -> list[SeatPlan]:
    """Seat people in the order given."""
    plans = []
    start = 0
    for room, size in enumerate(room_sizes(len(people), capacity, last_room_capacity)):
        plans += [SeatPlan(who, room, i + 1) for i, who in enumerate(people[start : start + size])]
        start += size
    return plans
