"""Counting tries of a source in fixed windows of one minute.

A Redis that is away lets people pass: a limit is no lock.
"""

from datetime import datetime

from redis.asyncio import Redis

from exam_engine.infra.redis_client import is_away

WINDOW_SECONDS = 60


async def count_try(redis: Redis, purpose: str, source: str, per_minute: int, now: datetime) -> int:
    """Count one try; return 0 if it is within the limit, else the seconds until the window ends."""
    second = int(now.timestamp())
    window = second // WINDOW_SECONDS
    key = f"rate:{purpose}:{source}:{window}"
    try:
        async with redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_SECONDS)
            tries, _ = await pipeline.execute()
    except Exception as error:
        if is_away(error):
            return 0
        raise
    return 0 if int(tries) <= per_minute else (window + 1) * WINDOW_SECONDS - second
