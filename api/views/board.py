"""The room board as it travels: moments in milliseconds of the server's clock, so that the page counts by itself."""

import hashlib
from uuid import UUID

import msgspec

from exam_engine.invigilation.model import Board, BoardSeat


class SittingLabel(msgspec.Struct, frozen=True):
    """Which sitting is watched."""

    id: UUID
    code: str
    name: str
    state: str
    starts_at_ms: int
    ends_at_ms: int


class RoomLabel(msgspec.Struct, frozen=True):
    """Which room is watched."""

    id: UUID | None
    code: str


class SeatView(msgspec.Struct, frozen=True, kw_only=True):
    """One seat."""

    attempt_id: UUID
    candidate_number: str
    name: str
    seat: int | None
    state: str
    close_reason: str | None
    answered: int
    total: int
    last_seen_ms: int | None
    last_saved_ms: int | None
    deadline_ms: int | None
    extra_seconds: int
    focus_lost: int
    lease: int
    flags: tuple[str, ...]

    @classmethod
    def of(cls, seat: BoardSeat, now_ms: int) -> "SeatView":
        """Show a seat; whole seconds, so that an unchanged seat stays the same text."""
        second = now_ms // 1000

        def past(age: int | None) -> int | None:
            return None if age is None else (second - age) * 1000

        left = seat.time_left_seconds
        return cls(
            attempt_id=seat.attempt_id,
            candidate_number=seat.number,
            name=seat.name,
            seat=seat.seat,
            state=seat.state,
            close_reason=seat.close_reason or None,
            answered=seat.answered,
            total=seat.total,
            last_seen_ms=past(seat.last_seen_seconds),
            last_saved_ms=past(seat.last_save_seconds),
            deadline_ms=None if left is None else (second + left) * 1000,
            extra_seconds=seat.extra_seconds,
            focus_lost=seat.focus_lost,
            lease=seat.lease,
            flags=tuple(flag.value for flag in seat.flags),
        )


class RoomBoardView(msgspec.Struct, frozen=True, kw_only=True):
    """A room as it is now."""

    sitting: SittingLabel
    room: RoomLabel
    server_time_ms: int
    seats: tuple[SeatView, ...]

    @classmethod
    def of(cls, board: Board, name: str) -> "RoomBoardView":
        """Show a board."""
        return cls(
            sitting=SittingLabel(
                id=board.sitting_id,
                code=board.sitting,
                name=name,
                state="open" if board.is_open else "closed",
                starts_at_ms=board.starts_at_ms,
                ends_at_ms=board.ends_at_ms,
            ),
            room=RoomLabel(board.room_id, board.room or ""),
            server_time_ms=board.server_time_ms,
            seats=tuple(SeatView.of(seat, board.server_time_ms) for seat in board.seats),
        )

    def entity_tag(self) -> str:
        """Name the content, but for the passing of time."""
        content = msgspec.json.encode((self.sitting, self.room, self.seats))
        return f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
