"""Marking as pure values: a task, who may mark it, what a marker sees (never who wrote it), the mark itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.marking.errors import TaskTaken
from scoring.keys import RubricKey, rubric

TaskId = NewType("TaskId", UUID)
MarkId = NewType("MarkId", UUID)

CLAIM = timedelta(minutes=45)
"""So long a task stays with the marker who opened it; then anybody may go on with it."""


class TaskState(StrEnum):
    """Whether a task has its mark."""

    OPEN = "open"
    MARKED = "marked"


class MarkingTask(msgspec.Struct, frozen=True, kw_only=True):
    """One essay response in one round."""

    id: TaskId
    sitting_id: UUID
    attempt_id: UUID
    slot: int
    round: int
    item_version_id: UUID
    state: TaskState
    marker_id: UUID | None
    claimed_at: datetime | None


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a marker gave, criterion by criterion, in hundredths."""

    id: MarkId
    task_id: TaskId
    number: int
    marker_id: UUID
    criteria: dict[str, int]
    total: int
    comment: str
    created_at: datetime


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """What a marker sees: the item, the rubric and the text. There is no field for a name or a number."""

    task_id: TaskId
    code: str  # short name of the task, for talking about it
    state: TaskState
    exam_name: str
    subject_name: str
    sitting_id: UUID
    stem: str  # sanitised HTML + MathML
    stimulus_title: str
    stimulus_content: str
    rubric: RubricKey
    maximum: int  # hundredths
    response: str
    n_words: int
    marks: tuple[Mark, ...]  # by number; the last one counts


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """How far the marking of one sitting is."""

    sitting_id: UUID
    exam_name: str
    subject_name: str
    sitting_name: str
    n_open: int
    n_marked: int
    n_mine: int  # marked by this marker


class SittingMarks(msgspec.Struct, frozen=True):
    """The settled marks of a sitting, by attempt and slot, and how many are still missing."""

    totals: dict[tuple[UUID, int], int]
    n_open: int


def claim(task: MarkingTask, marker_id: UUID, now: datetime) -> MarkingTask:
    """Give a task to a marker.

    Raises
    ------
    TaskTaken
        Another marker has marked it, or opened it a short while ago.
    """
    if task.marker_id is not None and task.marker_id != marker_id:
        is_fresh = task.claimed_at is not None and now - task.claimed_at < CLAIM
        if task.state is TaskState.MARKED or is_fresh:
            raise TaskTaken(task.id)
    return msgspec.structs.replace(task, marker_id=marker_id, claimed_at=now)


def new_mark(
    task: MarkingTask,
    key: RubricKey,
    *,
    mark_id: MarkId,
    number: int,
    marker_id: UUID,
    criteria: Mapping[str, int],
    comment: str,
    now: datetime,
) -> Mark:
    """Make the mark of a task after checking it against the rubric.

    Raises
    ------
    TaskTaken
        The task is with another marker.
    MarkInvalid
        The mark does not fit the rubric.
    """
    claim(task, marker_id, now)
    return Mark(
        id=mark_id,
        task_id=task.id,
        number=number,
        marker_id=marker_id,
        criteria=dict(criteria),
        total=rubric.mark_total(criteria, key),
        comment=comment.replace("\x00", "").strip(),
        created_at=now,
    )


def short_code(task_id: UUID) -> str:
    """Eight characters of the task's random id, which say nothing about who wrote the text."""
    return task_id.hex[:8].upper()
