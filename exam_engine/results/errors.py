"""Refusals of the results room.

ResultsError
├── AnswersUnderWay        the sitting is closed, but not every acknowledged answer is in PostgreSQL yet
├── ResponsesUnscorable    stored responses do not fit their keys; nobody was scored
├── MarksOutstanding       essays are still to be marked
├── ScoreRunUnknown
├── IrtRunUnknown
├── ParametersMissing      scored items have no accepted parameters
├── SubjectNotScored       a subject sat on line has no score run
├── RuleSetMissing         the exam names no rule set for the graduation score
├── RecordsInvalid         records of candidates cannot be read; nobody was computed
├── GraduationRunUnknown
├── ReleaseUnknown
├── ReleaseMomentMissing   neither the release nor the exam says when
├── ReleaseStateWrong      a release is not in the state this act needs
├── FourEyesNeeded         who prepared a release may not approve it
├── NothingToRelease       there is neither a score nor a mark
├── ResultsNotReleased     nothing is public yet
└── AdjustmentInvalid      no such kind of violation, candidate or subject

A sitting that is still open is refused by `delivery.errors.SittingStateWrong`, a wrong look-up code by
`enrolment.errors.CodeRefused`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from exam_engine.infra.errors import EngineError, RowError


class ResultsError(EngineError):
    """Base of the refusals of results."""


class AnswersUnderWay(ResultsError):
    """Scoring waits until every acknowledged answer is stored."""

    def __init__(self, code: str, waiting: int) -> None:
        self.code = code
        self.waiting = waiting
        super().__init__(f"sitting {code}: acknowledged answers are still on their way to the database ({waiting})")


class ResponsesUnscorable(ResultsError):
    """Responses that do not fit their keys; each place names the attempt and the slot."""

    def __init__(self, code: str, errors: Sequence[RowError]) -> None:
        self.code = code
        self.errors = tuple(errors)
        places = "; ".join(f"{error.place}: {error.reason}" for error in self.errors[:5])
        super().__init__(f"sitting {code}: {len(self.errors)} responses cannot be scored: {places}")


class MarksOutstanding(ResultsError):
    """Essays are still to be marked."""

    def __init__(self, code: str, count: int) -> None:
        self.code = code
        self.count = count
        super().__init__(f"sitting {code}: {count} essays are still to be marked")


class ScoreRunUnknown(ResultsError):
    """There is no such score run."""

    def __init__(self, run: UUID | str) -> None:
        self.run = str(run)
        super().__init__(f"there is no score run {run}")


class IrtRunUnknown(ResultsError):
    """There is no such run of scores by item response theory."""

    def __init__(self, run: UUID | str) -> None:
        self.run = str(run)
        super().__init__(f"there is no run of scores by item response theory {run}")


class ParametersMissing(ResultsError):
    """Scored items have no accepted parameters, so abilities would rest on fewer items than the score."""

    def __init__(self, code: str, items: Sequence[str], n_known: int) -> None:
        self.code = code
        self.items = tuple(items)[:40]
        self.count = len(items)
        self.n_known = n_known
        named = ", ".join(self.items[:10])
        super().__init__(
            f"sitting {code}: {len(items)} scored items have no accepted parameters ({named}); {n_known} have"
        )


class SubjectNotScored(ResultsError):
    """Subjects that are sat on line have not been scored."""

    def __init__(self, subjects: Sequence[str]) -> None:
        self.subjects = tuple(subjects)
        super().__init__(f"not scored yet: {', '.join(self.subjects)}")


class RuleSetMissing(ResultsError):
    """The exam names no rule set."""

    def __init__(self, exam: str) -> None:
        self.exam = exam
        super().__init__(f"exam {exam} names no rule set for the graduation score")


class RecordsInvalid(ResultsError):
    """Records that cannot be read; each place names the candidate and the column."""

    def __init__(self, exam: str, errors: Sequence[RowError]) -> None:
        self.exam = exam
        self.errors = tuple(errors)
        places = "; ".join(f"{error.place}: {error.reason}" for error in self.errors[:5])
        super().__init__(f"exam {exam}: {len(self.errors)} records cannot be read: {places}")


class GraduationRunUnknown(ResultsError):
    """There is no such graduation run."""

    def __init__(self, run: UUID | str) -> None:
        self.run = str(run)
        super().__init__(f"there is no graduation run {run}")


class ReleaseUnknown(ResultsError):
    """There is no such release."""

    def __init__(self, release: UUID | str) -> None:
        self.release = str(release)
        super().__init__(f"there is no release {release}")


class ReleaseMomentMissing(ResultsError):
    """Nobody said when the results become public."""

    def __init__(self, exam: str) -> None:
        self.exam = exam
        super().__init__(f"say when the results of {exam} become public")


class ReleaseStateWrong(ResultsError):
    """The release is not in the state this act needs."""

    def __init__(self, release: UUID, state: str, needed: str) -> None:
        self.release = str(release)
        self.state = state
        self.needed = needed
        super().__init__(f"release {release} is {state}, not {needed}")


class FourEyesNeeded(ResultsError):
    """Who prepared a release may not approve it."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        super().__init__(f"{actor} prepared this release; somebody else has to approve it")


class NothingToRelease(ResultsError):
    """There is neither a score nor a mark to publish."""

    def __init__(self, exam: str) -> None:
        self.exam = exam
        super().__init__(f"exam {exam} has no results to publish")


class ResultsNotReleased(ResultsError):
    """Nothing is public yet; the moment is told where it is set."""

    def __init__(self, exam: str, release_at: datetime | None) -> None:
        self.exam = exam
        self.release_at = release_at
        moment = f" before {release_at.isoformat()}" if release_at is not None else " yet"
        super().__init__(f"the results of {exam} are not public{moment}")


class AdjustmentInvalid(ResultsError):
    """The adjustment names something that does not exist."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")
