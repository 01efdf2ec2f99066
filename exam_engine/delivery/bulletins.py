"""Notices to seats and signs of life from them, as a worker keeps them: exchanged with Redis once a second.

So an idle seat that asks for the time costs neither Redis nor PostgreSQL anything.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.delivery.places import Place
from exam_engine.delivery.store import Seat, StoredNotice
from exam_engine.delivery.wire import SeatNotice
from exam_engine.infra.redis_cluster import as_cluster

_Send = Callable[[Sequence[Sequence[Any]]], Awaitable[list[Any]]]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as Redis and the stream carry it; its number stands beside it."""

    sitting_id: UUID
    kind: str  # message | time
    text: str = ""
    extra_seconds: int = 0
    room_id: UUID | None = None
    attempt_id: UUID | None = None
    created_by: str
    created_ms: int


class Board:
    """The notices of one shard that this worker has read, by number."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._notices: list[Notice] = []
        self.changes = 0  # the count of changes up to which this worker has read
        self._filling: bytes | None = None  # names the last filling of this shard
        self._stale_ms = 0  # what was known of attempts before this moment may be outdated
        self._changed_ms: dict[str, int] = {}  # the same for single attempts

    @property
    def newest(self) -> int:
        """The number after which to read on."""
        return self._numbers[-1] if self._numbers else 0

    def add(self, number: int, notice: Notice, now_ms: int) -> None:
        """Take a notice in, if it is new."""
        if number <= self.newest:
            return
        self._numbers.append(number)
        self._notices.append(notice)
        if notice.kind == "time":
            self._stale_ms = now_ms

    def note_filling(self, mark: bytes | None, now_ms: int) -> None:
        """Take in by which mark the shard was filled; with another or none, Redis has begun empty meanwhile.

        The count of changes alone would not tell: the new one may have passed the old before anybody looks.
        """
        if mark is None or mark != self._filling:
            self._filling, self.changes, self._stale_ms = mark, 0, now_ms

    def note_changes(self, count: int, attempts: Sequence[tuple[bytes, float]], now_ms: int) -> None:
        """Take in whose facts have changed at any worker."""
        if count < self.changes:  # Redis began empty: whatever is remembered may be outdated
            self.changes, self._stale_ms = 0, now_ms
            return
        for attempt, number in attempts:
            self._changed_ms[attempt.decode()] = now_ms
            self.changes = max(self.changes, int(number))

    def stale_since(self, attempt: str) -> int:
        """Return the moment before which what is remembered of an attempt may be outdated."""
        return max(self._stale_ms, self._changed_ms.get(attempt, 0))

    def after(self, number: int, seat: Seat) -> list[SeatNotice]:
        """Return the notices for a seat after the last it has seen."""
        if number >= self.newest:
            return []
        first = bisect_right(self._numbers, number)
        return [
            SeatNotice(self._numbers[i], _kind(notice), notice.text, notice.extra_seconds)
            for i, notice in enumerate(self._notices[first:], first)
            if notice.room_id in (None, seat.room_id) and notice.attempt_id in (None, seat.attempt_id)
        ]


class Bulletins:
    """Boards by shard, and who was seen since the last exchange with Redis."""

    def __init__(self) -> None:
        self._boards: dict[str, Board] = {}
        self._seen: dict[str, dict[str, int]] = {}

    def board(self, stream: str) -> Board:
        """Return a shard's board."""
        board = self._boards.get(stream)
        if board is None:
            board = self._boards[stream] = Board()
        return board

    def seen(self, place: Place, now_ms: int) -> None:
        """Note a sign of life."""
        shard = self._seen.get(place.stream)
        if shard is None:
            shard = self._seen[place.stream] = {}
        shard[place.attempt] = now_ms

    def last_seen(self, place: Place) -> int:
        """Return a sign of life that has not been passed on yet, else 0."""
        return self._seen.get(place.stream, {}).get(place.attempt, 0)

    async def exchange(self, redis: Any, streams: Sequence[str], now_ms: Callable[[], int]) -> int:
        """Pass on who was seen, read new notices of these shards, and return Redis' clock less ours, in ms.

        Of a cluster each shard is asked by itself: one that is away holds up no other.

        Raises
        ------
        RedisError, OSError
            A server is away; what it should have been told stays here, the other shards were served.
        """
        cluster = as_cluster(redis)
        if cluster is None:
            return await self._exchange(_on_one_server(redis), streams, list(self._seen), now_ms)
        shards = sorted({*streams, *self._seen})
        served = [shard if shard in streams else None for shard in shards]
        found = await asyncio.gather(
            *(
                self._exchange(partial(cluster.run_on_key, shard), [one] if one else [], [shard], now_ms)
                for shard, one in zip(shards, served, strict=True)
            ),
            return_exceptions=True,
        )
        offsets = []
        for one in found:
            if isinstance(one, BaseException):
                raise one
            offsets.append(one)
        return max(offsets, key=abs, default=0)

    async def _exchange(
        self, send: _Send, streams: Sequence[str], seen: Sequence[str], now_ms: Callable[[], int]
    ) -> int:
        passed_on = {stream: self._seen.pop(stream) for stream in seen if stream in self._seen}
        commands: list[Sequence[Any]] = [("TIME",)]
        for stream in streams:
            prefix, board = stream.removesuffix("events"), self.board(stream)
            commands += (
                ("ZRANGEBYSCORE", prefix + "notices", f"({board.newest}", "+inf"),
                ("GET", prefix + "primed"),
                ("GET", prefix + "changes"),
                ("ZRANGEBYSCORE", prefix + "changed", f"({board.changes}", "+inf", "WITHSCORES"),
            )
        for stream, attempts in passed_on.items():
            flat = (part for pair in attempts.items() for part in pair)
            commands.append(("HSET", stream.removesuffix("events") + "seen", *flat))
        began_ms = now_ms()
        try:
            replies = await send(commands)
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        except BaseException:
            self._take_back(passed_on)
            raise
        ended_ms = now_ms()
        for position, stream in enumerate(streams):
            notices, mark, changes, attempts = replies[4 * position + 1 : 4 * position + 5]
            board = self.board(stream)
            for entry in notices:
                number, _, notice = entry.partition(b" ")
                board.add(int(number), msgspec.json.decode(notice, type=Notice), ended_ms)
            board.note_filling(mark, ended_ms)
            board.note_changes(int(changes or 0), _pairs(attempts), ended_ms)
        seconds, microseconds = map(int, replies[0])
        return seconds * 1000 + microseconds // 1000 - began_ms

    def keep_only(self, streams: Collection[str]) -> None:
        """Drop the boards of sittings this worker no longer remembers."""
        self.forget([stream for stream in self._boards if stream not in streams])

    def forget(self, streams: Sequence[str]) -> None:
        """Drop what is kept of shards."""
        for stream in streams:
            self._boards.pop(stream, None)

    def _take_back(self, passed_on: Mapping[str, Mapping[str, int]]) -> None:
        for stream, attempts in passed_on.items():
            self._seen[stream] = {**attempts, **self._seen.get(stream, {})}


def notice_of(sitting_id: UUID, stored: StoredNotice) -> Notice:
    """Return a stored notice as Redis carries it."""
    fields = msgspec.structs.asdict(stored)
    del fields["number"]
    return Notice(sitting_id=sitting_id, **fields)


def _kind(notice: Notice) -> Any:
    return notice.kind


def _on_one_server(redis: Any) -> _Send:
    async def send(commands: Sequence[Sequence[Any]]) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute())

    return send


def _pairs(scored: Sequence[Any]) -> list[tuple[bytes, float]]:
    """Return members with their scores; the older protocol tells them in one flat list."""
    if scored and isinstance(scored[0], bytes):
        return [(scored[i], float(scored[i + 1])) for i in range(0, len(scored), 2)]
    return [(member, float(score)) for member, score in scored]
