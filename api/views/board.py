"""The room board as it travels: moments in milliseconds of the server's clock, so that the page counts by itself.

As JSON for who asks once, and as server-sent events for who watches: the whole room, what changed since the version
before, or a beat that says the feed lives and how old its state is.
"""

from uuid import UUID

import msgspec

from exam_engine.invigilation.hub import Rendering
from exam_engine.invigilation.model import Board, BoardSeat


class SittingLabel(msgspec.Struct, frozen=True):
    """Which sitting is watched."""

    id: UUID
    code: str
    name: str
    subject: str
    state: str
    starts_at_ms: int
    ends_at_ms: int


class RoomLabel(msgspec.Struct, frozen=True):
    """Which room is watched."""

    id: UUID | None
    code: str
    columns: int


class RoomBoardView(msgspec.Struct, frozen=True, kw_only=True):
    """A room as it is now."""

    sitting: SittingLabel
    room: RoomLabel
    server_time_ms: int
    seats: tuple[BoardSeat, ...]

    @classmethod
    def of(cls, board: Board) -> "RoomBoardView":
        """Show a board."""
        return cls(
            sitting=SittingLabel(
                id=board.sitting_id,
                code=board.sitting,
                name=board.sitting_name,
                subject=board.subject,
                state="open" if board.is_open else "closed",
                starts_at_ms=board.starts_at_ms,
                ends_at_ms=board.ends_at_ms,
            ),
            room=RoomLabel(board.room_id, board.room or "", board.columns),
            server_time_ms=board.server_time_ms,
            seats=board.seats,
        )


class SeatChanges(msgspec.Struct, frozen=True):
    """The seats that differ from the version before."""

    server_time_ms: int
    seats: tuple[BoardSeat, ...]


class Beat(msgspec.Struct, frozen=True):
    """The feed lives; its state was read at `read_ms`."""

    server_time_ms: int
    read_ms: int


def whole(version: str, board: Board) -> bytes:
    """Render a whole room as an event."""
    return _event("room", version, RoomBoardView.of(board))


def changes(version: str, before: Board, board: Board) -> bytes | None:
    """Render what changed as an event; nothing where other people sit there or the sitting itself changed."""
    is_same_room = len(before.seats) == len(board.seats) and all(
        old.attempt_id == new.attempt_id for old, new in zip(before.seats, board.seats, strict=True)
    )
    if not is_same_room or before.is_open != board.is_open or before.ends_at_ms != board.ends_at_ms:
        return None
    differing = tuple(new for old, new in zip(before.seats, board.seats, strict=True) if old != new)
    return _event("seats", version, SeatChanges(board.server_time_ms, differing))


def beat(now_ms: int, read_ms: int) -> bytes:
    """Render a beat as an event; it bears no id, so that a browser resumes from the state before it."""
    return b"event: beat\ndata: %b\n\n" % msgspec.json.encode(Beat(now_ms, read_ms))


RENDERING = Rendering(whole=whole, changes=changes, beat=beat)


def _event(name: str, version: str, content: msgspec.Struct) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (version.encode(), name.encode(), msgspec.json.encode(content))
