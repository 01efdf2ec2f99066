"""Create the authoring room: banks, topics, items and stimuli with versions, media (pre)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATES = "state in ('draft', 'submitted', 'reviewed', 'pilot', 'active', 'retired')"
MOMENT = sa.DateTime(timezone=True)

FREEZE = """
create function refuse_change_of_frozen_version() returns trigger language plpgsql as $$
begin
    if old.frozen_at is not null and (
        new.content is distinct from old.content
        or new.frozen_at is distinct from old.frozen_at
        or to_jsonb(new) -> 'stimulus_version_id' is distinct from to_jsonb(old) -> 'stimulus_version_id'
        or to_jsonb(new) -> TG_ARGV[0] is distinct from to_jsonb(old) -> TG_ARGV[0]
    ) then
        raise exception 'version % of % is frozen', old.number, TG_TABLE_NAME
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    """Create the seven tables."""
    op.execute("set lock_timeout = '5s'")
    op.create_table(
        "bank",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_code", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank")),
        sa.UniqueConstraint("code", name=op.f("uq_bank_code")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_bank_unit_id")),
    )
    op.create_index(op.f("ix_bank_unit_id"), "bank", ["unit_id"])
    op.create_table(
        "topic",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("bank_id", "code", name=op.f("uq_topic_bank_id_code")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_topic_bank_id")),
    )
    op.create_table(
        "stimulus",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stimulus")),
        sa.UniqueConstraint("bank_id", "code", name=op.f("uq_stimulus_bank_id_code")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_stimulus_bank_id")),
    )
    op.create_table(
        "stimulus_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stimulus_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stimulus_version")),
        sa.UniqueConstraint("stimulus_id", "number", name=op.f("uq_stimulus_version_stimulus_id_number")),
        sa.ForeignKeyConstraint(["stimulus_id"], ["stimulus.id"], name=op.f("fk_stimulus_version_stimulus_id")),
    )
    _create_items()
    op.create_table(
        "media",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_media")),
    )
    op.execute(FREEZE)
    for table, digest in (("item_version", "content_hash"), ("stimulus_version", "hash")):
        op.execute(
            f"create trigger {table}_is_frozen before update on {table} "
            f"for each row execute function refuse_change_of_frozen_version('{digest}')"
        )


def downgrade() -> None:
    """Drop them again."""
    for table in ("media", "item_version", "item", "stimulus_version", "stimulus", "topic", "bank"):
        op.drop_table(table)
    op.execute("drop function refuse_change_of_frozen_version()")


def _create_items() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("stimulus_code", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("marked_text", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("bank_id", "code", name=op.f("uq_item_bank_id_code")),
        sa.CheckConstraint(STATES, name=op.f("ck_item_state")),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"], name=op.f("fk_item_bank_id")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_item_created_by")),
    )
    op.create_index("ix_item_bank_id_state", "item", ["bank_id", "state"])
    op.create_table(
        "item_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("stimulus_version_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("frozen_at", MOMENT, nullable=True),
        sa.Column("returned_comment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_item_version_item_id_number")),
        sa.CheckConstraint(STATES, name=op.f("ck_item_version_state")),
        sa.CheckConstraint(
            "state in ('draft', 'retired') or frozen_at is not null", name=op.f("ck_item_version_frozen_unless_draft")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_version_item_id")),
        sa.ForeignKeyConstraint(
            ["stimulus_version_id"], ["stimulus_version.id"], name=op.f("fk_item_version_stimulus_version_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_item_version_created_by")),
        sa.ForeignKeyConstraint(["submitted_by"], ["person.id"], name=op.f("fk_item_version_submitted_by")),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"], name=op.f("fk_item_version_approved_by")),
    )
    op.create_index(op.f("ix_item_version_stimulus_version_id"), "item_version", ["stimulus_version_id"])
    op.create_index(
        "ix_item_version_one_active",
        "item_version",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
