from datetime import datetime

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from tests.exam_engine.authoring.people import Room, furnish


@pytest_asyncio.fixture
async def room(session: AsyncSession, now: datetime) -> Room:
    return await furnish(session, now)
