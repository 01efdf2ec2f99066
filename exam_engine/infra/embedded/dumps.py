"""Dumps of the database by PostgreSQL's own programs from the wheel, as new as any server we support."""

import os
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo

from exam_engine.infra.database import database_url, hosts_of
from exam_engine.infra.embedded.binaries import find_binaries
from exam_engine.infra.errors import EmbeddedServerError
from exam_engine.infra.settings import Settings


def dump(settings: Settings, file: Path) -> None:
    """Write the whole database to a file, as it stands at this moment; the file appears only when it is complete.

    Raises
    ------
    EmbeddedServerError
        The dump could not be made; nothing is left of it.
    """
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        _run(settings, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}")
        unfinished.chmod(0o600)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(settings: Settings, file: Path) -> None:
    """Replace what the database holds with a dump, wholly or not at all.

    Raises
    ------
    EmbeddedServerError
        The dump cannot be read or does not fit; the database is as it was.
    """
    _run(settings, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))


def conninfo(settings: Settings, *, with_password: bool = True) -> str:
    """Return the database's address as libpq's programs and psycopg read it."""
    url = database_url(settings)
    hosts, ports = hosts_of(url)
    return make_conninfo(
        host=",".join(str(host) for host in hosts),
        port=",".join(str(port) for port in ports),
        **({"target_session_attrs": str(url.query["target_session_attrs"])} if len(hosts) > 1 else {}),
        user=url.username,
        password=url.password if with_password else None,
        dbname=url.database or url.username,
    )


def _run(settings: Settings, program: str, *arguments: str) -> None:
    password = database_url(settings).password
    # By the environment, because everybody on the machine may read a command line.
    secret = {"PGPASSWORD": str(password)} if password else {}
    answer = subprocess.run(
        [
            str(find_binaries().postgresql_folder / program),
            f"--dbname={conninfo(settings, with_password=False)}",
            *arguments,
        ],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        lines = "".join(f"\n    {line}" for line in answer.stderr.splitlines()[-5:])
        raise EmbeddedServerError(f"{program} refused:{lines}")
