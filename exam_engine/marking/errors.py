"""Refusals of the marking room.

MarkingError
├── TaskUnknown      there is no such task, or it is not on a unit of this marker
└── TaskTaken        another marker has the task or has marked it

A mark that does not fit its rubric is refused by `scoring.errors.MarkInvalid`.
"""

from uuid import UUID

from exam_engine.infra.errors import EngineError


class MarkingError(EngineError):
    """Base of the refusals of marking."""


class TaskUnknown(MarkingError):
    """There is no such task for this marker."""

    def __init__(self, task_id: UUID) -> None:
        self.task_id = str(task_id)
        super().__init__(f"there is no marking task {task_id}")


class TaskTaken(MarkingError):
    """Another marker works on the task, or has marked it."""

    def __init__(self, task_id: UUID) -> None:
        self.task_id = str(task_id)
        super().__init__(f"marking task {task_id} is with another marker")
