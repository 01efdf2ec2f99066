"""One table of what may happen to an attempt, run against the pure model and against the scripts on a real Valkey."""

from collections.abc import Callable
from typing import Any

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.errors import (
    AttemptClosed,
    AttemptLocked,
    LateStart,
    LeaseTaken,
    NotStarted,
    ResponsesMissing,
    ResponsesNewer,
    SittingNotStarted,
    TimeOver,
)
from exam_engine.delivery.model import AttemptFacts, AttemptState, Change, CloseReason, SecondSeat

MINUTE = 60_000
STARTS = 1_800_000_000_000
READY = AttemptFacts(
    starts_ms=STARTS,
    late_ms=STARTS + 15 * MINUTE,
    ends_ms=STARTS + 75 * MINUTE,
    duration_ms=60 * MINUTE,
    grace_ms=10_000,
)
RUNNING = msgspec.structs.replace(
    READY,
    state=AttemptState.RUNNING,
    revision=1,
    lease=1,
    client="seat-1",
    started_ms=STARTS,
    deadline_ms=STARTS + 60 * MINUTE,
)
SUBMITTED = msgspec.structs.replace(RUNNING, state=AttemptState.SUBMITTED, revision=2, finished_ms=STARTS + 50 * MINUTE)
CLOSED_BY_TIME = msgspec.structs.replace(
    RUNNING, state=AttemptState.CLOSED, revision=2, finished_ms=STARTS + 60 * MINUTE + 11_000, reason="time"
)
CLOSED_BY_SITTING = msgspec.structs.replace(CLOSED_BY_TIME, reason="sitting")
ABSENT = msgspec.structs.replace(
    READY, state=AttemptState.CLOSED, revision=1, finished_ms=STARTS + 80 * MINUTE, reason="absent"
)
EXTENDED_READY = msgspec.structs.replace(READY, extra_ms=5 * MINUTE, extensions="x", revision=1)
DEADLINE = RUNNING.deadline_ms
ENDS = RUNNING.ends_ms
PAUSED = msgspec.structs.replace(RUNNING, paused_ms=STARTS + 10 * MINUTE, revision=2)
LOCKED = msgspec.structs.replace(RUNNING, is_locked=True, revision=2)
CLAIMED = msgspec.structs.replace(RUNNING, claimant="seat-2.b", claimed_ms=STARTS + 30 * MINUTE, revision=2)
ENDED = msgspec.structs.replace(
    RUNNING, state=AttemptState.CLOSED, revision=2, finished_ms=STARTS + 20 * MINUTE, reason="malpractice"
)


class SaveCase(msgspec.Struct):
    """A save on given facts: None when it counts, else the refusal and its facts."""

    id: str
    facts: AttemptFacts
    lease: int
    now_ms: int
    refusal: type[Exception] | None = None
    told: dict[str, Any] = {}


class SequenceCase(msgspec.Struct):
    """Saves of one slot, one after the other, and what is held at the end."""

    id: str
    sent: list[int]
    kept: list[int]  # the sequences that became events
    held: int


class TransitionCase(msgspec.Struct):
    """A transition on given facts: what changes, or the refusal; no change at all is an empty `after`."""

    id: str
    facts: AttemptFacts
    act: Callable[[AttemptFacts], Change | None]
    after: dict[str, Any] = {}
    refusal: type[Exception] | None = None
    told: dict[str, Any] = {}


SAVES = [
    SaveCase("before the start", READY, 0, STARTS, NotStarted),
    SaveCase("in time", RUNNING, 1, STARTS + MINUTE),
    SaveCase("at the deadline", RUNNING, 1, DEADLINE),
    SaveCase("at the last moment of grace", RUNNING, 1, DEADLINE + 10_000),
    SaveCase("after the grace", RUNNING, 1, DEADLINE + 10_001, TimeOver, {"deadline_ms": DEADLINE}),
    SaveCase("with an old lease", msgspec.structs.replace(RUNNING, lease=2), 1, STARTS, LeaseTaken, {"lease": 2}),
    SaveCase("with a lease never given", RUNNING, 2, STARTS, LeaseTaken, {"lease": 1}),
    SaveCase(
        "with an old lease after the grace: the lease is said first",
        msgspec.structs.replace(RUNNING, lease=2),
        1,
        DEADLINE + 20_000,
        LeaseTaken,
        {"lease": 2},
    ),
    SaveCase("after handing in", SUBMITTED, 1, STARTS + 51 * MINUTE, AttemptClosed, {"state": "submitted"}),
    SaveCase(
        "after closing by time",
        CLOSED_BY_TIME,
        1,
        DEADLINE + 12_000,
        AttemptClosed,
        {"state": "closed", "reason": "time"},
    ),
    SaveCase("while the clock stands", PAUSED, 1, STARTS + 11 * MINUTE),
    SaveCase("while the clock stands, long after the deadline", PAUSED, 1, DEADLINE + 60 * MINUTE),
    SaveCase("while locked", LOCKED, 1, STARTS + MINUTE, AttemptLocked),
    SaveCase("while locked, with an old lease: the lease is said first", LOCKED, 7, STARTS, LeaseTaken, {"lease": 1}),
    SaveCase("while locked, after the grace: the lock is said first", LOCKED, 1, DEADLINE + 20_000, AttemptLocked),
    SaveCase("while another seat waits", CLAIMED, 1, STARTS + MINUTE),
    SaveCase(
        "after an end by people",
        ENDED,
        1,
        STARTS + 21 * MINUTE,
        AttemptClosed,
        {"state": "closed", "reason": "malpractice"},
    ),
    SaveCase("of an absent", ABSENT, 0, STARTS + 81 * MINUTE, AttemptClosed, {"state": "closed", "reason": "absent"}),
]

SEQUENCES = [
    SequenceCase("each newer replaces", [1, 2, 3], [1, 2, 3], 3),
    SequenceCase("a duplicate changes nothing", [4, 4, 4], [4], 4),
    SequenceCase("a late one does not undo", [5, 3], [5], 5),
    SequenceCase("any order ends the same", [2, 7, 1, 6], [2, 7], 7),
    SequenceCase("large counts are exact", [2**53 - 2, 2**53 - 1], [2**53 - 2, 2**53 - 1], 2**53 - 1),
]


def starting(
    client: str, now_ms: int, seen_ms: int = 0, second_seat: SecondSeat = SecondSeat.ADMIT
) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.start(facts, client, now_ms, seen_ms=seen_ms, second_seat=second_seat)


def admitting(
    request: str, seen_ms: int, now_ms: int, *, is_credited: bool = True
) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.admit(facts, request, seen_ms, now_ms, is_credited=is_credited)


def at(
    transition: Callable[[AttemptFacts, int], Change | None], now_ms: int
) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: transition(facts, now_ms)


def postponing(starts_ms: int) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.postpone(facts, starts_ms, STARTS - MINUTE)


def submitting(
    now_ms: int, held: dict[int, int], stored: dict[int, int], lease: int = 1
) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.submit(facts, lease, held, stored, now_ms)


def extending(name: str, seconds: int, now_ms: int) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.extend(facts, name, seconds, now_ms)


def closing(reason: CloseReason, now_ms: int) -> Callable[[AttemptFacts], Change | None]:
    return lambda facts: model.close(facts, reason, now_ms)


TRANSITIONS = [
    TransitionCase(
        "start on time",
        READY,
        starting("seat-1", STARTS),
        {"state": "running", "lease": 1, "client": "seat-1", "started_ms": STARTS, "deadline_ms": DEADLINE},
    ),
    TransitionCase(
        "start a second early",
        READY,
        starting("seat-1", STARTS - 1000),
        refusal=SittingNotStarted,
        told={"starts_at_ms": STARTS},
    ),
    TransitionCase(
        "start late, within the limit: all the time",
        READY,
        starting("seat-1", STARTS + 15 * MINUTE),
        {"state": "running", "started_ms": STARTS + 15 * MINUTE, "deadline_ms": STARTS + 75 * MINUTE},
    ),
    TransitionCase(
        "start after the late limit",
        READY,
        starting("seat-1", STARTS + 15 * MINUTE + 1),
        refusal=LateStart,
        told={"latest_start_ms": STARTS + 15 * MINUTE},
    ),
    TransitionCase(
        "the end of the sitting cuts the time of a late start",
        msgspec.structs.replace(READY, late_ms=STARTS + 70 * MINUTE),
        starting("seat-1", STARTS + 30 * MINUTE),
        {"state": "running", "started_ms": STARTS + 30 * MINUTE, "deadline_ms": STARTS + 75 * MINUTE},
    ),
    TransitionCase(
        "no start at the end of the sitting",
        msgspec.structs.replace(READY, late_ms=STARTS + 90 * MINUTE),
        starting("seat-1", STARTS + 75 * MINUTE),
        refusal=LateStart,
    ),
    TransitionCase(
        "extra time given before the start counts",
        EXTENDED_READY,
        starting("seat-1", STARTS),
        {"state": "running", "deadline_ms": DEADLINE + 5 * MINUTE, "extra_ms": 5 * MINUTE},
    ),
    TransitionCase("resume from the same client", RUNNING, starting("seat-1", STARTS + MINUTE)),
    TransitionCase(
        "another machine waits for the invigilator, however long the first is silent",
        RUNNING,
        starting("seat-2", STARTS + MINUTE),
        {"lease": 1, "client": "seat-1", "claimant": "seat-2", "claimed_ms": STARTS + MINUTE},
    ),
    TransitionCase("resume after the grace", RUNNING, starting("seat-1", DEADLINE + 10_001), refusal=TimeOver),
    TransitionCase(
        "start after handing in", SUBMITTED, starting("seat-1", STARTS + 55 * MINUTE), refusal=AttemptClosed
    ),
    TransitionCase("start of an absent", ABSENT, starting("seat-1", STARTS + 81 * MINUTE), refusal=AttemptClosed),
    TransitionCase(
        "hand in with everything there",
        RUNNING,
        submitting(STARTS + 50 * MINUTE, {1: 3, 2: 1}, {1: 3, 2: 1, 9: 9}),
        {"state": "submitted", "finished_ms": STARTS + 50 * MINUTE},
    ),
    TransitionCase(
        "hand in while the server lacks answers",
        RUNNING,
        submitting(STARTS + 50 * MINUTE, {1: 3, 2: 5, 4: 6}, {1: 2, 2: 5}),
        refusal=ResponsesMissing,
        told={"missing": (1, 4)},
    ),
    TransitionCase(
        "hand in while the server has newer answers than the seat shows",
        RUNNING,
        submitting(STARTS + 50 * MINUTE, {1: 3, 2: 1}, {1: 3, 2: 4}),
        refusal=ResponsesNewer,
        told={"newer": (2,)},
    ),
    TransitionCase("hand in within the grace", RUNNING, submitting(DEADLINE + 9_000, {}, {}), {"state": "submitted"}),
    TransitionCase("hand in after the grace", RUNNING, submitting(DEADLINE + 10_001, {}, {}), refusal=TimeOver),
    TransitionCase("hand in twice", SUBMITTED, submitting(STARTS + 55 * MINUTE, {}, {})),
    TransitionCase("hand in before the start", READY, submitting(STARTS, {}, {}, lease=0), refusal=NotStarted),
    TransitionCase(
        "hand in from the seat that lost the lease",
        msgspec.structs.replace(RUNNING, lease=2),
        submitting(STARTS + MINUTE, {}, {}),
        refusal=LeaseTaken,
    ),
    TransitionCase(
        "extend while running",
        RUNNING,
        extending("x", 300, STARTS + MINUTE),
        {"deadline_ms": DEADLINE + 5 * MINUTE, "extra_ms": 5 * MINUTE, "extensions": "x", "state": "running"},
    ),
    TransitionCase(
        "extend before the start",
        READY,
        extending("x", 300, STARTS - MINUTE),
        {"deadline_ms": 0, "extra_ms": 5 * MINUTE, "extensions": "x", "state": "ready"},
    ),
    TransitionCase("the same extension again", EXTENDED_READY, extending("x", 300, STARTS)),
    TransitionCase(
        "another extension on top",
        EXTENDED_READY,
        extending("y", 60, STARTS),
        {"extra_ms": 6 * MINUTE, "extensions": "x y"},
    ),
    TransitionCase(
        "extend after time closed it: it reopens",
        CLOSED_BY_TIME,
        extending("x", 300, DEADLINE + MINUTE),
        {"state": "running", "deadline_ms": DEADLINE + 5 * MINUTE, "finished_ms": 0, "reason": "", "lease": 1},
    ),
    TransitionCase(
        "extend so late that the new deadline has passed too",
        CLOSED_BY_TIME,
        extending("x", 300, DEADLINE + 5 * MINUTE),
        refusal=AttemptClosed,
    ),
    TransitionCase(
        "extend after handing in", SUBMITTED, extending("x", 300, STARTS + 51 * MINUTE), refusal=AttemptClosed
    ),
    TransitionCase(
        "extend after the sitting closed it",
        CLOSED_BY_SITTING,
        extending("x", 3000, DEADLINE + MINUTE),
        refusal=AttemptClosed,
    ),
    TransitionCase(
        "close when time is over",
        RUNNING,
        closing(CloseReason.TIME, DEADLINE + 10_001),
        {"state": "closed", "reason": "time", "finished_ms": DEADLINE + 10_001},
    ),
    TransitionCase("do not close within the grace", RUNNING, closing(CloseReason.TIME, DEADLINE + 10_000)),
    TransitionCase("time does not close who has not started", READY, closing(CloseReason.TIME, DEADLINE * 2)),
    TransitionCase(
        "the end of the sitting closes who runs",
        RUNNING,
        closing(CloseReason.SITTING, STARTS + MINUTE),
        {"state": "closed", "reason": "sitting"},
    ),
    TransitionCase(
        "the end of the sitting makes the others absent",
        READY,
        closing(CloseReason.SITTING, STARTS + 80 * MINUTE),
        {"state": "closed", "reason": "absent"},
    ),
    TransitionCase("what is handed in stays handed in", SUBMITTED, closing(CloseReason.SITTING, STARTS * 2)),
    TransitionCase("what is closed stays closed", CLOSED_BY_TIME, closing(CloseReason.SITTING, STARTS * 2)),
]
