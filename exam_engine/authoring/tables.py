"""Mappings of the authoring room: banks, their taxonomy, items and stimuli with frozen versions, parameters, media."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base

STATES = "state in ('draft', 'submitted', 'reviewed', 'pilot', 'active', 'retired')"


class BankRow(Base):
    """One bank of items: a subject and a grade, kept by a unit."""

    __tablename__ = "bank"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    subject_code: Mapped[str] = mapped_column(Text)
    grade: Mapped[int]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"), index=True)
    language: Mapped[str] = mapped_column(Text)


class TopicRow(Base):
    """One topic of a bank's taxonomy."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("bank_id", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_id: Mapped[UUID] = mapped_column(ForeignKey("bank.id"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class StimulusRow(Base):
    """A shared passage or figure under its code; what it says stands in its versions."""

    __tablename__ = "stimulus"
    __table_args__ = (UniqueConstraint("bank_id", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_id: Mapped[UUID] = mapped_column(ForeignKey("bank.id"))
    code: Mapped[str] = mapped_column(Text)


class StimulusVersionRow(Base):
    """What a stimulus said at one time; frozen as soon as a frozen item version hangs on it."""

    __tablename__ = "stimulus_version"
    __table_args__ = (UniqueConstraint("stimulus_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    stimulus_id: Mapped[UUID] = mapped_column(ForeignKey("stimulus.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]  # item_bank Stimulus
    hash: Mapped[str] = mapped_column(Text)
    frozen_at: Mapped[datetime | None]


class ItemRow(Base):
    """One item under its code, with what its list shows of the newest version."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("bank_id", "code"),
        CheckConstraint(STATES, name="state"),
        Index("ix_item_bank_id_state", "bank_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_id: Mapped[UUID] = mapped_column(ForeignKey("bank.id"))
    code: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)  # of the newest version
    kind: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    stimulus_code: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)  # the first words of the stem, as plain text
    search_text: Mapped[str] = mapped_column(Text)  # lower case, marks folded away
    marked_text: Mapped[str] = mapped_column(Text)  # lower case, marks kept: a query with marks matches exactly
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    updated_at: Mapped[datetime]


class ItemVersionRow(Base):
    """One version of an item: editable while a draft, frozen from its submission on."""

    __tablename__ = "item_version"
    __table_args__ = (
        UniqueConstraint("item_id", "number"),
        CheckConstraint(STATES, name="state"),
        CheckConstraint("state in ('draft', 'retired') or frozen_at is not null", name="frozen_unless_draft"),
        Index(
            "ix_item_version_one_active",
            "item_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]]  # item_bank Item
    stimulus_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("stimulus_version.id"), index=True)
    content_hash: Mapped[str] = mapped_column(Text)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    submitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    returned_comment: Mapped[str | None] = mapped_column(Text)  # why a reviewer sent it back


class MediaRow(Base):
    """One figure, stored once under the hash of its sanitised bytes."""

    __tablename__ = "media"

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    media_type: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    file_name: Mapped[str] = mapped_column(Text)


class ItemParametersRow(Base):
    """One accepted or withdrawn version of an item's parameters; rows are added, never changed."""

    __tablename__ = "item_parameters"
    __table_args__ = (
        CheckConstraint("state in ('accepted', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'accepted') = (parameters is not null)", name="parameters"),
        CheckConstraint("number >= 1", name="number"),
    )

    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    errors: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    origin: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # run, exam, sample
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(Text)
