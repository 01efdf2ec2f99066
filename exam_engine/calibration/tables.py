"""Mappings of the calibration room: runs, and what each run says of each item."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class CalibrationRunRow(Base):
    """One calibration of a subject: asked for, worked on by a job, complete with all its items or not at all."""

    __tablename__ = "calibration_run"
    __table_args__ = (
        UniqueConstraint("exam_subject_id", "number"),
        CheckConstraint("state in ('waiting', 'running', 'complete', 'refused', 'cancelled')", name="state"),
        CheckConstraint("(state = 'complete') = (outcome is not null)", name="outcome"),
        CheckConstraint("(state = 'refused') = (refusal is not null)", name="refusal"),
        CheckConstraint("number >= 1", name="number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_subject_id: Mapped[UUID] = mapped_column(ForeignKey("exam_subject.id"))
    number: Mapped[int]
    settings: Mapped[dict[str, Any]]
    state: Mapped[str]
    tries: Mapped[int]  # how often a worker began; only the newest may write
    is_cancel_asked: Mapped[bool]
    progress: Mapped[dict[str, Any]]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class CalibrationItemRow(Base):
    """What a run says of one item, and what a psychometrician decided about it."""

    __tablename__ = "calibration_item"
    __table_args__ = (
        CheckConstraint("decision in ('open', 'accepted', 'held')", name="decision"),
        CheckConstraint("(decision = 'open') = (decided_by is null)", name="decided_by"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("calibration_run.id"), primary_key=True)
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True, index=True)
    position: Mapped[int]  # by trouble, the worst first
    report: Mapped[dict[str, Any]]
    decision: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    comment: Mapped[str]
