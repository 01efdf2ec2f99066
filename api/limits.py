"""Limits per source: so many failures a minute, counted in Redis for all workers together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException

from api.acts import engine_of
from api.security import client_address
from exam_engine.enrolment.errors import CodeRefused
from exam_engine.infra.rates import count_failure, seconds_to_wait


@asynccontextmanager
async def limited_failures(request: Request[Any, Any, Any], purpose: str, per_minute: int) -> AsyncIterator[None]:
    """Let a source try its code; a wrong one counts.

    Raises
    ------
    TooManyRequestsException
        The source failed `per_minute` times within the running minute; `Retry-After` says how long to wait.
    """
    engine = engine_of(request)
    source = client_address(request, engine.settings.trusted_proxies)
    wait = await seconds_to_wait(engine.redis, purpose, source, per_minute, engine.clock())
    if wait:
        raise TooManyRequestsException(headers={"Retry-After": str(wait)})
    try:
        yield
    except CodeRefused:
        await count_failure(engine.redis, purpose, source, engine.clock())
        raise
