"""Everybody signs in within a minute and a half, then half of them start within thirty seconds, then the rest."""

import random

from loadtests.arrivals import at_the_bell, bell
from loadtests.candidate_bot.seat import Seat
from loadtests.stage import Stage

SIGN_IN_SECONDS = 90.0
START_SECONDS = 30.0


async def run(stage: Stage) -> list[str]:
    """Sign in and start."""
    rng = random.Random(stage.seed)
    count = len(stage.seats)
    await stage.begin_measuring()
    stage.tell(f"{count} sign in within {SIGN_IN_SECONDS:.0f} s …")
    await stage.spread(bell(count, SIGN_IN_SECONDS, rng), Seat.come_in)
    half = count // 2
    stage.tell(f"{half} start within {START_SECONDS:.0f} s, and the others after them …")
    first = at_the_bell(half, START_SECONDS, rng)
    second = [START_SECONDS + moment for moment in at_the_bell(count - half, START_SECONDS, rng)]
    await stage.spread([*first, *second], Seat.start)
    await stage.end_measuring()
    return []
