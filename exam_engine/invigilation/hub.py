"""The live boards of one worker: one reader a room while somebody watches, one rendered message for all who do.

    reader (once a second) ──► newest state ──► rendered once: what changed, and (when first asked for) the whole
                                                        │
       subscriber at the version before ◄── changes ────┤
       subscriber anywhere else         ◄── the whole ──┤   too slow, resumed, new
       subscriber at the newest version ◄── a beat ─────┘   every few seconds: alive, and how old the state is

A subscriber never queues anything: when it comes back from sending it takes what is newest, so a slow one skips
versions and a fast one sees each. Versions name their reader, so a browser that resumes at another worker gets the
whole state. Every worker reads Redis itself; what people noted is read from PostgreSQL when a note was written (a
counter in Redis says so) and now and then. Nothing of an exam depends on anybody watching.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import SittingId
from exam_engine.infra.database import SessionMaker, reaching_database
from exam_engine.infra.errors import EngineError
from exam_engine.invigilation import service
from exam_engine.invigilation.errors import RoomUnknown
from exam_engine.invigilation.model import Board

logger = structlog.get_logger(__name__)

READ_SECONDS = 1.0
BEAT_SECONDS = 4.0
NOTES_SECONDS = 30.0
LINGER_SECONDS = 10.0  # a page that reloads finds its reader still there
NOTES_LIFE_SECONDS = 2 * 24 * 3600
RIGHTS_AT_ONCE = 4  # a herd of boards that come back must leave the database's connections to the seats

Room = tuple[SittingId, UUID | None]


class Version(msgspec.Struct, frozen=True):
    """A state of a room: which reader saw it, and its count."""

    reader: str
    count: int

    def __str__(self) -> str:
        return f"{self.reader}-{self.count}"


class Rendering(msgspec.Struct, frozen=True):
    """How states become messages; the edge knows the format."""

    whole: Callable[[str, Board], bytes]
    changes: Callable[[str, Board, Board], bytes | None]  # None: say the whole
    beat: Callable[[int, int], bytes]  # now, and when the state was read, milliseconds


class Feed:
    """One room: its newest state, rendered, and everybody who waits for the next."""

    def __init__(self, room: Room, rendering: Rendering) -> None:
        self.room = room
        self.subscribers = 0
        self._rendering = rendering
        self._reader = secrets.token_hex(4)
        self._count = 0
        self._board: Board | None = None
        self._read_ms = 0
        self._whole: bytes | None = None
        self._changes: bytes | None = None
        self._beat: bytes = b""
        self._beats = 0
        self._next = asyncio.Event()
        self.is_over = False

    @property
    def version(self) -> Version:
        """The newest state's name."""
        return Version(self._reader, self._count)

    @property
    def has_state(self) -> bool:
        """Whether anything was read yet."""
        return self._board is not None

    def publish(self, board: Board) -> None:
        """Take in a state just read; who waits is woken if it says something new."""
        self._read_ms = board.server_time_ms
        before, self._board = self._board, board
        self._whole = None  # it bears the moment; who comes new sets the clock by it
        if before is not None and _says_the_same(before, board):
            return
        self._count += 1
        self._changes = None if before is None else self._rendering.changes(str(self.version), before, board)
        self._wake()

    def beat(self, now_ms: int) -> None:
        """Tell everybody the feed is alive, and how old its state is."""
        self._beat = self._rendering.beat(now_ms, self._read_ms)
        self._beats += 1
        self._wake()

    def end(self) -> None:
        """Let every subscriber go."""
        self.is_over = True
        self._wake()

    async def follow(self, held: str = "") -> AsyncIterator[bytes]:
        """Yield messages until the feed ends; `held` is the version the subscriber has already."""
        seen, beats = held, self._beats
        while not self.is_over:
            waiting = self._next
            if self.has_state and seen != (newest := str(self.version)):
                message = self._message_after(seen)
                seen, beats = newest, self._beats
                yield message
            elif beats != self._beats:
                beats = self._beats
                yield self._beat
            else:
                await waiting.wait()

    def _message_after(self, seen: str) -> bytes:
        if self._changes is not None and seen == f"{self._reader}-{self._count - 1}":
            return self._changes
        if self._whole is None:
            assert self._board is not None  # noqa: S101 (has_state was asked)
            self._whole = self._rendering.whole(str(self.version), self._board)
        return self._whole

    def _wake(self) -> None:
        event, self._next = self._next, asyncio.Event()
        event.set()


class Hub:
    """The feeds of one worker."""

    def __init__(self, delivery: Delivery, sessions: SessionMaker, rendering: Rendering) -> None:
        self._delivery = delivery
        self._sessions = sessions
        self._rendering = rendering
        self._feeds: dict[Room, Feed] = {}
        self._readers: dict[Room, asyncio.Task[None]] = {}
        self.is_closing = False
        self.asking = asyncio.Semaphore(RIGHTS_AT_ONCE)  # held while a subscriber's right is looked up

    @property
    def watched(self) -> int:
        """How many rooms are being read."""
        return len(self._feeds)

    @contextmanager
    def watching(self, sitting_id: SittingId, room_id: UUID | None) -> Iterator[Feed]:
        """Count one more subscriber of a room; iterate over `follow` of what this gives."""
        feed = self._feed((sitting_id, room_id))
        feed.subscribers += 1
        try:
            yield feed
        finally:
            feed.subscribers -= 1

    async def noted(self, sitting_id: SittingId) -> None:
        """Tell every worker that people noted something, after the commit; lost, it shows half a minute late."""
        with suppress(RedisError, OSError):
            key = _notes_key(sitting_id)
            async with self._delivery.register.redis.pipeline(transaction=False) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, NOTES_LIFE_SECONDS)
                await pipeline.execute()

    def release(self) -> None:
        """Let all subscribers go and take no new ones: the worker is about to stop. Safe to call from anywhere."""
        self.is_closing = True
        for feed in self._feeds.values():
            feed.end()

    async def close(self) -> None:
        """Release everybody and stop reading."""
        self.release()
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    def _feed(self, room: Room) -> Feed:
        feed = self._feeds.get(room)
        if feed is None:
            feed = self._feeds[room] = Feed(room, self._rendering)
            if self.is_closing:
                feed.end()
                return feed
            reader = asyncio.get_running_loop().create_task(_Reader(self._delivery, self._sessions, feed).run())
            reader.add_done_callback(lambda _: self._forget(room))
            self._readers[room] = reader
        return feed

    def _forget(self, room: Room) -> None:
        feed = self._feeds.pop(room, None)
        self._readers.pop(room, None)
        if feed is not None:
            feed.end()  # who joined at this very moment subscribes again


class _Reader:
    """Reads one room once a second for as long as somebody watches it."""

    def __init__(self, delivery: Delivery, sessions: SessionMaker, feed: Feed) -> None:
        self._delivery = delivery
        self._sessions = sessions
        self._feed = feed
        self._notes = service.NO_NOTES
        self._needs_safe_browser = False
        self._notes_at = -NOTES_SECONDS
        self._notes_count: bytes | None = None
        self._room_code = ""  # asked for when nobody sits there

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        watched_at = beat_at = loop.time()
        while loop.time() - watched_at < LINGER_SECONDS:
            began = loop.time()
            await self._read()
            if began - beat_at >= BEAT_SECONDS:
                beat_at = began
                self._feed.beat(self._delivery.now_ms())
            if self._feed.subscribers:
                watched_at = loop.time()
            await asyncio.sleep(max(0.05, READ_SECONDS - (loop.time() - began)))

    async def _read(self) -> None:
        sitting_id, room_id = self._feed.room
        try:
            await self._read_notes(sitting_id, room_id)
            board = await self._read_board(sitting_id, room_id)
        except (EngineError, RedisError, OSError) as error:
            # The last state stays on the page, and the beat says how old it is.
            logger.warning("room_not_read", room_id=str(room_id), error=type(error).__name__, detail=str(error)[:200])
        else:
            self._feed.publish(board)

    async def _read_board(self, sitting_id: SittingId, room_id: UUID | None) -> Board:
        read = partial(
            service.board,
            self._delivery,
            sitting_id,
            room_id,
            notes=self._notes,
            needs_safe_browser=self._needs_safe_browser,
        )
        try:
            return await read(room_code=self._room_code)
        except RoomUnknown:
            if room_id is None:
                raise
        # Nobody sits there, so that no seat tells what the room is called.
        with reaching_database():
            async with self._sessions() as session:
                self._room_code = (await service.load_room(session, sitting_id, room_id)).code
        return await read(room_code=self._room_code)

    async def _read_notes(self, sitting_id: SittingId, room_id: UUID | None) -> None:
        now = asyncio.get_running_loop().time()
        count = await self._delivery.register.redis.get(_notes_key(sitting_id))
        if count == self._notes_count and now - self._notes_at < NOTES_SECONDS:
            return
        try:
            with reaching_database():
                async with self._sessions() as session:
                    self._notes = await service.load_notes(session, sitting_id, room_id)
                    self._needs_safe_browser = await service.find_safe_browser(session, sitting_id) is not None
        except EngineError as error:
            logger.warning("notes_not_read", room_id=str(room_id), error=type(error).__name__)
        self._notes_at, self._notes_count = now, count


def _says_the_same(before: Board, board: Board) -> bool:
    return (before.seats, before.is_open, before.ends_at_ms, before.starts_at_ms) == (
        board.seats,
        board.is_open,
        board.ends_at_ms,
        board.starts_at_ms,
    )


def _notes_key(sitting_id: SittingId) -> str:
    return f"notes:{{{sitting_id}}}"
