"""What an invigilator sees of a room, decided from facts, signs of life and what the seats reported. Pure.

Moments are milliseconds of the server's clock, none is an age: an unchanged seat stays equal, so that only what changed
has to travel, and the page counts by itself. No event and no flag ends an attempt: they ask a person to look.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from exam_engine.delivery.model import AttemptFacts, AttemptState
from exam_engine.delivery.register import Held, Noticed

CONNECTED_MS = 25_000  # an idle seat asks for the time every ten seconds: two may be lost
SEEN_STEP_MS = 15_000  # of a seat that is connected nobody needs the second, and it would change every board each time
UNSAVED_MS = 10 * 60_000  # somebody who runs and has saved nothing for so long may need help
LATE_MS = 3 * 60_000  # a few minutes after the beginning people still find their seats
PRACTICE_MS = 12 * 3_600_000  # a sitting open for so long is for practice: nobody is late


class Severity(StrEnum):
    """What a report of a seat asks of the invigilator."""

    LOG = "log"  # stands in the record of the seat
    COUNT = "count"  # is counted on its tile
    LOOK = "look"  # asks for a look; the seat stands on top until somebody says they have looked


SEVERITIES: Mapping[str, Severity] = {
    "focus_lost": Severity.LOOK,
    "fullscreen_left": Severity.LOOK,
    "devtools_open": Severity.LOOK,
    "second_window": Severity.LOOK,
    "storage_full": Severity.LOOK,
    "seb_check_failed": Severity.LOOK,
    "paste_blocked": Severity.COUNT,
    "clock_jump": Severity.COUNT,
    "private_mode": Severity.COUNT,
    "resumed": Severity.COUNT,
    "offline": Severity.COUNT,
    "online": Severity.LOG,
    "focus_back": Severity.LOG,
    "reload": Severity.LOG,
    "start": Severity.LOG,
    "receipt": Severity.LOG,
    "seb_checked": Severity.LOG,
}


class FlagKind(StrEnum):
    """Why a seat may need help, beside what it reported itself (a flag of an event bears the event's kind)."""

    SECOND_SEAT = "second_seat"  # another browser waits to be let in
    DISCONNECTED = "disconnected"  # running, and not heard of
    NOTHING_SAVED = "nothing_saved"  # running, and nothing saved for long
    MISSING = "missing"  # the sitting runs and this candidate has not started
    IDENTITY_DOUBTFUL = "identity_doubtful"  # the face did not match the photo
    LOCKED = "locked"  # answers are refused until somebody unlocks it
    NO_SAFE_BROWSER = "no_safe_browser"  # running, and never shown the settings of this sitting's safe browser


class Level(StrEnum):
    """How pressing a flag is."""

    WARN = "warn"
    BAD = "bad"


class Flag(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason to look at a seat, and since when."""

    kind: str
    level: Level
    since_ms: int = 0
    times: int = 0


class EventCount(msgspec.Struct, frozen=True):
    """How often a seat reported something that is counted on its tile."""

    kind: str
    severity: Severity
    times: int
    last_ms: int


class SeatNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What people noted about a seat."""

    identity: str | None = None  # matches | doubtful
    reviewed_ms: int = 0  # what the seat had reported until then has been looked at
    incidents: int = 0
    photo: str = ""  # a short name of the photo, or nothing


class SeatFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one seat."""

    attempt_id: UUID
    number: str
    name: str
    seat: int | None
    held: Held
    total: int
    notes: SeatNotes = SeatNotes()


class Hours(msgspec.Struct, frozen=True):
    """When a sitting runs, and whether its seats are expected in Safe Exam Browser."""

    starts_ms: int
    ends_ms: int
    is_open: bool
    needs_safe_browser: bool = False


class BoardSeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One seat on the board."""

    attempt_id: UUID
    candidate_number: str
    name: str
    seat: int | None
    state: str
    answered: int
    total: int
    close_reason: str | None = None
    is_connected: bool = False
    is_paused: bool = False
    is_locked: bool = False
    last_seen_ms: int | None = None
    last_saved_ms: int | None = None
    started_ms: int | None = None
    deadline_ms: int | None = None
    paused_ms: int | None = None
    claimed_ms: int | None = None  # a second browser waits since then
    finished_ms: int | None = None
    extra_seconds: int = 0
    accommodated_seconds: int = 0  # of it, what the accommodation grants
    lease: int = 0  # how often a browser has taken the attempt over, the first one included
    identity: str | None = None
    incidents: int = 0
    photo: str = ""
    events: tuple[EventCount, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def may_need_help(self) -> bool:
        """Whether the invigilator should look."""
        return bool(self.flags)


class BoardCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A room or a sitting in numbers."""

    seats: int
    ready: int
    running: int
    submitted: int
    closed: int
    connected: int
    may_need_help: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """A room as it is now."""

    sitting_id: UUID
    sitting: str
    sitting_name: str
    subject: str
    is_open: bool
    room_id: UUID | None
    room: str | None
    server_time_ms: int
    starts_at_ms: int
    ends_at_ms: int
    columns: int  # seats in a row of the room; 0: not known
    counts: BoardCounts
    seats: tuple[BoardSeat, ...]


class RoomLine(msgspec.Struct, frozen=True, kw_only=True):
    """One room of a sitting in numbers."""

    room_id: UUID | None
    room: str | None
    counts: BoardCounts


def board_seat(facts: SeatFacts, hours: Hours, now_ms: int) -> BoardSeat:
    """Return a seat as the board shows it."""
    held, attempt = facts.held, facts.held.facts
    is_connected = hours.is_open and bool(held.seen_ms) and now_ms - held.seen_ms <= CONNECTED_MS
    is_running = attempt.state is AttemptState.RUNNING
    seen_ms = held.seen_ms // SEEN_STEP_MS * SEEN_STEP_MS if is_connected else held.seen_ms
    return BoardSeat(
        attempt_id=facts.attempt_id,
        candidate_number=facts.number,
        name=facts.name,
        seat=facts.seat,
        state=attempt.state.value,
        answered=held.answered,
        total=facts.total,
        close_reason=attempt.reason or None,
        is_connected=is_connected,
        is_paused=attempt.is_paused,
        is_locked=attempt.is_locked,
        last_seen_ms=seen_ms or None,
        last_saved_ms=held.saved_ms or None,
        started_ms=attempt.started_ms or None,
        deadline_ms=attempt.deadline_ms if is_running else None,
        paused_ms=attempt.paused_ms or None,
        claimed_ms=attempt.claimed_ms or None if attempt.claimant else None,
        finished_ms=attempt.finished_ms or None,
        extra_seconds=attempt.extra_ms // 1000,
        accommodated_seconds=attempt.accommodated_ms // 1000,
        lease=attempt.lease,
        identity=facts.notes.identity,
        incidents=facts.notes.incidents,
        photo=facts.notes.photo,
        events=_counted(held.noticed),
        flags=_flags(facts, hours, is_connected, now_ms) if hours.is_open else (),
    )


def count_seats(seats: Sequence[BoardSeat]) -> BoardCounts:
    """Count seats by state."""
    states = [seat.state for seat in seats]
    return BoardCounts(
        seats=len(seats),
        ready=states.count(AttemptState.READY),
        running=states.count(AttemptState.RUNNING),
        submitted=states.count(AttemptState.SUBMITTED),
        closed=states.count(AttemptState.CLOSED),
        connected=sum(seat.is_connected for seat in seats),
        may_need_help=sum(seat.may_need_help for seat in seats),
    )


def severity_of(kind: str) -> Severity:
    """Return what an event asks for; a kind nobody foresaw is kept in the record."""
    return SEVERITIES.get(kind, Severity.LOG)


def _counted(noticed: Mapping[str, Noticed]) -> tuple[EventCount, ...]:
    return tuple(
        EventCount(kind, severity, found.times, found.last_ms)
        for kind, severity in SEVERITIES.items()
        if severity is not Severity.LOG and (found := noticed.get(kind)) is not None
    )


def _flags(facts: SeatFacts, hours: Hours, is_connected: bool, now_ms: int) -> tuple[Flag, ...]:
    attempt, notes = facts.held.facts, facts.notes
    flags: list[Flag] = []
    if attempt.state is AttemptState.RUNNING:
        flags += _running_flags(facts, hours, is_connected, now_ms)
    elif attempt.state is AttemptState.READY and _is_late(attempt, hours, now_ms):
        flags.append(Flag(FlagKind.MISSING, Level.WARN, attempt.starts_ms))
    if attempt.is_locked and attempt.state in (AttemptState.READY, AttemptState.RUNNING):
        flags.append(Flag(FlagKind.LOCKED, Level.WARN))
    if notes.identity == "doubtful" and attempt.state in (AttemptState.READY, AttemptState.RUNNING):
        flags.append(Flag(FlagKind.IDENTITY_DOUBTFUL, Level.WARN))
    return tuple(flags)


def _running_flags(facts: SeatFacts, hours: Hours, is_connected: bool, now_ms: int) -> list[Flag]:
    held, attempt = facts.held, facts.held.facts
    flags = []
    if attempt.claimant:
        flags.append(Flag(FlagKind.SECOND_SEAT, Level.BAD, attempt.claimed_ms))
    if not is_connected:
        flags.append(Flag(FlagKind.DISCONNECTED, Level.BAD, max(held.seen_ms, attempt.started_ms)))
    worked_ms = max(held.saved_ms, attempt.started_ms)
    if not attempt.is_paused and held.answered < facts.total and now_ms - worked_ms > UNSAVED_MS:
        flags.append(Flag(FlagKind.NOTHING_SAVED, Level.WARN, worked_ms))
    if hours.needs_safe_browser and not {"seb_checked", "seb_check_failed"} & held.noticed.keys():
        flags.append(Flag(FlagKind.NO_SAFE_BROWSER, Level.WARN, attempt.started_ms))
    flags += [
        Flag(kind, Level.WARN, found.last_ms, found.times)
        for kind, found in held.noticed.items()
        if severity_of(kind) is Severity.LOOK and found.last_ms > facts.notes.reviewed_ms
    ]
    return flags


def _is_late(attempt: AttemptFacts, hours: Hours, now_ms: int) -> bool:
    if attempt.is_paused or hours.ends_ms - hours.starts_ms > PRACTICE_MS:
        return False
    return now_ms >= attempt.starts_ms + LATE_MS
