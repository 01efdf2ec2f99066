"""What an invigilator sees of a seat, computed from the attempt's facts and its signs of life."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from exam_engine.delivery.model import AttemptState

CONNECTED_MS = 25_000  # an idle seat asks for the time every ten seconds: two may be lost
UNSAVED_MS = 10 * 60_000  # somebody who runs and has saved nothing for so long may need help


class Flag(StrEnum):
    """Why a seat may need help."""

    DISCONNECTED = "disconnected"  # running, and not heard of
    NOTHING_SAVED = "nothing_saved"  # running, and nothing saved for long
    FOCUS_LOST = "focus_lost"  # another window was in front
    MISSING = "missing"  # the sitting runs and this candidate has not started


class SeatFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one seat."""

    attempt_id: UUID
    number: str
    name: str
    seat: int | None
    state: AttemptState
    close_reason: str
    started_ms: int
    deadline_ms: int
    extra_ms: int
    saved_ms: int
    seen_ms: int
    answered: int
    total: int
    focus_lost: int
    lease: int = 0


class BoardSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One seat on the board; ages and times left in seconds, none where there is nothing to tell."""

    attempt_id: UUID
    number: str
    name: str
    seat: int | None
    state: str
    close_reason: str
    connected: bool
    last_seen_seconds: int | None
    last_save_seconds: int | None
    time_left_seconds: int | None
    extra_seconds: int
    answered: int
    total: int
    focus_lost: int
    flags: tuple[Flag, ...]
    lease: int = 0  # how often a browser has taken the attempt over, the first one included

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
    subject: str
    is_open: bool
    room_id: UUID | None
    room: str | None
    server_time_ms: int
    starts_at_ms: int
    ends_at_ms: int
    counts: BoardCounts
    seats: tuple[BoardSeat, ...]


class RoomLine(msgspec.Struct, frozen=True, kw_only=True):
    """One room of a sitting in numbers."""

    room_id: UUID | None
    room: str | None
    counts: BoardCounts


def board_seat(facts: SeatFacts, *, starts_ms: int, now_ms: int, is_open: bool) -> BoardSeat:
    """Return a seat as the board shows it."""
    connected = is_open and bool(facts.seen_ms) and now_ms - facts.seen_ms <= CONNECTED_MS
    is_running = facts.state is AttemptState.RUNNING
    return BoardSeat(
        attempt_id=facts.attempt_id,
        number=facts.number,
        name=facts.name,
        seat=facts.seat,
        state=facts.state.value,
        close_reason=facts.close_reason,
        connected=connected,
        last_seen_seconds=_age(facts.seen_ms, now_ms),
        last_save_seconds=_age(facts.saved_ms, now_ms),
        time_left_seconds=max(facts.deadline_ms - now_ms, 0) // 1000 if is_running else None,
        extra_seconds=facts.extra_ms // 1000,
        answered=facts.answered,
        total=facts.total,
        focus_lost=facts.focus_lost,
        lease=facts.lease,
        flags=_flags(facts, connected, starts_ms, now_ms) if is_open else (),
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
        connected=sum(seat.connected for seat in seats),
        may_need_help=sum(seat.may_need_help for seat in seats),
    )


def _flags(facts: SeatFacts, connected: bool, starts_ms: int, now_ms: int) -> tuple[Flag, ...]:
    flags = []
    if facts.state is AttemptState.RUNNING:
        if not connected:
            flags.append(Flag.DISCONNECTED)
        if now_ms - max(facts.saved_ms, facts.started_ms) > UNSAVED_MS:
            flags.append(Flag.NOTHING_SAVED)
        if facts.focus_lost:
            flags.append(Flag.FOCUS_LOST)
    elif facts.state is AttemptState.READY and now_ms >= starts_ms:
        flags.append(Flag.MISSING)
    return tuple(flags)


def _age(moment_ms: int, now_ms: int) -> int | None:
    return max(now_ms - moment_ms, 0) // 1000 if moment_ms else None
