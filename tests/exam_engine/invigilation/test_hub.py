"""The hub of a worker: every subscriber learns every state or a newer one, and nobody waits for anybody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service as sittings
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.service import Desk, Move
from exam_engine.delivery.wire import SaveBody, SaveResponse
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.invigilation import service
from exam_engine.invigilation.hub import Feed, Hub, Rendering
from exam_engine.invigilation.model import Board, BoardCounts, BoardSeat
from exam_engine.invigilation.service import Identity, IdentityCheck
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START

NOW = to_milliseconds(START)
ROOM = (SittingId(uuid4()), uuid4())
ATTEMPTS = [uuid4() for _ in range(3)]


class Told(msgspec.Struct, frozen=True):
    """A message of the rendering below."""

    kind: str
    version: str = ""
    answered: tuple[int, ...] = ()


def told(kind: str, version: str = "", board: Board | None = None) -> bytes:
    return msgspec.json.encode(Told(kind, version, tuple(seat.answered for seat in board.seats) if board else ()))


RENDERING = Rendering(
    whole=lambda version, board: told("whole", version, board),
    changes=lambda version, before, board: told("changes", version, board),
    beat=lambda now_ms, read_ms: told("beat", str(read_ms)),
)


def board(*answered: int, at_ms: int = NOW) -> Board:
    return Board(
        sitting_id=ROOM[0],
        sitting="S",
        sitting_name="S",
        subject="Toán",
        is_open=True,
        room_id=ROOM[1],
        room="P01",
        server_time_ms=at_ms,
        starts_at_ms=NOW,
        ends_at_ms=NOW + 3_600_000,
        columns=0,
        counts=BoardCounts(seats=0, ready=0, running=0, submitted=0, closed=0, connected=0, may_need_help=0),
        seats=tuple(
            BoardSeat(
                attempt_id=attempt,
                candidate_number=str(index),
                name="",
                seat=index,
                state="running",
                answered=count,
                total=12,
            )
            for index, (attempt, count) in enumerate(zip(ATTEMPTS, answered, strict=False))
        ),
    )


class Watcher:
    """One subscriber: what it was told, in order."""

    def __init__(self, feed: Feed, held: str = "") -> None:
        self.told: list[Told] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._task = asyncio.create_task(self._watch(feed, held))

    async def _watch(self, feed: Feed, held: str) -> None:
        async for message in feed.follow(held):
            self.told.append(msgspec.json.decode(message, type=Told))
            await self.may_go_on.wait()

    async def done(self) -> list[Told]:
        await self._task
        return self.told


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_subscribers_are_told_every_state_each_from_one_rendering() -> None:
    rendered: list[str] = []
    counting = Rendering(
        whole=lambda version, board: rendered.append("whole") or told("whole", version, board),  # type: ignore[func-returns-value]
        changes=lambda version, before, board: rendered.append("changes") or told("changes", version, board),  # type: ignore[func-returns-value]
        beat=RENDERING.beat,
    )
    feed = Feed(ROOM, counting)
    watchers = [Watcher(feed) for _ in range(1000)]
    feed.publish(board(0, 0, 0))
    await settle()
    for count in range(1, 20):
        feed.publish(board(count, 0, 0))
        await settle()
    feed.end()
    everybody = await asyncio.gather(*(watcher.done() for watcher in watchers))
    assert all([message.answered[0] for message in heard] == list(range(20)) for heard in everybody)
    assert all([message.kind for message in heard] == ["whole", *["changes"] * 19] for heard in everybody)
    assert rendered.count("whole") == 1
    assert rendered.count("changes") == 19


async def test_a_slow_subscriber_skips_to_the_newest_state_and_delays_nobody() -> None:
    feed = Feed(ROOM, RENDERING)
    slow, fast = Watcher(feed), Watcher(feed)
    slow.may_go_on.clear()
    for count in range(10):
        feed.publish(board(count, 0, 0))
        await settle()
    assert [message.answered[0] for message in fast.told] == list(range(10))
    assert [message.answered[0] for message in slow.told] == [0]
    slow.may_go_on.set()
    await settle()
    assert [(message.kind, message.answered[0]) for message in slow.told] == [("whole", 0), ("whole", 9)]
    feed.end()
    await asyncio.gather(slow.done(), fast.done())


async def test_a_state_that_says_nothing_new_is_not_sent_and_a_beat_tells_its_age() -> None:
    feed = Feed(ROOM, RENDERING)
    watcher = Watcher(feed)
    feed.publish(board(1, 0, 0))
    await settle()
    feed.publish(board(1, 0, 0, at_ms=NOW + 1_000))
    feed.beat(NOW + 1_500)
    await settle()
    assert [(message.kind, message.version) for message in watcher.told[1:]] == [("beat", str(NOW + 1_000))]
    feed.end()
    await watcher.done()


async def test_a_subscriber_that_comes_back_gets_what_it_lacks() -> None:
    feed = Feed(ROOM, RENDERING)
    feed.publish(board(1, 0, 0))
    before = str(feed.version)
    feed.publish(board(2, 0, 0))
    now = str(feed.version)
    held = {"": "whole", before: "changes", now: None, "another-worker-7": "whole"}
    watchers = {version: Watcher(feed, version) for version in held}
    await settle()
    kinds = {version: watcher.told[0].kind if watcher.told else None for version, watcher in watchers.items()}
    assert kinds == held
    feed.end()
    await asyncio.gather(*(watcher.done() for watcher in watchers.values()))


async def test_a_subscriber_that_is_cancelled_takes_nobody_along() -> None:
    feed = Feed(ROOM, RENDERING)
    leaving, staying = Watcher(feed), Watcher(feed)
    await settle()
    leaving._task.cancel()
    await settle()
    feed.publish(board(1, 0, 0))
    await settle()
    assert [message.kind for message in staying.told] == ["whole"]
    feed.end()
    await staying.done()


@pytest_asyncio.fixture
async def hub(delivery: Delivery, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[Hub]:
    hub = Hub(delivery, sessions, RENDERING)
    yield hub
    await hub.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_a_room_is_read_once_for_all_who_watch_it(
    hub: Hub, opened: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened(candidates=4, rooms=2)
    await delivery.rolls.refresh(START)
    room = UUID(str(hall.seats[0].room_id))
    with hub.watching(hall.sitting.id, room) as feed, hub.watching(hall.sitting.id, room) as same:
        assert feed is same
        watcher = Watcher(feed)
        await until(lambda: len(watcher.told) == 1)
        assert watcher.told[0].answered == (0, 0)
        await delivery.start(hall.candidate(0), hall.attempt(0), "seat-1.a")
        body = SaveBody(1, [SaveResponse(1, 1, "A", NOW)])
        await delivery.save(hall.candidate(0), hall.attempt(0), body)
        await until(lambda: watcher.told[-1].answered == (1, 0))
        assert watcher.told[-1].kind == "changes"
        assert hub.watched == 1
        hub.release()
        await watcher.done()
    assert hub.is_closing


async def test_a_room_where_nobody_sits_is_shown_empty_before_and_after_somebody_sat_there(
    hub: Hub, opened: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened(candidates=1, rooms=2)
    await delivery.rolls.refresh(START)
    attempt, spare = hall.attempt(), hall.rooms[1]
    desk = partial(Desk, register=delivery.register, actor=ACTOR, now=START)
    with hub.watching(hall.sitting.id, spare) as feed:
        watcher = Watcher(feed)
        await until(lambda: len(watcher.told) == 1)
        assert (watcher.told[0].kind, watcher.told[0].answered) == ("whole", ())
        async with transaction(sessions) as session:
            move = Move(attempt_id=attempt, room_id=spare, seat_number=3, request="there", reason="máy hỏng")
            await sittings.move_seat(desk(session=session), hall.sitting.id, move)
        await delivery.rolls.refresh(START)
        await until(lambda: watcher.told[-1].answered == (0,))
        async with transaction(sessions) as session:
            await sittings.undo(desk(session=session), hall.sitting.id, "there", "back", "nhầm")
        await delivery.rolls.refresh(START)
        await until(lambda: watcher.told[-1].answered == ())
    with hub.watching(hall.sitting.id, uuid4()) as nowhere:
        silent = Watcher(nowhere)
        await until(lambda: hub.watched == 2)
        hub.release()
        assert await silent.done() == []
        await watcher.done()


async def test_what_people_noted_shows_at_every_worker(
    hub: Hub, opened: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened(candidates=1)
    await delivery.rolls.refresh(START)
    seen: list[Board] = []
    watching = Rendering(
        whole=lambda version, board: seen.append(board) or b"{}",  # type: ignore[func-returns-value]
        changes=lambda version, before, board: seen.append(board) or b"{}",  # type: ignore[func-returns-value]
        beat=lambda now_ms, read_ms: b"{}",
    )
    other = Hub(delivery, sessions, watching)
    room = hall.seats[0].room_id
    with other.watching(hall.sitting.id, room) as feed:
        following = asyncio.create_task(anext(feed.follow()))
        await following
        async with transaction(sessions) as session:
            seat = (await delivery.roll(hall.sitting.id)).seats[hall.attempt()]
            check = IdentityCheck(identity=Identity.DOUBTFUL, note="ảnh cũ")
            await service.check_identity(session, seat, check, sitting_id=hall.sitting.id, actor=ACTOR, now=START)
        await hub.noted(hall.sitting.id)
        await until(lambda: seen[-1].seats[0].identity == "doubtful")
    await other.close()


async def test_a_hub_that_is_closing_takes_nobody_new(hub: Hub) -> None:
    await hub.close()
    with hub.watching(ROOM[0], ROOM[1]) as feed:
        assert [message async for message in feed.follow()] == []


@pytest.mark.parametrize("subscribers", [1, 50])
async def test_no_reader_is_left_when_the_hub_is_closed(hub: Hub, subscribers: int, opened: HallMaker) -> None:
    hall = await opened(candidates=1)
    with hub.watching(hall.sitting.id, hall.seats[0].room_id) as feed:
        watchers = [Watcher(feed) for _ in range(subscribers)]
        await settle()
        await hub.close()
        await asyncio.gather(*(watcher.done() for watcher in watchers))
    assert hub.watched == 0
