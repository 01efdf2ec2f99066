"""How far PostgreSQL is behind Redis, and waiting until it is not."""

import asyncio
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from exam_engine.delivery import store
from exam_engine.delivery.errors import NotStored
from exam_engine.delivery.model import Sitting
from exam_engine.delivery.places import stream_keys
from exam_engine.infra.database import SessionMaker, transaction
from exam_engine.infra.redis_client import is_away, unavailable

GROUP = "store"
WRITERS = "delivery:writers"
TIMER = "delivery:timer"
_LOOK_EVERY_SECONDS = 0.05


class Backlog(msgspec.Struct, frozen=True):
    """Entries of a stream that are not in PostgreSQL: given to a writer, and not yet read by any."""

    pending: int
    unread: int

    @property
    def waiting(self) -> int:
        """All of them."""
        return self.pending + self.unread


class WriterSign(msgspec.Struct, frozen=True, kw_only=True):
    """A writer's sign of life, for readiness and the operator."""

    at_ms: int
    lag_ms: int
    waiting: int


async def backlog(redis: Redis, stream: str) -> Backlog:
    """Measure one stream."""
    client: Any = redis
    try:
        groups = await client.xinfo_groups(stream)
        newest = (await client.xinfo_stream(stream))["last-generated-id"]
    except ResponseError as error:
        if "no such key" in str(error).lower():
            return Backlog(0, 0)
        raise
    for group in groups:
        if _text(group["name"]) == GROUP:
            delivered = _text(group["last-delivered-id"])
            # `lag` is empty when the server cannot tell; then anything unread counts as one.
            unread = 0 if delivered == _text(newest) else int(group.get("lag") or 1)
            return Backlog(int(group["pending"]), unread)
    return Backlog(0, int(await client.xlen(stream)))


async def waiting(redis: Redis, sitting: Sitting) -> int:
    """Return how many stream entries of a sitting are not yet in PostgreSQL; one may hold the saves of a whole call.

    Raises
    ------
    ServiceUnavailable
    """
    try:
        return sum([(await backlog(redis, s)).waiting for s in stream_keys(sitting.id, sitting.shards)])
    except (RedisError, OSError) as error:
        if is_away(error):
            raise unavailable(error) from error
        raise


async def drain(redis: Redis, sitting: Sitting, timeout_seconds: float = 30.0) -> None:
    """Wait until every acknowledged change of a sitting is in PostgreSQL.

    Raises
    ------
    NotStored
        Not within the time given; nothing is lost, the changes wait in Redis.
    """
    give_up = asyncio.get_running_loop().time() + timeout_seconds
    while left := await waiting(redis, sitting):
        if asyncio.get_running_loop().time() > give_up:
            raise NotStored(sitting.code, left)
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def wait_until_stored(sessions: SessionMaker, sitting: Sitting, timeout_seconds: float = 30.0) -> None:
    """Wait until the writer has noted that a closed sitting is wholly in PostgreSQL; from then on it can be scored.

    Raises
    ------
    NotStored
        Not within the time given; nothing is lost.
    """
    give_up = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        async with transaction(sessions) as session:
            states = await store.sitting_states(session)
        if sitting.id not in states:
            return
        if asyncio.get_running_loop().time() > give_up:
            raise NotStored(sitting.code, 0)
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def writer_signs(redis: Redis) -> dict[str, WriterSign]:
    """Return the last sign of life of every writer."""
    client: Any = redis
    found = await client.hgetall(WRITERS)
    return {_text(name): msgspec.json.decode(sign, type=WriterSign) for name, sign in found.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
