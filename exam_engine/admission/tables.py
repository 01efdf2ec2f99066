"""Mappings of the admission room: programmes, aspirations, allocation runs and what came out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class ProgrammeRow(Base):
    """A school's offer of places in one exam."""

    __tablename__ = "programme"
    __table_args__ = (UniqueConstraint("exam_id", "code"), CheckConstraint("quota >= 0", name="quota"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    code: Mapped[str]
    name: Mapped[str]
    school_unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))
    quota: Mapped[int]
    floor: Mapped[int | None]  # hundredths
    stage: Mapped[int]  # programmes of an earlier stage are filled first


class AspirationRow(Base):
    """One ranked wish of an applicant."""

    __tablename__ = "aspiration"
    __table_args__ = (
        UniqueConstraint("candidate_id", "rank"),
        UniqueConstraint("candidate_id", "programme_id"),
        CheckConstraint("rank > 0", name="rank"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"), index=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"))
    rank: Mapped[int]
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), index=True)


class AllocationRunRow(Base):
    """One allocation with the rules and the inputs it was computed from, so that it can be run again."""

    __tablename__ = "allocation_run"
    __table_args__ = (
        UniqueConstraint("exam_id", "number"),
        CheckConstraint("state in ('computed', 'released', 'withdrawn')", name="state"),
        CheckConstraint("state <> 'released' or release_at is not null", name="release_at"),
        CheckConstraint("released_by <> created_by", name="four_eyes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    number: Mapped[int]
    rules: Mapped[dict[str, Any]]
    inputs: Mapped[bytes]  # the canonical instance, zlib
    input_hash: Mapped[str]
    state: Mapped[str]
    n_applicants: Mapped[int]
    n_admitted: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    release_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class AllocationOutcomeRow(Base):
    """What one applicant got in one run, and why at each rank."""

    __tablename__ = "allocation_outcome"
    __table_args__ = (CheckConstraint("(programme_id is null) = (rank is null)", name="rank"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True)
    programme_id: Mapped[UUID | None] = mapped_column(ForeignKey("programme.id"), index=True)
    rank: Mapped[int | None]
    score: Mapped[int | None]  # hundredths; None without a complete set of papers
    score_trace: Mapped[list[Any]]
    reasons: Mapped[list[Any]]


class CutOffRow(Base):
    """The score limit of one programme in one run; None where nobody had to be refused."""

    __tablename__ = "cut_off"
    __table_args__ = (CheckConstraint("admitted >= 0", name="admitted"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    cut_off: Mapped[int | None]  # hundredths, effective score
    admitted: Mapped[int]
    quota: Mapped[int]
