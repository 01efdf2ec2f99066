"""What a release shows, put together from marks and outcomes: results by candidate, distributions by subject."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from exam_engine.enrolment.model import Candidate, Exam, ExamSubject
from exam_engine.results.distribution import Distribution, distribute
from exam_engine.results.model import (
    CandidateMarks,
    MarkState,
    PublishedGraduation,
    PublishedResult,
    PublishedSubject,
)
from scoring.graduation import GraduationOutcome


class Publication(msgspec.Struct, frozen=True):
    """One release in the making."""

    exam: Exam
    subjects: Sequence[ExamSubject]
    number: int
    release_at: datetime

    def result(self, candidate: Candidate, own: CandidateMarks, outcome: GraduationOutcome | None) -> PublishedResult:
        """Freeze what one candidate's look-up will show."""
        return PublishedResult(
            exam_code=self.exam.code,
            exam_name=self.exam.name,
            candidate_number=candidate.number or "",
            subjects=tuple(_published_subject(subject, own) for subject in self.subjects if subject.code in own.marks),
            graduation=None if outcome is None else _published_graduation(outcome),
            release_number=self.number,
            released_at=self.release_at,
        )

    def distributions(self, marks: Iterable[CandidateMarks]) -> Mapping[str, Distribution]:
        """Describe the marks of each subject; absent and cancelled ones are not among them."""
        scores: dict[str, list[int]] = {subject.code: [] for subject in self.subjects}
        for own in marks:
            for code, mark in own.marks.items():
                if mark.state is MarkState.MARKED and mark.hundredths is not None and not own.is_cancelled:
                    scores[code].append(mark.hundredths)
        return {
            subject.code: distribute(scores[subject.code], subject.maximum)
            for subject in self.subjects
            if scores[subject.code]
        }


def _published_subject(subject: ExamSubject, own: CandidateMarks) -> PublishedSubject:
    mark = own.marks[subject.code]
    return PublishedSubject(
        code=subject.code,
        name=subject.name,
        state=MarkState.CANCELLED if own.is_cancelled else mark.state,
        score=None if own.is_cancelled else mark.hundredths,
        maximum=subject.maximum,
        parts={} if own.is_cancelled else mark.parts,
        is_adjusted=not own.is_cancelled and mark.hundredths != mark.raw,
    )


def _published_graduation(outcome: GraduationOutcome) -> PublishedGraduation:
    return PublishedGraduation(
        rule_set=outcome.rule_set,
        is_complete=outcome.is_complete,
        score=outcome.score,
        passed=outcome.passed,
        reasons=outcome.reasons,
        lines=outcome.lines,
    )
