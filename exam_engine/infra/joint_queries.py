"""Questions of one kind that meet in a worker share one statement.

While one statement is on its way, and a moment longer, whoever asks waits for the next: the busier the worker, the more
share it. A question is always answered by a statement that began after it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.infra.database import SessionMaker, reaching_database
from exam_engine.infra.errors import ServiceUnavailable

MOST_AT_ONCE = 200
PACE_SECONDS = 0.02  # a statement costs a worker about a millisecond, however many share it

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")
Load = Callable[[AsyncSession, Sequence[Key]], Awaitable[Mapping[Key, Answer]]]
"""Answers many keys by one statement; a key without an answer is left out."""


class JointQuery(Generic[Key, Answer]):
    """One kind of question."""

    def __init__(self, sessions: SessionMaker, load: Load[Key, Answer]) -> None:
        self._sessions, self._load = sessions, load
        self._waiting: dict[Key, asyncio.Future[Answer | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._next_at = 0.0

    async def ask(self, key: Key) -> Answer | None:
        """Return the answer to a key, None if there is none.

        Raises
        ------
        ServiceUnavailable
        """
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.get_running_loop().create_task(self._ask_on())
        return await asyncio.shield(future)

    async def _ask_on(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(self._next_at - loop.time())
                self._next_at = loop.time() + PACE_SECONDS
                keys = list(self._waiting)[:MOST_AT_ONCE]
                await self._settle({key: self._waiting.pop(key) for key in keys})
        finally:
            self._asking = None

    async def _settle(self, asked: Mapping[Key, "asyncio.Future[Answer | None]"]) -> None:
        try:
            with reaching_database():
                async with self._sessions() as session:
                    found = await self._load(session, list(asked))
        except Exception as error:  # noqa: BLE001 (told to everybody who waits)
            if len(asked) > 1 and not isinstance(error, ServiceUnavailable):
                # One key that no column can hold must not refuse the others.
                for key, future in asked.items():
                    await self._settle({key: future})
                return
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # whoever asked may be gone
        else:
            for key, future in asked.items():
                if not future.done():
                    future.set_result(found.get(key))
