"""Limits per source: so many failures a minute, counted in Redis for all workers together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException

from api.acts import engine_of
from api.security import client_address
from exam_engine.enrolment.errors import CodeRefused
from exam_engine.infra.rates import FailureCounts


@asynccontextmanager
async def limited_failures(
    request: Request[Any, Any, Any], purpose: str, per_minute: int, *, admits_right: bool = False
) -> AsyncIterator[None]:
    """Let a source try its code; a wrong one counts.

    `admits_right`: a right code is let through whatever others behind the same address did. A lab is one source, and
    one seat of it must not shut the others out.

    Raises
    ------
    TooManyRequestsException
        The source failed `per_minute` times within the running minute; `Retry-After` says how long to wait.
    """
    engine = engine_of(request)
    source = client_address(request, engine.settings.trusted_proxies)
    counts: FailureCounts = request.app.state.failures
    wait = await counts.seconds_to_wait(purpose, source, per_minute, engine.clock())
    if wait and not admits_right:
        raise _too_many(wait)
    try:
        yield
    except CodeRefused:
        if wait:
            raise _too_many(wait) from None
        await counts.add(purpose, source, engine.clock())
        raise


def _too_many(wait: int) -> TooManyRequestsException:
    return TooManyRequestsException(headers={"Retry-After": str(wait)})
