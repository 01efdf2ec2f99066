"""Let workers learn who was taken in later and whose card was reissued: a pre migration."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count how often a sitting took people in; find reissued cards without reading all candidates."""
    op.execute("set lock_timeout = '5s'")
    op.add_column("sitting", sa.Column("roll_version", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_candidate_reissued", "candidate", ["exam_id"], postgresql_where=sa.text("code_version > 1"))


def downgrade() -> None:
    """Remove both."""
    op.drop_index("ix_candidate_reissued", "candidate")
    op.drop_column("sitting", "roll_version")
