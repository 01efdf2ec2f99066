"""SQL on sittings, the forms they deliver and the notices posted in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import Sitting, SittingId, SittingSettings, SittingState
from exam_engine.delivery.tables import NoticeRow, SittingRow
from exam_engine.enrolment.tables import CandidateRow, ExamRow, ExamSubjectRow
from exam_engine.infra.clock import to_milliseconds


class SittingContext(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting with the names of its exam and subject."""

    sitting: Sitting
    exam_id: UUID
    exam_code: str
    exam_name: str
    exam_unit_id: UUID
    codes_valid_until: datetime | None
    subject_code: str
    subject_name: str


class StoredNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as PostgreSQL keeps it."""

    number: int
    kind: str
    text: str
    extra_seconds: int
    room_id: UUID | None
    attempt_id: UUID | None
    created_by: str
    created_ms: int


async def insert_sitting(session: AsyncSession, sitting: Sitting) -> None:
    """Keep a planned sitting."""
    values = msgspec.structs.asdict(sitting)
    values["form_hash"] = sitting.form_hash or None
    values["state"] = sitting.state.value
    values["settings"] = msgspec.to_builtins(sitting.settings)
    session.add(SittingRow(**values))
    await session.flush()


async def find_sitting(session: AsyncSession, reference: UUID | str) -> SittingContext | None:
    """Find a sitting by id or code."""
    key = SittingRow.id if isinstance(reference, UUID) else SittingRow.code
    rows = (await session.execute(_contexts().where(key == reference))).all()
    return _context(*rows[0]) if rows else None


async def load_sittings(
    session: AsyncSession, *, state: SittingState | None = None, exam_id: UUID | None = None
) -> list[SittingContext]:
    """Load sittings by their start."""
    query = _contexts().order_by(SittingRow.starts_at, SittingRow.code)
    if state is not None:
        query = query.where(SittingRow.state == state.value)
    if exam_id is not None:
        query = query.where(ExamRow.id == exam_id)
    return [_context(*row) for row in (await session.execute(query)).all()]


async def open_plans(session: AsyncSession) -> dict[SittingId, Any]:
    """Return what of each open sitting can still change: who sits, times and settings, comparable with `plan_of`."""
    query = select(
        SittingRow.id, SittingRow.starts_at, SittingRow.ends_at, SittingRow.settings, SittingRow.roll_version
    ).where(SittingRow.state == SittingState.OPEN.value)
    return {
        SittingId(row.id): (
            row.starts_at,
            row.ends_at,
            msgspec.convert(row.settings, SittingSettings),
            row.roll_version,
        )
        for row in await session.execute(query)
    }


async def reissued_cards(session: AsyncSession) -> dict[UUID, int]:
    """Return the code version of those candidates of open sittings whose card was ever reissued."""
    query = (
        select(CandidateRow.id, CandidateRow.code_version)
        .join(ExamSubjectRow, ExamSubjectRow.exam_id == CandidateRow.exam_id)
        .join(SittingRow, SittingRow.exam_subject_id == ExamSubjectRow.id)
        .where(SittingRow.state == SittingState.OPEN.value, CandidateRow.code_version > 1)
        .distinct()
    )
    return {row.id: row.code_version for row in await session.execute(query)}


def plan_of(sitting: Sitting) -> Any:
    """Return what of an open sitting can still change."""
    return sitting.starts_at, sitting.ends_at, sitting.settings, sitting.roll_version


async def sitting_states(session: AsyncSession) -> dict[SittingId, SittingState]:
    """Return which sittings are open, or closed but not yet wholly stored."""
    query = select(SittingRow.id, SittingRow.state).where(
        (SittingRow.state == SittingState.OPEN.value)
        | ((SittingRow.state == SittingState.CLOSED.value) & SittingRow.stored_at.is_(None))
    )
    return {SittingId(row.id): SittingState(row.state) for row in (await session.execute(query)).all()}


async def lock_sitting(session: AsyncSession, sitting_id: SittingId) -> Sitting | None:
    """Lock a sitting's row until the end of the transaction; read anew: whoever held it may have closed the sitting."""
    query = select(SittingRow).where(SittingRow.id == sitting_id).with_for_update(key_share=True)
    row = (await session.execute(query.execution_options(populate_existing=True))).scalar()
    return None if row is None else _sitting(row)


async def save_plan(session: AsyncSession, sitting: Sitting) -> None:
    """Keep the times of a sitting that was postponed, and the delays of its rooms."""
    await session.execute(
        update(SittingRow)
        .where(SittingRow.id == sitting.id)
        .values(
            starts_at=sitting.starts_at,
            ends_at=sitting.ends_at,
            settings=msgspec.to_builtins(sitting.settings),
        )
    )


async def mark_open(
    session: AsyncSession, sitting_id: SittingId, form_hash: str, frozen: Mapping[str, Any], now: datetime
) -> None:
    """Freeze form, versions and settings, and open."""
    await session.execute(
        update(SittingRow)
        .where(SittingRow.id == sitting_id)
        .values(state=SittingState.OPEN.value, form_hash=form_hash, frozen=dict(frozen), opened_at=now)
    )


async def raise_roll_version(session: AsyncSession, sitting_id: SittingId) -> None:
    """Note that people were taken in: workers that know the sitting load it anew."""
    await session.execute(
        update(SittingRow).where(SittingRow.id == sitting_id).values(roll_version=SittingRow.roll_version + 1)
    )


async def mark_closed(session: AsyncSession, sitting_id: SittingId, now: datetime) -> None:
    """Close; from now on PostgreSQL owns the attempts."""
    await session.execute(
        update(SittingRow).where(SittingRow.id == sitting_id).values(state=SittingState.CLOSED.value, closed_at=now)
    )


async def mark_stored(session: AsyncSession, sitting_id: SittingId, now: datetime) -> None:
    """Note that every acknowledged change of a closed sitting has arrived."""
    await session.execute(
        update(SittingRow)
        .where(SittingRow.id == sitting_id, SittingRow.state == SittingState.CLOSED.value)
        .values(stored_at=func.coalesce(SittingRow.stored_at, now))
    )


async def load_notices(session: AsyncSession, sitting_id: SittingId) -> list[StoredNotice]:
    """Load the notices of a sitting in order."""
    query = select(NoticeRow).where(NoticeRow.sitting_id == sitting_id).order_by(NoticeRow.number)
    return [
        StoredNotice(
            number=row.number,
            kind=row.kind,
            text=row.text,
            extra_seconds=row.extra_seconds,
            room_id=row.room_id,
            attempt_id=row.attempt_id,
            created_by=row.created_by,
            created_ms=to_milliseconds(row.created_at),
        )
        for row in (await session.execute(query)).scalars()
    ]


def _contexts() -> Any:
    return (
        select(SittingRow, ExamSubjectRow, ExamRow)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .join(ExamRow, ExamRow.id == ExamSubjectRow.exam_id)
    )


def _context(sitting: SittingRow, subject: ExamSubjectRow, exam: ExamRow) -> SittingContext:
    return SittingContext(
        sitting=_sitting(sitting),
        exam_id=exam.id,
        exam_code=exam.code,
        exam_name=exam.name,
        exam_unit_id=exam.unit_id,
        codes_valid_until=exam.codes_valid_until,
        subject_code=subject.code,
        subject_name=subject.name,
    )


def _sitting(row: SittingRow) -> Sitting:
    fields = {name: getattr(row, name) for name in Sitting.__struct_fields__}
    fields["settings"] = msgspec.convert(row.settings, SittingSettings)
    return Sitting(**(fields | {"state": SittingState(row.state), "form_hash": row.form_hash or ""}))
