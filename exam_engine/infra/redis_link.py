"""One connection to one server on which calls follow each other without waiting for the replies before them.

A pool costs more than a script call: a lock, timers and counters for each command. Here a call is one write, one task
reads all replies in their order, and one look a second stands for all timeouts.
"""

import asyncio
import math
from collections import deque
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

REPLY_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_REPEAT_SECONDS = 0.02


class Link:
    """A connection taken out of a client's pool; it is opened when first needed, and anew after it broke.

    It lives as long as the client: closing that closes the link.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._line: _Line | None = None
        self._opening: asyncio.Task[_Line] | None = None

    async def call(self, *command: str | bytes | int) -> Any:
        """Send a command and return its reply.

        Raises
        ------
        redis.exceptions.RedisError
            What the server answered, or that it did not: then the command may have been executed or not.
        """
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub knows tuples of one
        try:
            return await (await self._ready()).call(packed)
        except RedisConnectionError:
            # As the pool does: one repeat heals a connection after a restart; longer absences are the batcher's affair.
            await asyncio.sleep(_REPEAT_SECONDS)
            return await (await self._ready()).call(packed)

    async def _ready(self) -> "_Line":
        line = self._line
        return await self._open() if line is None or line.is_broken else line

    async def _open(self) -> "_Line":
        task = self._opening
        if task is None:
            task = self._opening = asyncio.get_running_loop().create_task(self._connect())
            task.add_done_callback(self._opened)
        return await asyncio.shield(task)

    async def _connect(self) -> "_Line":
        pool: Any = self._redis.connection_pool
        self._line = line = _Line(pool, await pool.get_connection())
        return line

    def _opened(self, task: "asyncio.Task[_Line]") -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # seen by whoever waits for it


class _Line:
    """One life of the connection.

    It writes by itself: the library's connection would open itself anew in the midst of a call, with the old life's
    calls still waiting, and replies would come to others than those who asked.
    """

    def __init__(self, pool: Any, connection: Any) -> None:
        self.is_broken = False
        self._pool, self._connection = pool, connection
        self._writer: asyncio.StreamWriter = connection._writer  # noqa: SLF001 (nothing else tells it)
        self._patience = connection.socket_timeout
        connection.socket_timeout = None  # else every write and every read makes a timer of its own
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._reading = self._loop.create_task(self._read())
        self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)
        self._reason = "the connection was closed"
        self._is_late = False

    async def call(self, packed: bytes) -> Any:
        if self.is_broken or self._writer.is_closing():
            raise RedisConnectionError(self._reason)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time(), future))
        try:
            # Nothing is awaited before the bytes are written, so that writes and futures stand in one order.
            self._writer.write(packed)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:  # uvloop says by the second that the connection is closed
            future.cancel()  # nobody waits for it
            self._end()
            raise RedisConnectionError(str(error)) from error
        except asyncio.CancelledError:
            future.cancel()  # all was written, and its reply has its place
            raise
        return await future

    def _end(self) -> None:
        """Take no more calls; whoever waits is told when the reading has ended."""
        if not self.is_broken:
            self.is_broken = True
            self._reading.cancel()

    async def _read(self) -> None:
        waiting = self._waiting
        try:
            while True:
                reply: Any
                try:
                    reply = await self._connection.read_response(timeout=math.inf)
                except ResponseError as error:
                    reply = error
                _, future = waiting.popleft()
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except Exception as error:  # noqa: BLE001 (told to everybody who waits)
            self._reason = str(error) or type(error).__name__
        finally:
            self._break()
            await self._give_back()

    def _look(self) -> None:
        """End a connection on which a reply is overdue: whoever waits shall not wait for ever."""
        if self._waiting and self._loop.time() - self._waiting[0][0] > REPLY_SECONDS:
            self._is_late = True
            self._end()
        else:
            self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _break(self) -> None:
        self.is_broken = True
        self._looking.cancel()
        self._writer.transport.abort()  # whoever waits until a server that hangs has read on
        kind = RedisTimeoutError if self._is_late else RedisConnectionError
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(kind(self._reason))

    async def _give_back(self) -> None:
        await self._connection.disconnect(nowait=True)
        self._connection.socket_timeout = self._patience
        await self._pool.release(self._connection)
