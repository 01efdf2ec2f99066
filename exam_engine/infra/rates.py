"""Counting failures of a source in fixed windows of one minute.

Only failures count: a school or a mobile carrier hides thousands behind one address. A Redis that is away lets people
pass: a limit is no lock.
"""

from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from exam_engine.infra.redis_client import is_away
from exam_engine.infra.redis_cluster import as_cluster
from exam_engine.infra.redis_link import Link

WINDOW_SECONDS = 60


class FailureCounts:
    """The counts, as one worker reads them: before every code that is tried, so by a link where there is one server."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._call: Any = Link(redis).call if as_cluster(redis) is None else redis.execute_command

    async def add(self, purpose: str, source: str, now: datetime) -> None:
        """Count one failure of a source."""
        key = _key(purpose, source, now)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW_SECONDS)
                await pipeline.execute()
        except Exception as error:
            if not is_away(error):
                raise

    async def seconds_to_wait(self, purpose: str, source: str, per_minute: int, now: datetime) -> int:
        """Return 0 while a source has failed fewer times than allowed, else the seconds until the minute ends."""
        try:
            failures = int(await self._call("GET", _key(purpose, source, now)) or 0)
        except Exception as error:
            if not is_away(error):
                raise
            return 0
        return 0 if failures < per_minute else WINDOW_SECONDS - int(now.timestamp()) % WINDOW_SECONDS


def _key(purpose: str, source: str, now: datetime) -> str:
    return f"rate:{purpose}:{source}:{int(now.timestamp()) // WINDOW_SECONDS}"
