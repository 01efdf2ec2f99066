"""The timer worker: nobody's time ends early or late, and not pressing submit never means zero."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from exam_engine.delivery import model
from exam_engine.delivery.draining import TIMER, drain
from exam_engine.delivery.errors import AttemptClosed
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptState
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.register import Register
from exam_engine.delivery.timers import Leadership, Timers, run
from exam_engine.delivery.wire import SaveBody, SaveResponse
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.redis_client import ScriptRunner
from exam_engine.infra.settings import Settings
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, Hall, SetClock

NOW = to_milliseconds(START)


@pytest.fixture
def timers(sessions: async_sessionmaker[AsyncSession], register: Register, clock: SetClock) -> Timers:
    return Timers(sessions, register, clock)


async def _state(register: Register, hall: Hall, position: int = 0) -> AttemptState:
    return (await register.look(hall.place(position))).facts.state


async def test_an_attempt_is_closed_after_its_deadline_and_grace_with_all_its_answers(
    opened: HallMaker,
    delivery: Delivery,
    register: Register,
    timers: Timers,
    clock: SetClock,
    writer: Writer,
    pool: Any,
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 1, "B", NOW)]))
    clock.forward(minutes=60, seconds=10)
    await timers.tick()
    assert await _state(register, hall) == "running"
    clock.forward(milliseconds=1)
    await timers.tick()
    assert await _state(register, hall) == "closed"
    assert await _state(register, hall, 1) == "ready"
    while await writer.turn(block_ms=1):
        pass
    row = await pool.fetchrow("select state, close_reason from attempt where id = $1", hall.attempt())
    assert tuple(row) == ("closed", "time")
    assert await pool.fetchval("select value from response where attempt_id = $1", hall.attempt()) == '"B"'


async def test_extra_time_moves_the_moment_of_closing(
    opened: HallMaker, delivery: Delivery, register: Register, timers: Timers, clock: SetClock
) -> None:
    hall = await opened(candidates=2)
    for position in (0, 1):
        await delivery.start(hall.candidate(position), hall.attempt(position), "seat")
    await register.change(hall.place(), lambda f: model.extend(f, "x", 600, NOW), "person:a")
    clock.forward(minutes=60, seconds=11)
    await timers.tick()
    assert [await _state(register, hall, position) for position in (0, 1)] == ["running", "closed"]
    clock.forward(minutes=10)
    await timers.tick()
    assert await _state(register, hall) == "closed"


async def test_a_sitting_ends_when_its_time_and_everybodys_extra_time_is_over(
    opened: HallMaker, delivery: Delivery, register: Register, timers: Timers, clock: SetClock, pool: Any
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    await register.change(hall.place(), lambda f: model.extend(f, "x", 1800, NOW), "person:a")
    clock.forward(minutes=75 + 3)
    await timers.tick()
    assert await pool.fetchval("select state from sitting where id = $1", hall.sitting.id) == "open"
    clock.forward(minutes=20)
    await timers.tick()
    assert await pool.fetchval("select state from sitting where id = $1", hall.sitting.id) == "closed"
    assert [(await register.look(hall.place(p))).facts.reason for p in (0, 1)] == ["time", "absent"]


async def test_many_attempts_end_in_the_same_moment(
    opened: HallMaker, register: Register, timers: Timers, clock: SetClock
) -> None:
    hall = await opened(candidates=450, shards=2)
    await asyncio.gather(
        *(register.change(hall.place(p), lambda f: model.start(f, "seat", NOW), "seat") for p in range(450))
    )
    clock.forward(minutes=61)
    assert await timers.close_due(hall.sitting) == 450
    assert await timers.close_due(hall.sitting) == 0


async def test_a_redis_started_empty_is_refilled_so_that_time_still_ends_for_seats_that_are_gone(
    opened: HallMaker,
    delivery: Delivery,
    register: Register,
    timers: Timers,
    clock: SetClock,
    writer: Writer,
    redis: Redis,
    pool: Any,
) -> None:
    hall = await opened(candidates=2, shards=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 1, "B", NOW)]))
    while await writer.turn(block_ms=1):
        pass
    await redis.flushdb()
    await timers.tick()
    held = await register.look(hall.place(), "s")
    assert (held.facts.state, held.sequences(), held.answered) == ("running", {1: 1}, 1)
    clock.forward(minutes=61)
    await timers.tick()
    assert await _state(register, hall) == "closed"
    task = asyncio.create_task(writer.run())
    await drain(redis, hall.sitting, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await pool.fetchval("select state from attempt where id = $1", hall.attempt()) == "closed"


async def test_a_save_and_the_timer_at_the_same_moment_agree(
    opened: HallMaker, register: Register, timers: Timers, clock: SetClock
) -> None:
    hall = await opened(candidates=40)
    await asyncio.gather(
        *(register.change(hall.place(p), lambda f: model.start(f, "seat", NOW), "seat") for p in range(40))
    )
    clock.forward(minutes=60, seconds=10, milliseconds=1)
    last_moment = to_milliseconds(clock()) - 1
    packed = pack_response(1, NOW, b'"A"', is_answered=True)
    outcomes, _ = await asyncio.gather(
        asyncio.gather(
            *(register.save(hall.place(p), 1, last_moment, [(1, packed)]) for p in range(40)), return_exceptions=True
        ),
        timers.close_due(hall.sitting),
    )
    for position, outcome in enumerate(outcomes):
        held = await register.look(hall.place(position), "s")
        assert held.facts.state == "closed"
        assert held.sequences() == ({} if isinstance(outcome, AttemptClosed) else {1: 1})


async def test_one_timer_leads_and_another_takes_over_when_it_is_gone(engine: AsyncEngine) -> None:
    first, second = Leadership(engine), Leadership(engine)
    assert await first.held()
    assert not await second.held()
    assert await first.held()
    await first.resign()
    async with asyncio.timeout(5):
        while not await second.held():
            await asyncio.sleep(0.02)
    assert not await first.held()
    await second.resign()
    await first.resign()


async def test_a_leader_goes_on_while_postgresql_is_away(
    engine: AsyncEngine, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leadership = Leadership(engine)
    assert await leadership.held()
    assert leadership._connection is not None
    process = (await leadership._connection.exec_driver_sql("select pg_backend_pid()")).scalar()
    await pool.execute("select pg_terminate_backend($1)", process)
    assert await leadership.held()
    assert await leadership.held()
    await leadership.resign()


async def test_the_worker_keeps_time_by_itself(opened: HallMaker, settings: Settings, runner: ScriptRunner) -> None:
    hall = await opened(candidates=1, starts_at=system_clock())
    task = asyncio.create_task(run(settings))
    async with asyncio.timeout(10):
        while not await runner.redis.get(TIMER):
            await asyncio.sleep(0.02)
    task.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert hall.seats
