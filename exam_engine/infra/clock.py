"""The present time: the only place that reads the system's clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present time, UTC and aware."""
    return datetime.now(UTC)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch; the unit of deadlines in Redis and in the browser."""
    return round(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Inverse of `to_milliseconds`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
