"""What keeps a sitting open beyond its end, for the timer and for the board."""

from datetime import datetime

import msgspec
from redis.exceptions import RedisError

from exam_engine.delivery.model import Sitting, SittingState
from exam_engine.delivery.places import stream_keys
from exam_engine.delivery.register import Register
from exam_engine.infra.clock import from_milliseconds
from exam_engine.infra.redis_client import is_away, unavailable


class Awaited(msgspec.Struct, frozen=True):
    """How many attempts keep a sitting open, and until when at the latest."""

    attempts: int
    until: datetime | None = None


async def awaited(register: Register, sitting: Sitting) -> Awaited:
    """Return who has time left: extra time, a pause nobody has ended, a start that was moved by a pause.

    Raises
    ------
    ServiceUnavailable
    """
    attempts, until_ms = 0, 0
    try:
        for stream in stream_keys(sitting.id, sitting.shards):
            due = stream.removesuffix("events") + "due"
            attempts += await register.redis.zcard(due)
            last = await register.redis.zrange(due, -1, -1, withscores=True)
            until_ms = max([until_ms, *(int(moment) for _, moment in last)])
    except (RedisError, OSError) as error:
        if is_away(error):
            raise unavailable(error) from error
        raise
    return Awaited(attempts, from_milliseconds(until_ms) if attempts else None)


async def overtime(register: Register, sitting: Sitting, now: datetime) -> Awaited:
    """Return who keeps a sitting open although its end is past; nobody before the end, or when it is closed."""
    if sitting.state is not SittingState.OPEN or now <= sitting.closes_at:
        return Awaited(0)
    return await awaited(register, sitting)


async def seal(register: Register, sitting: Sitting) -> bool:
    """Let nothing in a sitting change any more; False, and nothing is sealed: somebody is waited for."""
    streams = stream_keys(sitting.id, sitting.shards)
    for stream in streams:
        if not await register.seal(stream):
            for sealed in streams:
                await register.seal(sealed, is_sealed=False)
            return False
    return True
