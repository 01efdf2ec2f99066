"""What a room's page reads beside the board: recent acts with what takes them back, incidents, a seat's record."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.audit.model import AuditEntry
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.rolls import Roll
from exam_engine.invigilation.incidents import Incident
from exam_engine.invigilation.timeline import SeatMoment

UNDO: Mapping[str, str] = {
    "sitting.pause": "resume",
    "sitting.lock": "unlock",
    "sitting.close_attempt": "reopen",
    "sitting.end": "reopen",
    "sitting.refuse": "admit",
    "seat.identity": "identity",
    "incident.report": "withdraw",
}
"""The act that takes an act back, by the name its audit entry bears; what is not here stays done."""

_SHOWN = ("seconds", "minutes", "reason", "identity", "kind", "number", "credited_ms", "attempts", "text")


class ActView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act of somebody in a room."""

    sequence: int
    at: datetime
    by: str
    action: str
    attempt_id: UUID | None = None
    who: str = ""
    detail: dict[str, Any] = {}
    undo: str = ""
    incident_id: UUID | None = None


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """An incident."""

    id: UUID
    number: int
    kind: str
    text: str
    began_at: datetime
    ended_at: datetime | None
    reported_by: str
    reported_at: datetime
    seats: list["IncidentSeatView"]
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str

    @classmethod
    def of(cls, incident: Incident) -> "IncidentView":
        """Show an incident."""
        return cls(
            id=incident.id,
            number=incident.number,
            kind=incident.kind.value,
            text=incident.text,
            began_at=incident.began_at,
            ended_at=incident.ended_at,
            reported_by=incident.reported_by,
            reported_at=incident.reported_at,
            seats=[IncidentSeatView(s.attempt_id, s.number, s.name, s.seat) for s in incident.seats],
            withdrawn_by=incident.withdrawn_by,
            withdrawn_at=incident.withdrawn_at,
            withdrawn_reason=incident.withdrawn_reason,
        )


class IncidentSeatView(msgspec.Struct, frozen=True):
    """A seat an incident is about."""

    attempt_id: UUID
    candidate_number: str
    name: str
    seat: int | None


class MomentView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a seat's record."""

    at: datetime
    source: str
    kind: str
    severity: str
    client_at: datetime | None = None
    by: str = ""
    text: str = ""
    detail: dict[str, str | int | bool | None] = {}

    @classmethod
    def of(cls, moment: SeatMoment) -> "MomentView":
        """Show a line."""
        return cls(
            at=moment.at,
            source=moment.source,
            kind=moment.kind,
            severity=moment.severity,
            client_at=moment.client_at,
            by=moment.by,
            text=moment.text,
            detail=dict(moment.detail),
        )


def acts_in_room(entries: Iterable[AuditEntry], roll: Roll, room_id: UUID) -> list[ActView]:
    """Choose the acts that concern a room: on one of its seats, on the room, or on the whole sitting."""
    shown = []
    for entry in entries:
        attempt = _id(entry.facts.get("attempt_id"))
        room = _id(entry.facts.get("room_id"))
        seat = roll.seats.get(AttemptId(attempt)) if attempt else None
        if (room is not None and room != room_id) or (seat is not None and seat.room_id != room_id):
            continue
        shown.append(
            ActView(
                sequence=entry.sequence,
                at=entry.at,
                by=entry.actor,
                action=entry.action,
                attempt_id=attempt,
                who="" if seat is None else f"{seat.full_name} ({seat.number})",
                detail={name: entry.facts[name] for name in _SHOWN if name in entry.facts},
                undo=UNDO.get(entry.action, ""),
                incident_id=_id(entry.facts.get("incident")),
            )
        )
    return shown


def _id(fact: object) -> UUID | None:
    return UUID(fact) if isinstance(fact, str) else None
