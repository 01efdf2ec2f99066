"""SQL of graduation runs: inserted with their outcomes, never updated."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.model import CandidateId, ExamId
from exam_engine.results.model import GraduationRun, GraduationRunId, ScoreRunId
from exam_engine.results.tables import GraduationOutcomeRow, GraduationRunRow
from scoring.graduation import GraduationOutcome

ROWS_AT_ONCE = 2000


async def next_number(session: AsyncSession, exam_id: UUID) -> int:
    """Return the number of the next graduation run of an exam."""
    highest = select(func.max(GraduationRunRow.number)).where(GraduationRunRow.exam_id == exam_id)
    return ((await session.execute(highest)).scalar() or 0) + 1


async def insert_run(
    session: AsyncSession, run: GraduationRun, outcomes: Mapping[CandidateId, GraduationOutcome]
) -> None:
    """Keep a run with the outcome of every candidate."""
    values = msgspec.structs.asdict(run) | {"score_run_ids": [str(run_id) for run_id in run.score_run_ids]}
    session.add(GraduationRunRow(**values))
    await session.flush()
    rows: list[dict[str, Any]] = [
        {
            "run_id": run.id,
            "candidate_id": candidate_id,
            "is_complete": outcome.is_complete,
            "score": outcome.score,
            "passed": outcome.passed,
            "trace": msgspec.to_builtins(outcome),
        }
        for candidate_id, outcome in outcomes.items()
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(GraduationOutcomeRow), rows[start : start + ROWS_AT_ONCE])


async def find_run(session: AsyncSession, run_id: UUID) -> GraduationRun | None:
    """Return a run by id."""
    row = await session.get(GraduationRunRow, run_id)
    return None if row is None else _run(row)


async def load_runs(session: AsyncSession, exam_id: UUID) -> list[GraduationRun]:
    """Return the runs of an exam, newest first."""
    statement = select(GraduationRunRow).where(GraduationRunRow.exam_id == exam_id)
    rows = await session.scalars(statement.order_by(GraduationRunRow.number.desc()))
    return [_run(row) for row in rows]


async def load_outcomes(session: AsyncSession, run_id: UUID) -> dict[CandidateId, GraduationOutcome]:
    """Return the outcomes of a run, by candidate."""
    rows = await session.scalars(select(GraduationOutcomeRow).where(GraduationOutcomeRow.run_id == run_id))
    return {CandidateId(row.candidate_id): msgspec.convert(row.trace, GraduationOutcome) for row in rows}


def _run(row: GraduationRunRow) -> GraduationRun:
    return GraduationRun(
        id=GraduationRunId(row.id),
        exam_id=ExamId(row.exam_id),
        number=row.number,
        rule_set=row.rule_set,
        score_run_ids=tuple(ScoreRunId(UUID(run_id)) for run_id in row.score_run_ids),
        n_complete=row.n_complete,
        n_passed=row.n_passed,
        created_by=row.created_by,
        created_at=row.created_at,
    )
