"""A switch fails: everybody is off line for half a minute, answers on, and comes back at once."""

import asyncio

from loadtests.stage import Stage

RAMP_SECONDS = 60.0
OFF_LINE_SECONDS = 30.0
BACK_SECONDS = 45.0


async def run(stage: Stage) -> list[str]:
    """Lose the network and come back."""
    await stage.everybody_in(RAMP_SECONDS)
    for seat in stage.seats:
        seat.think()
    await asyncio.sleep(5.0)
    stage.tell(f"{len(stage.seats)} lose the network for {OFF_LINE_SECONDS:.0f} s …")
    await stage.begin_measuring()
    for seat in stage.seats:
        seat.lose_network(OFF_LINE_SECONDS)
    await asyncio.sleep(OFF_LINE_SECONDS)
    back = stage.town.loop.time()
    await stage.everything_confirmed()
    stage.figures["back_seconds"] = round(stage.town.loop.time() - back, 1)
    await asyncio.sleep(max(BACK_SECONDS - stage.figures["back_seconds"], 0.0))
    await stage.end_measuring()
    for seat in stage.seats:
        seat.stop_thinking()
    await stage.everything_confirmed()
    return await stage.differences()
