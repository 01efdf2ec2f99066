"""The facts of an attempt: all that decides what may happen to it, and the arithmetic on them."""

from enum import StrEnum
from typing import Any

import msgspec

from exam_engine.delivery.model.sittings import Sitting
from exam_engine.infra.clock import to_milliseconds


class AttemptState(StrEnum):
    """Where an attempt stands; paused and locked are facts beside it."""

    READY = "ready"
    RUNNING = "running"
    SUBMITTED = "submitted"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why an attempt was closed without being submitted."""

    TIME = "time"
    SITTING = "sitting"
    ABSENT = "absent"
    INVIGILATOR = "invigilator"
    MALPRACTICE = "malpractice"


class ChangeKind(StrEnum):
    """What a change of the facts was."""

    START = "start"
    RESUME = "resume"  # nothing changed; the seat is back
    TAKE_OVER = "take_over"
    CLAIM = "claim"  # a second seat waits
    ADMIT = "admit"  # and got the lease
    REFUSE = "refuse"
    ALLOW = "allow"  # who was refused may ask again
    SUBMIT = "submit"
    CLOSE = "close"
    EXTEND = "extend"
    TAKE_BACK = "take_back"  # extra time, given by mistake
    REOPEN = "reopen"
    PAUSE = "pause"
    CONTINUE = "continue"
    LOCK = "lock"
    UNLOCK = "unlock"
    POSTPONE = "postpone"
    RECALL = "recall"  # answers came past the seat that writes: it compares
    ACCOMMODATE = "accommodate"  # the accommodation changed while the sitting is open


class Gate(msgspec.Struct, frozen=True, array_like=True):
    """What decides whether a save counts; while it stays the same, so does the answer."""

    state: AttemptState
    lease: int
    deadline_ms: int
    limit_ms: int
    is_paused: bool
    is_locked: bool
    reason: str


class AttemptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what an attempt may do; kept in Redis while the sitting is open."""

    state: AttemptState = AttemptState.READY
    revision: int = 0
    lease: int = 0
    client: str = ""  # "<device>.<tab>" of the browser that holds the lease
    seated_ms: int = 0  # when it got the lease
    claimant: str = ""  # a second browser that waits to be admitted
    claimed_ms: int = 0
    refused: str = ""  # the browser refused last: it does not wait again
    starts_ms: int  # of the sitting, in this room
    late_ms: int  # latest start
    ends_ms: int
    duration_ms: int
    grace_ms: int
    extra_ms: int = 0  # everything credited: accommodation, extensions, pauses, seat moves
    accommodated_ms: int = 0  # of it, what the candidate's accommodation grants
    extensions: str = ""  # ids of acts that credited time, separated by blanks
    started_ms: int = 0
    deadline_ms: int = 0  # 0 before the start
    paused_ms: int = 0  # since when the clock stands; 0: it runs
    stops: str = ""  # "from-to" of each time the clock stood, separated by blanks
    is_locked: bool = False
    finished_ms: int = 0  # when submitted or closed
    reason: str = ""  # a CloseReason

    @property
    def limit_ms(self) -> int:
        """The last moment at which a save counts, unless the clock stands."""
        return self.deadline_ms + self.grace_ms

    @property
    def is_paused(self) -> bool:
        """Whether the clock stands."""
        return self.paused_ms > 0

    @property
    def gate(self) -> Gate:
        """What a save asks."""
        return Gate(
            self.state, self.lease, self.deadline_ms, self.limit_ms, self.is_paused, self.is_locked, self.reason
        )

    def is_over(self, now_ms: int) -> bool:
        """Whether deadline and grace have passed; while the clock stands they do not."""
        return not self.paused_ms and now_ms > self.limit_ms


class Change(msgspec.Struct, frozen=True):
    """A transition: the facts after it, what it was, and when."""

    facts: AttemptFacts
    kind: ChangeKind
    at_ms: int


def granted_ms(sitting: Sitting, time_factor: int, extra_minutes: int) -> int:
    """Return what an accommodation adds to a sitting: hundredths of its duration, and minutes on top."""
    return 10 * sitting.duration_seconds * (time_factor - 100) + 60_000 * extra_minutes


def planned_facts(
    sitting: Sitting, room_code: str = "", time_factor: int = 100, extra_minutes: int = 0
) -> AttemptFacts:
    """Return the facts of an attempt nobody has started; `time_factor` is in hundredths of the duration."""
    accommodated_ms = granted_ms(sitting, time_factor, extra_minutes)
    starts_ms = to_milliseconds(sitting.starts_in(room_code))
    return AttemptFacts(
        starts_ms=starts_ms,
        late_ms=starts_ms + 1000 * sitting.late_limit_seconds,
        ends_ms=to_milliseconds(sitting.ends_in(room_code)),
        duration_ms=1000 * sitting.duration_seconds,
        grace_ms=1000 * sitting.grace_seconds,
        extra_ms=accommodated_ms,
        accommodated_ms=accommodated_ms,
    )


def changed(facts: AttemptFacts, **changes: Any) -> AttemptFacts:
    """Return the next revision of the facts."""
    return msgspec.structs.replace(facts, revision=facts.revision + 1, **changes)


def stop_spans(facts: AttemptFacts) -> list[tuple[int, int]]:
    """Return from when to when the clock stood, each time."""
    return [(int(begin), int(end)) for begin, _, end in (span.partition("-") for span in facts.stops.split())]


def stopped_ms(facts: AttemptFacts, begin_ms: int, end_ms: int) -> int:
    """Return for how long the clock stood between two moments; the present pause counts to the second of them."""
    spans = stop_spans(facts)
    if facts.paused_ms:
        spans.append((facts.paused_ms, end_ms))
    return sum(max(min(end, end_ms) - max(begin, begin_ms), 0) for begin, end in spans)


def stopped_since_ms(facts: AttemptFacts, begin_ms: int) -> int:
    """Return for how long the clock has stood since a moment, without the present pause: that counts when it ends."""
    return sum(max(end - max(begin, begin_ms), 0) for begin, end in stop_spans(facts))


def clock_stood(facts: AttemptFacts, begin_ms: int, end_ms: int) -> dict[str, Any]:
    """Return what changes when the clock stood between two moments: who had started gets exactly that time.

    Who had not may start and end so much later (`seat.start`).
    """
    span = f"{begin_ms}-{end_ms}"
    changes: dict[str, Any] = {"stops": f"{facts.stops} {span}".strip(), "paused_ms": 0}
    if facts.started_ms:
        changes["extra_ms"] = facts.extra_ms + end_ms - begin_ms
        changes["deadline_ms"] = facts.deadline_ms + end_ms - begin_ms
    return changes


def pause_ended(facts: AttemptFacts, now_ms: int) -> dict[str, Any]:
    """Return what changes when a pause ends; nothing when the clock runs."""
    return clock_stood(facts, facts.paused_ms, max(now_ms, facts.paused_ms)) if facts.paused_ms else {}
