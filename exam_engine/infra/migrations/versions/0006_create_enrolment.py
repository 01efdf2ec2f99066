"""Create exams, subjects, candidates, rooms, seats and marks from files (pre)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the enrolment room."""
    op.execute("set lock_timeout = '5s'")
    _create_exams()
    _create_candidates()
    _create_seats()


def downgrade() -> None:
    """Drop the tables of the enrolment room."""
    for table in ("seat", "room", "subject_mark", "candidate_subject", "candidate", "exam_subject", "exam"):
        op.drop_table(table)


def _create_exams() -> None:
    op.create_table(
        "exam",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rule_set", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("results_release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes_valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam")),
        sa.UniqueConstraint("code", name=op.f("uq_exam_code")),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"], name=op.f("fk_exam_unit_id")),
        sa.CheckConstraint("kind in ('graduation', 'intake', 'assessment', 'practice')", name=op.f("ck_exam_kind")),
        sa.CheckConstraint("state in ('planned', 'open', 'closed')", name=op.f("ck_exam_state")),
    )
    op.create_table(
        "exam_subject",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("maximum", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_subject")),
        sa.UniqueConstraint("exam_id", "code", name=op.f("uq_exam_subject_exam_id_code")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_exam_subject_exam_id")),
        sa.CheckConstraint("mode in ('online', 'marks_file')", name=op.f("ck_exam_subject_mode")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_exam_subject_minutes")),
        sa.CheckConstraint("maximum > 0", name=op.f("ck_exam_subject_maximum")),
    )


def _create_candidates() -> None:
    op.create_table(
        "candidate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("lower_name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(collation="C"), nullable=False),
        sa.Column("date_of_birth", sa.String(), nullable=True),
        sa.Column("school_unit_id", sa.Uuid(), nullable=True),
        sa.Column("code_version", sa.Integer(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint("exam_id", "number", name=op.f("uq_candidate_exam_id_number")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_candidate_exam_id")),
        sa.ForeignKeyConstraint(["school_unit_id"], ["org_unit.id"], name=op.f("fk_candidate_school_unit_id")),
        sa.CheckConstraint("number <> ''", name=op.f("ck_candidate_number")),
        sa.CheckConstraint("code_version > 0", name=op.f("ck_candidate_code_version")),
    )
    op.create_index(op.f("ix_candidate_exam_id_sort_key"), "candidate", ["exam_id", "sort_key"])
    op.create_table(
        "candidate_subject",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", "exam_subject_id", name=op.f("pk_candidate_subject")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_candidate_subject_candidate_id")),
        sa.ForeignKeyConstraint(
            ["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_candidate_subject_exam_subject_id")
        ),
    )
    op.create_index(op.f("ix_candidate_subject_exam_subject_id"), "candidate_subject", ["exam_subject_id"])
    op.create_table(
        "subject_mark",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_code", sa.String(), nullable=False),
        sa.Column("hundredths", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source_file", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", "exam_subject_code", name=op.f("pk_subject_mark")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_subject_mark_candidate_id")),
        sa.CheckConstraint("hundredths is not null or note is not null", name=op.f("ck_subject_mark_said")),
        sa.CheckConstraint("hundredths >= 0", name=op.f("ck_subject_mark_hundredths")),
    )


def _create_seats() -> None:
    op.create_table(
        "room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("site_unit_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("exam_id", "code", name=op.f("uq_room_exam_id_code")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_room_exam_id")),
        sa.ForeignKeyConstraint(["site_unit_id"], ["org_unit.id"], name=op.f("fk_room_site_unit_id")),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_room_capacity")),
    )
    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
        sa.UniqueConstraint("exam_subject_id", "candidate_id", name=op.f("uq_seat_exam_subject_id_candidate_id")),
        sa.UniqueConstraint(
            "exam_subject_id", "room_id", "number", name=op.f("uq_seat_exam_subject_id_room_id_number")
        ),
        sa.ForeignKeyConstraint(["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_seat_exam_subject_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_seat_candidate_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_seat_room_id")),
        sa.CheckConstraint("number > 0", name=op.f("ck_seat_number")),
    )
    op.create_index(op.f("ix_seat_candidate_id"), "seat", ["candidate_id"])
    op.create_index(op.f("ix_seat_room_id"), "seat", ["room_id"])
