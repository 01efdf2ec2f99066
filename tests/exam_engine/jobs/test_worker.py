"""The job worker on a real queue: a job runs once committed, is retried, and survives its worker's death."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.infra.database import transaction
from exam_engine.infra.queue import defer
from exam_engine.infra.settings import Settings
from exam_engine.jobs.tasks import TASKS
from exam_engine.jobs.worker import create_job_app, requeue_stalled, run
from exam_engine.wiring import Engine

Sessions = async_sessionmaker[AsyncSession]


async def test_a_committed_job_runs_with_its_arguments(settings: Settings, sessions: Sessions) -> None:
    done: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    async def work(engine: Engine, arguments: Mapping[str, Any]) -> None:
        await done.put(arguments)

    mark = str(uuid4())
    async with transaction(sessions) as session:
        await defer(session, "test.work", {"mark": mark})
    worker = asyncio.create_task(run(settings, {"test.work": work}))
    try:
        async with asyncio.timeout(20):
            while (await done.get())["mark"] != mark:
                pass
    finally:
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker


async def test_a_job_whose_worker_vanished_is_put_back(settings: Settings, sessions: Sessions) -> None:
    mark = str(uuid4())
    async with transaction(sessions) as session:
        number = await defer(session, "test.never", {"mark": mark})
        await session.execute(
            text(
                "with gone as (insert into procrastinate_workers (last_heartbeat) "
                "values (now() - interval '1 hour') returning id) "
                "update procrastinate_jobs set status = 'doing', worker_id = (select id from gone) where id = :id"
            ),
            {"id": number},
        )
    async with create_job_app(settings, {}).open_async() as app:
        assert await requeue_stalled(app) >= 1
    async with transaction(sessions) as session:
        status = await session.execute(
            text("select status::text from procrastinate_jobs where id = :id"), {"id": number}
        )
        assert status.scalar_one() == "todo"
        await session.execute(text("delete from procrastinate_jobs where id = :id"), {"id": number})


def test_every_job_name_has_its_room_before_the_dot() -> None:
    assert all("." in name and name == name.lower() for name in TASKS)
