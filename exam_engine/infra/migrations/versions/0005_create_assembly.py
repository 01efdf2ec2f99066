"""pre: create blueprints, forms, keys, paper codes and compiled forms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the six tables; keys are append-only like the audit record."""
    op.execute("set lock_timeout = '5s'")
    op.create_table(
        "blueprint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_blueprint_bank_id")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_blueprint_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blueprint")),
        sa.UniqueConstraint("code", name=op.f("uq_blueprint_code")),
    )
    op.create_table(
        "form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("blueprint_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_by", sa.Uuid(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seal_hash", sa.String(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('draft', 'sealed')", name=op.f("ck_form_state")),
        sa.CheckConstraint("(state = 'sealed') = (sealed_by is not null)", name=op.f("ck_form_sealed_by")),
        sa.CheckConstraint("sealed_by <> created_by", name=op.f("ck_form_four_eyes")),
        sa.ForeignKeyConstraint(["blueprint_id"], ["blueprint.id"], name=op.f("fk_form_blueprint_id")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_form_created_by")),
        sa.ForeignKeyConstraint(["sealed_by"], ["person.id"], name=op.f("fk_form_sealed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form")),
        sa.UniqueConstraint("code", name=op.f("uq_form_code")),
    )
    op.create_table(
        "form_item",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("option_order", sa.String(), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("track", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_form_item_form_id")),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_form_item_item_version_id")),
        sa.PrimaryKeyConstraint("form_id", "slot", name=op.f("pk_form_item")),
        sa.UniqueConstraint("form_id", "item_version_id", name=op.f("uq_form_item_form_id_item_version_id")),
    )
    op.create_index(op.f("ix_form_item_item_version_id"), "form_item", ["item_version_id"])
    op.create_table(
        "form_key",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_form_key_created_by")),
        sa.ForeignKeyConstraint(
            ["form_id", "slot"], ["form_item.form_id", "form_item.slot"], name=op.f("fk_form_key_form_id_slot")
        ),
        sa.PrimaryKeyConstraint("form_id", "slot", "version", name=op.f("pk_form_key")),
    )
    op.execute("""
        create trigger form_key_is_append_only
        before update or delete or truncate on form_key
        for each statement execute function refuse_change()
    """)
    op.create_table(
        "paper_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("ordering", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_paper_code_form_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_code")),
        sa.UniqueConstraint("form_id", "code", name=op.f("uq_paper_code_form_id_code")),
    )
    op.create_table(
        "compiled_form",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("brotli", sa.LargeBinary(), nullable=False),
        sa.Column("gzip", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_compiled_form_form_id")),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_compiled_form")),
    )
    op.create_index(op.f("ix_compiled_form_hash"), "compiled_form", ["hash"])


def downgrade() -> None:
    """Remove the six tables."""
    op.execute("set lock_timeout = '5s'")
    for table in ("compiled_form", "paper_code", "form_key", "form_item", "form", "blueprint"):
        op.drop_table(table)
