"""Limits per source: so many tries a minute, counted in Redis for all workers together."""

from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException

from api.acts import engine_of
from api.security import client_address
from exam_engine.infra.rates import count_try


async def limit_source(request: Request[Any, Any, Any], purpose: str, per_minute: int) -> None:
    """Count a try of this address for a purpose.

    Raises
    ------
    TooManyRequestsException
        More than `per_minute` within the running minute; `Retry-After` says how long to wait.
    """
    engine = engine_of(request)
    source = client_address(request, engine.settings.trusted_proxies)
    wait_seconds = await count_try(engine.redis, purpose, source, per_minute, engine.clock())
    if wait_seconds:
        raise TooManyRequestsException(headers={"Retry-After": str(wait_seconds)})
