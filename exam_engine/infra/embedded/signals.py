"""The wish to stop: SIGINT, SIGTERM and SIGHUP set it; a child's end wakes whoever waits for it.

A flag, not an exception: an exception between starting a process and writing it down would leave an orphan.
"""

import contextlib
import os
import select
import signal
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Installed for the length of a `with` block in the main thread."""

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = -1, -1
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        """Take the signals over."""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        for number in STOPPING:
            self._before[number] = signal.signal(number, self._stop)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _wake)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, or until the time has passed."""
        with contextlib.suppress(InterruptedError):
            ready, _, _ = select.select([self._read], [], [], seconds)
            if ready:
                os.read(self._read, 4096)

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        self.requested = True


def _wake(number: int, frame: object) -> None:
    """Do nothing: having a handler is what makes the signal interrupt a wait."""
    del number, frame
