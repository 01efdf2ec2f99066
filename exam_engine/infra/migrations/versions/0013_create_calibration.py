"""Create calibration runs with their items, versioned item parameters, and scores by item response theory (pre)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("set lock_timeout = '5s'")
    _create_parameters()
    _create_runs()
    _create_scores()


def downgrade() -> None:
    """Drop the tables."""
    for table in ("irt_score", "irt_run", "calibration_item", "calibration_run", "item_parameters"):
        op.drop_table(table)


def _create_parameters() -> None:
    op.create_table(
        "item_parameters",
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("errors", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("origin", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_version_id", "number", name=op.f("pk_item_parameters")),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_item_parameters_item_version_id")
        ),
        sa.CheckConstraint("state in ('accepted', 'withdrawn')", name=op.f("ck_item_parameters_state")),
        sa.CheckConstraint(
            "(state = 'accepted') = (parameters is not null)", name=op.f("ck_item_parameters_parameters")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_item_parameters_number")),
    )


def _create_runs() -> None:
    op.create_table(
        "calibration_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_subject_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("progress", postgresql.JSONB(), nullable=False),
        sa.Column("refusal", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("outcome", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration_run")),
        sa.UniqueConstraint("exam_subject_id", "number", name=op.f("uq_calibration_run_exam_subject_id_number")),
        sa.ForeignKeyConstraint(
            ["exam_subject_id"], ["exam_subject.id"], name=op.f("fk_calibration_run_exam_subject_id")
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'running', 'complete', 'refused', 'cancelled')", name=op.f("ck_calibration_run_state")
        ),
        sa.CheckConstraint("(state = 'complete') = (outcome is not null)", name=op.f("ck_calibration_run_outcome")),
        sa.CheckConstraint("(state = 'refused') = (refusal is not null)", name=op.f("ck_calibration_run_refusal")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_calibration_run_number")),
    )
    op.create_table(
        "calibration_item",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "item_version_id", name=op.f("pk_calibration_item")),
        sa.ForeignKeyConstraint(["run_id"], ["calibration_run.id"], name=op.f("fk_calibration_item_run_id")),
        sa.ForeignKeyConstraint(
            ["item_version_id"], ["item_version.id"], name=op.f("fk_calibration_item_item_version_id")
        ),
        sa.CheckConstraint("decision in ('open', 'accepted', 'held')", name=op.f("ck_calibration_item_decision")),
        sa.CheckConstraint("(decision = 'open') = (decided_by is null)", name=op.f("ck_calibration_item_decided_by")),
    )
    op.create_index(op.f("ix_calibration_item_item_version_id"), "calibration_item", ["item_version_id"])


def _create_scores() -> None:
    op.create_table(
        "irt_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("estimator", sa.String(), nullable=False),
        sa.Column("scale", postgresql.JSONB(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("input_hash", sa.String(), nullable=False),
        sa.Column("n_scored", sa.Integer(), nullable=False),
        sa.Column("reliability", sa.Float(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irt_run")),
        sa.UniqueConstraint("sitting_id", "number", name=op.f("uq_irt_run_sitting_id_number")),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_irt_run_sitting_id")),
        sa.CheckConstraint("estimator in ('eap', 'wle')", name=op.f("ck_irt_run_estimator")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_irt_run_number")),
    )
    op.create_table(
        "irt_score",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("theta", sa.Float(), nullable=False),
        sa.Column("se", sa.Float(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("score_se", sa.Integer(), nullable=False),
        sa.Column("n_items", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "candidate_id", name=op.f("pk_irt_score")),
        sa.ForeignKeyConstraint(["run_id"], ["irt_run.id"], name=op.f("fk_irt_score_run_id")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=op.f("fk_irt_score_candidate_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_irt_score_attempt_id")),
    )
    op.create_index(op.f("ix_irt_score_candidate_id"), "irt_score", ["candidate_id"])
