"""Mappings of the results room. Runs, scores and published results are inserted once and never updated."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class ScoreRunRow(Base):
    """One scoring of a sitting: key version + rule version + stored responses give scores."""

    __tablename__ = "score_run"
    __table_args__ = (
        UniqueConstraint("sitting_id", "number"),
        CheckConstraint("state in ('complete', 'withdrawn')", name="state"),
        CheckConstraint("number >= 1", name="number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_subject_id: Mapped[UUID] = mapped_column(ForeignKey("exam_subject.id"), index=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    number: Mapped[int]
    previous_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("score_run.id"))
    key_version: Mapped[int]
    rule_version: Mapped[str]
    keys: Mapped[dict[str, Any]]  # the form key as it was used, so that the run explains itself
    input_hash: Mapped[str]  # over keys and responses: the same inputs give the same hash and the same scores
    n_scored: Mapped[int]
    n_changed: Mapped[int]  # totals that differ from the previous run
    state: Mapped[str]
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class ScoreRow(Base):
    """One candidate's score in one run."""

    __tablename__ = "score"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("score_run.id"), primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True, index=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    total: Mapped[int]  # hundredths
    parts: Mapped[dict[str, Any]]  # part -> hundredths
    slots: Mapped[dict[str, Any]]  # slot -> hundredths


class IrtRunRow(Base):
    """One scoring of a sitting by item response theory, on a reporting scale; stands beside the raw scores."""

    __tablename__ = "irt_run"
    __table_args__ = (
        UniqueConstraint("sitting_id", "number"),
        CheckConstraint("estimator in ('eap', 'wle')", name="estimator"),
        CheckConstraint("number >= 1", name="number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    number: Mapped[int]
    estimator: Mapped[str]
    scale: Mapped[dict[str, Any]]  # score = intercept + slope theta, its ends and its rounding
    items: Mapped[list[Any]]  # by slot: item version, parameter version and the parameters as they were used
    key_version: Mapped[int]
    input_hash: Mapped[str]  # over scale, parameters and responses
    n_scored: Mapped[int]
    reliability: Mapped[float | None]
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class IrtScoreRow(Base):
    """One candidate's ability in one run, and what it is on the reporting scale."""

    __tablename__ = "irt_score"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("irt_run.id"), primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True, index=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    theta: Mapped[float]  # logits
    se: Mapped[float]  # logits
    score: Mapped[int]  # hundredths of the reporting scale
    score_se: Mapped[int]  # hundredths of the reporting scale
    n_items: Mapped[int]  # items that counted


class ScoreAdjustmentRow(Base):
    """The effect of a decision on a violation; applied on top of the raw score, which stays."""

    __tablename__ = "score_adjustment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), index=True)
    exam_subject_code: Mapped[str | None]  # None: the decision is on all results of the exam
    kind: Mapped[str]
    decision: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class GraduationRunRow(Base):
    """One computation of all graduation scores of an exam by one rule set."""

    __tablename__ = "graduation_run"
    __table_args__ = (UniqueConstraint("exam_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    number: Mapped[int]
    rule_set: Mapped[str]
    score_run_ids: Mapped[list[Any]]
    n_complete: Mapped[int]
    n_passed: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class GraduationOutcomeRow(Base):
    """One candidate's graduation score with the lines that explain it."""

    __tablename__ = "graduation_outcome"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("graduation_run.id"), primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"), primary_key=True)
    is_complete: Mapped[bool]
    score: Mapped[int | None]  # hundredths
    passed: Mapped[bool | None]
    trace: Mapped[dict[str, Any]]


class ReleaseRow(Base):
    """A frozen set of results that becomes visible at one moment, prepared by one person and approved by another."""

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("exam_id", "number"),
        CheckConstraint("state in ('prepared', 'approved', 'withdrawn')", name="state"),
        CheckConstraint(
            "state = 'prepared' or (approved_by is not null and approved_by <> created_by) or state = 'withdrawn'",
            name="four_eyes",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exam.id"))
    number: Mapped[int]
    release_at: Mapped[datetime]
    score_run_ids: Mapped[list[Any]]
    graduation_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("graduation_run.id"))
    state: Mapped[str]
    n_published: Mapped[int]
    content_hash: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]


class PublishedResultRow(Base):
    """What one candidate's look-up shows, as it was when the release was prepared."""

    __tablename__ = "published_result"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    candidate_number: Mapped[str] = mapped_column(primary_key=True)
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"))
    content: Mapped[dict[str, Any]]


class PublishedDistributionRow(Base):
    """The score distribution of one subject, computed with the release."""

    __tablename__ = "published_distribution"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), primary_key=True)
    subject_code: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
