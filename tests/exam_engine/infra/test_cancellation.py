"""A worker that is asked to end once ends, in whatever moment it is asked."""

import asyncio

import pytest

from exam_engine.infra.cancellation import end_if_cancelled
from exam_engine.infra.redis_client import create_redis
from exam_engine.infra.settings import Settings


async def test_a_loop_around_redis_ends_at_the_first_cancellation_whenever_it_comes(settings: Settings) -> None:
    redis = create_redis(settings, max_connections=2)

    async def work() -> None:
        while True:
            await redis.ping()
            end_if_cancelled()

    for turns in range(120):
        task = asyncio.create_task(work())
        for _ in range(turns % 40):
            await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(30):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
    await redis.aclose()


async def test_a_swallowed_cancellation_is_raised_and_a_timeout_is_none() -> None:
    async def work() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(10)
        end_if_cancelled()
        pytest.fail("the cancellation was lost")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(10)
    end_if_cancelled()
