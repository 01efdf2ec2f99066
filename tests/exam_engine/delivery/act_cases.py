"""The part of the table of cases that tells of second seats and of what people do to attempts."""

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.errors import (
    ActImpossible,
    AttemptClosed,
    AttemptLocked,
    LateStart,
    LeaseTaken,
    ResponsesMissing,
)
from exam_engine.delivery.model import CloseReason, SecondSeat
from tests.exam_engine.delivery.cases import (
    ABSENT,
    CLAIMED,
    CLOSED_BY_SITTING,
    CLOSED_BY_TIME,
    DEADLINE,
    ENDED,
    ENDS,
    LOCKED,
    MINUTE,
    PAUSED,
    READY,
    RUNNING,
    STARTS,
    SUBMITTED,
    TransitionCase,
    admitting,
    at,
    closing,
    extending,
    postponing,
    starting,
    submitting,
)

ON_PC7 = msgspec.structs.replace(RUNNING, client="pc7.a", seated_ms=STARTS)
READY_PAUSED = msgspec.structs.replace(READY, paused_ms=STARTS + 5 * MINUTE, revision=1)
READY_PAUSED_TWICE = msgspec.structs.replace(
    READY, paused_ms=STARTS + 20 * MINUTE, stops=f"{STARTS + 5 * MINUTE}-{STARTS + 9 * MINUTE}", revision=3
)
READY_STOPPED = msgspec.structs.replace(READY, stops=f"{STARTS + 5 * MINUTE}-{STARTS + 25 * MINUTE}", revision=2)
PAUSED_LATE = msgspec.structs.replace(
    RUNNING, paused_ms=ENDS + 60 * MINUTE, extra_ms=75 * MINUTE, deadline_ms=DEADLINE + 75 * MINUTE, revision=2
)
REFUSED = msgspec.structs.replace(RUNNING, refused="seat-2.b", revision=3)
CLOSED_WHILE_WAITING = msgspec.structs.replace(CLOSED_BY_TIME, claimant="seat-2.b", claimed_ms=STARTS + 58 * MINUTE)
PAUSED_AND_CLAIMED = msgspec.structs.replace(PAUSED, claimant="seat-2.b", claimed_ms=STARTS + 11 * MINUTE)

SECOND_SEATS = [
    TransitionCase(
        "a second tab waits while the first lives",
        ON_PC7,
        starting("pc7.b", STARTS + 10 * MINUTE, seen_ms=STARTS + 10 * MINUTE - 24_999),
        {"lease": 1, "client": "pc7.a", "claimant": "pc7.b", "claimed_ms": STARTS + 10 * MINUTE},
    ),
    TransitionCase(
        "the same machine takes over when the browser has been silent",
        ON_PC7,
        starting("pc7.b", STARTS + 10 * MINUTE, seen_ms=STARTS + 10 * MINUTE - 25_000),
        {"lease": 2, "client": "pc7.b", "seated_ms": STARTS + 10 * MINUTE, "claimant": "", "deadline_ms": DEADLINE},
    ),
    TransitionCase(
        "a browser that has just begun is not silent, whatever was seen before it",
        msgspec.structs.replace(ON_PC7, seated_ms=STARTS + 10 * MINUTE - 1),
        starting("pc7.b", STARTS + 10 * MINUTE, seen_ms=0),
        {"lease": 1, "claimant": "pc7.b"},
    ),
    TransitionCase(
        "where practice allows it another machine takes over at once",
        RUNNING,
        starting("seat-2", STARTS + MINUTE, second_seat=SecondSeat.TAKE_OVER),
        {"lease": 2, "client": "seat-2", "deadline_ms": DEADLINE, "started_ms": STARTS},
    ),
    TransitionCase("who waits asks again", CLAIMED, starting("seat-2.b", STARTS + 31 * MINUTE)),
    TransitionCase(
        "a third machine waits in the place of the second",
        CLAIMED,
        starting("seat-3.c", STARTS + 31 * MINUTE),
        {"claimant": "seat-3.c", "claimed_ms": STARTS + 31 * MINUTE, "lease": 1},
    ),
    TransitionCase(
        "who holds the lease keeps it while another waits", CLAIMED, starting("seat-1", STARTS + 31 * MINUTE)
    ),
    TransitionCase(
        "who was turned away does not wait again",
        REFUSED,
        starting("seat-2.b", STARTS + MINUTE),
        refusal=LeaseTaken,
        told={"lease": 1},
    ),
    TransitionCase(
        "admit, and give back the silence to the millisecond",
        CLAIMED,
        admitting("a", STARTS + 28 * MINUTE + 7, STARTS + 31 * MINUTE),
        {
            "lease": 2,
            "client": "seat-2.b",
            "claimant": "",
            "claimed_ms": 0,
            "seated_ms": STARTS + 31 * MINUTE,
            "extra_ms": 3 * MINUTE - 7,
            "deadline_ms": DEADLINE + 3 * MINUTE - 7,
            "extensions": "a",
        },
    ),
    TransitionCase(
        "admit without giving anything back",
        CLAIMED,
        admitting("a", STARTS, STARTS + 31 * MINUTE, is_credited=False),
        {"lease": 2, "client": "seat-2.b", "extra_ms": 0, "deadline_ms": DEADLINE, "extensions": "a"},
    ),
    TransitionCase(
        "the same admission again, though another waits by now",
        msgspec.structs.replace(CLAIMED, extensions="a"),
        admitting("a", STARTS, STARTS + 31 * MINUTE),
    ),
    TransitionCase(
        "silence while the clock stood is not given back twice",
        PAUSED_AND_CLAIMED,
        admitting("a", STARTS + 8 * MINUTE, STARTS + 12 * MINUTE),
        {"lease": 2, "extra_ms": 2 * MINUTE, "paused_ms": STARTS + 10 * MINUTE},
    ),
    TransitionCase(
        "time closed it while the seat waited: it goes on with what was left",
        CLOSED_WHILE_WAITING,
        admitting("a", STARTS + 57 * MINUTE, STARTS + 65 * MINUTE),
        {"state": "running", "lease": 2, "deadline_ms": STARTS + 68 * MINUTE, "finished_ms": 0, "reason": ""},
    ),
    TransitionCase(
        "time closed it and nothing is given back",
        CLOSED_WHILE_WAITING,
        admitting("a", STARTS + 57 * MINUTE, STARTS + 65 * MINUTE, is_credited=False),
        refusal=ActImpossible,
        told={"act": "admit", "state": "closed", "reason": "time"},
    ),
    TransitionCase(
        "nobody waits",
        RUNNING,
        admitting("a", STARTS, STARTS + MINUTE),
        refusal=ActImpossible,
        told={"reason": "nobody-waits"},
    ),
    TransitionCase("admit after handing in", SUBMITTED, admitting("a", STARTS, STARTS), refusal=ActImpossible),
    TransitionCase(
        "turn away",
        CLAIMED,
        at(model.refuse_claim, STARTS + 31 * MINUTE),
        {"claimant": "", "claimed_ms": 0, "refused": "seat-2.b", "lease": 1},
    ),
    TransitionCase("nobody to turn away", RUNNING, at(model.refuse_claim, STARTS)),
]

CLOCK = [
    TransitionCase(
        "pause", RUNNING, at(model.pause, STARTS + 10 * MINUTE), {"paused_ms": STARTS + 10 * MINUTE, "state": "running"}
    ),
    TransitionCase("pause twice", PAUSED, at(model.pause, STARTS + 12 * MINUTE)),
    TransitionCase(
        "resume: exactly the time it stood",
        PAUSED,
        at(model.resume, STARTS + 13 * MINUTE + 5),
        {
            "paused_ms": 0,
            "extra_ms": 3 * MINUTE + 5,
            "deadline_ms": DEADLINE + 3 * MINUTE + 5,
            "stops": f"{STARTS + 10 * MINUTE}-{STARTS + 13 * MINUTE + 5}",
        },
    ),
    TransitionCase("resume what runs", RUNNING, at(model.resume, STARTS)),
    TransitionCase(
        "pause within the grace", RUNNING, at(model.pause, DEADLINE + 10_000), {"paused_ms": DEADLINE + 10_000}
    ),
    TransitionCase(
        "pause after the grace",
        RUNNING,
        at(model.pause, DEADLINE + 10_001),
        refusal=ActImpossible,
        told={"reason": "time"},
    ),
    TransitionCase("pause what is handed in", SUBMITTED, at(model.pause, STARTS), refusal=ActImpossible),
    TransitionCase(
        "time closes nobody whose clock stands", PAUSED, closing(CloseReason.TIME, ENDS + model.LONGEST_PAUSE_MS)
    ),
    TransitionCase(
        "a pause nobody ends is ended by time four hours after the end",
        PAUSED,
        closing(CloseReason.TIME, ENDS + model.LONGEST_PAUSE_MS + 1),
        {"state": "closed", "reason": "time", "paused_ms": 0},
    ),
    TransitionCase(
        "a room nobody has started in and nobody has resumed is absent in the end",
        READY_PAUSED,
        closing(CloseReason.TIME, ENDS + model.LONGEST_PAUSE_MS + 1),
        {"state": "closed", "reason": "absent", "paused_ms": 0, "extra_ms": 0},
    ),
    TransitionCase(
        "a pause that begins after the end lasts four hours at most",
        PAUSED_LATE,
        closing(CloseReason.TIME, PAUSED_LATE.paused_ms + model.LONGEST_PAUSE_MS),
    ),
    TransitionCase(
        "who may still start because the clock stood is not absent yet",
        READY_STOPPED,
        closing(CloseReason.TIME, ENDS + 20 * MINUTE),
    ),
    TransitionCase(
        "who might have started later because the clock stood is absent after that",
        READY_STOPPED,
        closing(CloseReason.TIME, ENDS + 20 * MINUTE + 1),
        {"state": "closed", "reason": "absent"},
    ),
    TransitionCase(
        "extra time while the clock stands",
        PAUSED,
        extending("x", 300, STARTS + 11 * MINUTE),
        {"deadline_ms": DEADLINE + 5 * MINUTE, "paused_ms": STARTS + 10 * MINUTE},
    ),
    TransitionCase(
        "hand in while the clock stands",
        PAUSED,
        submitting(STARTS + 11 * MINUTE, {}, {}),
        {"state": "submitted", "paused_ms": 0, "extra_ms": MINUTE},
    ),
    TransitionCase(
        "the sitting ends while the clock stands",
        PAUSED,
        closing(CloseReason.SITTING, STARTS + 80 * MINUTE),
        {"state": "closed", "reason": "sitting", "paused_ms": 0},
    ),
    TransitionCase(
        "a pause before the start",
        READY,
        at(model.pause, STARTS + 5 * MINUTE),
        {"paused_ms": STARTS + 5 * MINUTE, "state": "ready"},
    ),
    TransitionCase(
        "its end gives no time to who has not started, but lets them start as much later",
        READY_PAUSED,
        at(model.resume, STARTS + 25 * MINUTE),
        {"paused_ms": 0, "extra_ms": 0, "deadline_ms": 0, "stops": READY_STOPPED.stops},
    ),
    TransitionCase(
        "start after a pause that lasted beyond the late limit",
        READY_STOPPED,
        starting("seat-1", STARTS + 35 * MINUTE),
        {"state": "running", "deadline_ms": STARTS + 95 * MINUTE, "extra_ms": 0},
    ),
    TransitionCase(
        "start after a pause and after the late limit it moved",
        READY_STOPPED,
        starting("seat-1", STARTS + 35 * MINUTE + 1),
        refusal=LateStart,
        told={"latest_start_ms": STARTS + 35 * MINUTE},
    ),
    TransitionCase(
        "start while the clock stands: it stands for this attempt from its start",
        READY_PAUSED,
        starting("seat-1", STARTS + 7 * MINUTE),
        {
            "state": "running",
            "started_ms": STARTS + 7 * MINUTE,
            "paused_ms": STARTS + 7 * MINUTE,
            "deadline_ms": STARTS + 67 * MINUTE,
            "extra_ms": 0,
            "stops": f"{STARTS + 5 * MINUTE}-{STARTS + 7 * MINUTE}",
        },
    ),
    TransitionCase(
        "a start told afterwards, during a pause that began later: that pause stands as it began",
        msgspec.structs.replace(READY_PAUSED, paused_ms=STARTS + 20 * MINUTE),
        starting("seat-1", STARTS),
        {"started_ms": STARTS, "paused_ms": STARTS + 20 * MINUTE, "deadline_ms": DEADLINE, "extra_ms": 0, "stops": ""},
    ),
    TransitionCase(
        "a start told afterwards gets what stopped the clock since, and what stopped it before moves the end",
        READY_PAUSED_TWICE,
        starting("seat-1", STARTS + 8 * MINUTE),
        {
            "started_ms": STARTS + 8 * MINUTE,
            "paused_ms": STARTS + 20 * MINUTE,
            "deadline_ms": STARTS + 69 * MINUTE,
            "extra_ms": MINUTE,
            "stops": READY_PAUSED_TWICE.stops,
        },
    ),
    TransitionCase(
        "a start told after the pause that followed it: its deadline moves by exactly the time the clock stood",
        READY_STOPPED,
        starting("seat-1", STARTS + MINUTE),
        {"paused_ms": 0, "deadline_ms": STARTS + 81 * MINUTE, "extra_ms": 20 * MINUTE, "stops": READY_STOPPED.stops},
    ),
    TransitionCase(
        "a start told afterwards is not excused by a pause that came after the latest start",
        msgspec.structs.replace(READY, stops=f"{STARTS + 20 * MINUTE}-{STARTS + 30 * MINUTE}", revision=2),
        starting("seat-1", STARTS + 16 * MINUTE),
        refusal=LateStart,
        told={"latest_start_ms": STARTS + 15 * MINUTE},
    ),
    TransitionCase(
        "a postponed start moves its limit and end as well",
        READY,
        postponing(STARTS + 20 * MINUTE),
        {
            "starts_ms": STARTS + 20 * MINUTE,
            "late_ms": STARTS + 35 * MINUTE,
            "ends_ms": STARTS + 95 * MINUTE,
            "state": "ready",
        },
    ),
    TransitionCase("postponed to where it is", READY, postponing(STARTS)),
    TransitionCase("no start is postponed after it", RUNNING, postponing(STARTS + MINUTE), refusal=ActImpossible),
]

PEOPLE = [
    TransitionCase("lock", RUNNING, at(model.lock, STARTS), {"is_locked": True, "deadline_ms": DEADLINE}),
    TransitionCase("lock twice", LOCKED, at(model.lock, STARTS)),
    TransitionCase("unlock", LOCKED, at(model.unlock, STARTS), {"is_locked": False}),
    TransitionCase("unlock what is open", RUNNING, at(model.unlock, STARTS)),
    TransitionCase("lock what is closed", ENDED, at(model.lock, STARTS), refusal=ActImpossible),
    TransitionCase(
        "start what is locked",
        msgspec.structs.replace(READY, is_locked=True),
        starting("seat-1", STARTS),
        refusal=AttemptLocked,
    ),
    TransitionCase("come back to what is locked", LOCKED, starting("seat-1", STARTS + MINUTE)),
    TransitionCase("hand in what is locked", LOCKED, submitting(STARTS + MINUTE, {}, {}), refusal=AttemptLocked),
    TransitionCase(
        "time closes what is locked",
        LOCKED,
        closing(CloseReason.TIME, DEADLINE + 10_001),
        {"state": "closed", "reason": "time"},
    ),
    TransitionCase(
        "end for malpractice",
        RUNNING,
        closing(CloseReason.MALPRACTICE, STARTS + 20 * MINUTE),
        {"state": "closed", "reason": "malpractice", "finished_ms": STARTS + 20 * MINUTE},
    ),
    TransitionCase(
        "end while the clock stands",
        PAUSED,
        closing(CloseReason.INVIGILATOR, STARTS + 12 * MINUTE),
        {"state": "closed", "reason": "invigilator", "paused_ms": 0, "extra_ms": 2 * MINUTE},
    ),
    TransitionCase(
        "absent who has not come", READY, closing(CloseReason.ABSENT, STARTS + MINUTE), {"reason": "absent"}
    ),
    TransitionCase(
        "absent who has started",
        RUNNING,
        closing(CloseReason.ABSENT, STARTS + MINUTE),
        refusal=ActImpossible,
        told={"act": "absent", "state": "running"},
    ),
    TransitionCase("malpractice after handing in changes nothing", SUBMITTED, closing(CloseReason.MALPRACTICE, STARTS)),
    TransitionCase(
        "reopen, with the time in between",
        ENDED,
        at(model.reopen, STARTS + 23 * MINUTE + 1),
        {
            "state": "running",
            "reason": "",
            "finished_ms": 0,
            "extra_ms": 3 * MINUTE + 1,
            "deadline_ms": DEADLINE + 3 * MINUTE + 1,
            "lease": 1,
        },
    ),
    TransitionCase(
        "reopen an absent who comes after all",
        ABSENT,
        at(model.reopen, STARTS + 85 * MINUTE),
        {"state": "ready", "reason": "", "deadline_ms": 0, "stops": f"{STARTS + 80 * MINUTE}-{STARTS + 85 * MINUTE}"},
    ),
    TransitionCase("reopen what runs", RUNNING, at(model.reopen, STARTS)),
    TransitionCase("reopen what is handed in", SUBMITTED, at(model.reopen, STARTS), refusal=ActImpossible),
    TransitionCase("reopen what time closed", CLOSED_BY_TIME, at(model.reopen, DEADLINE * 2), refusal=ActImpossible),
    TransitionCase("reopen a sitting's end", CLOSED_BY_SITTING, at(model.reopen, DEADLINE * 2), refusal=ActImpossible),
    TransitionCase("extend after malpractice", ENDED, extending("x", 300, STARTS + 21 * MINUTE), refusal=AttemptClosed),
    TransitionCase(
        "hand in what lacks answers while another waits",
        CLAIMED,
        submitting(STARTS + 31 * MINUTE, {1: 2}, {}),
        refusal=ResponsesMissing,
    ),
    TransitionCase(
        "handing in sends away who waits",
        CLAIMED,
        submitting(STARTS + 31 * MINUTE, {}, {}),
        {"state": "submitted", "claimant": "", "claimed_ms": 0},
    ),
]

ACTS = [*SECOND_SEATS, *CLOCK, *PEOPLE]
