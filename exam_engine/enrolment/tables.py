"""Mappings of the enrolment room: exams, subjects, candidates, rooms, seats and marks from files."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class ExamRow(Base):
    """One examination programme of a unit in a year."""

    __tablename__ = "exam"
    __table_args__ = (
        CheckConstraint("kind in ('graduation', 'intake', 'assessment', 'practice')", name="kind"),
        CheckConstraint("state in ('planned', 'open', 'closed')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))
    year: Mapped[int]
    kind: Mapped[str]
    rule_set: Mapped[str | None]
    state: Mapped[str]
    results_release_at: Mapped[datetime | None]
    codes_valid_until: Mapped[datetime | None]


class ExamSubjectRow(Base):
    """What is examined in an exam, on line or by a file of marks."""

    __tablename__ = "exam_subject"
    __table_args__ = (
        UniqueConstraint("exam_id", "code"),
        CheckConstraint("mode in ('online', 'marks_file')", name="mode"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint("maximum > 0", name="maximum"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    code: Mapped[str]
    name: Mapped[str]
    mode: Mapped[str]
    minutes: Mapped[int]
    maximum: Mapped[int]  # hundredths
    position: Mapped[int]


class CandidateRow(Base):
    """One person registered for one exam; `number` is empty until numbers are assigned."""

    __tablename__ = "candidate"
    __table_args__ = (
        UniqueConstraint("exam_id", "number"),
        CheckConstraint("number <> ''", name="number"),
        CheckConstraint("code_version > 0", name="code_version"),
        Index(None, "exam_id", "sort_key"),
        # Workers ask each second whose card was reissued: few rows of many.
        Index("ix_candidate_reissued", "exam_id", postgresql_where=text("code_version > 1")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    number: Mapped[str | None]
    full_name: Mapped[str]
    folded_name: Mapped[str]  # search without marks
    lower_name: Mapped[str]  # search with marks; the server's lower() may know ASCII only
    sort_key: Mapped[str] = mapped_column(String(collation="C"))
    date_of_birth: Mapped[str | None]  # ISO 8601; the year alone where only that is known
    school_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))
    code_version: Mapped[int]
    attributes: Mapped[dict[str, Any]]


class CandidateSubjectRow(Base):
    """A subject a candidate is registered for."""

    __tablename__ = "candidate_subject"

    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True)
    exam_subject_id: Mapped[UUID] = mapped_column(ForeignKey("exam_subject.id"), primary_key=True, index=True)


class AccommodationRow(Base):
    """More time for a candidate, in one subject or (no subject) in all that have no row of their own."""

    __tablename__ = "accommodation"
    __table_args__ = (
        UniqueConstraint("candidate_id", "exam_subject_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("time_factor between 100 and 300", name="time_factor"),
        CheckConstraint("extra_minutes between 0 and 240", name="extra_minutes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"))
    exam_subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_subject.id"))
    time_factor: Mapped[int]  # hundredths of everybody's time
    extra_minutes: Mapped[int]  # on top of it
    note: Mapped[str]  # what else is arranged: a reader, a larger screen
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class SubjectMarkRow(Base):
    """A mark that came from a file; without a number the note says why (absent)."""

    __tablename__ = "subject_mark"
    __table_args__ = (
        CheckConstraint("hundredths is not null or note is not null", name="said"),
        CheckConstraint("hundredths >= 0", name="hundredths"),
    )

    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True)
    exam_subject_code: Mapped[str] = mapped_column(primary_key=True)
    hundredths: Mapped[int | None]
    note: Mapped[str | None]
    source_file: Mapped[str]
    row: Mapped[int]


class RoomRow(Base):
    """An examination room of an exam."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("exam_id", "code"), CheckConstraint("capacity > 0", name="capacity"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    site_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))
    code: Mapped[str]
    capacity: Mapped[int]


class SeatRow(Base):
    """Where a candidate sits one subject."""

    __tablename__ = "seat"
    __table_args__ = (
        UniqueConstraint("exam_subject_id", "candidate_id"),
        UniqueConstraint("exam_subject_id", "room_id", "number"),
        CheckConstraint("number > 0", name="number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_subject_id: Mapped[UUID] = mapped_column(ForeignKey("exam_subject.id"))
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), index=True)
    room_id: Mapped[UUID] = mapped_column(ForeignKey("room.id"), index=True)
    number: Mapped[int]


class CandidatePhotoRow(Base):
    """A candidate's photo, re-encoded when it was imported; apart from the candidate, so that lists stay light."""

    __tablename__ = "candidate_photo"
    __table_args__ = (CheckConstraint("width > 0 and height > 0", name="size"),)

    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True)
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)  # JPEG
    width: Mapped[int]
    height: Mapped[int]
    source_file: Mapped[str]
    stored_at: Mapped[datetime]
