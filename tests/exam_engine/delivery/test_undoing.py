"""Acts that were a mistake: time to the right people once, taken back exactly, a move there and back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.errors import (
    ActImpossible,
    ActNotUndoable,
    ActUndoneTooLate,
    AttemptUnknown,
    LeaseTaken,
    RequestReused,
    SeatTaken,
    SittingNotStarted,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import ActKind, Extended, Extension, Move, Moved, Scope
from exam_engine.delivery.store import load_seats
from exam_engine.delivery.wire import SubmitBody
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, Hall, SetClock
from tests.exam_engine.delivery.test_acts import MINUTE, NOW, Staff, staff

__all__ = ["staff"]
Sessions = async_sessionmaker[AsyncSession]


async def _extend(staff: Staff, sessions: Sessions, hall: Hall, request: str, minutes: int, *who: int) -> Extended:
    scope = Scope(attempts=tuple(map(hall.attempt, who)))
    extension = Extension(seconds=60 * minutes, reason="máy hỏng", request=request, scope=scope)
    async with transaction(sessions) as session:
        return await service.extend(staff._desk(session), hall.sitting.id, extension)


async def _move(staff: Staff, sessions: Sessions, hall: Hall, request: str, who: int, room: int, seat: int) -> Moved:
    move = Move(
        attempt_id=hall.attempt(who), room_id=hall.rooms[room], seat_number=seat, request=request, reason="máy hỏng"
    )
    async with transaction(sessions) as session:
        return await service.move_seat(staff._desk(session), hall.sitting.id, move)


async def test_time_for_several_names_who_did_not_get_it_and_the_same_request_gives_nothing_more(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=3)
    for position in range(3):
        await delivery.start(hall.candidate(position), hall.attempt(position), "a.1")
    await delivery.submit(hall.candidate(1), hall.attempt(1), SubmitBody(1, {}))
    given = await _extend(staff, sessions, hall, "x", 10, 0, 1, 2)
    assert (given.changed, given.unchanged, given.is_repeated) == (2, 1, False)
    assert [(left.number, left.why) for left in given.left] == [(hall.seats[1].number, "submitted")]
    again = await _extend(staff, sessions, hall, "x", 10, 0, 1, 2)
    assert (again.changed, again.is_repeated, again.left) == (2, True, given.left)
    for position in (0, 2):
        assert (await register.look(hall.place(position))).facts.deadline_ms == NOW + 70 * MINUTE
    await delivery.exchange()
    told = (await delivery.time(hall.candidate(), hall.attempt(), 0)).notices
    assert [(notice.kind, notice.extra_seconds) for notice in told] == [("time", 600)]
    assert (await delivery.time(hall.candidate(1), hall.attempt(1), 0)).notices == []


async def test_time_whose_transaction_failed_is_given_once_by_the_same_request_and_taken_back_whole(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, register: Register
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    scope = Scope(attempts=(hall.attempt(), hall.attempt(1)))
    extension = Extension(seconds=600, reason="máy hỏng", request="x", scope=scope)
    async with sessions() as session:
        await service.extend(staff._desk(session), hall.sitting.id, extension)  # and it is never committed
    given = await _extend(staff, sessions, hall, "x", 10, 0, 1)
    assert (given.changed, given.left, given.is_repeated) == (2, (), False)
    assert (await register.look(hall.place())).facts.deadline_ms == NOW + 70 * MINUTE
    assert (await staff.undo(hall, "x", "u")).changed == 2
    assert (await register.look(hall.place())).facts.deadline_ms == NOW + 60 * MINUTE


async def test_time_given_by_mistake_is_taken_back_exactly_and_the_candidate_is_told(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=4)
    for position in range(3):
        await delivery.start(hall.candidate(position), hall.attempt(position), "a.1")
        clock.forward(minutes=15 if position == 0 else 0)
    clock.forward(minutes=40)
    given = await _extend(staff, sessions, hall, "x", 6, 0, 1, 2, 3)
    assert (given.is_undoable, given.changed) == (True, 4)
    clock.forward(minutes=8)  # the first began at 0 and has three minutes left, all of them extra time
    await delivery.submit(hall.candidate(2), hall.attempt(2), SubmitBody(1, {}))
    undone = await staff.undo(hall, "x", "u")
    assert (undone.changed, undone.unchanged) == (3, 1)
    names = {left.number: (left.why, left.seconds) for left in undone.left}
    assert names == {hall.seats[0].number: ("partly", 120), hall.seats[2].number: ("submitted", 0)}
    assert (await register.look(hall.place())).facts.deadline_ms == NOW + 64 * MINUTE
    assert (await register.look(hall.place(1))).facts.deadline_ms == NOW + 75 * MINUTE
    assert (await register.look(hall.place(3))).facts.extra_ms == 0
    assert (await staff.undo(hall, "x", "u")).is_repeated
    assert (await register.look(hall.place())).facts.deadline_ms == NOW + 64 * MINUTE
    await delivery.exchange()
    for position, taken in ((0, -120), (1, -360)):
        told = (await delivery.time(hall.candidate(position), hall.attempt(position), 0)).notices
        assert [notice.extra_seconds for notice in told] == [360, taken]
    with pytest.raises(ActNotUndoable):
        await staff.undo(hall, "x", "u-2")
    with pytest.raises(RequestReused):
        await staff.undo(hall, "x", "x")


async def test_time_is_taken_back_within_ten_minutes_and_not_later(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await _extend(staff, sessions, hall, "x", 60, 0)
    clock.forward(minutes=10, seconds=1)
    with pytest.raises(ActUndoneTooLate) as refused:
        await staff.undo(hall, "x", "u")
    assert refused.value.minutes == 10


async def test_who_was_refused_by_mistake_may_ask_again(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "old.1")
    assert (await delivery.start(hall.candidate(), hall.attempt(), "new.1")).lease == 0
    await staff.act(hall, ActKind.REFUSE, "no", 0)
    with pytest.raises(LeaseTaken):
        await delivery.start(hall.candidate(), hall.attempt(), "new.1")
    assert (await staff.undo(hall, "no", "yes")).changed == 1
    assert (await delivery.start(hall.candidate(), hall.attempt(), "new.1")).lease == 0
    assert (await staff.act(hall, ActKind.ADMIT, "a", 0)).is_undoable is False


async def test_a_postponed_start_is_brought_forward_while_the_first_moment_lies_ahead(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=2, rooms=2)
    clock.forward(minutes=-10)
    await staff.postpone(hall, "later", 1200)
    room = {"room_id": hall.seats[1].room_id, "room_code": "P02"}
    await staff.postpone(hall, "one room", 600, **room)
    assert (await staff.undo(hall, "one room", "u1")).changed == 1
    assert (await register.look(hall.place(1))).facts.starts_ms == NOW + 20 * MINUTE
    assert (await staff.undo(hall, "later", "u2")).changed == 2
    facts = (await register.look(hall.place())).facts
    assert (facts.starts_ms, facts.late_ms, facts.ends_ms) == (NOW, NOW + 15 * MINUTE, NOW + 75 * MINUTE)
    await staff.postpone(hall, "again", 1200)
    clock.forward(minutes=10)
    with pytest.raises(ActUndoneTooLate):
        await staff.undo(hall, "again", "u3")
    with pytest.raises(SittingNotStarted):
        await delivery.start(hall.candidate(), hall.attempt(), "a.1")


async def test_a_candidate_who_moves_is_on_the_board_of_the_room_where_they_sit_and_back_again(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=4, rooms=2)
    await delivery.rolls.refresh(START)
    first = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    before = (await register.look(hall.place())).facts
    async with sessions() as session:
        free = await service.free_seats(session, hall.sitting)
    seat = next(room.seats[0] for room in free if room.room_id == hall.rooms[1])
    moved = await _move(staff, sessions, hall, "m", 0, 1, seat)
    assert (moved.from_room, moved.from_seat, moved.room, moved.seat) == ("P01", hall.seats[0].seat_number, "P02", seat)
    assert (await _move(staff, sessions, hall, "m", 0, 1, seat)).is_repeated
    await delivery.rolls.refresh(clock.now)
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    assert (sat.seat.room_id, sat.seat.room_code, sat.seat.seat_number) == (hall.rooms[1], "P02", seat)
    (listed,) = (await delivery.attempts_of(hall.candidate())).attempts
    assert (listed.room, listed.seat) == ("P02", seat)
    again = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    assert (again.lease, again.deadline_ms, again.ordering) == (first.lease, first.deadline_ms, first.ordering)
    assert (await register.look(hall.place())).facts == before
    with pytest.raises(SeatTaken):
        await _move(staff, sessions, hall, "m2", 1, 1, seat)
    with pytest.raises(SeatTaken):
        await _move(staff, sessions, hall, "m3", 1, 1, 9_999)
    async with sessions() as session:
        seats = await load_seats(session, hall.sitting.id)  # what the rooms' statements are made of
    assert next(one.room_code for one in seats if one.attempt_id == hall.attempt()) == "P02"
    assert (await staff.undo(hall, "m", "back")).changed == 1
    await delivery.rolls.refresh(clock.now)
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    assert (sat.seat.room_id, sat.seat.seat_number) == (hall.rooms[0], hall.seats[0].seat_number)


async def test_who_has_handed_in_stays_and_another_exams_room_is_no_place(
    opened: HallMaker, delivery: Delivery, staff: Staff, sessions: Sessions, pool: Any
) -> None:
    hall, other = await opened(candidates=2, rooms=2), await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {}))
    with pytest.raises(ActImpossible):
        await _move(staff, sessions, hall, "m", 0, 1, 20)
    hall.rooms.append(other.rooms[0])
    with pytest.raises(AttemptUnknown):
        await _move(staff, sessions, hall, "m", 1, 2, 20)
    assert await pool.fetchval("select count(*) from sitting_act where sitting_id = $1", hall.sitting.id) == 0


def test_the_window_is_the_one_people_are_told() -> None:
    assert timedelta(minutes=10) == service.TAKE_BACK_WITHIN
