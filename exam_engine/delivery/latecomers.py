"""What still comes into the streams of sittings that were stored long ago: refused answers from a stick, seats' notes.

Their streams stand in Redis for a week. Reading all of them all the time would cost each turn of the writer; so they
are only looked at now and then, and read while somebody has written there.
"""

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from exam_engine.delivery.draining import backlog
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.places import stream_keys
from exam_engine.infra.redis_client import is_away

LOOK_SECONDS = 5.0
_STATEMENT_SECONDS = 60.0
_AT_ONCE = 4

# As long as `Writer` lets the streams stand, and a day more: what is gone is passed over.
_STORED = """
select id, shards from sitting
where state = 'closed' and stored_at > now() - interval '8 days' and stored_at <= now() - interval '10 minutes'
"""


class Latecomers:
    """Finds the streams of stored sittings into which something came; remembers them until it is written."""

    def __init__(self, pool: Any, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis
        self._look_at = 0.0
        self._found: dict[str, SittingId] = {}

    async def streams(self) -> dict[str, SittingId]:
        """Return the streams to read on, looked up every few seconds."""
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            rows = await self._pool.fetch(_STORED, timeout=_STATEMENT_SECONDS)
            streams = {stream: row["id"] for row in rows for stream in stream_keys(row["id"], row["shards"])}
            waiting = await self._waiting(list(streams))
            self._found = {stream: streams[stream] for stream in waiting}
            self._look_at = now + LOOK_SECONDS
        return self._found

    async def _waiting(self, streams: list[str]) -> list[str]:
        found: list[str] = []
        for first in range(0, len(streams), _AT_ONCE):
            part = streams[first : first + _AT_ONCE]
            for stream, is_waiting in zip(part, await asyncio.gather(*map(self._is_waiting, part)), strict=True):
                if is_waiting:
                    found.append(stream)
        return found

    async def _is_waiting(self, stream: str) -> bool:
        try:
            return (await backlog(self._redis, stream)).waiting > 0
        except Exception as error:
            # The shard of an old sitting must not hold up the open ones; it is looked at again.
            if not (isinstance(error, ResponseError) or is_away(error)):
                raise
            return stream in self._found
