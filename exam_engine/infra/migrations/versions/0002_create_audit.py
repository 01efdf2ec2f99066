"""pre: create the append-only audit record.

A trigger refuses every update, delete and truncate, whoever asks; the hash chain shows what went round the trigger.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the trigger that guards it."""
    op.execute("set lock_timeout = '5s'")
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"])
    op.create_index(op.f("ix_audit_entry_actor"), "audit_entry", ["actor"])
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])
    op.execute("""
        create function refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
                using errcode = 'restrict_violation';
        end
        $$
    """)
    op.execute("""
        create trigger audit_entry_is_append_only
        before update or delete or truncate on audit_entry
        for each statement execute function refuse_change()
    """)


def downgrade() -> None:
    """Remove the table; only ever meant for an empty development database."""
    op.execute("set lock_timeout = '5s'")
    op.drop_table("audit_entry")
    op.execute("drop function refuse_change()")
