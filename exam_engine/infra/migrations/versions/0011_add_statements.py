"""Add signed room statements and what a sitting froze when it opened: a pre migration, it only adds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `sitting.frozen`, `room_statement` and `attempt_proof`."""
    op.execute("set lock_timeout = '5s'")
    op.add_column("sitting", sa.Column("frozen", JSONB(), nullable=True))
    op.create_table(
        "room_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_room_statement_sitting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_statement")),
        sa.UniqueConstraint("sitting_id", "room", "number", name=op.f("uq_room_statement_sitting_id_room_number")),
    )
    op.create_table(
        "attempt_proof",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["room_statement.id"], name=op.f("fk_attempt_proof_statement_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_attempt_proof_attempt_id")),
        sa.PrimaryKeyConstraint("statement_id", "attempt_id", name=op.f("pk_attempt_proof")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("attempt_proof")
    op.drop_table("room_statement")
    op.drop_column("sitting", "frozen")
