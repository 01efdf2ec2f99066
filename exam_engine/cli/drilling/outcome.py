"""What a drill is asked for and what a scenario of it comes to."""

import msgspec

from exam_engine.cli.drilling.sheet import Bar

BEGIN_SECONDS = 30.0
BACK_SECONDS = 60.0


class DrillPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How large and how long a drill is."""

    seats: int = 24
    cable_seconds: tuple[float, ...] = (5.0, 20.0)  # F09: how long the cable of one seat is out
    switch_seconds: float = 5.0  # F13
    database_seconds: float = 20.0  # F21


class Outcome(msgspec.Struct, frozen=True):
    """What a scenario did and measured."""

    done: tuple[str, ...]
    bars: tuple[Bar, ...]
