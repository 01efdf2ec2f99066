"""PostgreSQL: the mapping base, the engine, one session per use case, and the raw pool for bulk work.

Services never commit; the edge that opened the session does, once. Times are UTC and aware.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.settings import Settings

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

SessionMaker = async_sessionmaker[AsyncSession]

# Connection trouble, no room (memory, disk, connections), being shut down, not writable, lost a deadlock or a race.
_AWAY_STATES = ("08", "53", "57P", "25006", "40")


class Base(DeclarativeBase):
    """Base of every mapping; classes end in `Row` and stay inside stores."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads this class attribute)
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def create_engine(settings: Settings, *, pool_size: int = 10) -> AsyncEngine:
    """Make the engine; it connects on first use and survives a restart of the server."""
    arguments: dict[str, Any] = {"timeout": 10}
    if settings.database_pooler:
        arguments |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return create_async_engine(
        database_url(settings),
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args=arguments,
    )


def session_maker(engine: AsyncEngine) -> SessionMaker:
    """Sessions that do not expire what they loaded, so that values can leave the session."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: SessionMaker) -> AsyncIterator[AsyncSession]:
    """Open one session and one transaction: commit at the end, roll back on any exception."""
    async with sessions() as session, session.begin():
        yield session


async def create_pool(settings: Settings, *, max_size: int = 4) -> "asyncpg.Pool[asyncpg.Record]":
    """Raw pool for COPY and unnest; the write-behind and imports use it."""
    url = database_url(settings)
    hosts, ports = hosts_of(url)
    return await asyncpg.create_pool(
        host=hosts,
        port=ports,
        target_session_attrs=url.query.get("target_session_attrs"),
        user=url.username,
        password=url.password,
        database=url.database or url.username,
        min_size=1,
        max_size=max_size,
        statement_cache_size=0 if settings.database_pooler else 100,
    )


def database_url(settings: Settings) -> URL:
    """Return the address of the database, for the asyncpg driver; of several hosts, the primary is asked for.

    Raises
    ------
    RuntimeError
        No address is set: the embedded server's start must have filled it in.
    """
    if settings.database_url is None:
        raise RuntimeError("EXAM_DATABASE_URL is not set; start the embedded servers first (exam-engine up)")
    url = make_url(settings.database_url.reveal()).set(drivername="postgresql+asyncpg")
    if len(hosts_of(url)[0]) > 1 and "target_session_attrs" not in url.query:
        url = url.update_query_dict({"target_session_attrs": "primary"})
    return url


def hosts_of(url: URL) -> tuple[list[str | None], list[int]]:
    """Return hosts and their ports: `?host=a,b&port=5432,5433` names several, as libpq has it."""
    hosts = str(url.query.get("host") or "").split(",") if url.query.get("host") else [url.host]
    ports = [int(port) for port in str(url.query.get("port") or url.port or 5432).split(",")]
    return list(hosts), ports * len(hosts) if len(ports) == 1 else ports


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that PostgreSQL cannot serve just now, and a repeat may succeed."""
    if isinstance(error, (OSError, PoolTimeoutError, asyncpg.InterfaceError, InterfaceError, OperationalError)):
        return True
    if isinstance(error, asyncpg.InternalClientError):
        return True  # the driver's own words when the server dies between two messages of one statement
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None)
    else:
        state = getattr(error, "sqlstate", None) if isinstance(error, asyncpg.PostgresError) else None
    return bool(state and state.startswith(_AWAY_STATES))


def is_beyond_database(error: BaseException) -> bool:
    """Tell whether a value was given that no column can hold: a NUL in a text, a number or a time out of range."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    cause = getattr(error.orig, "__cause__", None)
    return bool(state and state.startswith("22")) or (
        isinstance(cause, ValueError) and isinstance(cause, asyncpg.InterfaceError)
    )


@contextmanager
def reaching_database() -> Iterator[None]:
    """Translate what `is_away` into a refusal that says to come again.

    Raises
    ------
    ServiceUnavailable
    """
    try:
        yield
    except Exception as error:
        if is_away(error):
            raise ServiceUnavailable("postgresql", type(error).__name__) from error
        raise
