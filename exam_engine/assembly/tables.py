"""Mappings of blueprints, forms, their keys, paper codes and the compiled keyless form."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class BlueprintRow(Base):
    """What a form must contain; `spec` is an `item_bank.forms` blueprint."""

    __tablename__ = "blueprint"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    bank_id: Mapped[UUID] = mapped_column(ForeignKey("bank.id"))
    spec: Mapped[dict[str, Any]]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]


class FormRow(Base):
    """A chosen set of item versions; from its sealing on, only the key may gain versions."""

    __tablename__ = "form"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'sealed')", name="state"),
        CheckConstraint("(state = 'sealed') = (sealed_by is not null)", name="sealed_by"),
        CheckConstraint("sealed_by <> created_by", name="four_eyes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    blueprint_id: Mapped[UUID] = mapped_column(ForeignKey("blueprint.id"))
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    sealed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    sealed_at: Mapped[datetime | None]
    seal_hash: Mapped[str | None]  # over items, orders, first keys, codes and the compiled form
    key_version: Mapped[int]


class FormItemRow(Base):
    """One slot of the master order."""

    __tablename__ = "form_item"
    __table_args__ = (UniqueConstraint("form_id", "item_version_id"), Index(None, "item_version_id"))

    form_id: Mapped[UUID] = mapped_column(ForeignKey("form.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int]
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_version.id"))
    option_order: Mapped[str | None]  # "CADB": master letter A is the author's option C
    points: Mapped[int]  # hundredths; 0: tried out in a pretest block, not scored
    track: Mapped[str | None]  # in a paper with a choice: the track the slot belongs to


class FormKeyRow(Base):
    """The key of one slot from one key version on, in master letters; append-only."""

    __tablename__ = "form_key"
    __table_args__ = (ForeignKeyConstraint(["form_id", "slot"], ["form_item.form_id", "form_item.slot"]),)

    form_id: Mapped[UUID] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[dict[str, Any]]
    reason: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]


class PaperCodeRow(Base):
    """A named ordering of a form (mã đề)."""

    __tablename__ = "paper_code"
    __table_args__ = (UniqueConstraint("form_id", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    form_id: Mapped[UUID] = mapped_column(ForeignKey("form.id"))
    code: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    ordering: Mapped[list[Any]]  # [{"slot": 7, "options": "BDAC"}, …] in display order


class CompiledFormRow(Base):
    """The keyless bytes a candidate receives, compressed once; equal forms share a hash."""

    __tablename__ = "compiled_form"
    __table_args__ = (Index(None, "hash"),)

    form_id: Mapped[UUID] = mapped_column(ForeignKey("form.id"), primary_key=True)
    hash: Mapped[str]  # sha256 of body, hexadecimal
    body: Mapped[bytes]
    brotli: Mapped[bytes]
    gzip: Mapped[bytes]
