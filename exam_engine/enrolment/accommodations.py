"""Accommodations: more time by a factor or by minutes, and what else is arranged, in one subject or in all.

An accommodation for one subject takes the place of the one for all subjects; nothing is added up. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from exam_engine.enrolment.errors import AccommodationEmpty, ExtraMinutesInvalid, NotRegistered, TimeFactorInvalid
from exam_engine.enrolment.model import Candidate, CandidateId, Change, ExamSubject
from exam_engine.enrolment.time_factors import parse_time_factor, show_time_factor

MOST_MINUTES = 240
MOST_NOTE = 500


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate is granted: hundredths of everybody's time, and minutes on top."""

    time_factor: int = 100
    extra_minutes: int = 0
    note: str = ""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is granted or said."""
        return self.time_factor == 100 and not self.extra_minutes and not self.note


class Accommodation(msgspec.Struct, frozen=True, kw_only=True):
    """What is granted to a candidate in a subject, or (no subject) in all that have no accommodation of their own."""

    candidate_id: CandidateId
    exam_subject_id: UUID | None
    granted: Granted

    @property
    def place(self) -> tuple[UUID, UUID | None]:
        """What there is one accommodation of."""
        return self.candidate_id, self.exam_subject_id


class AccommodationLine(msgspec.Struct, frozen=True, kw_only=True):
    """One accommodation in a list."""

    id: UUID
    number: str | None
    full_name: str
    subject: str | None  # code; none: all subjects
    subject_name: str | None
    granted: Granted
    changed_by: str
    changed_at: datetime


class TypedAccommodation(msgspec.Struct, frozen=True, kw_only=True):
    """An accommodation as a person types it; what is left out grants nothing."""

    number: str
    subject: str = ""  # code; empty: all subjects
    factor: str = ""
    minutes: str = ""
    note: str = ""

    def granted(self) -> Granted:
        """Read the values.

        Raises
        ------
        TimeFactorInvalid, ExtraMinutesInvalid, AccommodationEmpty
        """
        factor = require_time_factor(self.factor) if self.factor.strip() else 100
        granted = Granted(time_factor=factor, extra_minutes=parse_minutes(self.minutes), note=_plain(self.note))
        if granted.is_nothing:
            raise AccommodationEmpty
        return granted


def require_time_factor(typed: str) -> int:
    """Return a typed factor in hundredths.

    Raises
    ------
    TimeFactorInvalid
    """
    try:
        return parse_time_factor(typed)
    except ValueError as error:
        raise TimeFactorInvalid(typed) from error


def parse_minutes(text: str) -> int:
    """Return a number of minutes from 0 to 240; nothing typed is 0.

    Raises
    ------
    ExtraMinutesInvalid
    """
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= MOST_MINUTES):
        raise ExtraMinutesInvalid(text, MOST_MINUTES)
    return int(text)


def require_registered(candidate: Candidate, subject: ExamSubject | None) -> None:
    """Check that a candidate sits a subject.

    Raises
    ------
    NotRegistered
    """
    if subject is not None and subject.code not in candidate.subjects:
        raise NotRegistered(candidate.number or candidate.full_name, subject.code)


def in_subject(rows: Iterable[Accommodation], candidates: Sequence[UUID], subject_id: UUID) -> Mapping[UUID, Granted]:
    """Return what each of these candidates is granted in a subject."""
    found: dict[UUID, Granted] = dict.fromkeys(candidates, Granted())
    for row in sorted(rows, key=lambda row: row.exam_subject_id is not None):
        if row.exam_subject_id in (None, subject_id):
            found[row.candidate_id] = row.granted
    return found


def differences(subject: str, before: Granted | None, after: Granted | None) -> list[Change]:
    """Return what changes from one accommodation to another, field by field."""
    old, new = _shown(before), _shown(after)
    return [Change(subject, field, old[field], new[field]) for field in old if old[field] != new[field]]


def _shown(granted: Granted | None) -> dict[str, str | None]:
    if granted is None:
        return dict.fromkeys(("time_factor", "extra_minutes", "note"))
    return {
        "time_factor": show_time_factor(granted.time_factor),
        "extra_minutes": str(granted.extra_minutes),
        "note": granted.note or None,
    }


def _plain(note: str) -> str:
    return " ".join(note.replace("\x00", "").split())[:MOST_NOTE]
