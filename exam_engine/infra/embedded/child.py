"""One child process: started in a session of its own, its output in a file, stopped by its own signal."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from exam_engine.infra.embedded import processes
from exam_engine.infra.errors import EmbeddedServerError

KEPT_LOGS = 3
_BACK_OFF_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 30.0


class ServerUser(msgspec.Struct, frozen=True):
    """The system user a server runs as when we are root; numbers, because a name needs a look-up in the child."""

    uid: int
    gid: int


class ChildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to start, recognise and stop one process."""

    name: str
    command: Sequence[str]
    log_file: Path
    environment: Mapping[str, str]
    folder: Path = Path("/")
    user: ServerUser | None = None
    is_ready: Callable[[], bool] | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0
    leads_group: bool = True  # its own children share its process group and must not outlive it


class Child:
    """A process we started and must end."""

    def __init__(self, plan: ChildPlan, inherited: Sequence[int] = ()) -> None:
        self.plan = plan
        self.failures = 0
        self.starts = 0
        self.mark: processes.ProcessMark | None = None
        self._inherited = tuple(inherited)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._due_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process's number while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process; its output is appended to its log."""
        plan = self.plan
        try:
            with plan.log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    list(plan.command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=plan.folder,
                    env=dict(plan.environment),
                    start_new_session=True,
                    pass_fds=self._inherited,
                    user=plan.user.uid if plan.user else None,
                    group=plan.user.gid if plan.user else None,
                    extra_groups=[] if plan.user else None,
                )
        except OSError as error:
            raise EmbeddedServerError(f"{plan.name} cannot be started: {error.strerror} ({plan.command[0]})") from error
        self.starts += 1
        self._started_at = time.monotonic()
        self.mark = processes.mark(plan.name, self._process.pid)

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self.pid is not None

    def is_ready(self) -> bool:
        """Tell whether it lives and does its work already."""
        return self.is_running() and (self.plan.is_ready is None or self.plan.is_ready())

    def wait_ready(self, seconds: float) -> None:
        """Wait until the process is ready.

        Raises
        ------
        EmbeddedServerError
            It ended, or was not ready in time; the text holds the last lines of its log.
        """
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            self.require_chance(deadline)
            time.sleep(0.01)

    def require_chance(self, deadline: float) -> None:
        """Raise if a process that is not ready yet cannot become so: it ended, or its time is over."""
        if not self.is_running():
            raise EmbeddedServerError(f"{self.plan.name} ended at its start; its last lines:{self.last_lines()}")
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"{self.plan.name} was not ready in time; its last lines:{self.last_lines()}")

    def take_ending(self) -> str | None:
        """Return, once, how the process ended if it has."""
        if self._process is None or self._process.poll() is None:
            return None
        status = self._process.returncode
        if self.plan.leads_group:
            processes.end_group(self._process.pid)
        self._process = None
        self.mark = None
        self._postpone()
        return signal.strsignal(-status) if status < 0 else f"exit code {status}"

    def revive(self) -> bool:
        """Start a dead process again once its back-off has passed; tell whether it was started just now."""
        if self.is_running() or time.monotonic() < self._due_at:
            return False
        try:
            self.start()
        except EmbeddedServerError:
            self._postpone()
            raise
        return True

    def ask_to_stop(self) -> None:
        """Send the signal that asks the process to end."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.plan.stop_signal)

    def wait_stopped(self) -> None:
        """Wait for the end of a process that was asked to, and kill it if it takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(self.plan.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self.plan.leads_group:
            processes.end_group(self._process.pid)
        self._process = None
        self.mark = None

    def last_lines(self, count: int = 8) -> str:
        """Return the end of the log, set off for people."""
        try:
            with self.plan.log_file.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
                text = log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()][-count:]
        return "".join(f"\n    {line}" for line in lines)

    def _postpone(self) -> None:
        """Set the earliest moment of the next start: at once after a long life, later and later after short ones."""
        now = time.monotonic()
        self.failures = 1 if now - self._started_at > _STEADY_SECONDS else self.failures + 1
        self._due_at = now + _BACK_OFF_SECONDS[min(self.failures, len(_BACK_OFF_SECONDS)) - 1]


def stop_together(children: Sequence[Child]) -> None:
    """Ask all of them to end, then wait for each."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped()


def rotate(log_file: Path) -> None:
    """Move the logs of earlier starts up by one; the oldest falls out."""
    if not log_file.exists():
        return
    for number in range(KEPT_LOGS, 0, -1):
        older = log_file.with_name(f"{log_file.name}.{number}")
        newer = log_file if number == 1 else log_file.with_name(f"{log_file.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)
