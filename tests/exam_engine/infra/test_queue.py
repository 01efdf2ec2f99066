"""A job exists exactly if its cause was committed."""

import json
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.infra.clock import system_clock
from exam_engine.infra.database import transaction
from exam_engine.infra.queue import DEFER, defer

Sessions = async_sessionmaker[AsyncSession]


async def waiting(sessions: Sessions, mark: str) -> list[tuple[str, str]]:
    async with sessions() as session:
        found = await session.execute(
            text("select status::text, args::text from procrastinate_jobs where args->>'mark' = :mark"), {"mark": mark}
        )
        return [(row[0], row[1]) for row in found]


async def test_a_committed_cause_leaves_its_job(sessions: Sessions) -> None:
    mark = str(uuid4())
    async with transaction(sessions) as session:
        number = await defer(
            session, "test.nothing", {"mark": mark, "name": "Đỗ Ánh"}, at=system_clock() + timedelta(days=900)
        )
    assert number is not None
    [(status, arguments)] = await waiting(sessions, mark)
    assert status == "todo"
    assert json.loads(arguments)["name"] == "Đỗ Ánh"


async def test_a_rolled_back_cause_leaves_no_job(sessions: Sessions) -> None:
    mark = str(uuid4())
    async with sessions() as session:
        await defer(session, "test.nothing", {"mark": mark})
        await session.rollback()
    assert await waiting(sessions, mark) == []


async def test_a_second_job_with_the_same_queueing_lock_does_not_wait_and_spoils_nothing(session: AsyncSession) -> None:
    key = str(uuid4())
    later = system_clock() + timedelta(days=900)
    assert await defer(session, "test.nothing", {}, queueing_lock=key, at=later) is not None
    assert await defer(session, "test.nothing", {}, queueing_lock=key, at=later) is None
    assert (await session.execute(text("select 1"))).scalar_one() == 1


async def test_the_function_we_call_is_the_one_the_installed_package_calls() -> None:
    from procrastinate.sql import queries

    assert "procrastinate_defer_jobs_v1" in queries["defer_jobs"]
    assert "procrastinate_defer_jobs_v1" in DEFER.text
