"""Checks and simulates exam days."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.store import SittingContext
from exam_engine.infra.clock import Clock, local_day
from exam_engine.overviews.exam_day.findings import DayCheck, Finding, worst_first
from exam_engine.overviews.exam_day.gathering import gather_machines, gather_plan, sittings_of_day
from exam_engine.overviews.exam_day.machines import lint_machines
from exam_engine.overviews.exam_day.plan import PlannedSitting, lint_plan
from exam_engine.overviews.exam_day.simulation import DaySimulation, Habits, Pause, simulate_day

LOOKED_AT = (
    *("times", "papers", "seals", "candidates", "rooms", "invigilators", "accommodations", "frozen settings"),
    *("versions", "schema", "redis durability", "clocks", "disk", "processes", "write-behind"),
)


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where a check looks."""

    session: AsyncSession
    redis: Redis
    data_folder: Path
    clock: Clock
    time_zone: str


async def check_day(grounds: Grounds, contexts: Sequence[SittingContext]) -> DayCheck:
    """Check the plan of some sittings together with those of the same days, and the machines.

    Raises
    ------
    ServiceUnavailable
    """
    wanted = {context.sitting.code for context in contexts}
    beside = await _beside(grounds, contexts)
    day = await gather_plan(grounds.session, [*contexts, *beside], grounds.time_zone)
    machines = await gather_machines(grounds.session, grounds.redis, grounds.data_folder, grounds.clock)
    findings = [finding for finding in lint_plan(day, grounds.clock()) if _concerns(finding, wanted)]
    return DayCheck(
        sittings=tuple(context.sitting.code for context in contexts),
        looked_at=LOOKED_AT,
        findings=worst_first([*findings, *lint_machines(machines)]),
    )


async def simulate(
    session: AsyncSession,
    contexts: Sequence[SittingContext],
    *,
    habits: Habits | None = None,
    pauses: Sequence[Pause] = (),
    seed: int = 0,
    time_zone: str,
    now: datetime,
) -> tuple[DaySimulation, tuple[Finding, ...]]:
    """Walk through the day of some sittings, and say what of their plan contradicts itself."""
    day: list[PlannedSitting] = await gather_plan(session, contexts, time_zone)
    return simulate_day(day, habits, pauses, seed), worst_first(lint_plan(day, now))


async def _beside(grounds: Grounds, contexts: Sequence[SittingContext]) -> list[SittingContext]:
    known = {context.sitting.id for context in contexts}
    beside: dict[str, SittingContext] = {}
    for context in contexts:
        day = local_day(context.sitting.starts_at, grounds.time_zone)
        for other in await sittings_of_day(grounds.session, day, grounds.time_zone):
            if other.sitting.id not in known:
                beside[other.sitting.code] = other
    return list(beside.values())


def _concerns(finding: Finding, wanted: set[str]) -> bool:
    return bool(wanted & set(finding.place.split(" + ")))
