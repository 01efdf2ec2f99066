"""The part of the table of cases that tells of acts done by mistake and taken back."""

from collections.abc import Callable

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.errors import ActImpossible
from exam_engine.delivery.model import AttemptFacts, Change
from tests.exam_engine.delivery.act_cases import REFUSED
from tests.exam_engine.delivery.cases import DEADLINE, MINUTE, READY, RUNNING, STARTS, SUBMITTED, TransitionCase, at

GIVEN = msgspec.structs.replace(
    RUNNING, revision=2, extensions="x", extra_ms=60 * MINUTE, deadline_ms=DEADLINE + 60 * MINUTE
)


def taking_back(name: str, seconds: int, request: str, now_ms: int) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.take_back(facts, name, seconds, request, now_ms)


MISTAKES = [
    TransitionCase(
        "extra time given by mistake is taken back whole",
        GIVEN,
        taking_back("x", 3600, "u", STARTS + MINUTE),
        {"extra_ms": 0, "deadline_ms": DEADLINE, "extensions": "x u"},
    ),
    TransitionCase(
        "in the extra time itself, what leaves a minute, in whole seconds",
        GIVEN,
        taking_back("x", 3600, "u", DEADLINE + 10 * MINUTE + 1),
        {
            "extra_ms": 11 * MINUTE + 1000,
            "deadline_ms": DEADLINE + 11 * MINUTE + 1000,
            "extensions": "x u",
        },
    ),
    TransitionCase("in the last minute nothing", GIVEN, taking_back("x", 3600, "u", DEADLINE + 59 * MINUTE)),
    TransitionCase(
        "a clock that stands leaves what was left when it stopped",
        msgspec.structs.replace(GIVEN, paused_ms=DEADLINE),
        taking_back("x", 3600, "u", DEADLINE + 600 * MINUTE),
        {"extra_ms": MINUTE, "deadline_ms": DEADLINE + MINUTE, "extensions": "x u"},
    ),
    TransitionCase(
        "before the start there is no deadline to move",
        msgspec.structs.replace(READY, revision=1, extensions="x", extra_ms=5 * MINUTE),
        taking_back("x", 300, "u", STARTS - MINUTE),
        {"extra_ms": 0, "deadline_ms": 0, "extensions": "x u"},
    ),
    TransitionCase("never given", RUNNING, taking_back("x", 300, "u", STARTS + MINUTE)),
    TransitionCase(
        "taken back before",
        msgspec.structs.replace(GIVEN, extensions="x u"),
        taking_back("x", 300, "u", STARTS + MINUTE),
    ),
    TransitionCase("handed in", SUBMITTED, taking_back("x", 300, "u", STARTS + MINUTE)),
    TransitionCase("who was turned away may ask again", REFUSED, at(model.allow_again, STARTS), {"refused": ""}),
    TransitionCase("nobody was turned away", RUNNING, at(model.allow_again, STARTS)),
    TransitionCase(
        "ask again at a paper that is over", SUBMITTED, at(model.allow_again, STARTS), refusal=ActImpossible
    ),
]
