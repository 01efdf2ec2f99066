"""When people come: seeded moments within a span, as seconds from its beginning."""

import random
from collections.abc import Callable, Mapping

Curve = Callable[[int, float, random.Random], list[float]]


def evenly(count: int, span_seconds: float, rng: random.Random) -> list[float]:
    """One after another, with a little chance in each gap."""
    gap = span_seconds / max(count, 1)
    return [(place + rng.random()) * gap for place in range(count)]


def bell(count: int, span_seconds: float, rng: random.Random) -> list[float]:
    """Most in the middle: a class that comes through one door."""
    middle, spread = span_seconds / 2, span_seconds / 6
    return sorted(min(max(rng.gauss(middle, spread), 0.0), span_seconds) for _ in range(count))


def at_the_bell(count: int, span_seconds: float, rng: random.Random) -> list[float]:
    """Most at once, then fewer and fewer: 07:30 in every room, or 08:00 on results day."""
    rate = 4 / span_seconds
    return sorted(min(rng.expovariate(rate), span_seconds) for _ in range(count))


CURVES: Mapping[str, Curve] = {"evenly": evenly, "bell": bell, "at_the_bell": at_the_bell}
