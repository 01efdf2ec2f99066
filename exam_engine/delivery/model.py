"""An attempt as a pure state machine: what may happen to it, and the facts Redis then compares.

    ready ──start──► running ──submit──► submitted
      │                │  ▲
      │    close(time) │  │ extend, while the new deadline lies ahead
      ▼                ▼  │
    closed(absent)   closed(time | sitting | invigilator)

start(client)  at starts … late limit. On a running attempt it is *resume*: the same client keeps the lease,
               another one takes it over and raises it, so that only one browser writes.
deadline       = min(start + duration, end of the sitting) + extra time. `limit` = deadline + grace is what a save
               is compared with, by the moment it reached the server.
extend         credits an extension id once, in any state but submitted; extra time of a closed attempt reopens it
               if time closed it and the new deadline lies ahead.
submit         only when the server holds every sequence the seat holds; else it names the slots.
closing        never removes an answer: what was acknowledged counts, submitted or not.

Every change raises `revision`; Redis applies it only to the revision it was computed from, and PostgreSQL
keeps the highest. Times are milliseconds of one clock, that of the API processes (kept by NTP, compared with
Redis' own clock every second): a save is judged by its arrival, so a slow Redis never eats a candidate's time.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NewType
from uuid import UUID

import msgspec

from exam_engine.assembly.model import FormId, PaperCodeId
from exam_engine.delivery.errors import (
    AttemptClosed,
    LateStart,
    LeaseTaken,
    NotStarted,
    ResponsesMissing,
    SittingNotStarted,
    SittingPlanInvalid,
    TimeOver,
)
from exam_engine.infra.clock import to_milliseconds
from item_bank.messages import message

SittingId = NewType("SittingId", UUID)
AttemptId = NewType("AttemptId", UUID)

MAXIMUM_EXTRA_SECONDS = 4 * 3600
MAXIMUM_SEQUENCE = 2**53 - 1


class SittingState(StrEnum):
    """Planned; open: Redis owns its attempts; closed: PostgreSQL does."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"


class AttemptState(StrEnum):
    """Where an attempt stands."""

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


class ChangeKind(StrEnum):
    """What a change of the facts was."""

    START = "start"
    RESUME = "resume"  # nothing changed; the seat is back
    TAKE_OVER = "take_over"
    SUBMIT = "submit"
    CLOSE = "close"
    EXTEND = "extend"
    REOPEN = "reopen"


class SittingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sitting may have different from others."""

    linger_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 120  # open after its end, for extra time given late
    columns: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0  # seats in a row of the room; 0: not known


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduled administration of a form."""

    id: SittingId
    exam_subject_id: UUID
    form_id: FormId
    form_hash: str
    code: str
    name: str
    opens_at: datetime
    starts_at: datetime
    ends_at: datetime
    duration_seconds: int
    late_limit_seconds: int
    grace_seconds: int
    state: SittingState
    shards: int
    seed: int
    settings: SittingSettings = SittingSettings()


class AttemptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what an attempt may do; kept in Redis while the sitting is open."""

    state: AttemptState = AttemptState.READY
    revision: int = 0
    lease: int = 0
    client: str = ""
    starts_ms: int  # of the sitting
    late_ms: int  # latest start
    ends_ms: int  # of the sitting
    duration_ms: int
    grace_ms: int
    extra_ms: int = 0
    extensions: str = ""  # ids credited, separated by blanks
    started_ms: int = 0
    deadline_ms: int = 0  # 0 before the start
    finished_ms: int = 0  # when submitted or closed
    reason: str = ""  # a CloseReason

    @property
    def limit_ms(self) -> int:
        """The last moment at which a save counts."""
        return self.deadline_ms + self.grace_ms


class Change(msgspec.Struct, frozen=True):
    """A transition: the facts after it, what it was, and when."""

    facts: AttemptFacts
    kind: ChangeKind
    at_ms: int


class AttemptSeat(msgspec.Struct, frozen=True, kw_only=True):
    """What assigning paper codes needs to know of one seat."""

    candidate_id: UUID
    room_id: UUID | None
    seat_number: int | None
    room_code: str = ""  # not the id: the same plan gives the same papers


def planned_facts(sitting: Sitting) -> AttemptFacts:
    """Return the facts of an attempt nobody has started."""
    starts_ms = to_milliseconds(sitting.starts_at)
    return AttemptFacts(
        starts_ms=starts_ms,
        late_ms=starts_ms + 1000 * sitting.late_limit_seconds,
        ends_ms=to_milliseconds(sitting.ends_at),
        duration_ms=1000 * sitting.duration_seconds,
        grace_ms=1000 * sitting.grace_seconds,
    )


def start(facts: AttemptFacts, client: str, now_ms: int) -> Change:
    """Start, resume or take over.

    Raises
    ------
    SittingNotStarted, LateStart, AttemptClosed, TimeOver
    """
    if facts.state is AttemptState.RUNNING:
        return _resume(facts, client, now_ms)
    if facts.state is not AttemptState.READY:
        raise AttemptClosed(facts.state, facts.reason)
    if now_ms < facts.starts_ms:
        raise SittingNotStarted(facts.starts_ms)
    if now_ms > facts.late_ms or now_ms >= facts.ends_ms + facts.extra_ms:
        raise LateStart(min(facts.late_ms, facts.ends_ms + facts.extra_ms))
    started = _next(
        facts,
        state=AttemptState.RUNNING,
        lease=facts.lease + 1,
        client=client,
        started_ms=now_ms,
        deadline_ms=min(now_ms + facts.duration_ms, facts.ends_ms) + facts.extra_ms,
    )
    return Change(started, ChangeKind.START, now_ms)


def require_writable(facts: AttemptFacts, lease: int, now_ms: int) -> None:
    """Decide whether a save counts; `scripts/save.lua` compares the same facts in the same order.

    Raises
    ------
    NotStarted, AttemptClosed, LeaseTaken, TimeOver
    """
    if facts.state is AttemptState.READY:
        raise NotStarted
    if facts.state is not AttemptState.RUNNING:
        raise AttemptClosed(facts.state, facts.reason)
    if lease != facts.lease:
        raise LeaseTaken(facts.lease)
    if now_ms > facts.limit_ms:
        raise TimeOver(facts.deadline_ms)


def is_newer(sequence: int, stored: int | None) -> bool:
    """Whether an answer replaces the stored one; a late duplicate must not undo a newer answer."""
    return stored is None or sequence > stored


def submit(
    facts: AttemptFacts, lease: int, held: Mapping[int, int], stored: Mapping[int, int], now_ms: int
) -> Change | None:
    """Hand in: `held` are the seat's sequences by slot, `stored` the server's. None: it was handed in before.

    Raises
    ------
    ResponsesMissing
        The server lacks something; nothing changed.
    NotStarted, AttemptClosed, LeaseTaken, TimeOver
        As for a save.
    """
    if facts.state is AttemptState.SUBMITTED and lease == facts.lease:
        return None
    require_writable(facts, lease, now_ms)
    missing = sorted(slot for slot, sequence in held.items() if stored.get(slot, 0) < sequence)
    if missing:
        raise ResponsesMissing(missing)
    return Change(_next(facts, state=AttemptState.SUBMITTED, finished_ms=now_ms), ChangeKind.SUBMIT, now_ms)


def extend(facts: AttemptFacts, extension: str, seconds: int, now_ms: int) -> Change | None:
    """Credit extra time once. None: this extension was credited before.

    Raises
    ------
    AttemptClosed
        Submitted, closed by people, or closed so long ago that the new deadline has passed as well.
    """
    credited = facts.extensions.split()
    if extension in credited:
        return None
    has_started = facts.state is not AttemptState.READY
    deadline_ms = facts.deadline_ms + 1000 * seconds if has_started else 0
    credited_facts = _next(
        facts,
        extra_ms=facts.extra_ms + 1000 * seconds,
        extensions=" ".join([*credited, extension]),
        deadline_ms=deadline_ms,
    )
    if facts.state in (AttemptState.READY, AttemptState.RUNNING):
        return Change(credited_facts, ChangeKind.EXTEND, now_ms)
    if facts.reason != CloseReason.TIME or deadline_ms <= now_ms:
        raise AttemptClosed(facts.state, facts.reason)
    reopened = msgspec.structs.replace(credited_facts, state=AttemptState.RUNNING, finished_ms=0, reason="")
    return Change(reopened, ChangeKind.REOPEN, now_ms)


def close(facts: AttemptFacts, reason: CloseReason, now_ms: int) -> Change | None:
    """Close an attempt; None when there is nothing to close (or, by time, when its time is not over)."""
    if facts.state in (AttemptState.SUBMITTED, AttemptState.CLOSED):
        return None
    if reason is CloseReason.TIME and (facts.state is AttemptState.READY or now_ms <= facts.limit_ms):
        return None
    if facts.state is AttemptState.READY and reason is CloseReason.SITTING:
        reason = CloseReason.ABSENT
    return Change(
        _next(facts, state=AttemptState.CLOSED, finished_ms=now_ms, reason=reason.value), ChangeKind.CLOSE, now_ms
    )


def shard_of(attempt_id: UUID, shards: int) -> int:
    """Return the Redis slot group of an attempt."""
    return zlib.crc32(attempt_id.bytes) % shards


def assign_paper_codes(
    seats: list[AttemptSeat], codes: list[PaperCodeId], seed: int, columns: int = 0
) -> dict[UUID, PaperCodeId]:
    """Give each candidate a paper code so that neighbours differ.

    Seats of a room are counted through the codes from a place that depends on the seed and the room; with `columns`
    known (seats numbered row by row) the row shifts the count, so that front and back differ as well.
    """
    if not codes:
        raise SittingPlanInvalid("form", message("the form has no paper codes"))
    assigned: dict[UUID, PaperCodeId] = {}
    for position, seat in enumerate(seats):
        place = seat.seat_number - 1 if seat.seat_number is not None else position
        row, column = divmod(place, columns) if columns else (0, place)
        first = zlib.crc32(seed.to_bytes(8, "big", signed=True) + seat.room_code.encode())
        assigned[seat.candidate_id] = codes[(first + row + column) % len(codes)]
    return assigned


def _resume(facts: AttemptFacts, client: str, now_ms: int) -> Change:
    if now_ms > facts.limit_ms:
        raise TimeOver(facts.deadline_ms)
    if client == facts.client:
        return Change(facts, ChangeKind.RESUME, now_ms)
    return Change(_next(facts, lease=facts.lease + 1, client=client), ChangeKind.TAKE_OVER, now_ms)


def _next(facts: AttemptFacts, **changes: Any) -> AttemptFacts:
    return msgspec.structs.replace(facts, revision=facts.revision + 1, **changes)
