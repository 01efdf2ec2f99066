"""What enrolment knows: exams, subjects, candidates, rooms, seats, marks from files, and what an import changes."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec

from exam_engine.enrolment.codes import CodePurpose
from exam_engine.enrolment.errors import CodeExpired, ExamInvalid
from exam_engine.enrolment.seating import CAPACITY, LAST_ROOM_CAPACITY

ExamId = NewType("ExamId", UUID)
ExamSubjectId = NewType("ExamSubjectId", UUID)
CandidateId = NewType("CandidateId", UUID)
RoomId = NewType("RoomId", UUID)

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in time with its offset; "08:00" without one would mean another moment on another machine."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class ExamKind(StrEnum):
    """What an exam is for."""

    GRADUATION = "graduation"
    INTAKE = "intake"
    ASSESSMENT = "assessment"
    PRACTICE = "practice"


class ExamState(StrEnum):
    """Where an exam stands; numbers may be changed only while it is planned."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"


class SubjectMode(StrEnum):
    """Where the marks of a subject come from."""

    ONLINE = "online"
    MARKS_FILE = "marks_file"


class MarkNote(StrEnum):
    """Why there is no number."""

    ABSENT = "absent"
    SUSPENDED = "suspended"
    EXEMPT = "exempt"


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """One examination programme of a unit in a year."""

    id: ExamId
    code: str
    name: str
    unit_id: UUID
    year: int
    kind: ExamKind
    state: ExamState = ExamState.PLANNED
    rule_set: str | None = None
    results_release_at: datetime | None = None
    codes_valid_until: datetime | None = None

    @property
    def audit_subject(self) -> str:
        """How the audit record names the exam."""
        return f"exam:{self.id}"

    def require_codes_valid(self, now: datetime) -> None:
        """Check that the printed codes still hold.

        Raises
        ------
        CodeExpired
            They have run out.
        """
        if self.codes_valid_until is not None and now >= self.codes_valid_until:
            raise CodeExpired(self.codes_valid_until)


class ExamSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined in an exam."""

    id: ExamSubjectId
    exam_id: ExamId
    code: str
    name: str
    mode: SubjectMode
    minutes: int
    maximum: int = 1000  # hundredths
    position: int = 1


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A person registered for one exam; `number` is None until numbers are assigned.

    `date_of_birth` is ISO 8601, or the year alone where only that is known. Attributes are texts with a decimal point.
    """

    id: CandidateId
    exam_id: ExamId
    number: str | None
    full_name: str
    sort_key: str
    date_of_birth: str | None = None
    school_unit_id: UUID | None = None
    code_version: int = 1
    time_factor: int = 100  # hundredths of everybody's time
    attributes: Mapping[str, str] = {}
    subjects: tuple[str, ...] = ()  # codes, in the order of the exam


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """An examination room."""

    id: RoomId
    exam_id: ExamId
    code: str
    capacity: int
    site_unit_id: UUID | None = None


class SubjectCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate of one subject, with the seat where one was given."""

    candidate_id: CandidateId
    number: str | None
    full_name: str
    school_unit_id: UUID | None
    room_id: RoomId | None
    room_code: str | None
    seat_number: int | None


class SubjectMark(msgspec.Struct, frozen=True, kw_only=True):
    """A mark from a file: hundredths, or a note that says why there is none."""

    candidate_id: CandidateId
    exam_subject_code: str
    hundredths: int | None
    note: MarkNote | None
    source_file: str
    row: int


class Change(msgspec.Struct, frozen=True):
    """One field an import changes."""

    subject: str  # candidate number, or the name before there is one
    field: str
    before: str | None
    after: str | None


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    file_name: str
    rows: int
    created: int
    changed: int
    unchanged: int
    changes: tuple[Change, ...] = ()
    is_dry_run: bool = False


class NumberingReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many numbers were given, and which."""

    given: int
    first: str | None
    last: str | None


class SeatingReport(msgspec.Struct, frozen=True, kw_only=True):
    """In how many rooms how many seats were given."""

    subjects: tuple[str, ...]
    rooms: int
    seats: int


class SeatingRules(msgspec.Struct, frozen=True, kw_only=True):
    """How rooms are filled; no subject named means all that are sat on line."""

    subject_codes: tuple[str, ...] = ()
    capacity: int = CAPACITY
    last_room_capacity: int = LAST_ROOM_CAPACITY
    site_unit_id: UUID | None = None
    room_prefix: str = "P"
    is_anew: bool = False


class CodeClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody says: this is my number, and here is my code."""

    exam_code: str
    number: str
    code: str
    purpose: CodePurpose


class CardSubject(msgspec.Struct, frozen=True):
    """One line of a card: a subject with its room and seat."""

    code: str
    name: str
    mode: SubjectMode
    minutes: int
    room: str | None
    seat: int | None


class CandidateCard(msgspec.Struct, frozen=True, kw_only=True):
    """Everything printed on one candidate's card; it holds codes, so it is never logged."""

    candidate_id: CandidateId
    exam_code: str
    exam_name: str
    number: str
    place: str | None  # what the first two digits mean in the year of the exam
    full_name: str
    date_of_birth: str  # dd/mm/yyyy, or the year alone
    school: str | None
    room: str | None  # of the first subject with a seat
    seat: int | None
    subjects: tuple[CardSubject, ...]
    sit_code: str
    look_up_code: str
    sign_in_url: str
    look_up_url: str


class ExamPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exam as a file describes it."""

    code: str
    name: str
    unit: str  # code of the organisation unit
    year: Annotated[int, msgspec.Meta(ge=1990, le=2200)]
    kind: ExamKind
    rule_set: str | None = None
    results_release_at: Moment | None = None
    codes_valid_until: Moment | None = None
    subjects: tuple["SubjectPlan", ...] = ()


class SubjectPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subject as a file describes it."""

    code: str
    name: str
    mode: SubjectMode
    minutes: Annotated[int, msgspec.Meta(gt=0, le=1440)]
    maximum: Annotated[int, msgspec.Meta(gt=0)] = 1000  # hundredths


def require_code(code: str, field: str) -> str:
    """Check the code of an exam or subject: letters without marks, digits, hyphens.

    Raises
    ------
    ExamInvalid
        It holds something else.
    """
    if not _CODE.fullmatch(code):
        raise ExamInvalid(field, f'"{code[:60]}" is no code: up to 40 letters without marks, digits, - and _')
    return code
