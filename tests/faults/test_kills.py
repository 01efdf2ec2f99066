"""kill -9 of each process in the middle of concurrent saves: acknowledged = stored, to the one, and nothing twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery.draining import drain
from exam_engine.delivery.hot_path import Delivery, open_delivery
from exam_engine.infra.clock import system_clock
from exam_engine.infra.database import create_engine, create_pool, session_maker
from exam_engine.infra.redis_client import create_redis
from tests.exam_engine.delivery.halls import Hall, open_hall, plan_hall
from tests.faults.house import House, Seat, open_house

pytestmark = pytest.mark.faults
SEATS = 40
SECRET = b"a secret of the fault tests, long enough"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest_asyncio.fixture(scope="module")
async def pool(house: House) -> AsyncIterator[Any]:
    pool = await create_pool(house.settings)
    yield pool
    pool.terminate()


@pytest_asyncio.fixture(scope="module")
async def sessions(house: House) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_engine(house.settings)
    yield session_maker(engine)
    await engine.dispose()


@pytest_asyncio.fixture(scope="module")
async def delivery(house: House, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[Delivery]:
    redis = create_redis(house.settings)
    async with open_delivery(clock=system_clock, sessions=sessions, redis=redis, master_secret=SECRET) as delivery:
        yield delivery
    await redis.aclose()


async def take_seats(
    delivery: Delivery, sessions: async_sessionmaker[AsyncSession], shards: int
) -> tuple[Hall, list[Seat]]:
    now = system_clock()
    hall = await plan_hall(sessions, candidates=SEATS, shards=shards, starts_at=now)
    await open_hall(sessions, delivery.register, hall, now)
    seats = [Seat(delivery, hall.candidate(p), hall.attempt(p), p) for p in range(SEATS)]
    await asyncio.gather(*(seat.start() for seat in seats))
    return hall, seats


async def work(seats: list[Seat], done: asyncio.Event) -> None:
    async def one(seat: Seat) -> None:
        while not done.is_set():
            await seat.answer()
            await asyncio.sleep(0.005)  # thinking

    await asyncio.gather(*(one(seat) for seat in seats))


async def after(working: asyncio.Task[None], seats: list[Seat], more: int) -> None:
    """Wait until so many more answers were acknowledged."""
    target = sum(seat.acknowledged for seat in seats) + more
    async with asyncio.timeout(60):
        while sum(seat.acknowledged for seat in seats) < target:
            if working.done():
                await working
            await asyncio.sleep(0.01)


async def everything_stored(pool: Any, hall: Hall, seats: list[Seat]) -> None:
    ids = [seat.attempt_id for seat in hall.seats]
    rows = await ask_patiently(
        pool, "select attempt_id, slot, sequence, value from response where attempt_id = any($1)", ids
    )
    stored = {(row["attempt_id"], row["slot"]): (row["sequence"], row["value"].strip('"')) for row in rows}
    held = {
        (hall.attempt(position), slot): answer
        for position, seat in enumerate(seats)
        for slot, answer in seat.answers.items()
    }
    assert stored == held
    rejects = await ask_patiently(pool, "select * from stream_reject where $1::uuid[] is not null", ids)
    assert rejects == []


async def ask_patiently(pool: Any, query: str, ids: list[Any]) -> list[Any]:
    async with asyncio.timeout(30):
        while True:
            try:
                return list(await pool.fetch(query, ids))
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(0.1)


async def test_killing_valkey_postgresql_and_the_writer_loses_and_doubles_nothing(
    request: pytest.FixtureRequest,
    house: House,
    delivery: Delivery,
    sessions: async_sessionmaker[AsyncSession],
    pool: Any,
) -> None:
    rounds = 7 if request.config.getoption("--long-faults", default=False) else 3
    hall, seats = await take_seats(delivery, sessions, shards=2)
    done = asyncio.Event()
    working = asyncio.create_task(work(seats, done))
    victims = ["Valkey", "PostgreSQL", "write-behind"] * rounds
    random.Random(11).shuffle(victims)
    for victim in victims:
        await after(working, seats, 300)
        async with asyncio.timeout(30):
            while not house.kill(victim):
                await asyncio.sleep(0.02)
    await after(working, seats, 300)
    done.set()
    await working
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)
    events = await ask_patiently(
        pool,
        "select count(*) as events, count(distinct (attempt_id, sequence)) as answers"
        " from response_event where attempt_id = any($1)",
        [seat.attempt_id for seat in hall.seats],
    )
    acknowledged = sum(seat.acknowledged for seat in seats)
    assert acknowledged >= 300 * len(victims)
    assert (events[0]["events"], events[0]["answers"]) == (acknowledged, acknowledged)
    starts = {name: house.child(name).starts for name in ("Valkey", "PostgreSQL", "write-behind")}
    assert min(starts.values()) > rounds


async def test_a_valkey_started_empty_is_refilled_from_the_store_and_the_seats(
    house: House, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall, seats = await take_seats(delivery, sessions, shards=1)
    done = asyncio.Event()
    working = asyncio.create_task(work(seats, done))
    await after(working, seats, 300)
    await delivery.register.redis.set("mark", "of the first life")
    with house.unsupervised():
        assert house.kill("Valkey")
        house.forget_answers()
    await after(working, seats, 300)
    assert await delivery.register.redis.get("mark") is None
    done.set()
    await working
    await asyncio.gather(*(seat.hand_in() for seat in seats))
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)
    states = await ask_patiently(
        pool, "select distinct state from attempt where id = any($1)", [seat.attempt_id for seat in hall.seats]
    )
    assert [row["state"] for row in states] == ["submitted"]


async def test_candidates_notice_nothing_of_an_absent_postgresql_not_even_when_handing_in(
    house: House, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall, seats = await take_seats(delivery, sessions, shards=1)
    for seat in seats:
        seat.refused = 0
    done = asyncio.Event()
    working = asyncio.create_task(work(seats, done))
    with house.unsupervised():
        assert house.kill("PostgreSQL")
        await after(working, seats, 500)
        done.set()
        await working
        await asyncio.gather(*(seat.hand_in() for seat in seats))
    assert sum(seat.refused for seat in seats) == 0
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)
