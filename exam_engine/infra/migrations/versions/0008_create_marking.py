"""Create marking tasks and marks: a pre migration, it only adds.

One task an essay response and round; marks are appended, the newest of a task counts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `marking_task` and `mark`."""
    op.execute("set lock_timeout = '5s'")
    op.create_table(
        "marking_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("marker_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('open', 'marked')", name=op.f("ck_marking_task_state")),
        sa.CheckConstraint("slot >= 1", name=op.f("ck_marking_task_slot")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_marking_task_round")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_marking_task_sitting_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_marking_task_attempt_id")),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_marking_task_item_version_id")),
        sa.ForeignKeyConstraint(["marker_id"], ["person.id"], name=op.f("fk_marking_task_marker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marking_task")),
        sa.UniqueConstraint("attempt_id", "slot", "round", name=op.f("uq_marking_task_attempt_id_slot_round")),
    )
    op.create_index(op.f("ix_marking_task_sitting_id_state"), "marking_task", ["sitting_id", "state"])
    op.create_table(
        "mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("marker_id", sa.Uuid(), nullable=False),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total >= 0", name=op.f("ck_mark_total")),
        sa.ForeignKeyConstraint(["task_id"], ["marking_task.id"], name=op.f("fk_mark_task_id")),
        sa.ForeignKeyConstraint(["marker_id"], ["person.id"], name=op.f("fk_mark_marker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
        sa.UniqueConstraint("task_id", "number", name=op.f("uq_mark_task_id_number")),
    )


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("mark")
    op.drop_table("marking_task")
