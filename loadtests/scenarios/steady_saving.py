"""Everybody answers, each every fifteen seconds on average, and asks for the time when idle."""

import asyncio

from loadtests.stage import Stage

RAMP_SECONDS = 60.0
SETTLING_SECONDS = 20.0
MEASURED_SECONDS = 120.0


async def run(stage: Stage) -> list[str]:
    """Answer for two minutes; what came before is not measured."""
    await stage.everybody_in(RAMP_SECONDS)
    for place, seat in enumerate(stage.seats):
        stage.town.loop.call_later(SETTLING_SECONDS * place / len(stage.seats), seat.think)
    await asyncio.sleep(SETTLING_SECONDS)
    await stage.begin_measuring()
    stage.tell(f"{len(stage.seats)} answer for {MEASURED_SECONDS:.0f} s …")
    await asyncio.sleep(MEASURED_SECONDS)
    await stage.end_measuring()
    for seat in stage.seats:
        seat.stop_thinking()
    await stage.everything_confirmed()
    return await stage.differences()
