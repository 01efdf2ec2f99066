"""Counting failures of a source in fixed windows of one minute.

Only failures count: a school or a mobile carrier hides thousands behind one address. A Redis that is away lets people
pass: a limit is no lock.
"""

from datetime import datetime

from redis.asyncio import Redis

from exam_engine.infra.redis_client import is_away

WINDOW_SECONDS = 60


async def count_failure(redis: Redis, purpose: str, source: str, now: datetime) -> None:
    """Count one failure of a source."""
    key = _key(purpose, source, now)
    try:
        async with redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_SECONDS)
            await pipeline.execute()
    except Exception as error:
        if not is_away(error):
            raise


async def seconds_to_wait(redis: Redis, purpose: str, source: str, per_minute: int, now: datetime) -> int:
    """Return 0 while a source has failed fewer times than allowed, else the seconds until the minute ends."""
    try:
        failures = int(await redis.get(_key(purpose, source, now)) or 0)
    except Exception as error:
        if not is_away(error):
            raise
        return 0
    return 0 if failures < per_minute else WINDOW_SECONDS - int(now.timestamp()) % WINDOW_SECONDS


def _key(purpose: str, source: str, now: datetime) -> str:
    return f"rate:{purpose}:{source}:{int(now.timestamp()) // WINDOW_SECONDS}"
