"""Refusals of invigilation.

InvigilationError
├── RoomUnknown         the sitting has no such room
├── SeatElsewhere       that attempt does not belong to this sitting and room
├── PhotoMissing        no photo of this candidate was imported
├── DutyRefused         somebody without a role by which people invigilate
├── DutyUnknown         that person has no duty in that room
├── IncidentUnknown     no such incident
├── IncidentInvalid     a report that contradicts itself
├── IncidentWithdrawn   it was withdrawn before
└── SafeBrowserMissing  this sitting has no Safe Exam Browser settings
"""

from uuid import UUID

from exam_engine.infra.errors import EngineError
from item_bank.messages import Message


class InvigilationError(EngineError):
    """Base of the room's refusals."""


class RoomUnknown(InvigilationError):
    """A room that is none of the sitting's exam, or where nobody sits and somebody would have to."""

    def __init__(self, room: UUID | str) -> None:
        self.room = str(room)
        super().__init__(f"this sitting has no room {room}")


class SeatElsewhere(InvigilationError):
    """An attempt that does not belong to the sitting and room asked about."""

    def __init__(self, attempt_id: UUID) -> None:
        self.attempt_id = str(attempt_id)
        super().__init__(f"attempt {attempt_id} is not of this sitting and room")


class PhotoMissing(InvigilationError):
    """No photo of this candidate was imported."""

    def __init__(self, attempt_id: UUID) -> None:
        self.attempt_id = str(attempt_id)
        super().__init__(f"no photo of the candidate of attempt {attempt_id}")


class DutyRefused(InvigilationError):
    """Somebody without a role by which people invigilate."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} has no role by which people invigilate")


class DutyUnknown(InvigilationError):
    """That person has no duty in that room."""

    def __init__(self, name: str, room: str) -> None:
        self.name = name
        self.room = room
        super().__init__(f"{name} has no duty in room {room}")


class IncidentUnknown(InvigilationError):
    """No such incident."""

    def __init__(self, incident_id: UUID) -> None:
        self.incident_id = str(incident_id)
        super().__init__(f"there is no incident {incident_id}")


class IncidentInvalid(InvigilationError):
    """A report that contradicts itself."""

    def __init__(self, field: str, reason: Message) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class IncidentWithdrawn(InvigilationError):
    """An incident that was withdrawn before."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"incident {number} was withdrawn before")


class SafeBrowserMissing(InvigilationError):
    """This sitting has no Safe Exam Browser settings."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"sitting {code} has no Safe Exam Browser settings")
