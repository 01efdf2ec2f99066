"""Applies the revisions. Several hosts may start at once: an advisory lock lets one of them migrate."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from exam_engine.infra.database import database_url
from exam_engine.infra.errors import EngineError
from exam_engine.infra.settings import Settings

FOLDER = Path(__file__).parent
LOCK_KEY = 0x6578616D  # "exam": only this runner takes this advisory lock


async def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database up to a revision; does nothing when it stands there already.

    Raises
    ------
    EngineError
        The database was upgraded by a newer program.
    """

    def apply(connection: Connection) -> None:
        if _pending(connection):
            command.upgrade(alembic_configuration(connection), revision)

    await _with_connection(settings, apply)


async def pending(settings: Settings) -> list[str]:
    """Return the revisions that this program has and the database has not, oldest first.

    Raises
    ------
    EngineError
        The database was upgraded by a newer program.
    """
    return list(await _with_connection(settings, _pending))


async def is_current(settings: Settings) -> bool:
    """Tell whether the database stands at the newest revision of this program."""
    return not await pending(settings)


def alembic_configuration(connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    """Alembic's configuration without a file; `metadata` is needed only to write a new revision."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def _pending(connection: Connection) -> list[str]:
    script = ScriptDirectory.from_config(alembic_configuration(connection))
    present = MigrationContext.configure(connection).get_current_heads()
    revisions = [str(revision.revision) for revision in script.walk_revisions()]  # newest first
    if unknown := set(present) - set(revisions):
        raise EngineError(
            f"the database stands at revision {', '.join(sorted(unknown))}, which this program does not know: "
            "a newer version upgraded it; start that one"
        )
    newer = revisions[: revisions.index(present[0])] if present else revisions
    return newer[::-1]


async def _with_connection(settings: Settings, work: Any) -> Any:
    engine = create_async_engine(database_url(settings), poolclass=NullPool, connect_args={"timeout": 10})
    try:
        async with engine.connect() as connection:
            # A session-level lock: each revision commits its own transaction below it.
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            await connection.commit()
            try:
                result = await connection.run_sync(work)
                await connection.commit()
            finally:
                await connection.rollback()
                await connection.execute(text("select pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
                await connection.commit()
            return result
    finally:
        await engine.dispose()
