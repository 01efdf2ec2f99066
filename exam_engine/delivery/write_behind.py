"""Write-behind of open sittings: Redis first, PostgreSQL in batches, nothing acknowledged ever lost.

One consumer group a shard. An entry leaves the stream only after its COMMIT; a writer that dies leaves its entries
pending, and reads them first when it returns, or another claims them. Writing twice does no harm (`projection`).
"""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from exam_engine.delivery import counters
from exam_engine.delivery.draining import GROUP, WRITERS, Backlog, WriterSign, backlog
from exam_engine.delivery.latecomers import Latecomers
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.places import KEPT_AFTER_CLOSE_SECONDS, PACKAGE, stream_keys
from exam_engine.delivery.projection import Entry, write_entries
from exam_engine.delivery.replays import Replays
from exam_engine.delivery.signs import Role, give_sign
from exam_engine.infra.cancellation import end_if_cancelled
from exam_engine.infra.clock import Clock, system_clock, to_milliseconds
from exam_engine.infra.database import create_pool
from exam_engine.infra.database import is_away as database_is_away
from exam_engine.infra.redis_client import Durability, ScriptRunner, create_redis, load_script
from exam_engine.infra.redis_client import is_away as redis_is_away
from exam_engine.infra.settings import Settings

logger = structlog.get_logger(__name__)

Pool = Any

BATCH = 1000
BLOCK_MS = 200
LINGER_SECONDS = 0.03  # lets small batches grow; the group commit of PostgreSQL
DISCOVER_SECONDS = 0.5
TIDY_SECONDS = 1.0
CLAIM_IDLE_MS = 15_000
LONGEST_PAUSE_SECONDS = 2.0
SHARDS_PAUSE_SECONDS = 0.2  # while some shards are away, the others wait no longer
_STATEMENT_SECONDS = 60.0

# A stored sitting is read on for a while: what seats noticed may come in late. After that see `latecomers`.
_TO_STORE = """
select id, shards, state = 'closed' and stored_at is null as is_closing from sitting
where state = 'open' or (state = 'closed' and (stored_at is null or stored_at > now() - interval '10 minutes'))
"""


async def run(settings: Settings, *, consumer: str | None = None) -> None:
    """Write behind every open sitting until cancelled; PostgreSQL and Redis may come and go."""
    redis = create_redis(settings, max_connections=4)
    pause = 0.1
    try:
        while True:
            try:
                pool = await create_pool(settings, max_size=2)
                break
            except Exception as error:
                if not database_is_away(error):
                    raise
                logger.warning("write_behind_waits", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        try:
            writer = Writer(
                pool,
                redis,
                consumer or f"{socket.gethostname()}-1",
                replicas=settings.redis_replicas_to_wait,
                kept_seconds=settings.stream_kept_seconds,
            )
            await writer.run()
        finally:
            await asyncio.shield(pool.close())
    finally:
        await redis.aclose()


class ShardsAway(Exception):
    """Some shards of a cluster cannot be read just now. Never leaves the room."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        self.errors = tuple(errors)
        super().__init__(str(self.errors[0]))


class Writer:
    """One consumer of all streams."""

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        consumer: str,
        clock: Clock = system_clock,
        *,
        replicas: int = 0,
        kept_seconds: int = 0,
    ) -> None:
        self._pool = pool
        self._redis: Any = redis
        self._runner = ScriptRunner(redis, Durability(waits_for_aof=False, replicas=replicas))
        self._kept_ms = 1000 * kept_seconds
        self._replays = Replays(pool, redis, self._kept_ms, clock)
        self._latecomers = Latecomers(pool, redis)
        self._trim = load_script(PACKAGE, "trim")
        self._consumer = consumer
        self._clock = clock
        self._streams: dict[str, SittingId] = {}
        self._closed: dict[SittingId, list[str]] = {}
        self._away: list[Exception] = []  # why shards could not be read in this turn
        self._unread: set[str] = set()  # streams whose own pending entries come first
        self._discover_at = 0.0
        self._tidy_at = 0.0
        self._lag_ms = 0
        self._parts = 1.0  # of an entry, in the last read

    async def run(self) -> None:
        """Work until cancelled."""
        pause = 0.1
        while True:
            end_if_cancelled()
            try:
                await self.turn()
                pause = 0.1
            except ShardsAway as away:
                # The others were served; these are read from their pending entries on when they are back.
                self._discover_at = 0.0
                pause = 0.1
                logger.warning("shards_away", shards=len(away.errors), detail=str(away.errors[0])[:200])
                await asyncio.sleep(SHARDS_PAUSE_SECONDS)
            except Exception as error:
                if not (_is_shard_away(error) or database_is_away(error)):
                    raise
                # What was read and not committed is pending under our name: read it again, first of all.
                self._unread.update(self._streams)
                self._discover_at = 0.0
                logger.warning("write_behind_waits", error=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def turn(self, block_ms: int = BLOCK_MS) -> int:
        """Discover, read, write, acknowledge and tidy once; returns how many entries were written.

        Raises
        ------
        ShardsAway
            Some shards of a cluster could not be read; the others were.
        """
        self._away = []
        loop_time = asyncio.get_running_loop().time()
        if loop_time >= self._discover_at:
            await self._discover()
            self._discover_at = loop_time + DISCOVER_SECONDS
        written = 0
        if self._unread:
            written += await self._write_own_pending()
        if self._streams:
            entries = await self._read_new(block_ms)
            written += await self._write(entries)
            if 0 < len(entries) < BATCH // 4:
                await asyncio.sleep(LINGER_SECONDS)
        else:
            await asyncio.sleep(block_ms / 1000)
        if loop_time >= self._tidy_at:
            await self._tidy()
            self._tidy_at = loop_time + TIDY_SECONDS
        if self._away:
            raise ShardsAway(self._away)
        return written

    @contextmanager
    def _apart(self, stream: str | None = None) -> Iterator[None]:
        """Let a shard whose server is away hold up no other; it is read again from what is pending under our name."""
        try:
            yield
        except Exception as error:
            if not (self._runner.reads_apart and _is_shard_away(error)):
                raise
            self._away.append(error)
            if stream is not None:
                self._unread.add(stream)

    async def _discover(self) -> None:
        rows = await self._pool.fetch(
            _TO_STORE,
            timeout=_STATEMENT_SECONDS,
        )
        found: dict[str, SittingId] = {}
        closed: dict[SittingId, list[str]] = {}
        for row in rows:
            streams = stream_keys(row["id"], row["shards"])
            found |= dict.fromkeys(streams, row["id"])
            if row["is_closing"]:
                closed[row["id"]] = streams
        found |= await self._latecomers.streams()
        uncertain = [stream for stream in found if stream not in self._streams or stream in self._unread]
        self._unread.update(uncertain)
        await asyncio.gather(*map(self._make_group, uncertain))
        if self._kept_ms:
            await self._replays.look(found)
        self._streams = found
        self._closed = closed
        self._unread &= set(found)

    async def _make_group(self, stream: str) -> None:
        with self._apart(stream):
            try:
                await self._runner.take(stream, "XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM")
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    async def _write_own_pending(self) -> int:
        """Write what was read and not acknowledged; a stream whose server is away stays among the unread."""
        written = 0
        positions = dict.fromkeys(self._unread, "0")
        while positions:
            found = await self._read(positions)
            written += await self._write([entry for entries in found.values() for entry in entries])
            self._unread.difference_update(stream for stream, entries in found.items() if not entries)
            positions = {stream: entries[-1].id for stream, entries in found.items() if entries}
        return written

    async def _read_new(self, block_ms: int) -> list[Entry]:
        if self._runner.reads_apart:
            found = await self._read({stream: ">" for stream in self._streams if stream not in self._unread})
            entries = [entry for part in found.values() for entry in part]
            if not entries:
                await asyncio.sleep(block_ms / 1000 / 4)
            return entries
        count = self._share(len(self._streams))
        streams = dict.fromkeys(self._streams, ">")
        return _entries(await self._redis.xreadgroup(GROUP, self._consumer, streams, count=count, block=block_ms))

    async def _read(self, positions: Mapping[str, str]) -> dict[str, list[Entry]]:
        """Read streams from their positions on, all at once; one whose server is away is missing in the reply."""
        count = self._share(len(positions))
        found: dict[str, list[Entry]] = {}

        async def read(stream: str, after: str) -> None:
            command = ("XREADGROUP", "GROUP", GROUP, self._consumer, "COUNT", count, "STREAMS", stream, after)
            with self._apart(stream):
                found[stream] = _entries(await self._runner.take(stream, *command))

        await asyncio.gather(*(read(stream, after) for stream, after in positions.items()))
        return found

    async def _write(self, entries: Sequence[Entry]) -> int:
        for batch in _batches(entries):
            await self._write_batch(batch)
        if entries:
            self._parts = sum(entry.size for entry in entries) / len(entries)
        return len(entries)

    def _share(self, streams: int) -> int:
        """How many entries one of so many streams may give to a read: a few transactions' worth, then signs are due."""
        return max(int(BATCH / max(streams, 1) / self._parts), 50)

    async def _write_batch(self, entries: Sequence[Entry]) -> None:
        # An entry without fields was trimmed although pending; ours never are, but it must not stop the rest.
        sound = [entry for entry in entries if entry.fields]
        async with asyncio.timeout(_STATEMENT_SECONDS), self._pool.acquire() as connection:
            oldest_ms = await write_entries(connection, sound, self._clock())
        acknowledged: dict[str, list[str]] = {}
        for entry in entries:
            acknowledged.setdefault(entry.stream, []).append(entry.id)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for stream, ids in acknowledged.items():
                pipeline.xack(stream, GROUP, *ids)
            await pipeline.execute()
        counters.STORED_BATCH.observe(len(entries))
        if oldest_ms is not None:
            self._lag_ms = max(to_milliseconds(self._clock()) - oldest_ms, 0)
            counters.STORE_LAG.observe(self._lag_ms / 1000)

    async def _tidy(self) -> None:
        total = Backlog(0, 0)
        by_stream: dict[str, Backlog] = {}
        for stream in self._streams:
            if stream in self._unread:
                continue
            with self._apart(stream):
                await self._claim(stream)
                await self._runner.read(self._trim, stream, [self._kept_ms])
                by_stream[stream] = await backlog(self._redis, stream)
        for stream in by_stream:
            total = Backlog(total.pending + by_stream[stream].pending, total.unread + by_stream[stream].unread)
        counters.STORE_WAITING.set(total.waiting)
        if not total.waiting and not self._away:
            self._lag_ms = 0
        sign = WriterSign(at_ms=to_milliseconds(self._clock()), lag_ms=self._lag_ms, waiting=total.waiting)
        with self._apart():
            await self._redis.hset(WRITERS, self._consumer, msgspec.json.encode(sign))
            await give_sign(self._redis, Role.WRITE_BEHIND, sign.at_ms)
        for sitting_id, streams in self._closed.items():
            if all(stream in by_stream and by_stream[stream].waiting == 0 for stream in streams):
                await self._settle(sitting_id, streams)

    async def _claim(self, stream: str) -> None:
        """Take over what a writer left behind that has not been heard of for a while."""
        start = "0-0"
        while True:
            command = ("XAUTOCLAIM", stream, GROUP, self._consumer, CLAIM_IDLE_MS, start, "COUNT", BATCH)
            start, found, *_ = await self._runner.take(stream, *command)
            if found:
                logger.info("entries_claimed", stream=stream, entries=len(found))
                await self._write([Entry(stream, _text(entry_id), fields or {}) for entry_id, fields in found])
            if _text(start) == "0-0":
                return

    async def _settle(self, sitting_id: SittingId, streams: Sequence[str]) -> None:
        """Note that all of a closed sitting is in PostgreSQL, and let its keys go after a week."""
        await self._pool.execute(
            "update sitting set stored_at = $2 where id = $1 and state = 'closed' and stored_at is null",
            sitting_id,
            self._clock(),
            timeout=_STATEMENT_SECONDS,
        )
        attempts = await self._pool.fetch("select id from attempt where sitting_id = $1", sitting_id)
        suffixes = ["events", "due", "seen", "notices", "notice-of", "changed", "changes", "primed"]
        suffixes += [f"{kind}:{row['id']}" for row in attempts for kind in "al"]
        suffixes.append("answers")  # last of all: an attempt without them is none
        for stream in streams:
            prefix = stream.removesuffix("events")
            async with self._redis.pipeline(transaction=False) as pipeline:
                for suffix in suffixes:
                    pipeline.expire(prefix + suffix, KEPT_AFTER_CLOSE_SECONDS)
                await pipeline.execute()
        logger.info("sitting_stored", sitting_id=str(sitting_id), process=os.getpid())


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Take entries together, in their order, as far as one transaction shall go: one entry may hold many saves."""
    batch: list[Entry] = []
    parts = 0
    for entry in entries:
        if parts >= BATCH:
            yield batch
            batch, parts = [], 0
        batch.append(entry)
        parts += entry.size
    if batch:
        yield batch


def _is_shard_away(error: Exception) -> bool:
    is_group_lost = isinstance(error, ResponseError) and str(error).startswith("NOGROUP")
    return is_group_lost or redis_is_away(error)


def _entries(reply: Any) -> list[Entry]:
    streams = reply.items() if isinstance(reply, Mapping) else reply or ()
    found: list[Entry] = []
    for stream, batches in streams:
        items = batches[0] if isinstance(reply, Mapping) and batches else batches
        found += [Entry(_text(stream), _text(entry_id), fields or {}) for entry_id, fields in items]
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
