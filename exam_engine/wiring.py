"""Builds everything, in order: settings, database, Redis, rooms. The only place that knows all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime

import asyncpg
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import MetaData, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from exam_engine.infra.clock import Clock, local_day, system_clock
from exam_engine.infra.database import Base, SessionMaker, create_engine, create_pool, session_maker
from exam_engine.infra.embedded.addresses import locate
from exam_engine.infra.redis_client import create_redis
from exam_engine.infra.secrets import load_master_secret
from exam_engine.infra.settings import Settings


class Engine:
    """What a process needs to serve a use case, built once; no struct, since it holds connections."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        engine: AsyncEngine,
        pool: "asyncpg.Pool[asyncpg.Record]",
        redis: Redis,
        master_secret: bytes,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = engine
        self.sessions: SessionMaker = session_maker(engine)
        self.pool = pool
        self.redis = redis
        self.master_secret = master_secret

    def local_day(self, moment: datetime) -> date:
        """Return the day on which a moment falls where the installation stands."""
        return local_day(moment, self.settings.time_zone)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, and how it is."""

    name: str
    is_well: bool
    detail: str = ""


@asynccontextmanager
async def open_engine(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Engine]:
    """Open the connections of one process; an embedded server that runs is found by itself.

    Raises
    ------
    EmbeddedServerError
        No address is set and nothing runs on the data folder.
    """
    settings = locate(settings)
    master_secret = load_master_secret(settings)
    async with AsyncExitStack() as stack:
        engine = create_engine(settings)
        stack.push_async_callback(engine.dispose)
        pool = await create_pool(settings)
        stack.push_async_callback(_close_pool, pool)
        redis = create_redis(settings)
        stack.push_async_callback(redis.aclose)
        yield Engine(
            settings=settings,
            clock=clock,
            engine=engine,
            pool=pool,
            redis=redis,
            master_secret=master_secret,
        )


async def readiness(engine: Engine) -> list[Finding]:
    """Ask both servers; an answer within two seconds counts as well."""
    return list(await asyncio.gather(_ask_database(engine), _ask_redis(engine)))


def all_mappings() -> MetaData:
    """Return the mappings of every room, for the comparison with the migrated schema."""
    import exam_engine.admission.tables
    import exam_engine.assembly.tables
    import exam_engine.audit.tables
    import exam_engine.authoring.tables
    import exam_engine.calibration.tables
    import exam_engine.delivery.tables
    import exam_engine.enrolment.tables
    import exam_engine.identity.tables
    import exam_engine.invigilation.tables
    import exam_engine.marking.tables
    import exam_engine.results.tables  # noqa: F401 (importing fills the metadata)

    return Base.metadata


async def _ask_database(engine: Engine) -> Finding:
    try:
        async with asyncio.timeout(2.0), engine.engine.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Finding("postgresql", is_well=False, detail=type(error).__name__)
    return Finding("postgresql", is_well=True)


async def _ask_redis(engine: Engine) -> Finding:
    try:
        async with asyncio.timeout(2.0):
            await engine.redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return Finding("redis", is_well=False, detail=type(error).__name__)
    return Finding("redis", is_well=True)


async def _close_pool(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    try:
        async with asyncio.timeout(5.0):
            await pool.close()
    except TimeoutError:
        pool.terminate()
