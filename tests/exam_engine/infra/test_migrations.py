"""The chain of revisions on a real server."""

import asyncio
from importlib import resources

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.infra.migrations.runner import alembic_configuration, is_current, upgrade
from exam_engine.infra.migrations.standing import newest_revision, stands_at_newest
from exam_engine.infra.settings import Settings


async def test_a_fresh_database_stands_at_the_newest_revision(settings: Settings) -> None:
    assert await is_current(settings)


async def test_the_quick_look_agrees_with_alembic(settings: Settings, session: AsyncSession) -> None:
    assert await stands_at_newest(settings)
    assert (await session.execute(text("select version_num from alembic_version"))).scalar_one() == newest_revision()
    script = ScriptDirectory.from_config(alembic_configuration())
    assert script.get_heads() == [newest_revision()]
    chain = [revision.revision for revision in script.walk_revisions()]
    assert chain == sorted(chain, reverse=True), "revisions are numbered in the order in which they run"


async def test_a_second_upgrade_changes_nothing(settings: Settings, session: AsyncSession) -> None:
    await upgrade(settings)
    assert (await session.execute(text("select count(*) from alembic_version"))).scalar_one() == 1


async def test_upgrades_at_the_same_moment_wait_for_each_other(settings: Settings) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(upgrade(settings))
    assert await is_current(settings)


def test_the_queue_package_has_no_newer_files_than_our_revisions_apply() -> None:
    folder = resources.files("procrastinate.sql") / "migrations"
    newest = max(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    assert newest == "03.04.00_50_post_add_retry_failed_job_procedure.sql", "add a revision that applies the new files"
