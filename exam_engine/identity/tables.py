"""Mappings of organisation units, people and the roles granted to them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.identity.permissions import Role
from exam_engine.infra.database import Base


class OrgUnitRow(Base):
    """One unit of the dated tree; a merged, renamed or re-parented unit ends and names its successor."""

    __tablename__ = "org_unit"
    __table_args__ = (
        CheckConstraint("valid_to is null or valid_to > valid_from", name="period"),
        CheckConstraint("parent_id <> id and successor_id <> id", name="not_itself"),
        Index(None, "parent_id"),
        Index(None, "successor_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]  # a label for people; no code tests it
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]  # first day on which it no longer exists
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("org_unit.id"))


class PersonRow(Base):
    """Somebody who signs in to work here; candidates are not people of this table."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str | None]  # none: cannot sign in yet
    is_active: Mapped[bool]
    language: Mapped[str]
    credential_version: Mapped[int]  # raised with the password: older sessions end
    created_at: Mapped[datetime]


class SignInFailureRow(Base):
    """Failures in a row for one typed user name, known or not, so that locking reveals nothing."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index(None, "last_at"),)

    name_hash: Mapped[bytes] = mapped_column(primary_key=True)  # a hash, because people type passwords there
    failures: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class RoleGrantRow(Base):
    """One role of one person, on one unit and everything below it, for a period."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("valid_to is null or valid_to > valid_from", name="period"),
        CheckConstraint("role in (" + ", ".join(f"'{role}'" for role in Role) + ")", name="role"),
        Index(None, "person_id"),
        Index(None, "unit_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]  # first day on which it no longer holds
