"""What a room's page reads beside the board: recent acts with what takes them back, incidents, a seat's record."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.audit.model import AuditEntry
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.rolls import Roll
from exam_engine.delivery.service import is_undoable
from exam_engine.delivery.store import StoredAct
from exam_engine.invigilation.incidents import Incident
from exam_engine.invigilation.timeline import SeatMoment

_UNDONE_ELSEWHERE: Mapping[str, str] = {"seat.identity": "identity", "incident.report": "incident"}
"""Acts with a way back of their own; acts on seats are taken back by their request."""

_SHOWN = ("seconds", "reason", "identity", "kind", "number", "credited_ms", "changed")
MOST_NAMES = 3


class ActView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act of somebody in a room."""

    sequence: int
    at: datetime
    by: str
    by_name: str = ""
    action: str
    attempt_id: UUID | None = None
    who: str = ""
    detail: dict[str, Any] = {}
    undo: str = ""  # act | identity | incident; nothing for what stays done
    request: str = ""  # names an act on seats that can be taken back
    is_undone: bool = False
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
    by_name: str = ""
    text: str = ""
    detail: dict[str, str | int | bool | None] = {}

    @classmethod
    def of(cls, moment: SeatMoment, name_of: Callable[[str], str]) -> "MomentView":
        """Show a line."""
        return cls(
            at=moment.at,
            source=moment.source,
            kind=moment.kind,
            severity=moment.severity,
            client_at=moment.client_at,
            by=moment.by,
            by_name=name_of(moment.by),
            text=moment.text,
            detail=dict(moment.detail),
        )


def acts_in_room(
    entries: Iterable[AuditEntry],
    acts: Iterable[StoredAct],
    roll: Roll,
    room_id: UUID,
    name_of: Callable[[str], str],
    now: datetime,
) -> list[ActView]:
    """Choose the acts that concern a room: on seats of it, on the room, or on the whole sitting."""
    stored = {act.request: act for act in acts}
    shown = []
    for entry in entries:
        seats = [seat for seat in map(roll.seats.get, _attempts(entry)) if seat is not None]
        room = _id(entry.facts.get("room_id"))
        if (room is not None and room != room_id) or (seats and all(seat.room_id != room_id for seat in seats)):
            continue
        act = stored.get(str(entry.facts.get("request", "")))
        can_undo = act is not None and (act.undone_by is not None or is_undoable(act, now))
        shown.append(
            ActView(
                sequence=entry.sequence,
                at=entry.at,
                by=entry.actor,
                by_name=name_of(entry.actor),
                action=entry.action,
                attempt_id=seats[0].attempt_id if len(seats) == 1 else None,
                who=", ".join(f"{seat.full_name} ({seat.number})" for seat in seats[:MOST_NAMES]),
                detail={name: entry.facts[name] for name in _SHOWN if name in entry.facts},
                undo="act" if can_undo else _UNDONE_ELSEWHERE.get(entry.action, ""),
                request=act.request if act else "",
                is_undone=act is not None and act.undone_by is not None,
                incident_id=_id(entry.facts.get("incident")),
            )
        )
    return shown


def _attempts(entry: AuditEntry) -> list[AttemptId]:
    named = entry.facts.get("attempts")
    ids = [entry.facts.get("attempt_id"), *(named if isinstance(named, list) else ())]
    return [AttemptId(found) for one in ids if (found := _id(one)) is not None]


def _id(fact: object) -> UUID | None:
    return UUID(fact) if isinstance(fact, str) else None
