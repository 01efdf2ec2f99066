"""A raw HTTP/1.1 client connection: thousands of them in one process must cost less than the server they load.

One request at a time, answers with a Content-Length only; that is how our server answers. Callbacks, not coroutines.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_RETRY_AFTER = b"retry-after:"


class Answer(msgspec.Struct, frozen=True):
    """Status, body, and the seconds the server asks to wait."""

    status: int
    body: bytes
    retry_after_seconds: int = 0


OnAnswer = Callable[[Answer | None], None]
"""Called once for each request; None: the connection broke before the answer came."""


class Connection(asyncio.Protocol):
    """One keep-alive connection; it opens itself anew when a request finds it closed."""

    __slots__ = ("_buffer", "_host", "_loop", "_on_answer", "_opening", "_port", "_transport", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int) -> None:
        self._loop, self._host, self._port = loop, host, port
        self._transport: asyncio.Transport | None = None
        self._on_answer: OnAnswer | None = None
        self._waiting: bytes = b""
        self._buffer = b""
        self._opening: asyncio.Task[object] | None = None

    def ask(self, request: bytes, on_answer: OnAnswer) -> None:
        """Send a request; one at a time."""
        self._on_answer = on_answer
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(request)
            return
        self._waiting = request
        self._opening = self._loop.create_task(self._open())

    def cut(self) -> None:
        """Pull the cable: whoever waits for an answer is told that none came."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Hang up; nobody waits any more."""
        self._on_answer = None
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin anew."""
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Collect an answer."""
        data = self._buffer + data if self._buffer else data
        end = data.find(_END)
        if end < 0:
            self._buffer = data
            return
        head = data[:end].lower()
        length = _number(head, _LENGTH)
        if len(data) < end + 4 + length:
            self._buffer = data
            return
        self._buffer = b""
        self._tell(Answer(int(head[9:12]), data[end + 4 : end + 4 + length], _number(head, _RETRY_AFTER)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        del exc
        self._transport = None
        self._tell(None)

    def _tell(self, answer: Answer | None) -> None:
        on_answer, self._on_answer = self._on_answer, None
        if on_answer is not None:
            on_answer(answer)

    async def _open(self) -> None:
        try:
            await self._loop.create_connection(lambda: self, self._host, self._port)
        except OSError:
            self._tell(None)
            return
        if self._transport is not None:
            self._transport.write(self._waiting)


def request_bytes(method: str, path: str, host: str, token: str = "", body: bytes = b"") -> bytes:
    """Write a request; browsers send far longer heads, which cost the server little."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if body or method == "POST":
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Accept-Encoding: gzip\r\n\r\n" + body


def _number(head: bytes, name: bytes) -> int:
    at = head.find(b"\r\n" + name)
    if at < 0:
        return 0
    start = at + 2 + len(name)
    end = head.find(b"\r\n", start)
    text = head[start : end if end >= 0 else None].strip()
    return int(text) if text.isdigit() else 0
