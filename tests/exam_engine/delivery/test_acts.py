"""What staff does to seats: once for each request, undone for exactly those it changed, written down."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.errors import (
    ActImpossible,
    ActNotUndoable,
    ActUnknown,
    AttemptLocked,
    AttemptUnknown,
    LeaseTaken,
    RequestReused,
    SittingNotStarted,
    SittingPlanInvalid,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import SittingSettings
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import (
    Acted,
    ActKind,
    Desk,
    Extension,
    LateAcceptance,
    Postponement,
    Scope,
    SeatAct,
)
from exam_engine.delivery.timers import Timers
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

NOW = to_milliseconds(START)
MINUTE = 60_000


class Staff:
    """Somebody at a desk, with the clock of the test."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], register: Register, clock: SetClock) -> None:
        self._sessions = sessions
        self._register = register
        self._clock = clock

    async def act(self, hall: Hall, kind: ActKind, request: str, *positions: int, **options: Any) -> Acted:
        room_id = options.pop("room_id", None)
        scope = Scope(room_id=room_id, attempts=tuple(hall.attempt(position) for position in positions))
        seat_act = SeatAct(kind=kind, request=request, reason="mất điện", scope=scope, **options)
        async with transaction(self._sessions) as session:
            return await service.act_on_seats(self._desk(session), hall.sitting.id, seat_act)

    async def undo(self, hall: Hall, undone: str, request: str) -> Acted:
        async with transaction(self._sessions) as session:
            return await service.undo(self._desk(session), hall.sitting.id, undone, request, "nhầm")

    async def extend(self, hall: Hall, request: str, seconds: int, position: int) -> None:
        scope = Scope(attempt_id=hall.attempt(position))
        extension = Extension(seconds=seconds, reason="máy hỏng", request=request, scope=scope)
        async with transaction(self._sessions) as session:
            await service.extend(self._desk(session), hall.sitting.id, extension)

    async def postpone(self, hall: Hall, request: str, seconds: int, **room: Any) -> service.Postponed:
        postponement = Postponement(seconds=seconds, request=request, reason="mưa bão", **room)
        async with transaction(self._sessions) as session:
            return await service.postpone(self._desk(session), hall.sitting.id, postponement)

    async def accept_late(self, hall: Hall, position: int, actor: str) -> service.LateAccepted:
        acceptance = LateAcceptance(attempt_id=hall.attempt(position), reason="mạng chậm")
        async with transaction(self._sessions) as session:
            return await service.accept_late(self._desk(session, actor), hall.sitting.id, acceptance)

    def _desk(self, session: AsyncSession, actor: str = ACTOR) -> Desk:
        return Desk(session=session, register=self._register, actor=actor, now=self._clock.now)


@pytest.fixture
def staff(sessions: async_sessionmaker[AsyncSession], register: Register, clock: SetClock) -> Staff:
    return Staff(sessions, register, clock)


def _save(lease: int, slot: int, sequence: int, value: str = "B") -> SaveBody:
    return SaveBody(lease, [SaveResponse(slot, sequence, value, NOW)])


async def _stored(writer: Writer) -> None:
    writer._discover_at = 0.0
    while await writer.turn(block_ms=1):
        pass


async def test_a_paused_room_keeps_its_time_and_its_answers_and_the_other_room_goes_on(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=4, rooms=2)
    for position in range(3):  # the fourth comes late
        await delivery.start(hall.candidate(position), hall.attempt(position), "a.1")
    clock.forward(minutes=10)
    room = hall.seats[0].room_id
    assert hall.seats[1].room_id == room
    paused = await staff.act(hall, ActKind.PAUSE, "p", room_id=room)
    assert (paused.changed, paused.unchanged, paused.is_undoable) == (2, 0, True)
    clock.forward(minutes=3)
    # What was typed before the pause arrives during it; the reply tells the seat to hide the items.
    saved = await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 1))
    assert (saved.is_paused, saved.deadline_ms) == (True, NOW + 60 * MINUTE)
    other = await delivery.save(hall.candidate(2), hall.attempt(2), _save(1, 1, 1))
    assert not other.is_paused
    clock.forward(seconds=4.321)
    resumed = await staff.act(hall, ActKind.RESUME, "r", room_id=room)
    assert resumed.changed == 2
    assert (await register.look(hall.place())).facts.deadline_ms == NOW + 60 * MINUTE + 184_321
    assert (await register.look(hall.place(2))).facts.deadline_ms == NOW + 60 * MINUTE
    assert not (await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 2))).is_paused


async def test_an_idle_seat_at_another_worker_learns_of_a_pause_with_its_next_question(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await delivery.rolls.refresh(START)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.exchange()
    assert not (await delivery.time(hall.candidate(), hall.attempt())).is_paused
    clock.forward(seconds=1)
    await staff.act(hall, ActKind.PAUSE, "p", 0)
    await staff.act(hall, ActKind.LOCK, "l", 0)
    clock.forward(seconds=1)
    await delivery.exchange()  # the worker does so every second
    told = await delivery.time(hall.candidate(), hall.attempt())
    assert (told.is_paused, told.is_locked, told.lease) == (True, True, 1)


async def test_the_timer_closes_nobody_whose_clock_stands_nor_the_sitting_around_them(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register,
    sessions: async_sessionmaker[AsyncSession], pool: Any,
) -> None:  # fmt: skip
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    clock.forward(minutes=50)
    await staff.act(hall, ActKind.PAUSE, "p", 0)
    timers = Timers(sessions, register, clock)
    clock.forward(hours=3)
    await timers.tick()
    assert (await register.look(hall.place())).facts.state == "running"
    assert await pool.fetchval("select state from sitting where id = $1", hall.sitting.id) == "open"
    await staff.act(hall, ActKind.RESUME, "r", 0)
    clock.forward(minutes=10, seconds=10)
    await timers.tick()
    assert (await register.look(hall.place())).facts.state == "running"
    clock.forward(seconds=1)
    await timers.tick()
    assert (await register.look(hall.place())).facts.reason == "time"


async def test_the_same_request_is_done_once_even_after_its_opposite(
    opened: HallMaker, delivery: Delivery, staff: Staff, register: Register
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    first = await staff.act(hall, ActKind.LOCK, "one", 0)
    await staff.act(hall, ActKind.UNLOCK, "two", 0)
    again = await staff.act(hall, ActKind.LOCK, "one", 0)
    assert (first.is_repeated, again.is_repeated, again.changed) == (False, True, 1)
    assert not (await register.look(hall.place())).facts.is_locked


async def test_an_act_whose_commit_failed_is_taken_back_for_whom_its_first_try_changed(
    opened: HallMaker,
    delivery: Delivery,
    staff: Staff,
    clock: SetClock,
    register: Register,
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    hall = await opened(candidates=3)
    for position in range(3):
        await delivery.start(hall.candidate(position), hall.attempt(position), "a.1")
    await staff.act(hall, ActKind.PAUSE, "before", 2)
    pause = SeatAct(kind=ActKind.PAUSE, request="p", reason="mất điện", scope=Scope())
    async with sessions() as session:
        tried = await service.act_on_seats(staff._desk(session), hall.sitting.id, pause)
        await session.rollback()  # and PostgreSQL is gone before the commit
    clock.forward(minutes=1)
    again = await staff.act(hall, ActKind.PAUSE, "p")
    assert (again.changed, again.unchanged, again.is_undoable) == (tried.changed, tried.unchanged, True) == (2, 1, True)
    clock.forward(minutes=1)
    assert (await staff.undo(hall, "p", "u")).changed == 2
    facts = [(await register.look(hall.place(position))).facts for position in range(3)]
    assert [one.is_paused for one in facts] == [False, False, True]
    # The clock stood from the first try on.
    assert [one.extra_ms for one in facts[:2]] == [2 * MINUTE, 2 * MINUTE]


async def test_a_request_id_is_refused_for_another_kind_of_act(
    opened: HallMaker, delivery: Delivery, staff: Staff
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await staff.act(hall, ActKind.LOCK, "one", 0)
    with pytest.raises(RequestReused) as refused:
        await staff.act(hall, ActKind.PAUSE, "one", 0)
    assert (refused.value.request, refused.value.act) == ("one", "lock")
    with pytest.raises(RequestReused):
        await staff.postpone(hall, "one", 600)
    with pytest.raises(RequestReused):
        await staff.undo(hall, "one", "one")


async def test_a_locked_seat_writes_nothing_and_what_it_sends_is_kept_as_evidence(
    opened: HallMaker, delivery: Delivery, staff: Staff, writer: Writer, pool: Any
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 1, "A"))
    await staff.act(hall, ActKind.LOCK, "l", 0)
    with pytest.raises(AttemptLocked):
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 2, "C"))
    with pytest.raises(AttemptLocked):
        await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {1: 1}))
    assert (await delivery.start(hall.candidate(), hall.attempt(), "a.1")).is_locked
    await staff.act(hall, ActKind.UNLOCK, "u", 0)
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 3, "D"))
    await _stored(writer)
    rows = await pool.fetch("select slot, sequence, value, refusal from late_response where attempt_id = $1",
                            hall.attempt())  # fmt: skip
    assert [tuple(row) for row in rows] == [(1, 2, '"C"', "attempt-locked")]
    assert await pool.fetchval("select value from response where attempt_id = $1", hall.attempt()) == '"D"'


async def test_a_second_machine_waits_until_it_is_admitted_with_the_time_the_first_was_dead(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=1)
    await delivery.rolls.refresh(START)
    await delivery.start(hall.candidate(), hall.attempt(), "old.1")
    clock.forward(minutes=20)
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 1))
    clock.forward(seconds=90.5)
    waiting = await delivery.start(hall.candidate(), hall.attempt(), "new.1")
    assert (waiting.lease, waiting.state, len(waiting.responses)) == (0, "running", 1)
    clock.forward(seconds=5)
    assert (await delivery.start(hall.candidate(), hall.attempt(), "new.1")).lease == 0
    assert (await delivery.time(hall.candidate(), hall.attempt(), 0, lease=0)).lease == 1
    await delivery.exchange()
    admitted = await staff.act(hall, ActKind.ADMIT, "a", 0, is_credited=True)
    assert admitted.credited_ms == 95_500
    assert (await staff.act(hall, ActKind.ADMIT, "a", 0, is_credited=True)).is_repeated
    seated = await delivery.start(hall.candidate(), hall.attempt(), "new.1")
    assert (seated.lease, seated.deadline_ms) == (2, NOW + 60 * MINUTE + 95_500)
    with pytest.raises(LeaseTaken):
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 2))
    assert (await delivery.start(hall.candidate(), hall.attempt(), "old.1")).lease == 0
    refused = await staff.act(hall, ActKind.REFUSE, "no", 0)
    assert (refused.changed, refused.is_undoable) == (1, True)
    with pytest.raises(LeaseTaken):
        await delivery.start(hall.candidate(), hall.attempt(), "old.1")
    assert (await register.look(hall.place())).facts.client == "new.1"


async def test_a_machine_that_comes_back_after_a_power_cut_goes_on_at_once_and_its_second_tab_does_not(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "pc7.1")
    clock.forward(seconds=24.999)
    assert (await delivery.start(hall.candidate(), hall.attempt(), "pc7.2")).lease == 0
    clock.forward(seconds=0.001)
    assert (await delivery.start(hall.candidate(), hall.attempt(), "pc7.2")).lease == 2


async def test_ending_is_undone_with_the_time_in_between_and_only_once(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register, pool: Any
) -> None:
    hall = await opened(candidates=3)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.start(hall.candidate(1), hall.attempt(1), "b.1")
    await delivery.submit(hall.candidate(1), hall.attempt(1), SubmitBody(1, {}))
    ended = await staff.act(hall, ActKind.MALPRACTICE, "m", 0, 1)
    assert (ended.changed, ended.unchanged) == (1, 1)
    clock.forward(minutes=2)
    undone = await staff.undo(hall, "m", "m-undo")
    assert undone.changed == 1
    facts = (await register.look(hall.place())).facts
    assert (facts.state, facts.deadline_ms, facts.reason) == ("running", NOW + 62 * MINUTE, "")
    assert (await staff.undo(hall, "m", "m-undo")).is_repeated
    with pytest.raises(ActNotUndoable):
        await staff.undo(hall, "m", "m-undo-again")
    with pytest.raises(ActUnknown):
        await staff.undo(hall, "never", "x")
    assert (await staff.act(hall, ActKind.ABSENT, "abs", 2)).changed == 1
    with pytest.raises(ActImpossible):
        await staff.act(hall, ActKind.ABSENT, "abs-0", 0)
    acts = await pool.fetch("select request, undone_by from sitting_act where sitting_id = $1 order by at, request",
                            hall.sitting.id)  # fmt: skip
    assert [tuple(row) for row in acts] == [("m", "m-undo"), ("abs", None), ("m-undo", None)]
    audited = await pool.fetch("select action from audit_entry where subject = $1 order by 1",
                               f"sitting:{hall.sitting.id}")  # fmt: skip
    assert {"sitting.malpractice", "sitting.reopen", "sitting.absent"} <= {row["action"] for row in audited}


async def test_acts_on_strangers_and_on_papers_that_are_over_are_refused_and_leave_no_trace(
    opened: HallMaker, delivery: Delivery, staff: Staff, pool: Any
) -> None:
    hall = await opened(candidates=2)
    other = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {}))
    for kind in (ActKind.PAUSE, ActKind.LOCK, ActKind.ADMIT, ActKind.REOPEN):
        with pytest.raises(ActImpossible):
            await staff.act(hall, kind, f"x-{kind}", 0)
    hall.seats.append(other.seats[0])
    with pytest.raises(AttemptUnknown):
        await staff.act(hall, ActKind.PAUSE, "x", 2)
    assert await pool.fetchval("select count(*) from sitting_act where sitting_id = $1", hall.sitting.id) == 0


async def test_a_postponed_sitting_begins_and_ends_later_for_everybody_in_it(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register
) -> None:
    hall = await opened(candidates=2, rooms=2)
    await delivery.rolls.refresh(START)
    clock.forward(minutes=-5)
    postponed = await staff.postpone(hall, "later", 1200)
    assert (postponed.starts_at_ms, postponed.seats) == (NOW + 20 * MINUTE, 2)
    assert (await staff.postpone(hall, "later", 1200)).is_repeated
    clock.forward(minutes=5)
    with pytest.raises(SittingNotStarted):
        await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.rolls.refresh(clock.now)
    (listed,) = (await delivery.attempts_of(hall.candidate())).attempts
    assert (listed.starts_at_ms, listed.ends_at_ms) == (NOW + 20 * MINUTE, NOW + 95 * MINUTE)
    room = {"room_id": hall.seats[1].room_id, "room_code": "P02"}
    await staff.postpone(hall, "one room", 600, **room)
    clock.forward(minutes=20)
    assert (await delivery.start(hall.candidate(), hall.attempt(), "a.1")).deadline_ms == NOW + 80 * MINUTE
    with pytest.raises(SittingNotStarted):
        await delivery.start(hall.candidate(1), hall.attempt(1), "b.1")
    with pytest.raises(ActImpossible):
        await staff.postpone(hall, "too late", 600)
    with pytest.raises(SittingPlanInvalid):
        await staff.postpone(hall, "too far", 12 * 3600, **room)
    facts = (await register.look(hall.place(1))).facts
    assert (facts.starts_ms, facts.late_ms, facts.ends_ms) == (NOW + 30 * MINUTE, NOW + 45 * MINUTE, NOW + 105 * MINUTE)


async def test_a_planned_sitting_is_postponed_before_it_opens(
    plan: HallMaker, staff: Staff, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await plan(candidates=1)
    await staff.postpone(hall, "later", 600)
    async with sessions() as session:
        sitting = (await service.load_sitting(session, hall.sitting.id)).sitting
    assert (sitting.starts_at, sitting.ends_at) == (START + timedelta(minutes=10), START + timedelta(minutes=85))


async def test_everything_done_to_a_seat_survives_a_redis_that_starts_empty(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, register: Register, writer: Writer, redis: Any
) -> None:
    hall = await opened(candidates=4)
    for position in range(3):
        await delivery.start(hall.candidate(position), hall.attempt(position), "a.1")
    clock.forward(minutes=1)
    await delivery.save(hall.candidate(2), hall.attempt(2), _save(1, 1, 1))
    await staff.act(hall, ActKind.PAUSE, "p", 0, 3)
    clock.forward(seconds=1.5)
    await staff.act(hall, ActKind.RESUME, "r", 3)
    await staff.act(hall, ActKind.LOCK, "l", 1)
    clock.forward(seconds=40)
    await delivery.start(hall.candidate(2), hall.attempt(2), "b.1")
    await _stored(writer)
    before = [await register.look(hall.place(position)) for position in range(4)]
    await redis.flushdb()
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    await delivery.restorer.restore_sitting(sat.roll.sitting)
    for position in range(4):
        after = (await register.look(hall.place(position))).facts
        # Revision and lease jump, so that what was lost with Redis never outranks what happens now.
        same = {"revision": after.revision, "lease": after.lease, "late_ms": after.late_ms}
        assert after == msgspec.structs.replace(before[position].facts, **same)
    # A seat that lived a moment ago is not taken for one that has been silent since the start.
    admitted = await staff.act(hall, ActKind.ADMIT, "a", 2, is_credited=True)
    assert admitted.credited_ms == 0


async def test_settings_that_delay_a_room_hold_for_who_is_taken_in_later(opened: HallMaker, register: Register) -> None:
    hall = await opened(candidates=2, rooms=2, settings=SittingSettings(room_delays={"P02": 60}))
    starts = [(await register.look(hall.place(position))).facts.starts_ms for position in (0, 1)]
    assert starts == [NOW, NOW + MINUTE]
