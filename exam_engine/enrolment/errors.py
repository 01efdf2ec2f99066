"""Refusals of enrolment.

EnrolmentError
├── ExamUnknown          no exam has this code or id
├── ExamExists           the exam's code is taken
├── ExamInvalid          a value of an exam or subject makes no sense
├── SubjectUnknown       the exam has no such subject
├── SubjectExists        the exam has this subject already
├── CandidateUnknown     the exam has no candidate with this number or id
├── CodeRefused          number and code do not belong together (or nobody has that number: same words)
├── CodeExpired          the codes of the exam are no longer valid
├── PrefixUnknown        no council or province has these two digits in that year
├── NumberingRefused     numbers cannot be given without breaking those already given
├── SeatingRefused       seats cannot be given as asked
├── TimeFactorInvalid    no factor on everybody's time from 1 to 3
├── ExtraMinutesInvalid  no number of minutes an accommodation may grant
├── AccommodationEmpty   neither time nor a note
├── AccommodationUnknown the exam has no accommodation with this id
└── NotRegistered        the candidate does not sit the subject

Files from outside are refused by `infra.errors.FileRefused`, row by row.
"""

from datetime import datetime
from uuid import UUID

from exam_engine.infra.errors import EngineError


class EnrolmentError(EngineError):
    """Base of the refusals of enrolment."""


class ExamUnknown(EnrolmentError):
    """No exam has this code or id."""

    def __init__(self, exam: str | UUID) -> None:
        self.exam = str(exam)
        super().__init__(f"there is no exam {exam}")


class ExamExists(EnrolmentError):
    """The exam's code is taken."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"there is already an exam {code}")


class ExamInvalid(EnrolmentError):
    """A value of an exam or subject makes no sense."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class TimeFactorInvalid(EnrolmentError):
    """No factor on everybody's time from 1 to 3 with two decimals."""

    def __init__(self, value: str) -> None:
        self.value = value
        super().__init__(f"{value} is no time factor from 1 to 3 like 1.25")


class ExtraMinutesInvalid(EnrolmentError):
    """No number of minutes an accommodation may grant."""

    def __init__(self, value: str, most: int) -> None:
        self.value = value[:40]
        self.most = most
        super().__init__(f"{self.value} is no number of minutes from 0 to {most}")


class AccommodationEmpty(EnrolmentError):
    """An accommodation with neither time nor a note."""

    def __init__(self) -> None:
        super().__init__("an accommodation grants a factor above 1, minutes, or says in a note what is arranged")


class AccommodationUnknown(EnrolmentError):
    """The exam has no accommodation with this id."""

    def __init__(self, accommodation: str | UUID) -> None:
        self.accommodation = str(accommodation)
        super().__init__(f"there is no accommodation {accommodation}")


class NotRegistered(EnrolmentError):
    """The candidate does not sit the subject."""

    def __init__(self, candidate: str, subject: str) -> None:
        self.candidate = candidate
        self.subject = subject
        super().__init__(f"candidate {candidate} is not registered for {subject}")


class SubjectUnknown(EnrolmentError):
    """The exam has no such subject."""

    def __init__(self, subject: str | UUID) -> None:
        self.subject = str(subject)
        super().__init__(f"the exam has no subject {subject}")


class SubjectExists(EnrolmentError):
    """The exam has this subject already."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the exam already has a subject {code}")


class CandidateUnknown(EnrolmentError):
    """The exam has no candidate with this number or id."""

    def __init__(self, candidate: str | UUID) -> None:
        self.candidate = str(candidate)
        super().__init__(f"there is no candidate {candidate}")


class CodeRefused(EnrolmentError):
    """Number and code do not belong together; the answer never tells which of them is wrong."""

    def __init__(self) -> None:
        super().__init__("the candidate number and the code do not belong together")


class CodeExpired(EnrolmentError):
    """The codes of the exam are no longer valid."""

    def __init__(self, valid_until: datetime) -> None:
        self.valid_until = valid_until
        super().__init__(f"the codes of this exam were valid until {valid_until.isoformat()}")


class PrefixUnknown(EnrolmentError):
    """No council or province has these two digits in that year."""

    def __init__(self, prefix: str, year: int) -> None:
        self.prefix = prefix
        self.year = year
        super().__init__(f"no council or province has the number prefix {prefix} in {year}")


class NumberingRefused(EnrolmentError):
    """Numbers cannot be given without breaking those already given."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class SeatingRefused(EnrolmentError):
    """Seats cannot be given as asked."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
