"""The migrated schema is the mapped one."""

import re
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from exam_engine.infra.migrations.names import QUEUE_PREFIX, include_name
from exam_engine.wiring import all_mappings
from tests.architecture.project import files


async def test_the_migrations_make_exactly_the_mapped_tables(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"include_name": include_name, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), all_mappings()))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_checks_of_the_mappings_stand_in_the_database(engine: AsyncEngine) -> None:
    mapped = {
        (table.name, str(constraint.name))
        for table in all_mappings().tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }

    def present(connection: Connection) -> set[tuple[str, str]]:
        inspector = inspect(connection)
        return {
            (table, str(check["name"]))
            for table in inspector.get_table_names()
            if not table.startswith(QUEUE_PREFIX)
            for check in inspector.get_check_constraints(table)
        }

    async with engine.connect() as connection:
        assert await connection.run_sync(present) == mapped


def test_every_revision_says_whether_it_runs_before_or_after_the_new_code_and_waits_for_no_lock_for_long() -> None:
    for path in files(".py", under=("exam_engine/infra/migrations/versions",)):
        text = path.read_text("utf-8")
        marks = set(re.findall(r"\b(pre|post)\b", text.split('"""')[1]))
        assert len(marks) == 1, f"{path.name}: mark the docstring pre or post"
        assert "set lock_timeout" in text, f"{path.name}: set a lock timeout"
        assert "create extension" not in text.lower(), f"{path.name}: no PostgreSQL extension may be needed"
