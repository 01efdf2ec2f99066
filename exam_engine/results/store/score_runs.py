"""SQL of score runs: what a run needs, what it leaves behind."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Integer, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly.model import FormId
from exam_engine.delivery.tables import AttemptRow, ResponseRow, SittingRow, StreamRejectRow
from exam_engine.enrolment.model import CandidateId
from exam_engine.enrolment.tables import CandidateRow, ExamSubjectRow
from exam_engine.results.model import RunSummary, ScorableAttempt, Score, ScoreRun, ScoreRunId
from exam_engine.results.tables import ScoreRow, ScoreRunRow
from scoring.totals import FormKey
from scoring.values import plain_decimal, to_decimal

FINISHED = ("submitted", "closed")
ROWS_AT_ONCE = 2000


class SittingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be true of a sitting before it can be scored."""

    sitting_id: UUID
    code: str
    exam_subject_id: UUID
    exam_id: UUID
    form_id: FormId
    state: str
    is_stored: bool  # every acknowledged change is in PostgreSQL
    n_rejected: int  # stream entries the database did not take


async def lock_sitting(session: AsyncSession, sitting_id: UUID) -> SittingFacts | None:
    """Lock a sitting, so that one scores it at a time."""
    statement = (
        select(SittingRow, ExamSubjectRow.exam_id)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .where(SittingRow.id == sitting_id)
        .with_for_update(of=SittingRow)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    sitting, exam_id = row
    rejected = select(func.count()).where(StreamRejectRow.stream.startswith(f"sit:{{{sitting_id}:", autoescape=True))
    return SittingFacts(
        sitting_id=sitting.id,
        code=sitting.code,
        exam_subject_id=sitting.exam_subject_id,
        exam_id=exam_id,
        form_id=FormId(sitting.form_id),
        state=sitting.state,
        is_stored=sitting.stored_at is not None,
        n_rejected=(await session.execute(rejected)).scalar_one(),
    )


async def load_attempts(session: AsyncSession, sitting_id: UUID) -> list[ScorableAttempt]:
    """Return every attempt that was started, with its responses, by candidate; a seat never used is not among them."""
    responses = func.coalesce(
        func.jsonb_object_agg(ResponseRow.slot, ResponseRow.value).filter(ResponseRow.slot.is_not(None)),
        literal({}, JSONB),
    )
    statement = (
        select(AttemptRow.id, AttemptRow.candidate_id, responses)
        .outerjoin(ResponseRow, ResponseRow.attempt_id == AttemptRow.id)
        .where(AttemptRow.sitting_id == sitting_id, AttemptRow.started_at.is_not(None), AttemptRow.state.in_(FINISHED))
        .group_by(AttemptRow.id, AttemptRow.candidate_id)
        .order_by(AttemptRow.candidate_id)
    )
    return [
        ScorableAttempt(attempt_id, CandidateId(candidate_id), {int(slot): value for slot, value in given.items()})
        for attempt_id, candidate_id, given in await session.execute(statement)
    ]


async def insert_run(session: AsyncSession, run: ScoreRun, scores: Iterable[Score]) -> None:
    """Keep a run with its scores; never updated afterwards."""
    session.add(
        ScoreRunRow(
            id=run.id,
            exam_subject_id=run.exam_subject_id,
            sitting_id=run.sitting_id,
            number=run.number,
            previous_run_id=run.previous_run_id,
            key_version=run.key_version,
            rule_version=run.rule_version,
            keys=msgspec.to_builtins(run.form_key),
            input_hash=run.input_hash,
            n_scored=run.n_scored,
            n_changed=run.n_changed,
            state="complete",
            reason=run.reason,
            created_by=run.created_by,
            created_at=run.created_at,
        )
    )
    await session.flush()
    rows = [
        {
            "run_id": run.id,
            "candidate_id": score.candidate_id,
            "attempt_id": score.attempt_id,
            "total": score.total,
            "parts": {str(part): plain_decimal(points) for part, points in score.parts.items()},
            "slots": {str(slot): plain_decimal(points) for slot, points in score.slots.items()},
        }
        for score in scores
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(ScoreRow), rows[start : start + ROWS_AT_ONCE])


async def find_run(session: AsyncSession, run_id: UUID) -> ScoreRun | None:
    """Return a run by id."""
    row = await session.get(ScoreRunRow, run_id)
    return None if row is None else _run(row)


async def find_newest_run(session: AsyncSession, sitting_id: UUID) -> ScoreRun | None:
    """Return the last run of a sitting."""
    statement = (
        select(ScoreRunRow).where(ScoreRunRow.sitting_id == sitting_id).order_by(ScoreRunRow.number.desc()).limit(1)
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    return None if row is None else _run(row)


async def load_scores(session: AsyncSession, run_id: UUID) -> dict[CandidateId, Score]:
    """Return the scores of a run, by candidate."""
    rows = await session.scalars(select(ScoreRow).where(ScoreRow.run_id == run_id))
    return {
        CandidateId(row.candidate_id): Score(
            candidate_id=CandidateId(row.candidate_id),
            attempt_id=row.attempt_id,
            total=row.total,
            parts={int(part): Decimal(points) for part, points in row.parts.items()},
            slots={int(slot): Decimal(points) for slot, points in row.slots.items()},
        )
        for row in rows
    }


async def load_summaries(session: AsyncSession, exam_id: UUID) -> list[RunSummary]:
    """Return the runs of an exam, newest first."""
    mean = (
        select(cast(func.round(func.avg(ScoreRow.total)), Integer))
        .where(ScoreRow.run_id == ScoreRunRow.id)
        .scalar_subquery()
    )
    statement = (
        select(ScoreRunRow, ExamSubjectRow.code, ExamSubjectRow.name, SittingRow.code, mean)
        .join(ExamSubjectRow, ExamSubjectRow.id == ScoreRunRow.exam_subject_id)
        .join(SittingRow, SittingRow.id == ScoreRunRow.sitting_id)
        .where(ExamSubjectRow.exam_id == exam_id)
        .order_by(ScoreRunRow.created_at.desc(), ScoreRunRow.number.desc())
    )
    return [
        RunSummary(
            id=ScoreRunId(row.id),
            subject_code=subject_code,
            subject_name=subject_name,
            sitting_code=sitting_code,
            number=row.number,
            key_version=row.key_version,
            n_scored=row.n_scored,
            n_changed=row.n_changed,
            reason=row.reason,
            created_by=row.created_by,
            created_at=row.created_at,
            mean=None if average is None else to_decimal(average),
        )
        for row, subject_code, subject_name, sitting_code, average in await session.execute(statement)
    ]


async def load_numbers(session: AsyncSession, run_ids: Iterable[UUID]) -> dict[CandidateId, str]:
    """Return the candidate numbers of everybody scored in these runs."""
    statement = (
        select(CandidateRow.id, CandidateRow.number)
        .join(ScoreRow, ScoreRow.candidate_id == CandidateRow.id)
        .where(ScoreRow.run_id.in_(list(run_ids)))
        .distinct()
    )
    return {CandidateId(candidate_id): number or "" for candidate_id, number in await session.execute(statement)}


async def load_newest_runs(session: AsyncSession, exam_id: UUID) -> list[tuple[ScoreRun, str, str]]:
    """Return the newest run of each sitting of an exam, by start, with the codes of subject and sitting."""
    statement = (
        select(ScoreRunRow, ExamSubjectRow.code, SittingRow.code, SittingRow.starts_at)
        .join(ExamSubjectRow, ExamSubjectRow.id == ScoreRunRow.exam_subject_id)
        .join(SittingRow, SittingRow.id == ScoreRunRow.sitting_id)
        .where(ExamSubjectRow.exam_id == exam_id)
        .ext(distinct_on(ScoreRunRow.sitting_id))
        .order_by(ScoreRunRow.sitting_id, ScoreRunRow.number.desc())
    )
    rows = sorted(await session.execute(statement), key=lambda row: (row[3], row[2]))
    return [(_run(row), subject, sitting) for row, subject, sitting, _ in rows]


def _run(row: ScoreRunRow) -> ScoreRun:
    values: dict[str, Any] = {name: getattr(row, name) for name in ScoreRun.__struct_fields__ if name != "form_key"}
    return ScoreRun(**values, form_key=msgspec.convert(row.keys, FormKey))
