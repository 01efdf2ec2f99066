"""Create photos of candidates, checks of seats, incidents and Safe Exam Browser settings (pre)."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of invigilation and the photos its name check shows."""
    op.execute("set lock_timeout = '5s'")
    _create_photos()
    _create_checks()
    _create_incidents()
    _create_safe_browser()


def downgrade() -> None:
    """Drop them."""
    for table in ("safe_browser", "incident_attempt", "incident", "seat_check", "candidate_photo"):
        op.drop_table(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_photos() -> None:
    op.create_table(
        "candidate_photo",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("source_file", sa.String(), nullable=False),
        _moment("stored_at"),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_candidate_photo")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_candidate_photo_candidate_id")),
        sa.CheckConstraint("width > 0 and height > 0", name=op.f("ck_candidate_photo_size")),
    )


def _create_checks() -> None:
    op.create_table(
        "seat_check",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("identity_note", sa.String(), nullable=False),
        sa.Column("identity_by", sa.String(), nullable=True),
        _moment("identity_at", nullable=True),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        _moment("reviewed_at", nullable=True),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_seat_check")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_seat_check_attempt_id")),
        sa.CheckConstraint("identity in ('matches', 'doubtful')", name=op.f("ck_seat_check_identity")),
    )


def _create_incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        _moment("began_at"),
        _moment("ended_at", nullable=True),
        sa.Column("reported_by", sa.String(), nullable=False),
        _moment("reported_at"),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        _moment("withdrawn_at", nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("sitting_id", "number", name=op.f("uq_incident_sitting_id_number")),
        sa.UniqueConstraint("sitting_id", "request", name=op.f("uq_incident_sitting_id_request")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_incident_sitting_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_incident_room_id")),
        sa.CheckConstraint("number > 0", name=op.f("ck_incident_number")),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_incident_times")),
        sa.CheckConstraint("(withdrawn_at is null) = (withdrawn_by is null)", name=op.f("ck_incident_withdrawn")),
    )
    op.create_table(
        "incident_attempt",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "attempt_id", name=op.f("pk_incident_attempt")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_attempt_incident_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_incident_attempt_attempt_id")),
    )
    op.create_index(op.f("ix_incident_attempt_attempt_id"), "incident_attempt", ["attempt_id"])


def _create_safe_browser() -> None:
    op.create_table(
        "safe_browser",
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("config_key", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("start_url", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("sitting_id", name=op.f("pk_safe_browser")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_safe_browser_sitting_id")),
        sa.CheckConstraint("config_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_safe_browser_config_key")),
    )
