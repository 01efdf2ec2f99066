"""After a sitting has closed and everything is stored: the signed statement of each room."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from exam_engine.delivery import service
from exam_engine.delivery.draining import wait_until_stored
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import StatementMaking
from exam_engine.delivery.signing import SigningKey
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import ScriptRunner, require_durable
from exam_engine.wiring import Engine

ACTOR = "system:statements"


async def make_statements(engine: Engine, arguments: Mapping[str, Any]) -> None:
    """Make the statements of a sitting; not stored in half a minute: the queue tries again later."""
    sitting_id = SittingId(UUID(arguments["sitting_id"]))
    async with engine.sessions() as session:
        sitting = (await service.load_sitting(session, sitting_id)).sitting
    await wait_until_stored(engine.sessions, sitting)
    register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
    try:
        async with transaction(engine.sessions) as session:
            making = StatementMaking(
                session=session,
                register=register,
                key=SigningKey(engine.master_secret),
                actor=ACTOR,
                now=engine.clock(),
            )
            await service.make_statements(making, sitting_id)
    finally:
        await register.close()
