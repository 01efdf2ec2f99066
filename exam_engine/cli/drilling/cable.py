"""The network between seats and server: a forwarder whose cable can be pulled and plugged in again."""

import asyncio
import time
from contextlib import suppress
from typing import Self

_CHUNK = 64 * 1024


class Cable:
    """Forwards connections to the server, unless it is pulled; then open ones break and new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._is_pulled = False
        self.connected_at: list[float] = []  # moments of connections, to see whether a herd comes back

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None  # noqa: S101 (entered before it is left)
        self._server.close()
        self.pull()
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """Where seats reach the server through this cable."""
        assert self._server is not None  # noqa: S101 (used inside `async with` only)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def pull(self) -> None:
        """Break every connection and let none through."""
        self._is_pulled = True
        for writer in list(self._open):
            writer.transport.abort()

    def plug_in(self) -> None:
        """Let connections through again."""
        self._is_pulled = False

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_pulled:
            writer.transport.abort()
            return
        self._open.add(writer)  # at once: the cable may be pulled while the connection is put through
        try:
            to_server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            self._open.discard(writer)
            writer.transport.abort()
            return
        self.connected_at.append(time.monotonic())
        ends = {writer, to_server[1]}
        self._open |= ends
        try:
            await asyncio.gather(_pump(reader, to_server[1]), _pump(to_server[0], writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()
