"""SQL of invigilation: what people noted about seats, incidents, and the Safe Exam Browser settings of sittings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.tables import AttemptEventRow, AttemptRow, NoticeRow, SittingRow
from exam_engine.enrolment.tables import CandidatePhotoRow, CandidateRow, RoomRow
from exam_engine.infra.clock import to_milliseconds
from exam_engine.invigilation.incidents import Incident, IncidentKind, IncidentSeat
from exam_engine.invigilation.model import SeatNotes
from exam_engine.invigilation.safe_browser import SafeBrowser
from exam_engine.invigilation.tables import IncidentAttemptRow, IncidentRow, SafeBrowserRow, SeatCheckRow
from exam_engine.invigilation.timeline import SeatMoment, of_event, of_notice

MOST_MOMENTS = 2000


async def load_notes(session: AsyncSession, sitting_id: SittingId, room_id: UUID | None) -> dict[UUID, SeatNotes]:
    """Return what is noted about the seats of a room; without a room, of everybody."""
    incidents = (
        select(IncidentAttemptRow.attempt_id, func.count().label("incidents"))
        .join(IncidentRow, IncidentRow.id == IncidentAttemptRow.incident_id)
        .where(IncidentRow.sitting_id == sitting_id, IncidentRow.withdrawn_at.is_(None))
        .group_by(IncidentAttemptRow.attempt_id)
        .subquery()
    )
    query = (
        select(
            AttemptRow.id,
            SeatCheckRow.identity,
            SeatCheckRow.reviewed_at,
            func.coalesce(incidents.c.incidents, 0).label("incidents"),
            func.coalesce(func.substr(CandidatePhotoRow.sha256, 1, 12), "").label("photo"),
        )
        .outerjoin(SeatCheckRow, SeatCheckRow.attempt_id == AttemptRow.id)
        .outerjoin(incidents, incidents.c.attempt_id == AttemptRow.id)
        .outerjoin(CandidatePhotoRow, CandidatePhotoRow.candidate_id == AttemptRow.candidate_id)
        .where(AttemptRow.sitting_id == sitting_id)
    )
    if room_id is not None:
        query = query.where(AttemptRow.room_id == room_id)
    return {
        row.id: SeatNotes(
            identity=row.identity,
            reviewed_ms=to_milliseconds(row.reviewed_at) if row.reviewed_at else 0,
            incidents=row.incidents,
            photo=row.photo,
        )
        for row in (await session.execute(query)).all()
    }


async def save_check(session: AsyncSession, attempt_id: AttemptId, **changes: Any) -> None:
    """Write part of what was looked at."""
    values = {"attempt_id": attempt_id, "identity_note": "", **changes}
    statement = upsert(SeatCheckRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["attempt_id"], set_=changes))


async def find_photo(session: AsyncSession, attempt_id: AttemptId) -> tuple[str, bytes] | None:
    """Return hash and JPEG of the photo of whoever has an attempt."""
    query = (
        select(CandidatePhotoRow.sha256, CandidatePhotoRow.content)
        .join(AttemptRow, AttemptRow.candidate_id == CandidatePhotoRow.candidate_id)
        .where(AttemptRow.id == attempt_id)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row.sha256, row.content)


async def load_moments(session: AsyncSession, attempt_id: AttemptId) -> list[SeatMoment]:
    """Return what happened to an attempt and what its seat reported, newest first."""
    query = (
        select(AttemptEventRow)
        .where(AttemptEventRow.attempt_id == attempt_id)
        .order_by(AttemptEventRow.server_time.desc(), AttemptEventRow.position.desc())
        .limit(MOST_MOMENTS)
    )
    return [
        of_event(row.source, row.kind, row.server_time, row.client_time, row.detail)
        for row in (await session.execute(query)).scalars()
    ]


async def load_notices(session: AsyncSession, sitting_id: SittingId, attempt_id: AttemptId) -> list[SeatMoment]:
    """Return the messages and extra time an attempt was sent, by itself, with its room or with everybody."""
    room_id = select(AttemptRow.room_id).where(AttemptRow.id == attempt_id).scalar_subquery()
    query = select(NoticeRow).where(
        NoticeRow.sitting_id == sitting_id,
        NoticeRow.attempt_id.is_(None) | (NoticeRow.attempt_id == attempt_id),
        NoticeRow.room_id.is_(None) | (NoticeRow.room_id == room_id),
    )
    return [
        of_notice(row.kind, row.text, row.extra_seconds, row.created_by, row.created_at)
        for row in (await session.execute(query)).scalars()
    ]


async def lock_sitting_row(session: AsyncSession, sitting_id: SittingId) -> None:
    """Let one incident of a sitting be numbered at a time."""
    await session.execute(select(SittingRow.id).where(SittingRow.id == sitting_id).with_for_update(key_share=True))


async def next_incident_number(session: AsyncSession, sitting_id: SittingId) -> int:
    """Return the number of a sitting's next incident."""
    query = select(func.coalesce(func.max(IncidentRow.number), 0) + 1).where(IncidentRow.sitting_id == sitting_id)
    return int((await session.execute(query)).scalar_one())


async def insert_incident(session: AsyncSession, incident: Incident, request: str) -> None:
    """Write an incident and the seats it is about."""
    fields = ("id", "sitting_id", "room_id", "number", "text", "began_at", "ended_at", "reported_by", "reported_at")
    values = {name: getattr(incident, name) for name in fields}
    session.add(IncidentRow(**values, kind=incident.kind.value, request=request, withdrawn_reason=""))
    await session.flush()
    session.add_all([IncidentAttemptRow(incident_id=incident.id, attempt_id=s.attempt_id) for s in incident.seats])
    await session.flush()


async def withdraw_incident(session: AsyncSession, incident_id: UUID, *, by: str, reason: str, at: datetime) -> bool:
    """Mark an incident withdrawn; False when it was before."""
    statement = (
        update(IncidentRow)
        .where(IncidentRow.id == incident_id, IncidentRow.withdrawn_at.is_(None))
        .values(withdrawn_by=by, withdrawn_reason=reason, withdrawn_at=at)
        .returning(IncidentRow.id)
    )
    return (await session.execute(statement)).scalar() is not None


async def load_incidents(
    session: AsyncSession,
    sitting_id: SittingId,
    *,
    room_id: UUID | None = None,
    attempt_id: AttemptId | None = None,
    request: str | None = None,
) -> list[Incident]:
    """Return the incidents of a sitting by number, of a room, a seat or one request only where named."""
    query = (
        select(IncidentRow, RoomRow.code)
        .outerjoin(RoomRow, RoomRow.id == IncidentRow.room_id)
        .where(IncidentRow.sitting_id == sitting_id)
        .order_by(IncidentRow.number)
    )
    if room_id is not None:
        query = query.where(IncidentRow.room_id == room_id)
    if request is not None:
        query = query.where(IncidentRow.request == request)
    if attempt_id is not None:
        about = select(IncidentAttemptRow.incident_id).where(IncidentAttemptRow.attempt_id == attempt_id)
        query = query.where(IncidentRow.id.in_(about))
    rows = (await session.execute(query)).all()
    seats = await _incident_seats(session, [row.IncidentRow.id for row in rows])
    return [_incident(row.IncidentRow, row.code, seats.get(row.IncidentRow.id, ())) for row in rows]


async def _incident_seats(session: AsyncSession, incidents: Sequence[UUID]) -> dict[UUID, tuple[IncidentSeat, ...]]:
    query = (
        select(
            IncidentAttemptRow.incident_id,
            AttemptRow.id,
            AttemptRow.seat_number,
            CandidateRow.number,
            CandidateRow.full_name,
        )
        .join(AttemptRow, AttemptRow.id == IncidentAttemptRow.attempt_id)
        .join(CandidateRow, CandidateRow.id == AttemptRow.candidate_id)
        .where(IncidentAttemptRow.incident_id.in_(incidents))
        .order_by(AttemptRow.seat_number, CandidateRow.number)
    )
    found: dict[UUID, tuple[IncidentSeat, ...]] = {}
    for row in (await session.execute(query)).all():
        seat = IncidentSeat(AttemptId(row.id), row.number or "", row.full_name, row.seat_number)
        found[row.incident_id] = (*found.get(row.incident_id, ()), seat)
    return found


def _incident(row: IncidentRow, room: str | None, seats: tuple[IncidentSeat, ...]) -> Incident:
    return Incident(
        id=row.id,
        sitting_id=SittingId(row.sitting_id),
        room_id=row.room_id,
        room=room,
        number=row.number,
        kind=IncidentKind(row.kind),
        text=row.text,
        began_at=row.began_at,
        ended_at=row.ended_at,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        seats=seats,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason,
    )


async def find_safe_browser(session: AsyncSession, sitting_id: SittingId) -> SafeBrowser | None:
    """Return the safe browser settings of a sitting."""
    row = await session.get(SafeBrowserRow, sitting_id)
    if row is None:
        return None
    return SafeBrowser(config_key=row.config_key, document=row.document, start_url=row.start_url)


async def save_safe_browser(
    session: AsyncSession, sitting_id: SittingId, made: SafeBrowser, *, by: str, at: datetime
) -> None:
    """Keep the settings made for a sitting; made anew, the older ones no longer hold."""
    values = {
        "config_key": made.config_key,
        "document": made.document,
        "start_url": made.start_url,
        "created_by": by,
        "created_at": at,
    }
    statement = upsert(SafeBrowserRow).values(sitting_id=sitting_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["sitting_id"], set_=values))


async def delete_safe_browser(session: AsyncSession, sitting_id: SittingId) -> bool:
    """Forget the settings of a sitting; False when it had none."""
    row = await session.get(SafeBrowserRow, sitting_id)
    if row is None:
        return False
    await session.delete(row)
    await session.flush()
    return True
