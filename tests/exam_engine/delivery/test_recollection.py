"""What a worker remembers of an attempt is believed as long as nothing may have changed, whatever its clock does."""

import msgspec

from exam_engine.delivery.recollection import Recollection
from tests.exam_engine.delivery.cases import MINUTE, RUNNING, STARTS

ATTEMPT = "an attempt"


def test_what_was_learned_before_the_clock_was_set_back_is_asked_again() -> None:
    recollection = Recollection()
    ahead = STARTS + 30 * MINUTE
    recollection.remember(ATTEMPT, RUNNING, ahead)
    assert recollection.recall(ATTEMPT, ahead + 1_000, 0) is not None
    # A pause that another worker gave, learned by a clock that is right again: older than what is remembered.
    assert recollection.recall(ATTEMPT, STARTS + 2_000, STARTS + 1_000) is None
    paused = msgspec.structs.replace(RUNNING, paused_ms=STARTS + 900, revision=2)
    recollection.remember(ATTEMPT, paused, STARTS + 2_000)
    known = recollection.recall(ATTEMPT, STARTS + 3_000, STARTS + 1_000)
    assert known is not None
    assert known.gate.is_paused
