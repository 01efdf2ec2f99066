"""Rooms of at most 24, and the last one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.enrolment.errors import SeatingRefused
from exam_engine.enrolment.seating import plan_seats, room_sizes


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (24, [24]),
        (25, [25]),
        (28, [28]),
        (29, [24, 5]),
        (48, [24, 24]),
        (52, [24, 28]),
        (53, [24, 24, 5]),
        (200, [24] * 8 + [8]),
        (100, [24, 24, 24, 28]),
    ],
)
def test_the_last_room_takes_up_to_28_before_another_is_opened(count: int, sizes: list[int]) -> None:
    assert room_sizes(count) == sizes


@given(st.integers(0, 2000), st.integers(1, 40), st.integers(0, 10))
def test_everybody_has_a_seat_and_no_room_is_over_full(count: int, capacity: int, more: int) -> None:
    sizes = room_sizes(count, capacity, capacity + more)
    assert sum(sizes) == count
    assert all(size == capacity for size in sizes[:-1])
    assert all(0 < size <= capacity + more for size in sizes)


def test_seats_follow_the_order_given() -> None:
    plans = plan_seats(list("abcde"), capacity=2, last_room_capacity=3)
    assert [(p.who, p.room, p.number) for p in plans] == [
        ("a", 0, 1), ("b", 0, 2), ("c", 1, 1), ("d", 1, 2), ("e", 1, 3),
    ]  # fmt: skip


def test_a_last_room_smaller_than_the_others_is_refused() -> None:
    with pytest.raises(SeatingRefused):
        room_sizes(10, 24, 20)
