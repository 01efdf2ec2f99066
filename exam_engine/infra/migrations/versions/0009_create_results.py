"""Create score runs, graduation runs, adjustments and releases: a pre migration, it only adds.

Runs and published results are written once; a correction is a new run and a new release.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of the results room."""
    op.execute("set lock_timeout = '5s'")
    _create_score_tables()
    _create_graduation_tables()
    _create_release_tables()


def downgrade() -> None:
    """Remove the tables of the results room."""
    for table in (
        "published_distribution",
        "published_result",
        "release",
        "graduation_outcome",
        "graduation_run",
        "score_adjustment",
        "score",
        "score_run",
    ):
        op.drop_table(table)


def _create_score_tables() -> None:
    op.create_table(
        "score_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_run_id", sa.Uuid(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("rule_version", sa.String(), nullable=False),
        sa.Column("keys", JSONB(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("n_scored", sa.Integer(), nullable=False),
        sa.Column("n_changed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('complete', 'withdrawn')", name=op.f("ck_score_run_state")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_score_run_number")),
        sa.ForeignKeyConstraint(["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_score_run_exam_subject_id")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_score_run_sitting_id")),
        sa.ForeignKeyConstraint(["previous_run_id"], ["score_run.id"], name=op.f("fk_score_run_previous_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_run")),
        sa.UniqueConstraint("sitting_id", "number", name=op.f("uq_score_run_sitting_id_number")),
    )
    op.create_index(op.f("ix_score_run_exam_subject_id"), "score_run", ["exam_subject_id"])
    op.create_table(
        "score",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("parts", JSONB(), nullable=False),
        sa.Column("slots", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_score_run_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_score_candidate_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_score_attempt_id")),
        sa.PrimaryKeyConstraint("run_id", "candidate_id", name=op.f("pk_score")),
    )
    op.create_index(op.f("ix_score_candidate_id"), "score", ["candidate_id"])
    op.create_table(
        "score_adjustment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_code", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_score_adjustment_candidate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_adjustment")),
    )
    op.create_index(op.f("ix_score_adjustment_candidate_id"), "score_adjustment", ["candidate_id"])


def _create_graduation_tables() -> None:
    op.create_table(
        "graduation_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule_set", sa.String(), nullable=False),
        sa.Column("score_run_ids", JSONB(), nullable=False),
        sa.Column("n_complete", sa.Integer(), nullable=False),
        sa.Column("n_passed", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_graduation_run_exam_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_graduation_run")),
        sa.UniqueConstraint("exam_id", "number", name=op.f("uq_graduation_run_exam_id_number")),
    )
    op.create_table(
        "graduation_outcome",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("trace", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["graduation_run.id"], name=op.f("fk_graduation_outcome_run_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_graduation_outcome_candidate_id")),
        sa.PrimaryKeyConstraint("run_id", "candidate_id", name=op.f("pk_graduation_outcome")),
    )


def _create_release_tables() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score_run_ids", JSONB(), nullable=False),
        sa.Column("graduation_run_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("n_published", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('prepared', 'approved', 'withdrawn')", name=op.f("ck_release_state")),
        sa.CheckConstraint(
            "state = 'prepared' or (approved_by is not null and approved_by <> created_by) or state = 'withdrawn'",
            name=op.f("ck_release_four_eyes"),
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_release_exam_id")),
        sa.ForeignKeyConstraint(
            ["graduation_run_id"], ["graduation_run.id"], name=op.f("fk_release_graduation_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("exam_id", "number", name=op.f("uq_release_exam_id_number")),
    )
    op.create_table(
        "published_result",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_number", sa.String(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_published_result_release_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_published_result_candidate_id")),
        sa.PrimaryKeyConstraint("release_id", "candidate_number", name=op.f("pk_published_result")),
    )
    op.create_table(
        "published_distribution",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("subject_code", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_published_distribution_release_id")),
        sa.PrimaryKeyConstraint("release_id", "subject_code", name=op.f("pk_published_distribution")),
    )
