"""Mappings of the marking room: tasks (one essay response, one round) and the marks given on them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class MarkingTaskRow(Base):
    """One essay response to be marked in one round; a marker sees neither name nor number."""

    __tablename__ = "marking_task"
    __table_args__ = (
        UniqueConstraint("attempt_id", "slot", "round"),
        CheckConstraint("state in ('open', 'marked')", name="state"),
        CheckConstraint("slot >= 1", name="slot"),
        CheckConstraint("round >= 1", name="round"),
        Index(None, "sitting_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    slot: Mapped[int]
    round: Mapped[int]
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    state: Mapped[str]
    marker_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    claimed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class MarkRow(Base):
    """One mark; a correction is another row with the next number, nothing is overwritten."""

    __tablename__ = "mark"
    __table_args__ = (UniqueConstraint("task_id", "number"), CheckConstraint("total >= 0", name="total"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("marking_task.id"))
    number: Mapped[int]
    marker_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    criteria: Mapped[dict[str, Any]]  # criterion id -> hundredths
    total: Mapped[int]  # hundredths
    comment: Mapped[str]
    created_at: Mapped[datetime]
