"""Add what pauses, locks, second seats and late answers need: a post migration, no sitting may be open meanwhile.

Extra time is kept in milliseconds from now on, since silence and pauses are credited exactly.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen attempts and candidates; add `late_decision`, `late_response` and `sitting_act`."""
    op.execute("set lock_timeout = '5s'")
    op.add_column("candidate", sa.Column("time_factor", sa.Integer(), nullable=False, server_default="100"))
    op.create_check_constraint(op.f("ck_candidate_time_factor"), "candidate", "time_factor between 100 and 300")
    _widen_attempts()
    _create_late()
    op.create_table(
        "sitting_act",
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", JSONB(), nullable=False),
        sa.Column("outcome", JSONB(), nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_sitting_act_sitting_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_sitting_act_room_id")),
        sa.PrimaryKeyConstraint("sitting_id", "request", name=op.f("pk_sitting_act")),
    )
    op.create_index(op.f("ix_sitting_act_sitting_id_at"), "sitting_act", ["sitting_id", "at"])


def downgrade() -> None:
    """Remove them; milliseconds of extra time below a second are lost."""
    for table in ("sitting_act", "late_response", "late_decision"):
        op.drop_table(table)
    op.add_column("attempt", sa.Column("extra_seconds", sa.Integer(), nullable=False, server_default="0"))
    op.execute("update attempt set extra_seconds = extra_ms / 1000")
    op.alter_column("attempt", "extra_seconds", server_default=None)
    for column in ("extra_ms", "seated_at", "claimant", "claimed_at", "refused", "paused_at", "stops", "is_locked"):
        op.drop_column("attempt", column)
    op.drop_constraint(op.f("ck_candidate_time_factor"), "candidate")
    op.drop_column("candidate", "time_factor")


def _widen_attempts() -> None:
    for column in (
        sa.Column("extra_ms", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("seated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimant", sa.String(), nullable=False, server_default=""),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.String(), nullable=False, server_default=""),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stops", sa.String(), nullable=False, server_default=""),
        sa.Column("is_locked", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("attempt", column)
    op.execute("update attempt set extra_ms = 1000 * extra_seconds, seated_at = started_at")
    op.drop_column("attempt", "extra_seconds")


def _create_late() -> None:
    op.create_table(
        "late_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("accepted_by is distinct from proposed_by", name=op.f("ck_late_decision_two_people")),
        sa.CheckConstraint("(accepted_by is null) = (accepted_at is null)", name=op.f("ck_late_decision_accepted")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_late_decision_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_decision")),
    )
    op.create_index(op.f("ix_late_decision_attempt_id"), "late_decision", ["attempt_id"])
    op.create_table(
        "late_response",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.Column("client_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("server_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "refusal in ('attempt-closed', 'lease-taken', 'time-over', 'attempt-locked')",
            name=op.f("ck_late_response_refusal"),
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_late_response_attempt_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["late_decision.id"], name=op.f("fk_late_response_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_response")),
        sa.UniqueConstraint("attempt_id", "slot", "stream_id", name=op.f("uq_late_response_attempt_id_slot_stream_id")),
    )
    op.create_index(op.f("ix_late_response_decision_id"), "late_response", ["decision_id"])
