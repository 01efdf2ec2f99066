"""SQL of what a run reads: closed sittings, finished attempts with their newest responses, groups of candidates."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly.model import FormId
from exam_engine.calibration.gathering import SatAttempt
from exam_engine.delivery.tables import AttemptRow, ResponseRow, SittingRow
from exam_engine.enrolment.tables import CandidateRow
from exam_engine.identity.tables import OrgUnitRow

FINISHED = ("submitted", "closed")
BY_SCHOOL = "school"


class CalibratedSitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting with how far it is."""

    id: UUID
    code: str
    name: str
    exam_subject_id: UUID
    form_id: FormId
    is_stored: bool  # closed, and every acknowledged change is here
    n_finished: int


async def load_sittings(
    session: AsyncSession, *, exam_subject_id: UUID | None = None, ids: Collection[UUID] | None = None
) -> list[CalibratedSitting]:
    """Return sittings of a subject, or by their ids, in order of start."""
    finished = (
        select(func.count())
        .where(AttemptRow.sitting_id == SittingRow.id, AttemptRow.started_at.is_not(None))
        .where(AttemptRow.state.in_(FINISHED))
        .scalar_subquery()
    )
    query = select(SittingRow, finished).order_by(SittingRow.starts_at, SittingRow.code)
    if exam_subject_id is not None:
        query = query.where(SittingRow.exam_subject_id == exam_subject_id)
    if ids is not None:
        query = query.where(SittingRow.id.in_(ids))
    return [
        CalibratedSitting(
            id=row.id,
            code=row.code,
            name=row.name,
            exam_subject_id=row.exam_subject_id,
            form_id=FormId(row.form_id),
            is_stored=row.state == "closed" and row.stored_at is not None,
            n_finished=count,
        )
        for row, count in await session.execute(query)
    ]


async def load_attempts(
    session: AsyncSession, sitting_id: UUID, *, groups_by: str = "", marks: dict[tuple[UUID, int], int] | None = None
) -> list[tuple[UUID, SatAttempt]]:
    """Return every finished attempt that was started, by candidate; with settled marks of essays and the group."""
    responses = func.coalesce(
        func.jsonb_object_agg(ResponseRow.slot, ResponseRow.value).filter(ResponseRow.slot.is_not(None)),
        literal({}, JSONB),
    )
    group = _group(groups_by)
    query = (
        select(AttemptRow.id, AttemptRow.candidate_id, AttemptRow.paper_code_id, responses, group)
        .join(CandidateRow, CandidateRow.id == AttemptRow.candidate_id)
        .outerjoin(OrgUnitRow, OrgUnitRow.id == CandidateRow.school_unit_id)
        .outerjoin(ResponseRow, ResponseRow.attempt_id == AttemptRow.id)
        .where(AttemptRow.sitting_id == sitting_id, AttemptRow.started_at.is_not(None), AttemptRow.state.in_(FINISHED))
        .group_by(AttemptRow.id, AttemptRow.candidate_id, AttemptRow.paper_code_id, group)
        .order_by(AttemptRow.candidate_id)
    )
    essays: dict[UUID, dict[int, int]] = {}
    for (attempt_id, slot), total in (marks or {}).items():
        essays.setdefault(attempt_id, {})[slot] = total
    return [
        (
            candidate_id,
            SatAttempt(
                attempt_id=attempt_id,
                paper_code_id=paper_code_id,
                responses={int(slot): value for slot, value in given.items()},
                marks=essays.get(attempt_id, {}),
                group=found or "",
            ),
        )
        for attempt_id, candidate_id, paper_code_id, given, found in await session.execute(query)
    ]


async def load_attributes(session: AsyncSession, exam_id: UUID) -> list[str]:
    """Return the names of the candidates' attributes in an exam: what groups can be compared by."""
    keys = select(func.jsonb_object_keys(CandidateRow.attributes).label("name")).where(CandidateRow.exam_id == exam_id)
    return sorted((await session.scalars(select(keys.subquery().c.name).distinct())).all())


def _group(groups_by: str) -> ColumnElement[Any]:
    if not groups_by:
        return literal("")
    if groups_by == BY_SCHOOL:
        return func.coalesce(OrgUnitRow.name, "")
    return func.coalesce(CandidateRow.attributes[groups_by].astext, "")
