"""Redis or Valkey: the client, the check that it loses nothing, scripts in named files, and the group-commit batcher.

The batcher sends all entries of an event-loop turn in one script call, so that they share one round trip and one fsync.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

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

from exam_engine.infra.errors import Busy, RedisNotDurable, ServiceUnavailable
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
_AWAY_WORDS = ("MISCONF", "LOADING", "BUSY ", "OOM", "READONLY", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN")
_AOF_WAIT_MS = 2000


class Durability(msgspec.Struct, frozen=True):
    """How an acknowledgement becomes safe on this server."""

    waits_for_aof: bool  # False: `appendfsync always`, the reply itself comes after the fsync


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
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.reveal(),
        max_connections=max_connections,
        timeout=5,
        socket_timeout=5,
        socket_connect_timeout=2,
        # One repeat heals pooled connections after a restart; longer absences are the batcher's affair.
        retry=Retry(ConstantBackoff(0.02), 1),
    )
    return Redis.from_pool(pool)


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
    """Refuse a server that could lose an acknowledged answer.

    Raises
    ------
    RedisNotDurable
        Names every setting that is wrong and what to set.
    ServiceUnavailable
        The server does not answer.
    """
    try:
        config = await redis.config_get(
            "appendonly",
            "appendfsync",
            "maxmemory-policy",
            "no-appendfsync-on-rewrite",
        )
        role = (await redis.info("replication")).get("role", "master")
        has_waitaof = bool(await _knows(redis, "WAITAOF"))
    except AWAY as error:
        raise unavailable(error) from error
    except ResponseError as error:
        raise RedisNotDurable([f"its settings cannot be read ({error}); allow CONFIG GET and INFO"]) from error
    findings: list[str] = []
    if role != "master":
        findings.append("it is a replica; give the address of the primary")
    if config.get("appendonly") != "yes":
        findings.append("no append-only file; set `appendonly yes`")
    fsync = config.get("appendfsync")
    if fsync == "no" or (fsync == "everysec" and not has_waitaof):
        findings.append(f"`appendfsync {fsync}` forgets up to seconds; set `appendfsync always`")
    if fsync == "always" and config.get("no-appendfsync-on-rewrite") == "yes":
        findings.append("no fsync while the file is rewritten; set `no-appendfsync-on-rewrite no`")
    if config.get("maxmemory-policy") != "noeviction":
        findings.append(f"it evicts keys ({config.get('maxmemory-policy')}); set `maxmemory-policy noeviction`")
    if findings:
        raise RedisNotDurable(findings)
    return Durability(waits_for_aof=fsync != "always")


class ScriptRunner:
    """Runs scripts by hash, or by text where the server does not know them, and waits until the write is safe."""

    def __init__(self, redis: Redis, durability: Durability) -> None:
        self.redis = redis
        self._waits_for_aof = durability.waits_for_aof

    async def run(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        """Run a writing script on the slot of one key."""
        if self._waits_for_aof:
            return await self._run_and_wait(script, key, arguments)
        return await self.read(script, key, arguments)

    async def read(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        """Run a script whose effect nobody waits for."""
        try:
            return await _execute(self.redis, "EVALSHA", script.sha, 1, key, *arguments)
        except NoScriptError:
            return await _execute(self.redis, "EVAL", script.text, 1, key, *arguments)

    async def _run_and_wait(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        # WAITAOF speaks of the writes of its own connection, so both travel in one pipeline.
        for command in (("EVALSHA", script.sha), ("EVAL", script.text)):
            async with self.redis.pipeline(transaction=False) as pipeline:
                _execute(pipeline, *command, 1, key, *arguments)
                _execute(pipeline, "WAITAOF", 1, 0, _AOF_WAIT_MS)
                reply, synced = await pipeline.execute(raise_on_error=False)
            if isinstance(reply, NoScriptError):
                continue
            if isinstance(reply, Exception):
                raise reply
            if isinstance(synced, Exception):
                raise synced
            if synced[0] < 1:
                raise RedisTimeoutError("the append-only file was not synced in time")
            return reply
        raise NoScriptError(script.name)


class _Entry:
    __slots__ = ("arguments", "future", "since", "weight")

    def __init__(
        self, arguments: tuple[str | bytes | int, ...], future: "asyncio.Future[Any]", since: float, weight: int
    ) -> None:
        self.arguments = arguments
        self.future = future
        self.since = since
        self.weight = weight


class _Lane:
    __slots__ = ("flying", "is_kicked", "key", "queue")

    def __init__(self, key: str) -> None:
        self.key = key
        self.queue: deque[_Entry] = deque()
        self.flying = 0
        self.is_kicked = False


class Batcher:
    """Group commit: entries for one key that meet in an event-loop turn share one script call.

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
        lane.queue.append(_Entry(arguments, future, loop.time(), weight))
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
        if lane.queue and lane.flying < self._in_flight:
            lane.flying += 1
            task = asyncio.get_running_loop().create_task(self._fly(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fly(self, lane: _Lane) -> None:
        try:
            while lane.queue:
                entries = self._take(lane)
                try:
                    replies = await self._send(lane.key, entries)
                    if len(replies) != len(entries):
                        raise RuntimeError(f"{self._script.name} answered {len(replies)} of {len(entries)} entries")
                except Exception as error:  # noqa: BLE001 (handed to everyone who waits for it)
                    self._settle_all(entries, error)
                else:
                    self._settle(entries, replies)
        finally:
            lane.flying -= 1
            if not lane.flying and not lane.queue and not lane.is_kicked:
                self._lanes.pop(lane.key, None)

    def _take(self, lane: _Lane) -> list[_Entry]:
        queue = lane.queue
        entries = [queue.popleft()]
        weight = entries[0].weight
        while queue and len(entries) < self._batch and weight + queue[0].weight <= self._batch_bytes:
            entry = queue.popleft()
            weight += entry.weight
            entries.append(entry)
        return entries

    async def _send(self, key: str, entries: list[_Entry]) -> Any:
        arguments: list[str | bytes | int] = []
        for entry in entries:
            arguments.append(len(entry.arguments))
            arguments += entry.arguments
        give_up = entries[0].since + self._retry_seconds
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
        for entry, reply in zip(entries, replies, strict=True):
            if not entry.future.done():
                entry.future.set_result(reply)

    def _settle_all(self, entries: list[_Entry], error: Exception) -> None:
        self._waiting -= len(entries)
        for entry in entries:
            if not entry.future.done():
                entry.future.set_exception(error)
            # A waiter that left will not look at it; the error is counted where somebody still waits.
            if not entry.future.cancelled():
                entry.future.exception()


async def _knows(redis: Redis, command: str) -> bool:
    reply = await _execute(redis, "COMMAND", "INFO", command)
    return bool(reply and (reply[0] if isinstance(reply, list) else reply))


def _execute(redis: Redis, *command: Any) -> Any:
    return redis.execute_command(*command)  # type: ignore[no-untyped-call]
