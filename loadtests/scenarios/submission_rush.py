"""The last minute: everybody hands in within twenty seconds."""

import random

from loadtests.arrivals import at_the_bell
from loadtests.candidate_bot.seat import Seat
from loadtests.stage import Stage

RAMP_SECONDS = 60.0
SPAN_SECONDS = 20.0


async def run(stage: Stage) -> list[str]:
    """Hand in, and compare what was acknowledged with what is stored."""
    await stage.everybody_in(RAMP_SECONDS)
    await stage.begin_measuring()
    stage.tell(f"{len(stage.seats)} hand in within {SPAN_SECONDS:.0f} s …")
    await stage.spread(at_the_bell(len(stage.seats), SPAN_SECONDS, random.Random(stage.seed)), Seat.hand_in)
    await stage.end_measuring()
    found = await stage.differences()
    return found + [f"candidate {seat.card.number}: no receipt" for seat in stage.seats if not seat.protocol.receipt]
