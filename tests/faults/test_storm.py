"""A room over HTTP while every process is killed at random: 0 acknowledged lost, 0 doubled, everybody hands in.

The seats are those of the load tests: the browser's protocol on raw connections.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exam_engine.delivery import tokens
from exam_engine.delivery.draining import drain
from exam_engine.delivery.register import Register
from exam_engine.infra.clock import system_clock
from exam_engine.infra.database import create_engine, create_pool, session_maker
from exam_engine.infra.redis_client import Durability, ScriptRunner, create_redis
from exam_engine.infra.secrets import derive_key
from exam_engine.infra.settings import Settings
from loadtests.candidate_bot.seat import Card, Habits, Seat, Town
from loadtests.tally import Tally
from tests.exam_engine.delivery.halls import Hall, open_hall, plan_hall
from tests.faults.house import House, open_house
from tests.faults.test_kills import SECRET, ask_patiently

pytestmark = pytest.mark.faults
VICTIMS = ("API worker", "Valkey", "write-behind", "PostgreSQL")
SEATS = 60
THINK_SECONDS = 0.06
LEAST_A_SECOND = 500


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture(scope="module")
def served(house: House) -> Settings:
    return house.serve()


class Room:
    """A hall whose seats are taken by bots."""

    def __init__(self, hall: Hall, settings: Settings, redis: Any, pool: Any) -> None:
        self.hall, self.redis, self.pool = hall, redis, pool
        self.tally = Tally()
        town = Town(asyncio.get_running_loop(), settings.http_host, settings.http_port, self.tally)
        self.seats = [self._seat(town, position) for position in range(len(hall.seats))]

    def _seat(self, town: Town, position: int) -> Seat:
        seat = Seat(town, Card("", str(position), ""), Habits(think_seconds=THINK_SECONDS), position)
        seat.token = tokens.issue_token(derive_key(SECRET, tokens.PURPOSE), self.hall.candidate(position))
        seat.attempt_id = str(self.hall.attempt(position))
        return seat

    async def begin(self) -> None:
        await asyncio.gather(*(seat.start() for seat in self.seats))
        for seat in self.seats:
            seat.think()

    async def answer(self, more: int) -> None:
        """Wait until so many more answers were given and everything but what is under way is confirmed."""
        target = self.tally.answers + more
        async with asyncio.timeout(240):
            while self.tally.answers < target or sum(bool(seat.protocol.pending()) for seat in self.seats) > SEATS // 2:
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        async with asyncio.timeout(240):
            await asyncio.gather(*(seat.hand_in() for seat in self.seats))

    async def settle(self) -> None:
        """Everything acknowledged is in PostgreSQL, to the one, and nothing twice."""
        await drain(self.redis, self.hall.sitting, 120)
        ids = [seat.attempt_id for seat in self.hall.seats]
        rows = await ask_patiently(
            self.pool, "select attempt_id, slot, sequence from response where attempt_id = any($1)", ids
        )
        stored = {(str(row["attempt_id"]), row["slot"]): row["sequence"] for row in rows}
        held = {
            (seat.attempt_id, slot): response.sequence
            for seat in self.seats
            for slot, response in seat.protocol.held.items()
        }
        assert stored == held
        counted = await ask_patiently(
            self.pool,
            "select count(*) as events, count(distinct (attempt_id, slot, sequence)) as answers"
            " from response_event where attempt_id = any($1)",
            ids,
        )
        assert counted[0]["events"] == counted[0]["answers"] >= len(held)
        states = await ask_patiently(self.pool, "select distinct state from attempt where id = any($1)", ids)
        assert [row["state"] for row in states] == ["submitted"]
        assert await ask_patiently(self.pool, "select 1 from stream_reject where $1::uuid[] is not null", ids) == []


@asynccontextmanager
async def open_room(house: House, settings: Settings) -> AsyncIterator[Room]:
    engine = create_engine(house.settings)
    sessions = session_maker(engine)
    now = system_clock()
    hall = await plan_hall(sessions, candidates=SEATS, shards=2, starts_at=now)
    redis = create_redis(house.settings)
    register = Register(ScriptRunner(redis, Durability(waits_for_aof=False)))
    await open_hall(sessions, register, hall, now)
    await register.close()
    await engine.dispose()
    pool = await create_pool(house.settings)
    room = Room(hall, settings, redis, pool)
    try:
        yield room
    finally:
        for seat in room.seats:
            seat.leave()
        await redis.aclose()
        pool.terminate()


async def test_random_kills_of_every_process_lose_and_double_nothing(
    request: pytest.FixtureRequest, house: House, served: Settings, tell: Callable[[str], None]
) -> None:
    is_long = request.config.getoption("--long-faults", default=False)
    kills, between = (20, 1_500) if is_long else (6, 300)
    async with open_room(house, served) as room:
        await room.begin()
        chance = random.Random(20)
        victims = [*VICTIMS, *(chance.choice(VICTIMS) for _ in range(kills - len(VICTIMS)))]
        chance.shuffle(victims)
        began = time.monotonic()
        await room.answer(between)
        for victim in victims:
            async with asyncio.timeout(60):
                while not house.kill(victim):
                    await asyncio.sleep(0.05)
            await room.answer(between)
        seconds = time.monotonic() - began
        await room.end()
        await room.settle()
        answers = room.tally.answers
        tell(f"{kills} kills, {answers} answers in {seconds:.1f} s: {answers / seconds:.0f} a second")
        # What the long run is for: kills under a load as a large school gives. The short one asserts no clock.
        assert not is_long or answers / seconds >= LEAST_A_SECOND


async def test_valkey_started_empty_under_load_is_refilled_by_the_seats(
    request: pytest.FixtureRequest, house: House, served: Settings
) -> None:
    between = 2_000 if request.config.getoption("--long-faults", default=False) else 300
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(between)
        with house.unsupervised():
            assert house.kill("Valkey")
            house.forget_answers()
        await room.answer(between)
        await room.end()
        await room.settle()


async def test_postgresql_away_for_a_minute_is_noticed_by_nobody_not_even_at_hand_in(
    request: pytest.FixtureRequest, house: House, served: Settings
) -> None:
    seconds = 60.0 if request.config.getoption("--long-faults", default=False) else 3.0
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(200)
        before = sum(room.tally.failures.values())
        with house.unsupervised():
            assert house.kill("PostgreSQL")
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                await room.answer(100)
            await room.end()
        assert sum(room.tally.failures.values()) == before, room.tally.failures
        await room.settle()


async def test_a_redis_that_takes_a_second_for_everything_delays_answers_and_drops_none(
    request: pytest.FixtureRequest, house: House, served: Settings
) -> None:
    seconds = 30 if request.config.getoption("--long-faults", default=False) else 4
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(200)
        for _ in range(seconds):
            await room.redis.client_pause(1000)
            await room.answer(1)
        await room.answer(200)
        await room.end()
        await room.settle()


async def test_a_redis_whose_memory_is_full_refuses_aloud_and_nothing_shown_as_saved_is_lost(
    house: House, served: Settings
) -> None:
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(200)
        await room.redis.config_set("maxmemory", "1")
        async with asyncio.timeout(120):
            while not room.tally.failures["save: 503"]:
                await asyncio.sleep(0.05)
        # Seats keep what they hold and show it as not saved.
        assert any(seat.protocol.pending() for seat in room.seats)
        await room.redis.config_set("maxmemory", "0")
        await room.answer(200)
        await room.end()
        await room.settle()


async def test_a_disk_that_is_full_stops_redis_and_loses_nothing_acknowledged(house: House, served: Settings) -> None:
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(200)
        starts = house.child("Valkey").starts
        house.fill_the_disk_of("Valkey")
        async with asyncio.timeout(120):
            while house.child("Valkey").starts == starts:
                await asyncio.sleep(0.05)
        await room.answer(200)
        await room.end()
        await room.settle()
