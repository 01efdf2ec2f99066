"""Refusals of the admission room.

AdmissionError
├── IntakeRulesUnknown     there is no rule file of this name
├── IntakeRulesNotInForce  the rules do not hold in the year of the exam
├── NothingToAllocate      the exam has no programmes, or nobody with aspirations
├── RecordsUnreadable      attributes of applicants say what the rules do not know; nobody was allocated
├── RunUnknown             there is no such allocation run
├── RunStateWrong          the run is not in the state this act needs
├── FourEyesNeeded         who computed a run may not release it
├── DecisionsNotReleased   nothing is public yet
└── NoAspirations          the code is right, and the candidate has no aspirations in the released run

A wrong look-up code is `enrolment.errors.CodeRefused`; contradictory inputs are `allocation.errors.InstanceInvalid`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from exam_engine.infra.errors import EngineError, RowError


class AdmissionError(EngineError):
    """Base of the refusals of this room."""


class IntakeRulesUnknown(AdmissionError):
    """There is no rule file of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there are no intake rules {name}; known: {', '.join(known)}")


class IntakeRulesNotInForce(AdmissionError):
    """The rules do not hold in the year of the exam."""

    def __init__(self, name: str, year: int) -> None:
        self.name = name
        self.year = year
        super().__init__(f"the intake rules {name} are not in force in {year}")


class NothingToAllocate(AdmissionError):
    """The exam has no programmes, or nobody with aspirations."""

    def __init__(self, exam: str, missing: str) -> None:
        self.exam = exam
        self.missing = missing
        super().__init__(f"the exam {exam} has no {missing}")


class RecordsUnreadable(AdmissionError):
    """Attributes of applicants say what the rules do not know; each place names the applicant."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = tuple(errors)
        places = "; ".join(f"{error.place}: {error.reason}" for error in self.errors[:5])
        more = f" (and {len(self.errors) - 5} more)" if len(self.errors) > 5 else ""
        super().__init__(places + more)


class RunUnknown(AdmissionError):
    """There is no such allocation run."""

    def __init__(self, run: UUID | int) -> None:
        self.run = str(run)
        super().__init__(f"there is no allocation run {run}")


class RunStateWrong(AdmissionError):
    """The run is not in the state this act needs."""

    def __init__(self, number: int, state: str) -> None:
        self.number = number
        self.state = state
        super().__init__(f"allocation run {number} is {state}")


class FourEyesNeeded(AdmissionError):
    """Who computed a run may not release it."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        super().__init__(f"{actor} computed this run: somebody else releases it")


class DecisionsNotReleased(AdmissionError):
    """Nothing is public yet."""

    def __init__(self, exam: str, release_at: datetime | None) -> None:
        self.exam = exam
        self.release_at = release_at
        when = "" if release_at is None else f"; they will be from {release_at.isoformat()}"
        super().__init__(f"the decisions of {exam} are not public yet{when}")


class NoAspirations(AdmissionError):
    """The candidate has no aspirations in the released run."""

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"candidate {number} has no aspirations")
