"""pre: create sittings, attempts, responses and the append-only records of delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIMESTAMP = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables, referenced ones first."""
    op.execute("set lock_timeout = '5s'")
    _create_sitting()
    _create_attempt()
    _create_responses()
    _create_records()


def downgrade() -> None:
    """Remove the tables."""
    op.execute("set lock_timeout = '5s'")
    for table in ("stream_reject", "notice", "attempt_event", "response_event", "response", "attempt", "sitting"):
        op.drop_table(table)


def _create_sitting() -> None:
    op.create_table(
        "sitting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("form_hash", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("opens_at", TIMESTAMP, nullable=False),
        sa.Column("starts_at", TIMESTAMP, nullable=False),
        sa.Column("ends_at", TIMESTAMP, nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("late_limit_seconds", sa.Integer(), nullable=False),
        sa.Column("grace_seconds", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("shards", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("opened_at", TIMESTAMP, nullable=True),
        sa.Column("closed_at", TIMESTAMP, nullable=True),
        sa.Column("stored_at", TIMESTAMP, nullable=True),
        sa.CheckConstraint("state in ('planned', 'open', 'closed')", name=op.f("ck_sitting_state")),
        sa.CheckConstraint("opens_at <= starts_at and starts_at < ends_at", name=op.f("ck_sitting_times")),
        sa.CheckConstraint("duration_seconds > 0", name=op.f("ck_sitting_duration_seconds")),
        sa.CheckConstraint("late_limit_seconds >= 0", name=op.f("ck_sitting_late_limit_seconds")),
        sa.CheckConstraint("grace_seconds >= 0", name=op.f("ck_sitting_grace_seconds")),
        sa.CheckConstraint("shards between 1 and 64", name=op.f("ck_sitting_shards")),
        sa.CheckConstraint("state = 'planned' or form_hash is not null", name=op.f("ck_sitting_form_hash")),
        sa.ForeignKeyConstraint(["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_sitting_exam_subject_id")),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_sitting_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sitting")),
        sa.UniqueConstraint("code", name=op.f("uq_sitting_code")),
    )
    op.create_index(op.f("ix_sitting_state"), "sitting", ["state"])
    op.create_index(op.f("ix_sitting_exam_subject_id"), "sitting", ["exam_subject_id"])


def _create_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("seat_number", sa.Integer(), nullable=True),
        sa.Column("paper_code_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("started_at", TIMESTAMP, nullable=True),
        sa.Column("due_at", TIMESTAMP, nullable=True),
        sa.Column("extra_seconds", sa.Integer(), nullable=False),
        sa.Column("extensions", postgresql.JSONB(), nullable=False),
        sa.Column("submitted_at", TIMESTAMP, nullable=True),
        sa.Column("closed_at", TIMESTAMP, nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("last_seen_at", TIMESTAMP, nullable=True),
        sa.CheckConstraint("state in ('ready', 'running', 'submitted', 'closed')", name=op.f("ck_attempt_state")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_attempt_sitting_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_attempt_candidate_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_attempt_room_id")),
        sa.ForeignKeyConstraint(["paper_code_id"], ["paper_code.id"], name=op.f("fk_attempt_paper_code_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("sitting_id", "candidate_id", name=op.f("uq_attempt_sitting_id_candidate_id")),
    )
    op.create_index(op.f("ix_attempt_candidate_id"), "attempt", ["candidate_id"])
    op.create_index(op.f("ix_attempt_room_id"), "attempt", ["room_id"])


def _create_responses() -> None:
    op.create_table(
        "response",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("client_time", TIMESTAMP, nullable=False),
        sa.Column("server_time", TIMESTAMP, nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_response_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", "slot", name=op.f("pk_response")),
    )
    op.create_table(
        "response_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("client_time", TIMESTAMP, nullable=False),
        sa.Column("server_time", TIMESTAMP, nullable=False),
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_response_event_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_event")),
        sa.UniqueConstraint(
            "attempt_id", "slot", "stream_id", name=op.f("uq_response_event_attempt_id_slot_stream_id")
        ),
    )


def _create_records() -> None:
    op.create_table(
        "attempt_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("client_time", TIMESTAMP, nullable=True),
        sa.Column("server_time", TIMESTAMP, nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("source in ('server', 'seat')", name=op.f("ck_attempt_event_source")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_attempt_event_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_event")),
        sa.UniqueConstraint(
            "attempt_id", "stream_id", "position", name=op.f("uq_attempt_event_attempt_id_stream_id_position")
        ),
    )
    op.create_table(
        "notice",
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("extra_seconds", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("kind in ('message', 'time')", name=op.f("ck_notice_kind")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_notice_sitting_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_notice_room_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_notice_attempt_id")),
        sa.PrimaryKeyConstraint("sitting_id", "number", name=op.f("pk_notice")),
    )
    op.create_table(
        "stream_reject",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", TIMESTAMP, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream_reject")),
        sa.UniqueConstraint("stream", "stream_id", name=op.f("uq_stream_reject_stream_stream_id")),
    )
