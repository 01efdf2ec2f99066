"""The board of a room: who is there, how far, how long, and who may need help."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service as sittings
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptState, SittingId
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.wire import EventsBody, SaveBody, SaveResponse, SeatEvent, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.invigilation import service
from exam_engine.invigilation.errors import RoomUnknown
from exam_engine.invigilation.model import Flag, SeatFacts, board_seat
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, SetClock

NOW = to_milliseconds(START)
SEAT = SeatFacts(
    attempt_id=uuid4(),
    number="31000001",
    name="Nguyễn Thị Thử",
    seat=1,
    state=AttemptState.RUNNING,
    close_reason="",
    started_ms=NOW,
    deadline_ms=NOW + 3_600_000,
    extra_ms=0,
    saved_ms=0,
    seen_ms=NOW,
    answered=0,
    total=12,
    focus_lost=0,
)


@pytest.mark.parametrize(
    ("changes", "minutes", "flags"),
    [
        pytest.param({}, 0, (), id="just started"),
        pytest.param({"seen_ms": NOW - 25_000}, 0, (), id="two questions lost"),
        pytest.param({"seen_ms": NOW - 25_001}, 0, (Flag.DISCONNECTED,), id="gone"),
        pytest.param({"seen_ms": 0}, 0, (Flag.DISCONNECTED,), id="never heard of"),
        pytest.param({"seen_ms": NOW + 660_000}, 11, (Flag.NOTHING_SAVED,), id="nothing saved"),
        pytest.param({"seen_ms": NOW + 660_000, "saved_ms": NOW + 300_000}, 11, (), id="saved a while ago"),
        pytest.param({"focus_lost": 2}, 0, (Flag.FOCUS_LOST,), id="focus lost"),
        pytest.param({"state": AttemptState.READY}, 0, (Flag.MISSING,), id="has not started"),
        pytest.param({"state": AttemptState.READY}, -5, (), id="need not have started"),
        pytest.param({"state": AttemptState.SUBMITTED, "focus_lost": 9, "seen_ms": 0}, 50, (), id="handed in"),
    ],
)
def test_a_seat_that_may_need_help_says_why(changes: dict[str, object], minutes: int, flags: tuple[Flag, ...]) -> None:
    facts = SeatFacts(**({name: getattr(SEAT, name) for name in SEAT.__struct_fields__} | changes))
    seat = board_seat(facts, starts_ms=NOW, now_ms=NOW + 60_000 * minutes, is_open=True)
    assert seat.flags == flags
    assert board_seat(facts, starts_ms=NOW, now_ms=NOW, is_open=False).flags == ()


async def test_a_board_shows_a_room_as_it_is(
    opened: HallMaker,
    delivery: Delivery,
    clock: SetClock,
) -> None:
    hall = await opened(candidates=4, rooms=2)
    await delivery.rolls.refresh(START)
    await delivery.start(hall.candidate(0), hall.attempt(0), "seat-1")
    await delivery.start(hall.candidate(1), hall.attempt(1), "seat-2")
    body = SaveBody(1, [SaveResponse(slot, slot, "A" if slot < 3 else None, NOW) for slot in (1, 2, 3)])
    await delivery.save(hall.candidate(0), hall.attempt(0), body)
    await delivery.events(hall.candidate(0), hall.attempt(0), EventsBody([SeatEvent("focus_lost", NOW)]))
    await delivery.submit(hall.candidate(1), hall.attempt(1), SubmitBody(1, {}))
    clock.forward(seconds=30)
    await delivery.time(hall.candidate(0), hall.attempt(0))
    room_id = hall.seats[0].room_id
    shown = await service.board(delivery, hall.sitting.id, room_id)
    assert (shown.room, shown.subject, shown.is_open) == ("P01", "Toán", True)
    first, second = shown.seats
    assert (first.number, first.name, first.seat, first.state) == (
        hall.seats[0].number,
        hall.seats[0].full_name,
        1,
        "running",
    )
    assert (first.connected, first.last_seen_seconds, first.last_save_seconds) == (True, 0, 30)
    assert (first.answered, first.total, first.time_left_seconds) == (2, 12, 3570)
    assert (first.focus_lost, first.flags) == (1, (Flag.FOCUS_LOST,))
    assert (second.state, second.connected, second.time_left_seconds) == ("submitted", False, None)
    everyone = await service.board(delivery, hall.sitting.id)
    assert (everyone.counts.seats, everyone.counts.running, everyone.counts.ready) == (4, 1, 2)
    lines = await service.rooms(delivery, hall.sitting.id)
    assert [(line.room, line.counts.seats, line.counts.may_need_help) for line in lines] == [
        ("P01", 2, 1),
        ("P02", 2, 2),
    ]
    with pytest.raises(RoomUnknown):
        await service.board(delivery, hall.sitting.id, uuid4())


async def test_another_worker_sees_the_same_seat_alive_within_a_second(
    opened: HallMaker,
    delivery: Delivery,
    sessions: async_sessionmaker[AsyncSession],
    runner: object,
) -> None:
    hall = await opened(candidates=1)
    await delivery.rolls.refresh(START)
    await delivery.start(hall.candidate(0), hall.attempt(0), "seat-1")
    await delivery.exchange()
    other = Delivery(delivery.clock, sessions, runner, b"another worker with the same secret")  # type: ignore[arg-type]
    shown = await service.board(other, hall.sitting.id)
    assert shown.seats[0].connected
    await other.close()


async def test_the_board_of_a_closed_sitting_comes_from_the_store(
    opened: HallMaker,
    delivery: Delivery,
    register: Register,
    writer: Writer,
    sessions: async_sessionmaker[AsyncSession],
    redis: object,
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(0), hall.attempt(0), "seat-1")
    body = SaveBody(1, [SaveResponse(1, 1, "A", NOW), SaveResponse(2, 2, None, NOW)])
    await delivery.save(hall.candidate(0), hall.attempt(0), body)
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START)
        await sittings.close_sitting(desk, hall.sitting.id)
    while await writer.turn(block_ms=1):
        pass
    await redis.flushdb()  # type: ignore[attr-defined]
    await delivery.rolls.refresh(START)
    shown = await service.board(delivery, SittingId(hall.sitting.id))
    assert not shown.is_open
    assert [(seat.close_reason, seat.answered) for seat in shown.seats] == [("sitting", 1), ("absent", 0)]
