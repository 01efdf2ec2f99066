"""The virtual clock: events in one order, chance from seeds, a trace when somebody wants to read it."""

import heapq
import random
from collections.abc import Callable
from typing import Any


class Violation(Exception):
    """An invariant does not hold; the message names which, where and when."""

    def __init__(self, law: str, detail: str) -> None:
        self.law = law
        super().__init__(f"{law}: {detail}")


class Clockwork:
    """Runs what was scheduled in order of time; equal times run in the order in which they were scheduled."""

    __slots__ = ("_events", "_number", "now", "steps", "trace")

    def __init__(self, start_ms: int, *, is_traced: bool = False) -> None:
        self.now = start_ms
        self.steps = 0
        self.trace: list[str] | None = [] if is_traced else None
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    def at(self, time_ms: int, act: Callable[..., None], *arguments: Any) -> None:
        """Do something at a moment that is not past."""
        self._number += 1
        heapq.heappush(self._events, (time_ms, self._number, act, arguments))

    def after(self, delay_ms: int, act: Callable[..., None], *arguments: Any) -> None:
        """Do something after a while."""
        self._number += 1
        heapq.heappush(self._events, (self.now + delay_ms, self._number, act, arguments))

    def run(self, until_ms: int) -> None:
        """Work through everything up to a moment."""
        events = self._events
        pop = heapq.heappop
        steps = 0
        while events and events[0][0] <= until_ms:
            self.now, _, act, arguments = pop(events)
            steps += 1
            act(*arguments)
        self.steps += steps
        self.now = until_ms

    def note(self, who: str, what: str) -> None:
        """Write into the trace; callers ask first whether there is one, for speed."""
        if self.trace is not None:
            self.trace.append(f"{self.now:>9} {who:<12} {what}")


def stream_of_chance(seed: int, purpose: int) -> random.Random:
    """Return a source of its own for each purpose, so that leaving one fault out does not change everything else."""
    return random.Random(seed * 64 + purpose)
