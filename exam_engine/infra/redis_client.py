"""Redis or Valkey: the client, the check that it loses nothing, scripts in named files, and the group-commit batcher.

The batcher sends all entries of an event-loop turn in one script call, so that they share one round trip and one fsync.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, cast

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from exam_engine.infra.errors import Busy, ServiceUnavailable
from exam_engine.infra.redis_cluster import ClusterClient, as_cluster, create_cluster_client
from exam_engine.infra.redis_durability import Durability as Durability
from exam_engine.infra.redis_durability import durability_of_cluster, durability_of_server
from exam_engine.infra.redis_link import Link
from exam_engine.infra.settings import Settings

AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OutOfMemoryError,
    ClusterDownError,
    OSError,
)
_FEW = 16  # entries that are not worth two calls
_AWAY_WORDS = (
    *("MISCONF", "LOADING", "BUSY ", "OOM", "READONLY", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN"),
    # What a master that becomes a replica, as one that comes back after its replica took over, says to those who wait.
    *("UNBLOCKED", "WAIT cannot be used with replica", "WAITAOF cannot be used with replica"),
)


class SingleClient(Redis):
    """The library's client of one server, which knows how many replicas must have a write before it counts."""

    replicas_to_wait = 0


class Script(msgspec.Struct, frozen=True):
    """A Lua script of ours and its hash."""

    name: str
    text: str
    sha: str


def create_redis(settings: Settings, *, max_connections: int = 64) -> Redis:
    """Make the client; it connects on first use and survives a restart of the server.

    Raises
    ------
    RuntimeError
        No address is set: the embedded server's start must have filled it in.
    """
    if settings.redis_url is None:
        raise RuntimeError("EXAM_REDIS_URL is not set; start the embedded servers first (exam-engine up)")
    if settings.redis_cluster:
        cluster = create_cluster_client(settings.redis_url.reveal(), max_connections)
        cluster.replicas_to_wait = settings.redis_replicas_to_wait
        return cast(Redis, cluster)  # the same commands by the same names
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.reveal(),
        max_connections=max_connections,
        timeout=5,
        socket_timeout=5,
        socket_connect_timeout=2,
        # One repeat heals pooled connections after a restart; longer absences are the batcher's affair.
        retry=Retry(ConstantBackoff(0.02), 1),
    )
    redis = SingleClient(connection_pool=pool)
    redis.auto_close_connection_pool = True
    redis.replicas_to_wait = settings.redis_replicas_to_wait
    return redis


def load_script(package: str, name: str) -> Script:
    """Read `scripts/<name>.lua` of a package."""
    text = files(package).joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that the server cannot serve just now, and a repeat may succeed."""
    return isinstance(error, AWAY) or (isinstance(error, ResponseError) and str(error).startswith(_AWAY_WORDS))


def unavailable(error: BaseException) -> ServiceUnavailable:
    """Translate an error that `is_away`."""
    return ServiceUnavailable("redis", type(error).__name__)


async def require_durable(redis: Redis) -> Durability:
    """Refuse a server that could lose an acknowledged answer; of a cluster, every node that answers.

    Raises
    ------
    RedisNotDurable
        Names every setting that is wrong and what to set.
    ServiceUnavailable
        The server does not answer, or no node of the cluster.
    """
    cluster: object = redis
    try:
        if isinstance(cluster, ClusterClient):
            return await durability_of_cluster(cluster)
        replicas = redis.replicas_to_wait if isinstance(redis, SingleClient) else 0
        return await durability_of_server(redis.execute_command, replicas)
    except AWAY as error:
        raise unavailable(error) from error


class ScriptRunner:
    """Runs scripts by hash, or by text where the server does not know them, and waits until the write is safe."""

    def __init__(self, redis: Redis, durability: Durability) -> None:
        self.redis = redis
        self._cluster = as_cluster(redis)
        self._link = Link(redis)
        self._waits = durability.waits

    @property
    def reads_apart(self) -> bool:
        """Whether keys of several shards may lie on several servers, or a read must be known to replicas."""
        return self._cluster is not None or bool(self._waits)

    async def run(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        """Run a writing script on the slot of one key."""
        if not self._waits:
            return await self.read(script, key, arguments)
        reply, *reached = await self._known(script, key, arguments, _fence(key), *self._waits)
        _require_reached(reached, self._waits)
        return reply

    async def read(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        """Run a script whose effect nobody waits for."""
        if self._cluster is not None:
            return (await self._known(script, key, arguments))[0]
        try:
            return await self._link.call("EVALSHA", script.sha, 1, key, *arguments)
        except NoScriptError:
            return await self._link.call("EVAL", script.text, 1, key, *arguments)

    async def take(self, key: str, *command: Any) -> Any:
        """Read what must outlive this server: it is known to as many replicas as an acknowledgement is.

        A projection may hold nothing that its source forgets when a replica takes over.
        """
        if not self._waits:
            (reply,) = await self._together(key, command)
            return _raised(reply)
        reply, *reached = await self._together(key, command, _fence(key), *self._waits)
        _require_reached(reached, self._waits)
        return _raised(reply)

    async def _known(self, script: Script, key: str, arguments: Sequence[Any], *more: Sequence[Any]) -> list[Any]:
        for command in (("EVALSHA", script.sha), ("EVAL", script.text)):
            replies = await self._together(key, (*command, 1, key, *arguments), *more)
            if not isinstance(replies[0], NoScriptError):
                _raised(replies[0])
                return replies
        raise NoScriptError(script.name)

    async def _together(self, key: str, *commands: Sequence[Any]) -> list[Any]:
        """Send commands on one connection and return a reply or an error for each."""
        if self._cluster is not None:
            return await self._cluster.run_on_key(key, commands)
        async with self.redis.pipeline(transaction=False) as pipeline:
            for command in commands:
                _execute(pipeline, *command)
            return list(await pipeline.execute(raise_on_error=False))


def _raised(reply: Any) -> Any:
    if isinstance(reply, Exception):
        raise reply
    return reply


def _fence(key: str) -> tuple[Any, ...]:
    """Write something on the slot of a key, after which WAIT and WAITAOF cover everything before it.

    They speak of what their own connection wrote. A save that is repeated after its WAIT failed finds its answer there
    and writes nothing: on another connection it would be acknowledged though no replica has it.
    """
    return ("SET", f"{key}:fence", 1, "EX", 60)


def _require_reached(replies: Sequence[Any], waits: Sequence[Sequence[Any]]) -> None:
    """Refuse to acknowledge a write that is not yet everywhere it must be; it may be repeated."""
    fenced, *replies = replies
    _raised(fenced)
    for reply, (name, wanted, *_) in zip(replies, waits, strict=True):
        reached = _raised(reply)
        if (reached[0] if isinstance(reached, list | tuple) else reached) < wanted:
            raise RedisTimeoutError(f"{name}: the write was not in time where it must be")


# What was accepted: its arguments, who waits for the reply, since when by the loop's clock, and how heavy it is.
_Entry = tuple[tuple[str | bytes | int, ...], "asyncio.Future[Any]", float, int]


class _Lane:
    __slots__ = ("flying", "is_kicked", "key", "queue", "sending")

    def __init__(self, key: str) -> None:
        self.key = key
        self.queue: deque[_Entry] = deque()
        self.flying = 0  # tasks at work
        self.sending = 0  # calls under way
        self.is_kicked = False


class Batcher:
    """Group commit: entries for one key that meet in an event-loop turn share one script call.

    Many that meet are shared out among the calls that may be under way at once: while the server works on one, the next
    is packed and the replies of the last are handed out.

    The script gets `count, argument, …` for each entry and returns one reply for each, in order. Entries must be
    idempotent: a call whose reply was lost is repeated. A waiter may be cancelled, its entry is sent all the same.
    """

    def __init__(
        self,
        runner: ScriptRunner,
        script: Script,
        *,
        batch: int = 200,
        batch_bytes: int = 1_000_000,
        capacity: int = 10_000,
        in_flight: int = 2,
        retry_seconds: float = 4.0,
        is_reading: bool = False,
        observe: Callable[[int], None] | None = None,
    ) -> None:
        self._call = runner.read if is_reading else runner.run
        self._script = script
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._capacity = capacity
        self._in_flight = in_flight
        self._retry_seconds = retry_seconds
        self._observe = observe
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._is_closing = False

    @property
    def waiting(self) -> int:
        """Entries accepted and not yet answered."""
        return self._waiting

    def put(self, key: str, *arguments: str | bytes | int, weight: int = 0) -> "asyncio.Future[Any]":
        """Accept an entry for the script call of this turn; the future gets its reply.

        Raises
        ------
        Busy
            Too many entries wait already; nothing was accepted.
        """
        if self._waiting >= self._capacity or self._is_closing:
            raise Busy("redis", "too many writes are waiting")
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        lane.queue.append((arguments, future, loop.time(), weight))
        self._waiting += 1
        if not lane.is_kicked and lane.flying < self._in_flight:
            lane.is_kicked = True
            loop.call_soon(self._kick, lane)
        return future

    async def close(self) -> None:
        """Accept nothing more and wait until everything accepted is answered."""
        self._is_closing = True
        while self._tasks or any(lane.is_kicked for lane in self._lanes.values()):
            if self._tasks:
                await asyncio.wait(self._tasks)
            else:
                await asyncio.sleep(0)

    def _kick(self, lane: _Lane) -> None:
        lane.is_kicked = False
        for _ in range(min(-(-len(lane.queue) // _FEW), self._in_flight - lane.flying)):
            lane.flying += 1
            task = asyncio.get_running_loop().create_task(self._fly(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fly(self, lane: _Lane) -> None:
        try:
            while lane.queue:
                entries = self._take(lane)
                lane.sending += 1
                try:
                    replies = await self._send(lane.key, entries)
                    if len(replies) != len(entries):
                        raise RuntimeError(f"{self._script.name} answered {len(replies)} of {len(entries)} entries")
                except Exception as error:  # noqa: BLE001 (handed to everyone who waits for it)
                    self._settle_all(entries, error)
                else:
                    self._settle(entries, replies)
                finally:
                    lane.sending -= 1
        finally:
            lane.flying -= 1
            if not lane.flying and not lane.queue and not lane.is_kicked:
                self._lanes.pop(lane.key, None)

    def _take(self, lane: _Lane) -> list[_Entry]:
        queue = lane.queue
        share = -(-len(queue) // (self._in_flight - lane.sending))
        most = min(max(share, _FEW), self._batch)
        entries = [queue.popleft()]
        weight = entries[0][3]
        while queue and len(entries) < most and weight + queue[0][3] <= self._batch_bytes:
            entry = queue.popleft()
            weight += entry[3]
            entries.append(entry)
        return entries

    async def _send(self, key: str, entries: list[_Entry]) -> Any:
        arguments: list[str | bytes | int] = []
        for entry in entries:
            arguments.append(len(entry[0]))
            arguments += entry[0]
        give_up = entries[0][2] + self._retry_seconds
        pause = 0.02
        while True:
            try:
                replies = await self._call(self._script, key, arguments)
            except (RedisError, OSError) as error:
                if not is_away(error):
                    raise
                if asyncio.get_running_loop().time() + pause > give_up:
                    raise unavailable(error) from error
                await asyncio.sleep(pause)
                pause = min(2 * pause, 0.5)
            else:
                if self._observe is not None:
                    self._observe(len(entries))
                return replies

    def _settle(self, entries: list[_Entry], replies: Any) -> None:
        self._waiting -= len(entries)
        for (_, future, _, _), reply in zip(entries, replies, strict=True):
            if not future.done():
                future.set_result(reply)

    def _settle_all(self, entries: list[_Entry], error: Exception) -> None:
        self._waiting -= len(entries)
        for _, future, _, _ in entries:
            if not future.done():
                future.set_exception(error)
            # A waiter that left will not look at it; the error is counted where somebody still waits.
            if not future.cancelled():
                future.exception()


def _execute(redis: Redis, *command: Any) -> Any:
    return redis.execute_command(*command)  # type: ignore[no-untyped-call]
