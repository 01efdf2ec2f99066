"""The pass sheet of a drill: what was done, what was measured against which bar, passed or not."""

from collections.abc import Sequence
from typing import Any

import msgspec


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One figure against its limit."""

    name: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the figure does not exceed the limit."""
        return self.measured <= self.limit

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        sign = "≤" if self.holds else ">"
        return f"{self.name} {self.measured:g}{unit} {sign} {self.limit:g}{unit}"


class ScenarioResult(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario as it went."""

    code: str
    title: str
    done: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    failure: str = ""  # why it could not be carried through
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it was carried through and every bar holds."""
        return not self.failure and bool(self.bars) and all(bar.holds for bar in self.bars)


class PassSheet(msgspec.Struct, frozen=True, kw_only=True):
    """All scenarios of one drill."""

    candidates: int
    results: tuple[ScenarioResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every scenario passed."""
        return bool(self.results) and all(result.passed for result in self.results)

    def plain(self) -> dict[str, Any]:
        """Return the sheet for JSON, verdicts included."""
        scenarios: list[dict[str, Any]] = [
            msgspec.to_builtins(result) | {"passed": result.passed, "bars": [_plain_bar(bar) for bar in result.bars]}
            for result in self.results
        ]
        return {"candidates": self.candidates, "passed": self.passed, "scenarios": scenarios}


def seconds_bar(name: str, measured: float, limit: float) -> Bar:
    """Return a bar in seconds, to the hundredth."""
    return Bar(name=name, measured=round(measured, 2), limit=limit, unit="s")


def none_of(name: str, found: Sequence[object] | int) -> Bar:
    """Return a bar that allows nothing at all."""
    return Bar(name=name, measured=found if isinstance(found, int) else len(found), limit=0)


def _plain_bar(bar: Bar) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(bar)
    return plain | {"holds": bar.holds}
