"""A database of its own for the tests of the calibration room: its job commits, and others must not see it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from exam_engine.infra.database import SessionMaker, create_engine, session_maker
from exam_engine.infra.migrations.runner import upgrade
from exam_engine.infra.settings import Secret, Settings


@pytest_asyncio.fixture(scope="package")
async def own(settings: Settings, engine: AsyncEngine) -> AsyncIterator[SessionMaker]:
    name = f"calibration_{uuid4().hex[:12]}"
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text(f"create database {name}"))
    assert settings.database_url is not None
    url = make_url(settings.database_url.reveal()).set(database=name).render_as_string(hide_password=False)
    of_this = msgspec.structs.replace(settings, database_url=Secret(url))
    await upgrade(of_this)
    opened = create_engine(of_this)
    yield session_maker(opened)
    await opened.dispose()
