"""Taking attempts back from PostgreSQL into a Redis that does not know them: at opening, and after it started empty.

What Redis holds is never overwritten. What was acknowledged but had not reached PostgreSQL the seats send again.
"""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from redis.exceptions import RedisError

from exam_engine.delivery import counters, model, store
from exam_engine.delivery.bulletins import notice_of
from exam_engine.delivery.model import AttemptId, Sitting
from exam_engine.delivery.packing import count_answered
from exam_engine.delivery.places import place_of, stream_keys
from exam_engine.delivery.register import Held, Register
from exam_engine.delivery.store.endings import load_endings
from exam_engine.infra.database import SessionMaker, reaching_database
from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.joint_queries import JointQuery
from exam_engine.infra.redis_client import is_away, unavailable

logger = structlog.get_logger(__name__)

_AT_ONCE = 500


class Restorer:
    """Restores single attempts when a seat asks for them, and whole sittings in the background."""

    def __init__(self, sessions: SessionMaker, register: Register) -> None:
        self._sessions = sessions
        self._register = register
        self._endings = JointQuery(sessions, load_endings)
        self._under_way: dict[AttemptId, asyncio.Task[int]] = {}

    async def restore(self, sitting: Sitting, attempt_id: AttemptId) -> None:
        """Take one attempt back, once for everybody in this process who asks meanwhile.

        Raises
        ------
        ServiceUnavailable
        """
        task = self._under_way.get(attempt_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._restore(sitting, [attempt_id]))
            self._under_way[attempt_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(attempt_id, None))
        await asyncio.shield(task)

    async def restore_sitting(self, sitting: Sitting) -> int:
        """Take back whatever of a sitting Redis lacks; returns how many attempts that were."""
        with reaching_database():
            async with self._sessions() as session:
                attempts = await store.load_attempt_ids(session, sitting.id)
        restored = 0
        for first in range(0, len(attempts), _AT_ONCE):
            restored += await self._restore(sitting, attempts[first : first + _AT_ONCE])
        for stream in stream_keys(sitting.id, sitting.shards):
            await self._register.mark_primed(stream)
        return restored

    async def is_whole(self, sitting: Sitting) -> bool:
        """Whether all shards of a sitting were filled since Redis last began empty."""
        streams = stream_keys(sitting.id, sitting.shards)
        return all([await self._register.is_primed(stream) for stream in streams])

    async def stored(self, sitting: Sitting, attempt_id: AttemptId) -> Held:
        """Return an attempt as PostgreSQL knows it, for sittings that are closed."""
        with reaching_database():
            async with self._sessions() as session:
                found = await store.load_stored_attempts(session, sitting, [attempt_id])
        responses = found[0].responses
        return Held(facts=found[0].facts, responses=responses, answered=count_answered(responses))

    async def has_stored(self, attempt_id: AttemptId, held: Held) -> bool:
        """Whether PostgreSQL has all that is held of an attempt that has ended; a server that is away has not."""
        try:
            ending = await self._endings.ask(attempt_id)
        except ServiceUnavailable:
            return False
        if ending is None:
            return False
        stored = msgspec.structs.replace(held.facts, state=ending.state, finished_ms=ending.finished_ms)
        return model.is_stored(held.facts, held.sequences(), stored, ending.sequences)

    async def _restore(self, sitting: Sitting, attempts: Sequence[AttemptId]) -> int:
        with reaching_database():
            async with self._sessions() as session:
                found = await store.load_stored_attempts(session, sitting, attempts, is_lost=True)
                notices = await store.load_notices(session, sitting.id)
        await self._restore_notices(sitting, attempts, notices)
        restored = await self._register.prime(found)
        if restored:
            counters.RESTORED.inc(restored)
            logger.warning("attempts_restored", sitting=sitting.code, attempts=restored)
        return restored

    async def _restore_notices(
        self, sitting: Sitting, attempts: Sequence[AttemptId], notices: Sequence[store.StoredNotice]
    ) -> None:
        if not notices:
            return
        members = {
            b"%d %b" % (notice.number, msgspec.json.encode(notice_of(sitting.id, notice))): notice.number
            for notice in notices
        }
        places = {place_of(sitting.id, sitting.shards, attempt_id).prefix for attempt_id in attempts}
        try:
            for prefix in places:
                if not await self._register.redis.exists(prefix + "primed"):
                    await self._register.redis.zadd(prefix + "notices", members)
        except (RedisError, OSError) as error:
            if is_away(error):
                raise unavailable(error) from error
            raise
