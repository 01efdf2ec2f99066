"""SQL of score runs by item response theory."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.tables import SittingRow
from exam_engine.enrolment.model import CandidateId
from exam_engine.enrolment.tables import CandidateRow, ExamSubjectRow
from exam_engine.results.reporting import (
    Estimator,
    IrtRun,
    IrtRunId,
    IrtRunSummary,
    IrtScore,
    UsedItem,
)
from exam_engine.results.tables import IrtRunRow, IrtScoreRow
from scoring.standards import ReportingScale

ROWS_AT_ONCE = 2000


async def next_number(session: AsyncSession, sitting_id: UUID) -> int:
    """Return the number of the next run; the sitting is locked by the caller."""
    highest = select(func.max(IrtRunRow.number)).where(IrtRunRow.sitting_id == sitting_id)
    return ((await session.scalar(highest)) or 0) + 1


async def insert_run(session: AsyncSession, run: IrtRun, scores: Iterable[IrtScore]) -> None:
    """Keep a run with its scores; never updated afterwards."""
    values = {name: getattr(run, name) for name in IrtRun.__struct_fields__}
    values |= {
        "estimator": run.estimator.value,
        "scale": msgspec.to_builtins(run.scale),
        "items": msgspec.to_builtins(run.items),
    }
    await session.execute(insert(IrtRunRow).values(**values))
    rows = [{"run_id": run.id, **msgspec.structs.asdict(score)} for score in scores]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(IrtScoreRow), rows[start : start + ROWS_AT_ONCE])


async def find_run(session: AsyncSession, run_id: UUID) -> IrtRun | None:
    """Return a run by id."""
    row = await session.get(IrtRunRow, run_id)
    if row is None:
        return None
    values: dict[str, Any] = {name: getattr(row, name) for name in IrtRun.__struct_fields__}
    values |= {
        "id": IrtRunId(row.id),
        "estimator": Estimator(row.estimator),
        "scale": msgspec.convert(row.scale, ReportingScale),
        "items": msgspec.convert(row.items, tuple[UsedItem, ...]),
    }
    return IrtRun(**values)


async def load_summaries(session: AsyncSession, exam_id: UUID) -> list[IrtRunSummary]:
    """Return the runs of an exam, newest first."""
    mean = (
        select(cast(func.round(func.avg(IrtScoreRow.score)), Integer))
        .where(IrtScoreRow.run_id == IrtRunRow.id)
        .scalar_subquery()
    )
    query = (
        select(IrtRunRow, ExamSubjectRow.code, ExamSubjectRow.name, SittingRow.code, mean)
        .join(SittingRow, SittingRow.id == IrtRunRow.sitting_id)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .where(ExamSubjectRow.exam_id == exam_id)
        .order_by(IrtRunRow.created_at.desc(), IrtRunRow.number.desc())
    )
    return [
        IrtRunSummary(
            id=IrtRunId(row.id),
            subject_code=subject_code,
            subject_name=subject_name,
            sitting_code=sitting_code,
            sitting_id=row.sitting_id,
            number=row.number,
            estimator=Estimator(row.estimator),
            n_items=len(row.items),
            n_scored=row.n_scored,
            reliability=row.reliability,
            mean=average,
            created_by=row.created_by,
            created_at=row.created_at,
            reason=row.reason,
        )
        for row, subject_code, subject_name, sitting_code, average in await session.execute(query)
    ]


async def find_newest(session: AsyncSession, sitting_id: UUID) -> IrtRunId | None:
    """Return the last run of a sitting."""
    query = select(IrtRunRow.id).where(IrtRunRow.sitting_id == sitting_id).order_by(IrtRunRow.number.desc()).limit(1)
    found = await session.scalar(query)
    return None if found is None else IrtRunId(found)


async def load_scores(session: AsyncSession, run_id: UUID) -> dict[str, IrtScore]:
    """Return the scores of a run by candidate number."""
    query = (
        select(IrtScoreRow, CandidateRow.number)
        .join(CandidateRow, CandidateRow.id == IrtScoreRow.candidate_id)
        .where(IrtScoreRow.run_id == run_id)
        .order_by(CandidateRow.number)
    )
    return {
        number or "": IrtScore(
            candidate_id=CandidateId(row.candidate_id),
            attempt_id=row.attempt_id,
            theta=row.theta,
            se=row.se,
            score=row.score,
            score_se=row.score_se,
            n_items=row.n_items,
        )
        for row, number in await session.execute(query)
    }
