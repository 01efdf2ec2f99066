"""Mappings of sittings, attempts, responses and the append-only records beside them.

While a sitting is open these rows are the projection of what Redis owns; see `write_behind`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from exam_engine.infra.database import Base


class SittingRow(Base):
    """One scheduled administration of a form for a subject."""

    __tablename__ = "sitting"
    __table_args__ = (
        CheckConstraint("state in ('planned', 'open', 'closed')", name="state"),
        CheckConstraint("opens_at <= starts_at and starts_at < ends_at", name="times"),
        CheckConstraint("duration_seconds > 0", name="duration_seconds"),
        CheckConstraint("late_limit_seconds >= 0", name="late_limit_seconds"),
        CheckConstraint("grace_seconds >= 0", name="grace_seconds"),
        CheckConstraint("shards between 1 and 64", name="shards"),
        CheckConstraint("state = 'planned' or form_hash is not null", name="form_hash"),
        Index(None, "state"),
        Index(None, "exam_subject_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    exam_subject_id: Mapped[UUID] = mapped_column(ForeignKey("exam_subject.id"))
    form_id: Mapped[UUID] = mapped_column(ForeignKey("form.id"))
    form_hash: Mapped[str | None]  # frozen when the sitting opens
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    opens_at: Mapped[datetime]  # waiting room
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    duration_seconds: Mapped[int]
    late_limit_seconds: Mapped[int]  # after starts_at
    grace_seconds: Mapped[int]  # after a deadline, for answers under way
    state: Mapped[str]
    shards: Mapped[int]  # Redis slots the attempts are spread over
    seed: Mapped[int] = mapped_column(BigInteger)  # which seat gets which paper code
    settings: Mapped[dict[str, Any]]
    roll_version: Mapped[int] = mapped_column(server_default="0")  # how often it took people in
    frozen: Mapped[dict[str, Any] | None]  # versions and settings as they were when it opened; nothing changes them
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    stored_at: Mapped[datetime | None]  # closed and every acknowledged change is here


class AttemptRow(Base):
    """One candidate's run in one sitting; the newest revision Redis told us."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("sitting_id", "candidate_id"),
        CheckConstraint("state in ('ready', 'running', 'submitted', 'closed')", name="state"),
        Index(None, "candidate_id"),
        Index(None, "room_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    candidate_id: Mapped[UUID] = mapped_column(ForeignKey("candidate.id"))
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("room.id"))
    seat_number: Mapped[int | None]
    paper_code_id: Mapped[UUID] = mapped_column(ForeignKey("paper_code.id"))
    state: Mapped[str]
    revision: Mapped[int] = mapped_column(BigInteger)  # of the facts below; an older one never replaces a newer
    lease: Mapped[int]
    client: Mapped[str]  # the browser that holds the lease
    seated_at: Mapped[datetime | None]  # since when
    claimant: Mapped[str] = mapped_column(server_default="")  # a second browser that waits to be admitted
    claimed_at: Mapped[datetime | None]
    refused: Mapped[str] = mapped_column(server_default="")  # the browser turned away last
    started_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    extra_ms: Mapped[int] = mapped_column(server_default="0")  # accommodation, extensions, pauses, seat moves
    accommodated_ms: Mapped[int] = mapped_column(server_default="0")  # of it, what the accommodation grants
    extensions: Mapped[list[Any]]  # ids already credited
    paused_at: Mapped[datetime | None]  # since when the clock stands
    stops: Mapped[str] = mapped_column(server_default="")  # from when to when it stood before, in milliseconds
    is_locked: Mapped[bool] = mapped_column(server_default=false())
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]


class ResponseRow(Base):
    """The newest answer to one slot."""

    __tablename__ = "response"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[Any] = mapped_column(JSONB)  # master letters; JSON null: cleared
    client_time: Mapped[datetime]
    server_time: Mapped[datetime]


class ResponseEventRow(Base):
    """One acknowledged answer as it came; never changed, never removed."""

    __tablename__ = "response_event"
    __table_args__ = (UniqueConstraint("attempt_id", "slot", "stream_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    slot: Mapped[int]
    sequence: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[Any] = mapped_column(JSONB)
    client_time: Mapped[datetime]
    server_time: Mapped[datetime]
    stream_id: Mapped[str]
    lease: Mapped[int]


class LateDecisionRow(Base):
    """Late answers somebody wants to count: proposed by one person, accepted by another, or still waiting."""

    __tablename__ = "late_decision"
    __table_args__ = (
        CheckConstraint("accepted_by is distinct from proposed_by", name="two_people"),
        CheckConstraint("(accepted_by is null) = (accepted_at is null)", name="accepted"),
        Index(None, "attempt_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    accepted_by: Mapped[str | None]
    accepted_at: Mapped[datetime | None]


class LateResponseRow(Base):
    """One answer that was refused, as it came: evidence that counts for nothing until two people say so."""

    __tablename__ = "late_response"
    __table_args__ = (
        UniqueConstraint("attempt_id", "slot", "stream_id"),
        CheckConstraint("refusal in ('attempt-closed', 'lease-taken', 'time-over', 'attempt-locked')", name="refusal"),
        Index(None, "decision_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    slot: Mapped[int]
    sequence: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[Any] = mapped_column(JSONB)
    client_time: Mapped[datetime]
    server_time: Mapped[datetime]
    stream_id: Mapped[str]
    lease: Mapped[int]
    refusal: Mapped[str]
    decision_id: Mapped[UUID | None] = mapped_column(ForeignKey("late_decision.id"))


class SittingActRow(Base):
    """What somebody did to seats while a sitting was open; the same request is done once."""

    __tablename__ = "sitting_act"
    __table_args__ = (Index(None, "sitting_id", "at"),)

    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"), primary_key=True)
    request: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str]
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("room.id"))
    attempts: Mapped[list[Any]]  # whose facts it changed
    outcome: Mapped[dict[str, Any]]
    undone_by: Mapped[str | None]  # the request that undid it


class AttemptEventRow(Base):
    """What happened to an attempt (start, extension, close …) and what its seat noticed (focus lost …)."""

    __tablename__ = "attempt_event"
    __table_args__ = (
        UniqueConstraint("attempt_id", "stream_id", "position"),
        CheckConstraint("source in ('server', 'seat')", name="source"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    source: Mapped[str]
    kind: Mapped[str]
    client_time: Mapped[datetime | None]
    server_time: Mapped[datetime]
    detail: Mapped[dict[str, Any]]
    stream_id: Mapped[str]
    position: Mapped[int]  # within its stream entry


class NoticeRow(Base):
    """A message or extra time sent to one seat, a room or everybody."""

    __tablename__ = "notice"
    __table_args__ = (CheckConstraint("kind in ('message', 'time')", name="kind"),)

    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # grows with time
    kind: Mapped[str]
    text: Mapped[str]
    extra_seconds: Mapped[int]
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("room.id"))
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempt.id"))
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class RoomStatementRow(Base):
    """What was in a room when its sitting had closed: signed, numbered, never changed."""

    __tablename__ = "room_statement"
    __table_args__ = (UniqueConstraint("sitting_id", "room", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))
    room: Mapped[str]  # its code; empty: those who sit anywhere
    number: Mapped[int]
    body: Mapped[bytes]  # the very bytes that are signed
    signature: Mapped[bytes]
    public_key: Mapped[bytes]  # which key it was; whether it is ours the reader decides
    created_at: Mapped[datetime]


class ReceiptKeyRow(Base):
    """A public key that signed receipts and statements, and when; no key is ever removed."""

    __tablename__ = "receipt_key"
    __table_args__ = (CheckConstraint("used_until >= used_from", name="period"),)

    public_key: Mapped[bytes] = mapped_column(primary_key=True)
    used_from: Mapped[datetime]
    used_until: Mapped[datetime | None]  # when another key took its place


class AttemptProofRow(Base):
    """Digests of every row of an attempt, by which a change made later is found in its place."""

    __tablename__ = "attempt_proof"

    statement_id: Mapped[UUID] = mapped_column(ForeignKey("room_statement.id"), primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    answers: Mapped[bytes]  # of the newest answers, column by column
    log: Mapped[bytes]  # of the raw events, row by row in their order
    receipt: Mapped[str]  # as the candidate got it; empty: never started


class StreamRejectRow(Base):
    """A stream entry PostgreSQL would not take; kept whole, so that nothing is dropped in silence."""

    __tablename__ = "stream_reject"
    __table_args__ = (UniqueConstraint("stream", "stream_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    stream: Mapped[str]
    stream_id: Mapped[str]
    body: Mapped[dict[str, Any]]
    reason: Mapped[str]
    at: Mapped[datetime]
