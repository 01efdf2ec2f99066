"""Whether a database stands at the newest revision, without loading Alembic and SQLAlchemy: a second at each start."""

import re
from pathlib import Path

import asyncpg

from exam_engine.infra.errors import EngineError, ServiceUnavailable
from exam_engine.infra.settings import Settings

OLDEST_POSTGRESQL = 15
VERSIONS = Path(__file__).parent / "versions"


async def stands_at_newest(settings: Settings) -> bool:
    """Tell whether there is nothing to migrate; `False` also where only Alembic can tell.

    Raises
    ------
    ServiceUnavailable
        Nobody answers at the address.
    EngineError
        The server is too old.
    """
    if settings.database_url is None:
        raise RuntimeError("EXAM_DATABASE_URL is not set; start the embedded servers first (exam-engine up)")
    address = settings.database_url.reveal().replace("postgresql+asyncpg:", "postgresql:", 1)
    try:
        connection = await asyncpg.connect(address, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ServiceUnavailable("PostgreSQL", str(error) or type(error).__name__) from error
    try:
        version = connection.get_server_version()
        if version.major < OLDEST_POSTGRESQL:
            raise EngineError(
                f"this is PostgreSQL {version.major}.{version.minor}; {OLDEST_POSTGRESQL} or newer is needed"
            )
        present = [row["version_num"] for row in await connection.fetch("select version_num from alembic_version")]
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return present == [newest_revision()]


def newest_revision() -> str:
    """Return the last revision of the chain: its files are numbered in order, which a test holds."""
    numbers = (re.match(r"(\d{4})_\w+\.py$", path.name) for path in VERSIONS.iterdir())
    return max(number[1] for number in numbers if number)
