"""Mappings of invigilation: what was checked at a seat, incidents, the Safe Exam Browser settings of a sitting."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class SeatCheckRow(Base):
    """What an invigilator has looked at: who sits there, and what the seat had reported until then."""

    __tablename__ = "seat_check"
    __table_args__ = (CheckConstraint("identity in ('matches', 'doubtful')", name="identity"),)

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    identity: Mapped[str | None]
    identity_note: Mapped[str]
    identity_by: Mapped[str | None]
    identity_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]  # events before it no longer ask for help


class RoomDutyRow(Base):
    """Who watches a room of a sitting, and who stands in."""

    __tablename__ = "room_duty"
    __table_args__ = (CheckConstraint("duty in ('invigilator', 'deputy')", name="duty"), Index(None, "person_id"))

    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"), primary_key=True)
    room_id: Mapped[UUID] = mapped_column(ForeignKey("room.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    duty: Mapped[str]
    given_by: Mapped[str]
    given_at: Mapped[datetime]


class IncidentRow(Base):
    """Something that happened in a room, told by an invigilator; withdrawn with a reason, never removed."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("sitting_id", "number"),
        UniqueConstraint("sitting_id", "request"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("ended_at >= began_at", name="times"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_by is null)", name="withdrawn"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("room.id"))
    number: Mapped[int]
    request: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reported_by: Mapped[str]
    reported_at: Mapped[datetime]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str]


class IncidentAttemptRow(Base):
    """A seat an incident was about."""

    __tablename__ = "incident_attempt"

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True, index=True)


class SafeBrowserRow(Base):
    """The Safe Exam Browser settings made for a sitting, kept as made: their key is what seats are compared with."""

    __tablename__ = "safe_browser"
    __table_args__ = (CheckConstraint("config_key ~ '^[0-9a-f]{64}$'", name="config_key"),)

    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"), primary_key=True)
    config_key: Mapped[str]
    document: Mapped[bytes] = mapped_column(LargeBinary)
    start_url: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
