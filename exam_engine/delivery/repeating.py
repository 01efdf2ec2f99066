"""What a worker does again and again beside the requests, whatever goes wrong once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from exam_engine.infra.cancellation import end_if_cancelled

logger = structlog.get_logger(__name__)

EXCHANGE_SECONDS = 1.0


async def every_second(act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Repeat an act until cancelled; a failure is written down, and the next round may succeed."""
    while True:
        try:
            await act()
        except Exception as error:  # noqa: BLE001 (the worker serves on with what it remembers)
            logger.warning("memory_not_in_step", act=act.__name__, error=type(error).__name__, detail=str(error)[:200])
        end_if_cancelled()
        await asyncio.sleep(EXCHANGE_SECONDS)
