"""After another PostgreSQL took over, a group reads again what the streams keep, and skips nothing."""

from typing import Any

from redis.asyncio import Redis

from exam_engine.delivery.draining import GROUP
from exam_engine.delivery.replays import TIMELINE, Replays
from exam_engine.infra.clock import system_clock, to_milliseconds

KEPT_MS = 60_000


async def test_a_promotion_sends_groups_back_by_what_is_kept(redis: Redis, pool: Any) -> None:
    now_ms = to_milliseconds(system_clock())
    for stream in ("read", "unread"):
        for age in (90_000, 30_000, 0):
            await redis.xadd(stream, {"n": age}, id=f"{now_ms - age}-0")
        await redis.xgroup_create(stream, GROUP, id="0" if stream == "unread" else "$")
    assert not await Replays(pool, redis, KEPT_MS, system_clock).look(["read", "unread"])
    assert await _left(redis, "read") == []
    await redis.set(TIMELINE, "00000000")
    assert await Replays(pool, redis, KEPT_MS, system_clock).look(["read", "unread"])
    assert await _left(redis, "read") == [30_000, 0]
    assert await _left(redis, "unread") == [90_000, 30_000, 0]
    assert not await Replays(pool, redis, KEPT_MS, system_clock).look(["read", "unread"])


async def _left(redis: Any, stream: str) -> list[int]:
    found = await redis.xreadgroup(GROUP, "reader", {stream: ">"})
    batches = found.values() if isinstance(found, dict) else [entries for _, entries in found or ()]
    flat = [entry for batch in batches for entry in (batch[0] if isinstance(found, dict) else batch)]
    return [int(fields[b"n"]) for _, fields in flat]
