"""The timer worker: closes attempts whose time is over and sittings whose end has come, and refills an empty Redis.

One timer leads, by an advisory lock of PostgreSQL; two at once would do no harm, since every change names its revision.
While PostgreSQL is away the leader goes on with the sittings it knows: time does not wait for a database.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exam_engine.delivery import closing, counters, model, service, store
from exam_engine.delivery.draining import TIMER
from exam_engine.delivery.model import AttemptId, CloseReason, Sitting, SittingId, SittingState
from exam_engine.delivery.places import NotHeld, place_of, stream_keys
from exam_engine.delivery.register import Register
from exam_engine.delivery.restoring import Restorer
from exam_engine.delivery.signs import Role, give_sign
from exam_engine.infra.cancellation import end_if_cancelled
from exam_engine.infra.clock import Clock, system_clock, to_milliseconds
from exam_engine.infra.database import SessionMaker, create_engine, reaching_database, session_maker, transaction
from exam_engine.infra.database import is_away as database_is_away
from exam_engine.infra.errors import EngineError, ServiceUnavailable
from exam_engine.infra.redis_client import ScriptRunner, create_redis, require_durable
from exam_engine.infra.redis_client import is_away as redis_is_away
from exam_engine.infra.settings import Settings

logger = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
CLOSED_AT_ONCE = 200
ACTOR = "system:timer"
_LOCK_KEY = 0x65_78_61_6D_74_69_6D  # any number of our own


async def run(settings: Settings) -> None:
    """Keep time for every open sitting until cancelled; PostgreSQL and Redis may come and go."""
    engine = create_engine(settings, pool_size=3)
    redis = create_redis(settings, max_connections=8)
    leadership = Leadership(engine, is_needed=not settings.database_pooler)
    try:
        sessions = session_maker(engine)
        timers: Timers | None = None
        while True:
            try:
                if timers is None:
                    register = Register(ScriptRunner(redis, await require_durable(redis)))
                    timers = Timers(sessions, register)
                if await leadership.held():
                    await timers.tick()
                await give_sign(redis, Role.TIMER, to_milliseconds(system_clock()))
            except Exception as error:
                if not (isinstance(error, EngineError) or redis_is_away(error) or database_is_away(error)):
                    raise
                logger.warning("timer_waits", error=type(error).__name__, detail=str(error)[:200])
            end_if_cancelled()
            await asyncio.sleep(TICK_SECONDS)
    finally:
        await leadership.resign()
        await redis.aclose()
        await engine.dispose()


class Leadership:
    """An advisory lock, held while its connection lives. Behind a pooler that cannot be, and everyone leads."""

    def __init__(self, engine: AsyncEngine, *, is_needed: bool = True) -> None:
        self._engine = engine
        self._is_needed = is_needed
        self._connection: AsyncConnection | None = None
        self._held = False

    async def held(self) -> bool:
        """Tell whether we lead; while PostgreSQL cannot be asked, whoever led goes on."""
        if not self._is_needed:
            return True
        try:
            if self._connection is None:
                self._connection = await self._engine.connect()
                await self._connection.execution_options(isolation_level="AUTOCOMMIT")
                self._held = await _try_lock(self._connection)
            elif self._held:
                await self._connection.execute(text("select 1"))
            else:
                self._held = await _try_lock(self._connection)
        except Exception as error:
            if not database_is_away(error):
                raise
            logger.warning("timer_lost_its_lock", error=type(error).__name__, goes_on=self._held)
            await self.resign()
        return self._held

    async def resign(self) -> None:
        """Let the connection and with it the lock go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.invalidate()
                await connection.close()
            except Exception as error:
                if not database_is_away(error):
                    raise
                logger.debug("timer_connection_gone", error=type(error).__name__)


class Timers:
    """What the leader does at each tick."""

    def __init__(self, sessions: SessionMaker, register: Register, clock: Clock = system_clock) -> None:
        self._sessions = sessions
        self._register = register
        self._restorer = Restorer(sessions, register)
        self._clock = clock
        self._open: Sequence[Sitting] = ()
        self._told: dict[SittingId, datetime | None] = {}  # until when a sitting is waited for, as written to the log

    async def tick(self) -> None:
        """Look at every open sitting once."""
        try:
            with reaching_database():
                async with self._sessions() as session:
                    found = await store.load_sittings(session, state=SittingState.OPEN)
            self._open = [context.sitting for context in found]
        except ServiceUnavailable as error:
            logger.warning("timer_without_database", error=error.reason, sittings=len(self._open))
        for sitting in self._open:
            try:
                await self._keep_time(sitting)
            except EngineError as error:
                # One sitting in trouble must not stop the time of the others.
                logger.warning("timer_skips_sitting", sitting=sitting.code, error=str(error))
        await self._register.redis.set(TIMER, to_milliseconds(self._clock()))

    async def _keep_time(self, sitting: Sitting) -> None:
        if not await self._restorer.is_whole(sitting):
            await self._restorer.restore_sitting(sitting)
        await self.close_due(sitting)
        await self._close_over(sitting)

    async def close_due(self, sitting: Sitting) -> int:
        """Close attempts of a sitting whose deadline and grace have passed; returns how many."""
        now_ms = to_milliseconds(self._clock())
        closed = 0
        for stream in stream_keys(sitting.id, sitting.shards):
            while due := await self._register.due(stream, now_ms, CLOSED_AT_ONCE):
                outcomes = await asyncio.gather(*(self._close(sitting, attempt_id, now_ms) for attempt_id in due))
                closed += sum(outcomes)
                if not any(outcomes):
                    break
        if closed:
            logger.info("attempts_closed", sitting=sitting.code, attempts=closed)
        return closed

    async def _close(self, sitting: Sitting, attempt_id: AttemptId, now_ms: int) -> bool:
        place = place_of(sitting.id, sitting.shards, attempt_id)
        try:
            _, change = await self._register.change(
                place, lambda facts: model.close(facts, CloseReason.TIME, now_ms), ACTOR
            )
        except NotHeld:
            await self._restorer.restore(sitting, attempt_id)
            return True  # and it is due again, with its facts
        if change is not None:
            counters.CLOSED.labels(change.facts.reason).inc()
        return change is not None

    async def _close_over(self, sitting: Sitting) -> None:
        now = self._clock()
        if now <= sitting.closes_at:
            return
        waiting = await closing.overtime(self._register, sitting, now)
        if waiting.attempts:
            if self._told.get(sitting.id) != waiting.until:
                self._told[sitting.id] = waiting.until
                logger.warning(
                    "sitting_waits", sitting=sitting.code, attempts=waiting.attempts, until=str(waiting.until)
                )
            return
        with reaching_database():
            async with transaction(self._sessions) as session:
                desk = service.Desk(session=session, register=self._register, actor=ACTOR, now=now)
                closed = await service.close_if_over(desk, sitting.id)
        if closed is not None:
            self._told.pop(sitting.id, None)
            logger.info("sitting_closed", sitting=sitting.code)


async def _try_lock(connection: AsyncConnection) -> bool:
    reply = await connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY})
    return bool(reply.scalar())
