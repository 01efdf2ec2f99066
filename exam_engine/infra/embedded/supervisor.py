"""Keeps everything running: starts what dies with a growing pause, watches the disk, stops all in order.

Nothing here may die of its own reporting: `tell` is a function that cannot fail.
"""

import shutil
import time
from collections.abc import Callable, Sequence

from exam_engine.infra.embedded.child import Child, ChildPlan, rotate, stop_together
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.embedded.signals import StopRequest
from exam_engine.infra.errors import EmbeddedServerError

LOW_DISK_BYTES = 100 * 2**20
_POLL_SECONDS = 0.25
_DISK_SECONDS = 10.0
_LATE_SECONDS = 10.0
_WORRYING_FAILURES = 3

Tell = Callable[[str], None]


class Supervisor:
    """The embedded servers and our own processes over them."""

    def __init__(self, servers: EmbeddedServers, tell: Tell, *, low_disk_bytes: int = LOW_DISK_BYTES) -> None:
        self.servers = servers
        self.children: list[Child] = []
        self._tell = tell
        self._low_disk_bytes = low_disk_bytes
        self._disk_is_low = False
        self._is_remembered = True
        self._disk_seen_at = 0.0

    def launch(self, plans: Sequence[ChildPlan]) -> None:
        """Start our own processes; they inherit the lock, so a later start knows of them."""
        for plan in plans:
            rotate(plan.log_file)
            child = Child(plan, (self.servers.lock.descriptor,))
            self.children.append(child)
            child.start()
        self.servers.remember(*self.children)

    def wait_ready(self, stop: StopRequest, seconds: float) -> None:
        """Wait until every process does its work.

        Raises
        ------
        EmbeddedServerError
            One of them ended or was not ready in time; the text shows the end of its log.
        """
        began = time.monotonic()
        for child in self.children:
            is_late = False
            while not stop.requested and not child.is_ready():
                child.require_chance(began + seconds)
                if not is_late and time.monotonic() - began > _LATE_SECONDS:
                    is_late = True
                    self._tell(f"still waiting for {child.plan.name} ({child.plan.log_file}):{child.last_lines(3)}")
                stop.wait(0.05)

    def watch(self, stop: StopRequest) -> None:
        """Keep everything running until somebody asks to stop."""
        while not stop.requested:
            self.look()
            stop.wait(_POLL_SECONDS)

    def look(self) -> None:
        """One round: start again what has died, and see whether the disk fills up."""
        for child in (*self.servers.children, *self.children):
            ended = child.take_ending()
            if ended is not None:
                self._tell(f"{child.plan.name} ended ({ended}); starting it again")
            try:
                started = child.revive()
            except EmbeddedServerError as error:
                self._tell(str(error))
                started = False
            if started and child.failures == _WORRYING_FAILURES:
                self._tell(f"{child.plan.name} keeps ending; its last lines:{child.last_lines()}")
            self._is_remembered = self._is_remembered and not started
        self._remember()
        self._look_at_disk()

    def stop(self) -> None:
        """Stop our own processes, then the servers they use."""
        stop_together(self.children)
        self.children = []
        self.servers.stop()

    def _remember(self) -> None:
        """Write down who runs now; on a full disk, in a later round."""
        if self._is_remembered:
            return
        try:
            self.servers.remember(*self.children)
            self._is_remembered = True
        except OSError:
            self._disk_seen_at = 0.0  # look at once, and say so

    def _look_at_disk(self) -> None:
        now = time.monotonic()
        if now - self._disk_seen_at < _DISK_SECONDS:
            return
        self._disk_seen_at = now
        free = shutil.disk_usage(self.servers.storage).free
        is_low = free < self._low_disk_bytes
        if is_low and not self._disk_is_low:
            self._tell(
                f"the disk under {self.servers.storage} is nearly full ({free // 2**20} MB left): free some space now; "
                "answers are refused, not lost, while nothing can be written"
            )
        elif self._disk_is_low and not is_low:
            self._tell(f"the disk has room again ({free // 2**20} MB free)")
        self._disk_is_low = is_low
