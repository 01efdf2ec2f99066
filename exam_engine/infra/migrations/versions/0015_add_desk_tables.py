"""Add accommodations, room duties and the keys of receipts: a post migration, no sitting may be open meanwhile.

A factor on everybody's time moves from the candidate to the accommodation for all subjects.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `accommodation`, `room_duty` and `receipt_key`; note in attempts what an accommodation grants."""
    op.execute("set lock_timeout = '5s'")
    _create_accommodations()
    op.create_table(
        "room_duty",
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("duty in ('invigilator', 'deputy')", name=op.f("ck_room_duty_duty")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_room_duty_sitting_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_room_duty_room_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_room_duty_person_id")),
        sa.PrimaryKeyConstraint("sitting_id", "room_id", "person_id", name=op.f("pk_room_duty")),
    )
    op.create_index(op.f("ix_room_duty_person_id"), "room_duty", ["person_id"])
    op.create_table(
        "receipt_key",
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("used_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("used_until >= used_from", name=op.f("ck_receipt_key_period")),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_receipt_key")),
    )
    op.execute(
        "insert into receipt_key (public_key, used_from, used_until)"
        " select public_key, min(created_at), max(created_at) from room_statement group by public_key"
    )


def downgrade() -> None:
    """Remove them; of accommodations only the factor for all subjects stays."""
    op.drop_table("receipt_key")
    op.drop_table("room_duty")
    op.add_column("candidate", sa.Column("time_factor", sa.Integer(), nullable=False, server_default="100"))
    op.create_check_constraint(op.f("ck_candidate_time_factor"), "candidate", "time_factor between 100 and 300")
    op.execute(
        "update candidate set time_factor = a.time_factor from accommodation a"
        " where a.candidate_id = candidate.id and a.exam_subject_id is null"
    )
    op.drop_column("attempt", "accommodated_ms")
    op.drop_table("accommodation")


def _create_accommodations() -> None:
    op.create_table(
        "accommodation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=True),
        sa.Column("time_factor", sa.Integer(), nullable=False),
        sa.Column("extra_minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("time_factor between 100 and 300", name=op.f("ck_accommodation_time_factor")),
        sa.CheckConstraint("extra_minutes between 0 and 240", name=op.f("ck_accommodation_extra_minutes")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_accommodation_candidate_id")),
        sa.ForeignKeyConstraint(
            ["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_accommodation_exam_subject_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accommodation")),
        sa.UniqueConstraint(
            "candidate_id",
            "exam_subject_id",
            name=op.f("uq_accommodation_candidate_id_exam_subject_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.execute(
        "insert into accommodation"
        " (id, candidate_id, exam_subject_id, time_factor, extra_minutes, note, changed_by, changed_at)"
        " select gen_random_uuid(), id, null, time_factor, 0, '', 'system:upgrade', now()"
        " from candidate where time_factor > 100"
    )
    op.drop_constraint(op.f("ck_candidate_time_factor"), "candidate")
    op.drop_column("candidate", "time_factor")
    op.add_column("attempt", sa.Column("accommodated_ms", sa.Integer(), nullable=False, server_default="0"))
