"""Create programmes, aspirations, allocation runs, their outcomes and cut-offs (pre)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the admission room."""
    op.execute("set lock_timeout = '5s'")
    _create_choices()
    _create_runs()


def downgrade() -> None:
    """Drop the tables of the admission room."""
    for table in ("cut_off", "allocation_outcome", "allocation_run", "aspiration", "programme"):
        op.drop_table(table)


def _create_choices() -> None:
    op.create_table(
        "programme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("school_unit_id", sa.Uuid(), nullable=True),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("exam_id", "code", name=op.f("uq_programme_exam_id_code")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_programme_exam_id")),
        sa.ForeignKeyConstraint(["school_unit_id"], ["org_unit.id"], name=op.f("fk_programme_school_unit_id")),
        sa.CheckConstraint("quota >= 0", name=op.f("ck_programme_quota")),
    )
    op.create_table(
        "aspiration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aspiration")),
        sa.UniqueConstraint("candidate_id", "rank", name=op.f("uq_aspiration_candidate_id_rank")),
        sa.UniqueConstraint("candidate_id", "programme_id", name=op.f("uq_aspiration_candidate_id_programme_id")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_aspiration_exam_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_aspiration_candidate_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_aspiration_programme_id")),
        sa.CheckConstraint("rank > 0", name=op.f("ck_aspiration_rank")),
    )
    op.create_index(op.f("ix_aspiration_exam_id"), "aspiration", ["exam_id"])
    op.create_index(op.f("ix_aspiration_programme_id"), "aspiration", ["programme_id"])


def _create_runs() -> None:
    op.create_table(
        "allocation_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("n_applicants", sa.Integer(), nullable=False),
        sa.Column("n_admitted", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_run")),
        sa.UniqueConstraint("exam_id", "number", name=op.f("uq_allocation_run_exam_id_number")),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_allocation_run_exam_id")),
        sa.CheckConstraint("state in ('computed', 'released', 'withdrawn')", name=op.f("ck_allocation_run_state")),
        sa.CheckConstraint("state <> 'released' or release_at is not null", name=op.f("ck_allocation_run_release_at")),
        sa.CheckConstraint("released_by <> created_by", name=op.f("ck_allocation_run_four_eyes")),
    )
    op.create_table(
        "allocation_outcome",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("score_trace", postgresql.JSONB(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "candidate_id", name=op.f("pk_allocation_outcome")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_outcome_run_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_allocation_outcome_candidate_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_allocation_outcome_programme_id")),
        sa.CheckConstraint("(programme_id is null) = (rank is null)", name=op.f("ck_allocation_outcome_rank")),
    )
    op.create_index(op.f("ix_allocation_outcome_programme_id"), "allocation_outcome", ["programme_id"])
    op.create_table(
        "cut_off",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("cut_off", sa.Integer(), nullable=True),
        sa.Column("admitted", sa.Integer(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "programme_id", name=op.f("pk_cut_off")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_cut_off_run_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_cut_off_programme_id")),
        sa.CheckConstraint("admitted >= 0", name=op.f("ck_cut_off_admitted")),
    )
