"""SQL of the marking room: finding answered essays, claiming tasks, keeping marks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Select, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly.tables import FormItemRow, FormKeyRow, FormRow
from exam_engine.authoring.tables import ItemVersionRow, StimulusVersionRow
from exam_engine.delivery.tables import AttemptRow, ResponseRow, SittingRow
from exam_engine.enrolment.tables import ExamRow, ExamSubjectRow
from exam_engine.marking.model import (
    CLAIM,
    Mark,
    MarkId,
    MarkingTask,
    QueueLine,
    TaskId,
    TaskState,
    TaskView,
    short_code,
)
from exam_engine.marking.tables import MarkingTaskRow, MarkRow
from item_bank.model.item import Item, Stimulus
from scoring.keys import Key, RubricKey, rubric


async def insert_missing_tasks(session: AsyncSession, sitting_id: UUID | None, now: datetime) -> int:
    """Add a first-round task for every answered essay of a finished attempt that has none."""
    key = _newest_key()
    has_task = exists().where(
        MarkingTaskRow.attempt_id == AttemptRow.id, MarkingTaskRow.slot == FormItemRow.slot, MarkingTaskRow.round == 1
    )
    found = (
        select(SittingRow.id, AttemptRow.id, FormItemRow.slot, FormItemRow.item_version_id)
        .join(AttemptRow, AttemptRow.sitting_id == SittingRow.id)
        .join(FormRow, FormRow.id == SittingRow.form_id)
        .join(FormItemRow, FormItemRow.form_id == FormRow.id)
        .join(ResponseRow, (ResponseRow.attempt_id == AttemptRow.id) & (ResponseRow.slot == FormItemRow.slot))
        .where(
            # A paper closed by the clock may be reopened by extra time until its sitting closes; one handed in may not.
            or_(AttemptRow.state == "submitted", (AttemptRow.state == "closed") & (SittingRow.state == "closed")),
            key["rule"].astext == "rubric",
            func.jsonb_typeof(ResponseRow.value) == "string",
            ResponseRow.value.op("#>>")(literal_column("'{}'")).op("~")(r"\S"),
            ~has_task,
        )
    )
    if sitting_id is not None:
        found = found.where(SittingRow.id == sitting_id)
    rows = [
        {
            "id": uuid4(),
            "sitting_id": sitting,
            "attempt_id": attempt,
            "slot": slot,
            "round": 1,
            "item_version_id": item_version,
            "state": TaskState.OPEN.value,
            "created_at": now,
        }
        for sitting, attempt, slot, item_version in await session.execute(found)
    ]
    if rows:
        await session.execute(insert(MarkingTaskRow).on_conflict_do_nothing(), rows)
    return len(rows)


async def load_queue(session: AsyncSession, units: Collection[UUID], marker_id: UUID) -> list[QueueLine]:
    """Count the tasks of each sitting on these units."""
    is_open = MarkingTaskRow.state == TaskState.OPEN.value
    statement = (
        select(
            SittingRow.id,
            ExamRow.name,
            ExamSubjectRow.name,
            SittingRow.name,
            func.count().filter(is_open),
            func.count().filter(~is_open),
            func.count().filter(~is_open & (MarkingTaskRow.marker_id == marker_id)),
        )
        .join(MarkingTaskRow, MarkingTaskRow.sitting_id == SittingRow.id)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .join(ExamRow, ExamRow.id == ExamSubjectRow.exam_id)
        .where(ExamRow.unit_id.in_(units))
        .group_by(SittingRow.id, ExamRow.name, ExamSubjectRow.name, SittingRow.name)
        .order_by(ExamRow.name, ExamSubjectRow.name, SittingRow.name)
    )
    return [
        QueueLine(
            sitting_id=row[0],
            exam_name=row[1],
            subject_name=row[2],
            sitting_name=row[3],
            n_open=row[4],
            n_marked=row[5],
            n_mine=row[6],
        )
        for row in await session.execute(statement)
    ]


async def lock_next_task(
    session: AsyncSession, units: Collection[UUID], marker_id: UUID, sitting_id: UUID | None, now: datetime
) -> MarkingTask | None:
    """Lock the next open task: the marker's own first, then one nobody works on, in random order of ids."""
    is_free = or_(MarkingTaskRow.marker_id.is_(None), MarkingTaskRow.claimed_at < now - CLAIM)
    statement = (
        _tasks_on(units)
        .where(
            MarkingTaskRow.state == TaskState.OPEN.value,
            or_(MarkingTaskRow.marker_id == marker_id, is_free),
        )
        .order_by((MarkingTaskRow.marker_id == marker_id).desc().nulls_last(), MarkingTaskRow.id)
        .limit(1)
        .with_for_update(of=MarkingTaskRow, skip_locked=True)
    )
    if sitting_id is not None:
        statement = statement.where(MarkingTaskRow.sitting_id == sitting_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    return None if row is None else _task(row)


async def lock_task(session: AsyncSession, task_id: UUID, units: Collection[UUID]) -> MarkingTask | None:
    """Lock one task on these units."""
    statement = _tasks_on(units).where(MarkingTaskRow.id == task_id).with_for_update(of=MarkingTaskRow)
    row = (await session.execute(statement)).scalar_one_or_none()
    return None if row is None else _task(row)


async def save_task(session: AsyncSession, task: MarkingTask) -> None:
    """Keep who has a task and whether it is marked."""
    values = {"marker_id": task.marker_id, "claimed_at": task.claimed_at, "state": task.state.value}
    await session.execute(update(MarkingTaskRow).where(MarkingTaskRow.id == task.id).values(**values))


async def load_rubric(session: AsyncSession, task: MarkingTask) -> RubricKey:
    """Return the rubric of the form's present key version."""
    statement = (
        select(FormKeyRow.key)
        .join(FormRow, FormRow.id == FormKeyRow.form_id)
        .join(SittingRow, SittingRow.form_id == FormRow.id)
        .where(
            SittingRow.id == task.sitting_id,
            FormKeyRow.slot == task.slot,
            FormKeyRow.version <= FormRow.key_version,
            FormKeyRow.key["rule"].astext == "rubric",
        )
        .order_by(FormKeyRow.version.desc())
        .limit(1)
    )
    key: Key = msgspec.convert((await session.execute(statement)).scalar_one(), Key)
    if not isinstance(key, RubricKey):
        raise TypeError(f"slot {task.slot} is not marked by people")
    return key


async def load_view(session: AsyncSession, task: MarkingTask) -> TaskView:
    """Return what the marker sees of a task."""
    statement = (
        select(
            ExamRow.name,
            ExamSubjectRow.name,
            ItemVersionRow.content,
            StimulusVersionRow.content,
            ResponseRow.value,
        )
        .select_from(MarkingTaskRow)
        .join(SittingRow, SittingRow.id == MarkingTaskRow.sitting_id)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .join(ExamRow, ExamRow.id == ExamSubjectRow.exam_id)
        .join(ItemVersionRow, ItemVersionRow.id == MarkingTaskRow.item_version_id)
        .outerjoin(StimulusVersionRow, StimulusVersionRow.id == ItemVersionRow.stimulus_version_id)
        .join(
            ResponseRow,
            (ResponseRow.attempt_id == MarkingTaskRow.attempt_id) & (ResponseRow.slot == MarkingTaskRow.slot),
        )
        .where(MarkingTaskRow.id == task.id)
    )
    exam_name, subject_name, item_content, stimulus_content, value = (await session.execute(statement)).one()
    item = msgspec.convert(item_content, Item)
    stimulus = None if stimulus_content is None else msgspec.convert(stimulus_content, Stimulus)
    key = await load_rubric(session, task)
    text = value if isinstance(value, str) else ""
    return TaskView(
        task_id=task.id,
        code=short_code(task.id),
        state=task.state,
        exam_name=exam_name,
        subject_name=subject_name,
        sitting_id=task.sitting_id,
        stem=item.stem,
        stimulus_title=stimulus.title if stimulus else "",
        stimulus_content=stimulus.content if stimulus else "",
        rubric=key,
        maximum=rubric.maximum(key),
        response=text,
        n_words=len(text.split()),
        marks=tuple(await load_marks(session, task.id)),
    )


async def load_marks(session: AsyncSession, task_id: TaskId) -> list[Mark]:
    """Return the marks of a task, by number."""
    rows = await session.scalars(select(MarkRow).where(MarkRow.task_id == task_id).order_by(MarkRow.number))
    return [
        Mark(
            id=MarkId(row.id),
            task_id=task_id,
            number=row.number,
            marker_id=row.marker_id,
            criteria=dict(row.criteria),
            total=row.total,
            comment=row.comment,
            created_at=row.created_at,
        )
        for row in rows
    ]


async def insert_mark(session: AsyncSession, mark: Mark) -> None:
    """Add a mark; earlier ones stay."""
    session.add(MarkRow(**msgspec.structs.asdict(mark)))
    await session.flush()


async def load_newest_totals(session: AsyncSession, sitting_id: UUID) -> Sequence[tuple[UUID, int, int, int | None]]:
    """Return attempt, slot, round and newest total of every task of a sitting; no total: not marked yet."""
    newest = (
        select(MarkRow.total)
        .where(MarkRow.task_id == MarkingTaskRow.id)
        .order_by(MarkRow.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(MarkingTaskRow.attempt_id, MarkingTaskRow.slot, MarkingTaskRow.round, newest)
        .where(MarkingTaskRow.sitting_id == sitting_id)
        .order_by(MarkingTaskRow.attempt_id, MarkingTaskRow.slot, MarkingTaskRow.round)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(statement)]


def _tasks_on(units: Collection[UUID]) -> Select[Any]:
    return (
        select(MarkingTaskRow)
        .join(SittingRow, SittingRow.id == MarkingTaskRow.sitting_id)
        .join(ExamSubjectRow, ExamSubjectRow.id == SittingRow.exam_subject_id)
        .join(ExamRow, ExamRow.id == ExamSubjectRow.exam_id)
        .where(ExamRow.unit_id.in_(units))
    )


def _newest_key() -> Any:
    """Return the newest key of the slot at hand, as a correlated subquery."""
    return (
        select(FormKeyRow.key)
        .where(
            FormKeyRow.form_id == FormItemRow.form_id,
            FormKeyRow.slot == FormItemRow.slot,
            FormKeyRow.version <= FormRow.key_version,
        )
        .order_by(FormKeyRow.version.desc())
        .limit(1)
        .correlate(FormItemRow, FormRow)
        .scalar_subquery()
    )


def _task(row: MarkingTaskRow) -> MarkingTask:
    return MarkingTask(
        id=TaskId(row.id),
        sitting_id=row.sitting_id,
        attempt_id=row.attempt_id,
        slot=row.slot,
        round=row.round,
        item_version_id=row.item_version_id,
        state=TaskState(row.state),
        marker_id=row.marker_id,
        claimed_at=row.claimed_at,
    )
