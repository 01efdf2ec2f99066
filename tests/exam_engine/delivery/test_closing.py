"""How a sitting comes to its close: always, never over the head of somebody who has time left, and for good."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import closing, model, service, store
from exam_engine.delivery.errors import ResponsesNewer, SittingSealed, SittingStateWrong
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import CloseReason, SittingState
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import ActKind, Desk, Extension, Scope, SeatAct
from exam_engine.delivery.timers import Timers
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.infra.errors import Busy
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

NOW = to_milliseconds(START)
MINUTE = 60_000
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def timers(sessions: Sessions, register: Register, clock: SetClock) -> Timers:
    return Timers(sessions, register, clock)


async def _act(sessions: Sessions, register: Register, clock: SetClock, hall: Hall, kind: ActKind, *seats: int) -> Any:
    scope = Scope(attempts=tuple(hall.attempt(seat) for seat in seats))
    act = SeatAct(kind=kind, request=f"{kind}-{clock.now:%H%M%S}", reason="mất điện", scope=scope)
    async with transaction(sessions) as session:
        return await service.act_on_seats(_desk(session, register, clock), hall.sitting.id, act)


def _desk(session: AsyncSession, register: Register, clock: SetClock) -> Desk:
    return Desk(session=session, register=register, actor=ACTOR, now=clock.now)


async def _sitting_state(sessions: Sessions, hall: Hall) -> SittingState:
    async with sessions() as session:
        found = await store.find_sitting(session, hall.sitting.id)
    assert found is not None
    return found.sitting.state


async def test_an_act_that_waited_for_the_closing_finds_the_sitting_closed(
    opened: HallMaker, sessions: Sessions, register: Register, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    async with sessions() as late, late.begin():
        # The page that leads to an act has read the sitting in the same session, while it was open.
        assert await store.find_sitting(late, hall.sitting.id) is not None
        async with transaction(sessions) as session:
            await service.close_sitting(_desk(session, register, clock), hall.sitting.id)
        desk, scope = _desk(late, register, clock), Scope(attempt_id=hall.attempt())
        act = SeatAct(kind=ActKind.REOPEN, request="r", reason="nhầm", scope=scope)
        with pytest.raises(SittingStateWrong):
            await service.act_on_seats(desk, hall.sitting.id, act)
        with pytest.raises(SittingStateWrong):
            await service.extend(desk, hall.sitting.id, Extension(seconds=60, reason="x", request="e", scope=scope))
    assert (await register.look(hall.place())).facts.reason == "absent"


async def test_a_paper_given_back_while_the_timer_closes_the_sitting_keeps_its_time(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, clock: SetClock, timers: Timers
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    clock.forward(minutes=59)
    await _act(sessions, register, clock, hall, ActKind.END, 0)
    clock.now = hall.sitting.closes_at + timedelta(milliseconds=1)
    assert (await closing.overtime(register, hall.sitting, clock.now)).attempts == 0
    async with sessions() as reopening, reopening.begin():
        sitting = await store.lock_sitting(reopening, hall.sitting.id)
        assert sitting is not None
        task = asyncio.create_task(timers.tick())  # it has seen that nobody is waited for, and waits for the lock
        await register.change(hall.place(), lambda facts: model.reopen(facts, to_milliseconds(clock.now)), "person:a")
    await task
    held = await register.look(hall.place())
    assert (held.facts.state, await _sitting_state(sessions, hall)) == ("running", SittingState.OPEN)
    clock.forward(minutes=1, seconds=11)
    await timers.tick()
    assert (await register.look(hall.place())).facts.reason == "time"
    assert await _sitting_state(sessions, hall) is SittingState.CLOSED


async def test_nothing_in_a_sealed_sitting_changes_any_more(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, clock: SetClock
) -> None:
    hall = await opened(candidates=2, shards=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    assert not await closing.seal(register, hall.sitting)
    ended = model.close((await register.look(hall.place())).facts, CloseReason.INVIGILATOR, NOW + MINUTE)
    assert ended is not None
    await register.change(hall.place(), lambda _: ended, "person:a")
    async with transaction(sessions) as session:
        await service.close_sitting(_desk(session, register, clock), hall.sitting.id)
    # An act that had read before; the death of PostgreSQL took its lock, not its words to Redis.
    with pytest.raises(SittingSealed):
        await register.change(hall.place(), lambda facts: model.reopen(facts, NOW + 2 * MINUTE), "person:a")
    packed = pack_response(1, NOW, b'"A"', is_answered=True)
    with pytest.raises(SittingSealed):
        await register.count(hall.place(), 1, NOW, 1, packed)
    held = await register.look(hall.place(), "s")
    assert (held.facts, held.responses) == (ended.facts, {})


async def test_a_paper_opened_again_while_everything_closes_lets_the_closing_be_repeated(
    opened: HallMaker, sessions: Sessions, register: Register, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await opened(candidates=1, shards=2)
    original = register.seal

    async def seal(stream: str, *, is_sealed: bool = True) -> bool:
        if is_sealed and (await register.look(hall.place())).facts.state == "closed":
            await register.change(hall.place(), lambda facts: model.reopen(facts, NOW), "person:a")
            await register.change(hall.place(), lambda facts: model.start(facts, "seat", NOW), "seat")
        return await original(stream, is_sealed=is_sealed)

    monkeypatch.setattr(register, "seal", seal)
    with pytest.raises(Busy):
        async with transaction(sessions) as session:
            await service.close_sitting(_desk(session, register, clock), hall.sitting.id)
    assert await _sitting_state(sessions, hall) is SittingState.OPEN
    monkeypatch.undo()
    # Nothing was left sealed: who runs goes on, and may be closed again.
    await register.change(hall.place(), lambda facts: model.extend(facts, "x", 60, NOW), "person:a")
    async with transaction(sessions) as session:
        await service.close_sitting(_desk(session, register, clock), hall.sitting.id)
    assert await _sitting_state(sessions, hall) is SittingState.CLOSED


async def test_a_room_paused_and_forgotten_keeps_no_sitting_open_for_ever(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, clock: SetClock, timers: Timers
) -> None:
    hall = await opened(candidates=3)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 1, "B", NOW)]))
    clock.forward(minutes=1)
    await _act(sessions, register, clock, hall, ActKind.PAUSE, 0, 1)
    clock.now = hall.sitting.closes_at + timedelta(minutes=1)
    await timers.tick()
    assert await _sitting_state(sessions, hall) is SittingState.OPEN
    waiting = await closing.overtime(register, hall.sitting, clock.now)
    latest = hall.sitting.ends_at + timedelta(milliseconds=model.LONGEST_PAUSE_MS)
    assert (waiting.attempts, waiting.until) == (2, latest)
    clock.now = latest + timedelta(milliseconds=1)
    await timers.tick()
    assert await _sitting_state(sessions, hall) is SittingState.CLOSED
    held = [await register.look(hall.place(position), "s") for position in range(3)]
    assert [one.facts.reason for one in held] == ["time", "absent", "absent"]
    assert held[0].sequences() == {1: 1}


async def test_a_room_that_stood_until_after_the_end_may_start_when_its_clock_runs_on(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, clock: SetClock, timers: Timers
) -> None:
    hall = await opened(candidates=2)
    clock.forward(minutes=1)
    await _act(sessions, register, clock, hall, ActKind.PAUSE, 0)
    clock.now = hall.sitting.closes_at + timedelta(minutes=1)
    await _act(sessions, register, clock, hall, ActKind.RESUME, 0)
    await timers.tick()
    assert await _sitting_state(sessions, hall) is SittingState.OPEN
    clock.forward(minutes=13)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "seat")
    assert envelope.deadline_ms == to_milliseconds(clock.now) + 60 * MINUTE
    clock.forward(minutes=60, seconds=11)
    await timers.tick()
    assert await _sitting_state(sessions, hall) is SittingState.CLOSED
    assert [(await register.look(hall.place(p))).facts.reason for p in (0, 1)] == ["time", "absent"]


async def test_a_start_postponed_while_the_timer_looked_is_respected(
    opened: HallMaker, sessions: Sessions, register: Register, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    clock.now = hall.sitting.closes_at + timedelta(minutes=1)
    later = msgspec.structs.replace(hall.sitting, ends_at=hall.sitting.ends_at + timedelta(hours=2))
    async with transaction(sessions) as session:
        await store.save_plan(session, later)
    async with transaction(sessions) as session:
        assert await service.close_if_over(_desk(session, register, clock), hall.sitting.id) is None
    assert await _sitting_state(sessions, hall) is SittingState.OPEN


async def test_late_answers_two_people_agreed_on_do_not_change_a_paper_handed_in_meanwhile(
    opened: HallMaker, delivery: Delivery, register: Register
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 3, "B", NOW)]))
    late = pack_response(4, NOW, b'"A"', is_answered=True)
    other = pack_response(1, NOW, b'"C"', is_answered=True)
    assert await register.count(hall.place(), 1, NOW, 1, late)
    # The seat still shows B: it must see A before it hands in.
    with pytest.raises(ResponsesNewer):
        await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {1: 3}))
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {1: 4}))
    assert not await register.count(hall.place(), 1, NOW, 2, other)
    assert (await register.look(hall.place(), "s")).sequences() == {1: 4}
