"""How long we wait for a body: a client that trickles bytes must not hold a worker's memory and connection for ever.

The server in front waits for headers by itself (granian: 30 s).
"""

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.types.asgi_types import ReceiveMessage

IDLE_SECONDS = 20.0  # a weak network stalls for seconds, not for this long
WHOLE_SECONDS = 300.0  # an import over a slow line
DRAINED_BYTES = 4 * 1024 * 1024
DRAINING_SECONDS = 2.0
LOOKING_SECONDS = 0.25
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class BodyTooSlow(HTTPException):
    """The body stopped coming, or took longer than any line needs."""

    status_code = HTTPStatus.REQUEST_TIMEOUT


class Awaited(Protocol):
    """A body somebody waits for."""

    until: float  # by the loop's clock; 0: as long as the watch has patience, from its next look on

    def give_up(self) -> None:
        """Stop waiting: the time for it is over."""


class Patient:
    """An application whose requests' bodies come in time or are refused."""

    def __init__(
        self, app: ASGIApp, *, idle_seconds: float = IDLE_SECONDS, whole_seconds: float = WHOLE_SECONDS
    ) -> None:
        self._app = app
        self._idle_seconds, self._whole_seconds = idle_seconds, whole_seconds
        self._watch = Watch(idle_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == ScopeType.HTTP and scope["method"] in _WITH_BODY:
            body = _Body(receive, self._watch, self._idle_seconds, self._whole_seconds)
            await self._app(scope, body.receive, send)
            await body.drain()
        else:
            await self._app(scope, receive, send)


class Watch:
    """One timer for all bodies that are being waited for: a timer each would cost more than reading most of them."""

    __slots__ = ("_idle_seconds", "_is_looking", "_waiting")

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._waiting: set[Awaited] = set()
        self._is_looking = False

    def begin(self, body: Awaited) -> None:
        """Give this body up at its time, unless it ends before."""
        self._waiting.add(body)
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(LOOKING_SECONDS, self._look)

    def end(self, body: Awaited) -> None:
        """Stop watching."""
        self._waiting.discard(body)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for body in list(self._waiting):
            if not body.until:
                body.until = now + self._idle_seconds
            elif body.until <= now:
                body.give_up()
        self._is_looking = bool(self._waiting)
        if self._is_looking:
            loop.call_later(LOOKING_SECONDS, self._look)


class _Body:
    __slots__ = ("_idle_seconds", "_is_late", "_is_over", "_last", "_receive", "_task", "_watch", "until")

    def __init__(self, receive: Receive, watch: Watch, idle_seconds: float, whole_seconds: float) -> None:
        self._receive, self._watch, self._idle_seconds = receive, watch, idle_seconds
        self._last = asyncio.get_running_loop().time() + whole_seconds
        self._is_over = self._is_late = False
        self._task: asyncio.Task[Any] | None = None
        self.until = self._last

    async def receive(self) -> ReceiveMessage:
        """Receive the next part of the body; once it is whole, wait for anything else as long as it takes.

        Raises
        ------
        BodyTooSlow
        """
        if self._is_over:
            return await self._receive()  # that the client left; long answers wait for it
        self._task = asyncio.current_task()
        self.until = min(asyncio.get_running_loop().time() + self._idle_seconds, self._last)
        self._watch.begin(self)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self._is_late or self._task is None or self._task.uncancel() > 0:
                raise
            self._is_over = True
            raise BodyTooSlow from None
        finally:
            self._watch.end(self)
        self._is_over = not (message["type"] == "http.request" and message.get("more_body"))
        return message

    def give_up(self) -> None:
        """Stop waiting: the time for it is over."""
        self._watch.end(self)
        self._is_late = True
        if self._task is not None:
            self._task.cancel()

    async def drain(self) -> None:
        """Read what nobody wanted, within reason: a client still sending would lose the answer with the connection."""
        left = DRAINED_BYTES
        self._idle_seconds = DRAINING_SECONDS
        while not self._is_over and left > 0:
            try:
                message = await self.receive()
            except BodyTooSlow:
                return
            part = message.get("body")
            left -= 1 + (len(part) if isinstance(part, bytes) else 0)
