"""A PostgreSQL replica took over: what it had not received is written again from the streams.

With asynchronous replication a COMMIT that was answered may be unknown to the replica that is promoted, and its entries
have been acknowledged. So the streams keep what is stored for a while, and a promotion, which PostgreSQL counts by
timelines, sends the consumer group back by that while. Writing twice does no harm (`projection`).
"""

from collections.abc import Iterable
from typing import Any

import structlog
from redis.asyncio import Redis

from exam_engine.delivery.draining import GROUP
from exam_engine.infra.clock import Clock, to_milliseconds

logger = structlog.get_logger(__name__)

TIMELINE = "delivery:timeline"
_OUR_TIMELINE = "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
_SECONDS = 10.0


class Replays:
    """Watches on which timeline PostgreSQL writes; Redis remembers it for all writers and their next lives."""

    def __init__(self, pool: Any, redis: Redis, kept_ms: int, clock: Clock) -> None:
        self._pool = pool
        self._redis: Any = redis
        self._kept_ms = kept_ms
        self._clock = clock
        self._timeline = ""

    async def look(self, streams: Iterable[str]) -> bool:
        """Send the group back if another PostgreSQL writes than before; True if that was done."""
        timeline = await self._pool.fetchval(_OUR_TIMELINE, timeout=_SECONDS)
        if timeline == self._timeline:
            return False
        known = (await self._redis.get(TIMELINE) or b"").decode()
        is_other = known not in ("", timeline)
        if is_other:
            since_ms = to_milliseconds(self._clock()) - self._kept_ms
            for stream in streams:
                await self._send_back(stream, since_ms)
            logger.warning("streams_replayed", timeline=timeline, before=known, kept_ms=self._kept_ms)
        # Last of all: a writer that dies before it does the whole again.
        await self._redis.set(TIMELINE, timeline)
        self._timeline = timeline
        return is_other

    async def _send_back(self, stream: str, since_ms: int) -> None:
        """Let a group read again what it was given since; never forward, over entries that nobody has read."""
        for group in await self._redis.xinfo_groups(stream):
            delivered = _text(group["last-delivered-id"])
            if _text(group["name"]) == GROUP and since_ms < int(delivered.partition("-")[0]):
                await self._redis.xgroup_setid(stream, GROUP, f"{since_ms}-0")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
