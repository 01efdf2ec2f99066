"""Create the job queue's tables and functions. pre

The statements are the queue package's own numbered files, replayed up to the last one named here. A later version of
the package brings further files: a new revision of ours names those, so an old database and a new one end alike.
"""

from importlib import resources
from typing import Any

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LAST_FILE = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def upgrade() -> None:
    op.execute("set lock_timeout = '5s'")
    folder = resources.files("procrastinate.sql") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    for name in names[: names.index(LAST_FILE) + 1]:
        _execute_script((folder / name).read_text("utf-8"))


def downgrade() -> None:
    raise RuntimeError("the job queue cannot be taken out again: restore a backup instead")


def _execute_script(statements: str) -> None:
    # A prepared statement holds one command only: the script takes the driver's simple protocol, in our transaction.
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(statements))
