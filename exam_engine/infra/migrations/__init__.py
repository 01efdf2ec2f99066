"""Alembic revisions of the whole schema, one chain; `runner` applies them, `standing` only looks."""
