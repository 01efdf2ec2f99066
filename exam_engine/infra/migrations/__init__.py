"""Alembic revisions of the whole schema, one chain, and the runner that applies them."""

from exam_engine.infra.migrations.runner import is_current, pending, upgrade

__all__ = ["is_current", "pending", "upgrade"]
