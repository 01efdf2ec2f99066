"""What runs on a data folder now: read by commands that need the servers, and by the next start after a crash."""

import os
import signal
from pathlib import Path
from typing import Self

import msgspec

from exam_engine.infra.embedded import processes
from exam_engine.infra.embedded.lock import FolderLock
from exam_engine.infra.embedded.processes import ProcessMark
from exam_engine.infra.errors import EmbeddedServerError

FILE_NAME = "running.json"
_ORPHAN_SECONDS = 20.0


class Running(msgspec.Struct, frozen=True):
    """The supervisor, its children and their addresses."""

    supervisor: ProcessMark
    children: list[ProcessMark]
    database_url: str | None
    redis_url: str | None
    http_url: str | None

    @classmethod
    def of(
        cls, children: list[ProcessMark], database_url: str | None, redis_url: str | None, http_url: str | None
    ) -> Self:
        """Describe the present process as supervisor of these children."""
        return cls(processes.mark("supervisor", os.getpid()), children, database_url, redis_url, http_url)


def read_running(data_folder: Path) -> Running | None:
    """Return what was written down, whether or not it still lives."""
    try:
        return msgspec.json.decode((data_folder / FILE_NAME).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def write_running(data_folder: Path, running: Running) -> None:
    """Write it down in one step, so that a reader never sees half of it."""
    unfinished = data_folder / f"{FILE_NAME}.unfinished"
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(running)))
    unfinished.chmod(0o600)
    unfinished.replace(data_folder / FILE_NAME)


def clear_running(data_folder: Path) -> None:
    """Forget it after a clean stop."""
    (data_folder / FILE_NAME).unlink(missing_ok=True)


def stop_orphans(data_folder: Path, lock: FolderLock) -> None:
    """Take a lock that is held: by a living supervisor (refuse), or by what a killed one left (stop that first)."""
    running = read_running(data_folder)
    if running is not None and processes.is_alive(running.supervisor):
        where = f" at {running.http_url}" if running.http_url else ""
        raise EmbeddedServerError(
            f"the engine already runs on {data_folder} as process {running.supervisor.pid}{where}; "
            f"use that one, or stop it with Ctrl-C (kill {running.supervisor.pid})"
        )
    if running is not None:
        # The servers come first in the list; what uses them goes first.
        for child in reversed(running.children):
            processes.send(child, signal.SIGINT if child.name == "PostgreSQL" else signal.SIGTERM)
        for child in processes.wait_until_gone(running.children, _ORPHAN_SECONDS):
            processes.send(child, signal.SIGKILL)
    # A start that has just taken the lock has not written its number yet, so wait a little in either case.
    if not lock.take(wait_seconds=5.0):
        holders = ", ".join(str(pid) for pid in processes.holders_of(lock.path)) or "of another user"
        raise EmbeddedServerError(
            f"the data folder {data_folder} is in use by processes {holders}; stop them, then start again"
        )
