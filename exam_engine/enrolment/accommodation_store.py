"""SQL of accommodations."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Uuid, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.accommodations import Accommodation, AccommodationLine, Granted
from exam_engine.enrolment.model import CandidateId
from exam_engine.enrolment.store import BY_NUMBER
from exam_engine.enrolment.tables import AccommodationRow, CandidateRow, ExamSubjectRow


async def load_lines(session: AsyncSession, exam_id: UUID) -> list[AccommodationLine]:
    """Return the accommodations of an exam by candidate number, those for all subjects first."""
    query = (
        select(AccommodationRow, CandidateRow.number, CandidateRow.full_name, ExamSubjectRow.code, ExamSubjectRow.name)
        .join(CandidateRow, CandidateRow.id == AccommodationRow.candidate_id)
        .outerjoin(ExamSubjectRow, ExamSubjectRow.id == AccommodationRow.exam_subject_id)
        .where(CandidateRow.exam_id == exam_id)
        .order_by(*BY_NUMBER, ExamSubjectRow.position.nulls_first(), ExamSubjectRow.code)
    )
    return [
        AccommodationLine(
            id=row.id,
            number=number,
            full_name=full_name,
            subject=code,
            subject_name=name,
            granted=_granted(row),
            changed_by=row.changed_by,
            changed_at=row.changed_at,
        )
        for row, number, full_name, code, name in await session.execute(query)
    ]


async def load_of_candidates(session: AsyncSession, candidates: Collection[UUID]) -> list[Accommodation]:
    """Return the accommodations of some candidates."""
    # One array, where an IN list would take a parameter for each id.
    ids = any_(bindparam(None, list(candidates), type_=ARRAY(Uuid())))
    query = select(AccommodationRow).where(AccommodationRow.candidate_id == ids)
    return [_accommodation(row) for row in await session.scalars(query)]


async def load_of_exam(session: AsyncSession, exam_id: UUID) -> list[Accommodation]:
    """Return the accommodations of an exam."""
    query = (
        select(AccommodationRow)
        .join(CandidateRow, CandidateRow.id == AccommodationRow.candidate_id)
        .where(CandidateRow.exam_id == exam_id)
    )
    return [_accommodation(row) for row in await session.scalars(query)]


async def find(session: AsyncSession, exam_id: UUID, accommodation_id: UUID) -> Accommodation | None:
    """Return an accommodation of an exam by its id."""
    query = (
        select(AccommodationRow)
        .join(CandidateRow, CandidateRow.id == AccommodationRow.candidate_id)
        .where(AccommodationRow.id == accommodation_id, CandidateRow.exam_id == exam_id)
    )
    row = await session.scalar(query)
    return None if row is None else _accommodation(row)


async def save(session: AsyncSession, accommodations: Sequence[Accommodation], *, by: str, at: datetime) -> None:
    """Write accommodations over those in the same places; one that grants nothing is taken away."""
    for one in accommodations:
        if one.granted.is_nothing:
            await session.execute(
                delete(AccommodationRow).where(
                    AccommodationRow.candidate_id == one.candidate_id,
                    AccommodationRow.exam_subject_id.is_not_distinct_from(one.exam_subject_id),
                )
            )
            continue
        said = {
            "time_factor": one.granted.time_factor,
            "extra_minutes": one.granted.extra_minutes,
            "note": one.granted.note,
            "changed_by": by,
            "changed_at": at,
        }
        statement = upsert(AccommodationRow).values(
            id=uuid4(), candidate_id=one.candidate_id, exam_subject_id=one.exam_subject_id, **said
        )
        await session.execute(
            statement.on_conflict_do_update(constraint="uq_accommodation_candidate_id_exam_subject_id", set_=said)
        )


def _accommodation(row: AccommodationRow) -> Accommodation:
    return Accommodation(
        candidate_id=CandidateId(row.candidate_id), exam_subject_id=row.exam_subject_id, granted=_granted(row)
    )


def _granted(row: AccommodationRow) -> Granted:
    return Granted(time_factor=row.time_factor, extra_minutes=row.extra_minutes, note=row.note)
