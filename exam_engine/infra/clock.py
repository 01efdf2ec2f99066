"""The present time: the only place that reads the system's clock."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present time, UTC and aware."""
    return datetime.now(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """Return the day on which a moment falls in a time zone: the day by which grants hold, never the day in UTC."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch; the unit of deadlines in Redis and in the browser."""
    return round(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Inverse of `to_milliseconds`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def millisecond_clock(clock: Clock) -> Callable[[], int]:
    """Return what reads a clock as milliseconds; of the system's clock without a moment between, which costs more."""
    return _system_milliseconds if clock is system_clock else lambda: to_milliseconds(clock())


def _system_milliseconds() -> int:
    return (time.time_ns() + 500_000) // 1_000_000
