"""SQL of runs and of what they say of items."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import ItemVersionId
from exam_engine.calibration.choices import RunSettings
from exam_engine.calibration.findings import ItemReport, Outcome
from exam_engine.calibration.model import (
    CalibrationItem,
    CalibrationRun,
    CalibrationRunId,
    Decision,
    Progress,
    Refusal,
    RunState,
)
from exam_engine.calibration.tables import CalibrationItemRow, CalibrationRunRow
from exam_engine.enrolment.tables import ExamRow, ExamSubjectRow

ROWS_AT_ONCE = 200


async def next_number(session: AsyncSession, exam_subject_id: UUID) -> int:
    """Return the number the next run of a subject gets; the subject is locked until the transaction ends."""
    await session.execute(select(ExamSubjectRow.id).where(ExamSubjectRow.id == exam_subject_id).with_for_update())
    highest = select(func.max(CalibrationRunRow.number)).where(CalibrationRunRow.exam_subject_id == exam_subject_id)
    return ((await session.scalar(highest)) or 0) + 1


async def insert_run(session: AsyncSession, run: CalibrationRun) -> None:
    """Keep a new run."""
    await session.execute(insert(CalibrationRunRow).values(id=run.id, **_values(run)))


async def save_run(session: AsyncSession, run: CalibrationRun) -> None:
    """Write everything of a run that can change."""
    await session.execute(update(CalibrationRunRow).where(CalibrationRunRow.id == run.id).values(**_values(run)))


async def save_progress(session: AsyncSession, run_id: CalibrationRunId, tries: int, progress: Progress) -> bool:
    """Tell how far a run is, if it is still this try's; return whether it goes on (false: cancelled or taken over)."""
    statement = (
        update(CalibrationRunRow)
        .where(
            CalibrationRunRow.id == run_id,
            CalibrationRunRow.tries == tries,
            CalibrationRunRow.state == RunState.RUNNING.value,
            CalibrationRunRow.is_cancel_asked.is_(False),
        )
        .values(progress=msgspec.to_builtins(progress))
        .returning(CalibrationRunRow.id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def find_run(session: AsyncSession, run_id: UUID, *, lock: bool = False) -> CalibrationRun | None:
    """Return a run by id, locked for a change if wanted."""
    query = _runs().where(CalibrationRunRow.id == run_id)
    if lock:
        query = query.with_for_update(of=CalibrationRunRow)
    row = (await session.execute(query.execution_options(populate_existing=True))).one_or_none()
    return None if row is None else _run(*row)


async def load_runs(
    session: AsyncSession, *, unit_ids: Collection[UUID] | None = None, exam_subject_id: UUID | None = None
) -> list[CalibrationRun]:
    """Return runs, newest first."""
    query = _runs().order_by(CalibrationRunRow.created_at.desc(), CalibrationRunRow.number.desc())
    if unit_ids is not None:
        query = query.where(ExamRow.unit_id.in_(unit_ids))
    if exam_subject_id is not None:
        query = query.where(CalibrationRunRow.exam_subject_id == exam_subject_id)
    return [_run(*row) for row in await session.execute(query)]


async def insert_items(session: AsyncSession, run_id: CalibrationRunId, reports: Sequence[ItemReport]) -> None:
    """Keep what a run says of its items, in the order given."""
    rows = [
        {
            "run_id": run_id,
            "item_version_id": report.item_version_id,
            "position": position,
            "report": msgspec.to_builtins(report),
            "decision": Decision.OPEN.value,
            "comment": "",
        }
        for position, report in enumerate(reports, start=1)
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(CalibrationItemRow), rows[start : start + ROWS_AT_ONCE])


async def load_items(session: AsyncSession, run_id: UUID) -> list[CalibrationItem]:
    """Return the items of a run, the most troubled first."""
    query = select(CalibrationItemRow).where(CalibrationItemRow.run_id == run_id).order_by(CalibrationItemRow.position)
    return [_item(row) for row in await session.scalars(query)]


async def save_decision(session: AsyncSession, run_id: CalibrationRunId, item: CalibrationItem) -> None:
    """Write what was decided about an item."""
    await session.execute(
        update(CalibrationItemRow)
        .where(CalibrationItemRow.run_id == run_id, CalibrationItemRow.item_version_id == item.report.item_version_id)
        .values(
            decision=item.decision.value,
            decided_by=item.decided_by,
            decided_at=item.decided_at,
            comment=item.comment,
        )
    )


async def load_mentions(
    session: AsyncSession, item_version_id: ItemVersionId
) -> list[tuple[CalibrationRun, CalibrationItem]]:
    """Return what every complete run said of an item version, newest first."""
    query = (
        _runs()
        .add_columns(CalibrationItemRow)
        .join(CalibrationItemRow, CalibrationItemRow.run_id == CalibrationRunRow.id)
        .where(CalibrationItemRow.item_version_id == item_version_id)
        .order_by(CalibrationRunRow.created_at.desc())
    )
    return [(_run(run, subject, exam), _item(item)) for run, subject, exam, item in await session.execute(query)]


def _runs() -> Any:
    return (
        select(CalibrationRunRow, ExamSubjectRow, ExamRow)
        .join(ExamSubjectRow, ExamSubjectRow.id == CalibrationRunRow.exam_subject_id)
        .join(ExamRow, ExamRow.id == ExamSubjectRow.exam_id)
    )


def _values(run: CalibrationRun) -> dict[str, Any]:
    return {
        "exam_subject_id": run.exam_subject_id,
        "number": run.number,
        "settings": msgspec.to_builtins(run.settings),
        "state": run.state.value,
        "tries": run.tries,
        "is_cancel_asked": run.is_cancel_asked,
        "progress": msgspec.to_builtins(run.progress),
        "refusal": None if run.refusal is None else msgspec.to_builtins(run.refusal),
        "outcome": None if run.outcome is None else msgspec.to_builtins(run.outcome),
        "created_by": run.created_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _run(row: CalibrationRunRow, subject: ExamSubjectRow, exam: ExamRow) -> CalibrationRun:
    return CalibrationRun(
        id=CalibrationRunId(row.id),
        exam_subject_id=row.exam_subject_id,
        exam_code=exam.code,
        exam_name=exam.name,
        exam_unit_id=exam.unit_id,
        subject_code=subject.code,
        subject_name=subject.name,
        number=row.number,
        settings=msgspec.convert(row.settings, RunSettings),
        state=RunState(row.state),
        tries=row.tries,
        is_cancel_asked=row.is_cancel_asked,
        progress=msgspec.convert(row.progress, Progress),
        refusal=None if row.refusal is None else msgspec.convert(row.refusal, Refusal),
        outcome=None if row.outcome is None else msgspec.convert(row.outcome, Outcome),
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _item(row: CalibrationItemRow) -> CalibrationItem:
    return CalibrationItem(
        report=msgspec.convert(row.report, ItemReport),
        decision=Decision(row.decision),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        comment=row.comment,
    )
