"""Which database objects belong to our mappings; the queue's own tables belong to its package."""

from collections.abc import Mapping
from typing import Any

QUEUE_PREFIX = "procrastinate_"


def include_name(name: str | None, kind: str, parents: Mapping[Any, Any]) -> bool:
    """Tell Alembic's comparison to look past the tables of the job queue."""
    del parents
    return not (kind == "table" and name is not None and name.startswith(QUEUE_PREFIX))
