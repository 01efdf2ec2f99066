"""A streaming replica of the embedded PostgreSQL, made by `pg_basebackup` of the same wheel."""

import asyncio
import os
import subprocess
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from exam_engine.infra.embedded.child import ChildPlan
from exam_engine.infra.embedded.servers import DATABASE_NAME, DATABASE_USER, EmbeddedServers
from exam_engine.infra.settings import Secret

PRIMARY_PORT = 5432
PORT = 5433
NAME = "standby"


def both_addresses(servers: EmbeddedServers) -> dict[str, Any]:
    """The address of primary and replica, which asks for whichever is primary."""
    folder = servers.places.run_folder
    hosts = f"host={folder},{folder}&port={PRIMARY_PORT},{PORT}"
    return {"database_url": Secret(f"postgresql://{DATABASE_USER}@/{DATABASE_NAME}?{hosts}")}


def plan_standby(servers: EmbeddedServers) -> Sequence[ChildPlan]:
    """Copy the primary while it runs, and tell how the copy is started as its replica."""
    places = servers.places
    folder = places.base / NAME
    user = places.user
    if user is not None:
        folder.mkdir(mode=0o700)
        os.chown(folder, user.uid, user.gid)
    subprocess.run(
        [
            str(places.binaries.postgresql_folder / "pg_basebackup"),
            *("-h", str(places.run_folder), "-p", str(PRIMARY_PORT), "-U", DATABASE_USER),
            *("-D", str(folder), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        ],
        cwd="/",
        env={"PATH": os.defpath},
        check=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    primary = next(child.plan for child in servers.children if child.plan.name == "PostgreSQL")
    command = [*primary.command, "-c", f"port={PORT}"]
    command[command.index("-D") + 1] = str(folder)
    asks = [str(places.binaries.pg_isready), "-q", "-h", str(places.run_folder), "-p", str(PORT), "-U", DATABASE_USER]
    return [
        msgspec.structs.replace(
            primary,
            name=NAME,
            command=command,
            folder=folder,
            log_file=places.logs / "standby.log",
            is_ready=lambda: subprocess.run(asks, cwd="/", env={"PATH": os.defpath}, check=False).returncode == 0,
        )
    ]


async def ask_server(folder: str, port: int, query: str) -> list[Any]:
    """Ask one of the two servers itself."""
    connection = await asyncpg.connect(host=folder, port=port, user=DATABASE_USER, database=DATABASE_NAME)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def until(folder: str, port: int, query: str) -> None:
    """Wait until a query answers true at a server."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await ask_server(folder, port, query))[0][0]:
                    return
            except (asyncpg.PostgresError, OSError):
                pass
            await asyncio.sleep(0.05)
