"""Refusals of invigilation.

InvigilationError
└── RoomUnknown     nobody of this sitting sits in that room
"""

from uuid import UUID

from exam_engine.infra.errors import EngineError


class InvigilationError(EngineError):
    """Base of the room's refusals."""


class RoomUnknown(InvigilationError):
    """Nobody of this sitting sits in that room."""

    def __init__(self, room: UUID | str) -> None:
        self.room = str(room)
        super().__init__(f"nobody of this sitting sits in room {room}")
