"""Counting what bots met: latencies by kind of request and second of the run, and refusals by reason."""

from array import array
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np


class Latencies(msgspec.Struct, frozen=True):
    """The latencies of one kind, milliseconds."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    most_ms: float


class Second(msgspec.Struct, frozen=True):
    """One second of the run, of one kind."""

    at: int
    count: int
    p50_ms: float
    p99_ms: float


class Tally:
    """Counters all bots of a process share."""

    def __init__(self) -> None:
        self.answers = 0
        self.reloads = 0
        self.drops = 0
        self.failures: Counter[str] = Counter()
        self._began: dict[str, array[float]] = {}
        self._seconds: dict[str, array[float]] = {}

    def time(self, kind: str, began: float, seconds: float) -> None:
        """Note an answered request: when it began, and how long it took."""
        if kind not in self._began:
            self._began[kind], self._seconds[kind] = array("d"), array("d")
        self._began[kind].append(began)
        self._seconds[kind].append(seconds)

    def fail(self, kind: str, reason: str) -> None:
        """Note a request without a good answer."""
        self.failures[f"{kind}: {reason}"] += 1

    def forget(self) -> None:
        """Begin to measure anew: what went before was getting there."""
        self.failures.clear()
        self._began.clear()
        self._seconds.clear()

    def kinds(self) -> Sequence[str]:
        """The kinds of requests that were answered."""
        return sorted(self._began)

    def latencies(self, kind: str) -> Latencies:
        """Summarise one kind."""
        found = 1000 * np.frombuffer(self._seconds.get(kind, array("d", [0.0])))
        p50, p95, p99 = (round(float(value), 1) for value in np.percentile(found, (50, 95, 99)))
        return Latencies(len(self._seconds.get(kind, ())), p50, p95, p99, round(float(found.max()), 1))

    def curve(self, kind: str, start: float) -> list[Second]:
        """Summarise one kind second by second, counted from a start."""
        at = np.floor(np.frombuffer(self._began[kind]) - start).astype(int)
        found = 1000 * np.frombuffer(self._seconds[kind])
        curve = []
        for second in np.unique(at):
            here = found[at == second]
            p50, p99 = np.percentile(here, (50, 99))
            curve.append(Second(int(second), len(here), round(float(p50), 1), round(float(p99), 1)))
        return curve
