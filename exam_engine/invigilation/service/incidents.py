"""Incidents: reported, read, withdrawn; each in the audit record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.rolls import Roll
from exam_engine.invigilation import incidents, store
from exam_engine.invigilation.errors import IncidentUnknown, IncidentWithdrawn, RoomUnknown
from exam_engine.invigilation.incidents import Incident, IncidentReport, IncidentSeat
from exam_engine.invigilation.service.seats import require_seat


async def report_incident(
    session: AsyncSession, roll: Roll, report: IncidentReport, *, actor: str, now: datetime
) -> Incident:
    """Store an incident; the same request again returns the one stored before.

    Raises
    ------
    IncidentInvalid, SeatElsewhere, RoomUnknown
    """
    text = incidents.require_valid(report, now)
    sitting_id = roll.sitting.id
    if report.room_id is not None and all(seat.room_id != report.room_id for seat in roll.seats.values()):
        raise RoomUnknown(report.room_id)
    seats = [require_seat(roll, attempt_id, report.room_id) for attempt_id in report.attempts]
    await store.lock_sitting_row(session, sitting_id)
    known = await store.load_incidents(session, sitting_id, request=report.request)
    if known:
        return known[0]
    incident = Incident(
        id=uuid4(),
        sitting_id=sitting_id,
        room_id=report.room_id,
        room=next((seat.room_code for seat in roll.seats.values() if seat.room_id == report.room_id), None),
        number=await store.next_incident_number(session, sitting_id),
        kind=report.kind,
        text=text,
        began_at=report.began_at,
        ended_at=report.ended_at,
        reported_by=actor,
        reported_at=now,
        seats=tuple(IncidentSeat(seat.attempt_id, seat.number, seat.full_name, seat.seat_number) for seat in seats),
    )
    await store.insert_incident(session, incident, report.request)
    facts = {
        "incident": incident.id,
        "number": incident.number,
        "kind": incident.kind.value,
        "seats": len(seats),
        "room_id": report.room_id,
    }
    await _record(session, "incident.report", sitting_id, facts, actor, now)
    return incident


async def withdraw_incident(
    session: AsyncSession,
    sitting_id: SittingId,
    incident_id: UUID,
    *,
    room_id: UUID,
    reason: str,
    actor: str,
    now: datetime,
) -> Incident:
    """Withdraw an incident; it stays readable, with who and why.

    Raises
    ------
    IncidentUnknown, IncidentWithdrawn
    """
    incident = await require_incident(session, sitting_id, incident_id, room_id)
    reason = reason.replace("\x00", "").strip()
    if not await store.withdraw_incident(session, incident_id, by=actor, reason=reason, at=now):
        raise IncidentWithdrawn(incident.number)
    facts = {"incident": incident_id, "number": incident.number, "reason": reason, "room_id": incident.room_id}
    await _record(session, "incident.withdraw", sitting_id, facts, actor, now)
    return await require_incident(session, sitting_id, incident_id, room_id)


async def load_incidents(
    session: AsyncSession, sitting_id: SittingId, room_id: UUID | None = None
) -> Sequence[Incident]:
    """Return the incidents of a sitting, or of one of its rooms, by number."""
    return await store.load_incidents(session, sitting_id, room_id=room_id)


async def require_incident(session: AsyncSession, sitting_id: SittingId, incident_id: UUID, room_id: UUID) -> Incident:
    """Return an incident of a room of a sitting.

    Raises
    ------
    IncidentUnknown
    """
    for incident in await store.load_incidents(session, sitting_id, room_id=room_id):
        if incident.id == incident_id:
            return incident
    raise IncidentUnknown(incident_id)


async def _record(
    session: AsyncSession, action: str, sitting_id: SittingId, facts: dict[str, object], actor: str, now: datetime
) -> None:
    known = {name: fact for name, fact in facts.items() if fact is not None}
    await audit.append(session, actor=actor, action=action, subject=f"sitting:{sitting_id}", facts=known, now=now)
