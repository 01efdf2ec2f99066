"""Fixtures of delivery: the register on a flushed Valkey, a clock that stands still, halls that leave nothing open."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.register import Register
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.database import create_pool
from exam_engine.infra.redis_client import Durability, ScriptRunner, create_redis
from exam_engine.infra.settings import Settings
from tests.exam_engine.delivery.halls import Hall, SetClock, open_hall, plan_hall, retire_all

SECRET = b"a secret of these tests, long enough"
HallMaker = Callable[..., Awaitable[Hall]]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture
async def runner(settings: Settings, redis: Redis) -> AsyncIterator[ScriptRunner]:
    client = create_redis(settings)
    yield ScriptRunner(client, Durability(waits_for_aof=False))
    await client.aclose()


@pytest_asyncio.fixture
async def register(runner: ScriptRunner) -> AsyncIterator[Register]:
    register = Register(runner)
    yield register
    await register.close()


@pytest_asyncio.fixture(scope="session")
async def pool(settings: Settings) -> AsyncIterator[Any]:
    pool = await create_pool(settings)
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def writer(pool: Any, runner: ScriptRunner, clock: SetClock) -> Writer:
    return Writer(pool, runner.redis, "writer-1", clock)


@pytest_asyncio.fixture
async def plan(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[HallMaker]:
    async def make(**options: Any) -> Hall:
        return await plan_hall(sessions, **options)

    yield make
    await retire_all(sessions)


@pytest_asyncio.fixture
async def opened(plan: HallMaker, sessions: async_sessionmaker[AsyncSession], register: Register) -> HallMaker:
    async def make(**options: Any) -> Hall:
        return await open_hall(sessions, register, await plan(**options))

    return make


@pytest_asyncio.fixture
async def delivery(
    sessions: async_sessionmaker[AsyncSession], runner: ScriptRunner, clock: SetClock
) -> AsyncIterator[Delivery]:
    """A worker whose memory is refreshed only when the test says so."""
    delivery = Delivery(clock, sessions, runner, SECRET)
    yield delivery
    await delivery.close()
