"""Use cases of marking: make tasks, take the next one, record a mark, settle what counts.

`units` are the units on which the marker holds the permission to mark; tasks elsewhere do not exist for him.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.marking import model, store
from exam_engine.marking.errors import TaskUnknown
from exam_engine.marking.model import Mark, MarkId, QueueLine, SittingMarks, TaskState, TaskView
from scoring.marking import load_marking_rules, settle


async def make_tasks(session: AsyncSession, *, now: datetime, sitting_id: UUID | None = None) -> int:
    """Make the tasks that are missing, for one sitting or all; return how many. Doing it twice makes none twice.

    A blank essay needs no marker and gets no task.
    """
    return await store.insert_missing_tasks(session, sitting_id, now)


async def load_queue(
    session: AsyncSession, *, marker_id: UUID, units: Collection[UUID], now: datetime
) -> list[QueueLine]:
    """Return how far the marking of each sitting is, new responses included."""
    await make_tasks(session, now=now)
    return await store.load_queue(session, units, marker_id)


async def next_task(
    session: AsyncSession,
    *,
    marker_id: UUID,
    units: Collection[UUID],
    now: datetime,
    sitting_id: UUID | None = None,
) -> TaskView | None:
    """Give the marker the next open task, his own unfinished one first; none: everything is marked or taken."""
    await make_tasks(session, now=now, sitting_id=sitting_id)
    task = await store.lock_next_task(session, units, marker_id, sitting_id, now)
    if task is None:
        return None
    claimed = model.claim(task, marker_id, now)
    await store.save_task(session, claimed)
    return await store.load_view(session, claimed)


async def load_task(
    session: AsyncSession, task_id: UUID, *, marker_id: UUID, units: Collection[UUID], now: datetime
) -> TaskView:
    """Open one task, also a marked one of the same marker.

    Raises
    ------
    TaskUnknown, TaskTaken
    """
    task = await store.lock_task(session, task_id, units)
    if task is None:
        raise TaskUnknown(task_id)
    claimed = model.claim(task, marker_id, now)
    await store.save_task(session, claimed)
    return await store.load_view(session, claimed)


async def record_mark(
    session: AsyncSession,
    task_id: UUID,
    *,
    marker_id: UUID,
    units: Collection[UUID],
    criteria: Mapping[str, int],
    comment: str,
    actor: str,
    now: datetime,
) -> Mark:
    """Record a mark, criterion by criterion in hundredths; a correction by the same marker is added, not overwritten.

    Raises
    ------
    TaskUnknown, TaskTaken
    MarkInvalid
        The mark does not fit the rubric.
    """
    task = await store.lock_task(session, task_id, units)
    if task is None:
        raise TaskUnknown(task_id)
    key = await store.load_rubric(session, task)
    earlier = await store.load_marks(session, task.id)
    mark = model.new_mark(
        task,
        key,
        mark_id=MarkId(uuid4()),
        number=len(earlier) + 1,
        marker_id=marker_id,
        criteria=criteria,
        comment=comment,
        now=now,
    )
    await store.insert_mark(session, mark)
    marked = msgspec.structs.replace(model.claim(task, marker_id, now), state=TaskState.MARKED)
    await store.save_task(session, marked)
    facts = {"slot": task.slot, "number": mark.number, "total": mark.total}
    await audit.append(
        session, actor=actor, action="mark.record", subject=f"marking_task:{task.id}", facts=facts, now=now
    )
    return mark


async def settled_marks(session: AsyncSession, sitting_id: UUID, *, rules: str = "single") -> SittingMarks:
    """Return the marks that count in a sitting, settled by the marking rules named."""
    marking_rules = load_marking_rules(rules)
    totals: dict[tuple[UUID, int], int] = {}
    n_open = 0
    rows = await store.load_newest_totals(session, sitting_id)
    for place, rounds in groupby(rows, key=lambda row: (row[0], row[1])):
        settlement = settle([total for *_, total in rounds if total is not None], marking_rules)
        if settlement.mark is None:
            n_open += 1
        else:
            totals[place] = settlement.mark
    return SittingMarks(totals, n_open)
