"""The board of a room: who is there, how far, how long, and who may need help."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service as sittings
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptFacts, AttemptState, SittingId
from exam_engine.delivery.register import Held, Noticed, Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.wire import EventsBody, SaveBody, SaveResponse, SeatEvent, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.invigilation import service
from exam_engine.invigilation.errors import RoomUnknown
from exam_engine.invigilation.model import (
    SEVERITIES,
    BoardSeat,
    Flag,
    Hours,
    Level,
    SeatFacts,
    SeatNotes,
    Severity,
    board_seat,
    severity_of,
)
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, SetClock

NOW = to_milliseconds(START)
HOURS = Hours(starts_ms=NOW, ends_ms=NOW + 5_400_000, is_open=True)
RUNNING = AttemptFacts(
    state=AttemptState.RUNNING,
    lease=1,
    client="pc-1.a",
    starts_ms=NOW,
    late_ms=NOW + 900_000,
    ends_ms=NOW + 5_400_000,
    duration_ms=3_600_000,
    grace_ms=10_000,
    started_ms=NOW,
    deadline_ms=NOW + 3_600_000,
)
ATTEMPT = uuid4()


def seat_after(
    minutes: int, facts: dict[str, Any], held: dict[str, Any], hours: Hours = HOURS, **notes: Any
) -> BoardSeat:
    known = {"facts": msgspec.structs.replace(RUNNING, **facts), "seen_ms": NOW} | held
    seat = SeatFacts(
        attempt_id=ATTEMPT,
        number="31000001",
        name="Nguyễn Thị Thử",
        seat=1,
        held=Held(**known),
        total=12,
        notes=SeatNotes(**notes),
    )
    return board_seat(seat, hours, NOW + 60_000 * minutes)


@pytest.mark.parametrize(
    ("facts", "held", "minutes", "flags"),
    [
        pytest.param({}, {}, 0, [], id="just started"),
        pytest.param({}, {"seen_ms": NOW - 25_000}, 0, [], id="two questions lost"),
        pytest.param({}, {"seen_ms": NOW - 25_001}, 0, ["disconnected"], id="gone"),
        pytest.param({}, {"seen_ms": 0}, 0, ["disconnected"], id="never heard of"),
        pytest.param({}, {"seen_ms": NOW + 660_000}, 11, ["nothing_saved"], id="nothing saved"),
        pytest.param({}, {"seen_ms": NOW + 660_000, "saved_ms": NOW + 300_000}, 11, [], id="saved a while ago"),
        pytest.param({}, {"seen_ms": NOW + 660_000, "answered": 12}, 11, [], id="has answered all and rests"),
        pytest.param({"paused_ms": NOW}, {"seen_ms": NOW + 660_000}, 11, [], id="paused"),
        pytest.param({}, {"noticed": {"focus_lost": Noticed(2, NOW)}}, 0, ["focus_lost"], id="focus lost"),
        pytest.param({}, {"noticed": {"paste_blocked": Noticed(9, NOW)}}, 0, [], id="only counted"),
        pytest.param({"claimant": "pc-2.b", "claimed_ms": NOW}, {}, 0, ["second_seat"], id="a second seat waits"),
        pytest.param({"state": AttemptState.READY}, {}, 3, ["missing"], id="has not started"),
        pytest.param({"state": AttemptState.READY}, {}, 2, [], id="still finds the seat"),
        pytest.param({"state": AttemptState.READY}, {}, -5, [], id="need not have started"),
        pytest.param(
            {"state": AttemptState.SUBMITTED},
            {"noticed": {"focus_lost": Noticed(9, NOW)}, "seen_ms": 0},
            50,
            [],
            id="handed in",
        ),
    ],
)
def test_a_seat_that_may_need_help_says_why(
    facts: dict[str, Any], held: dict[str, Any], minutes: int, flags: list[str]
) -> None:
    seat = seat_after(minutes, facts, held)
    assert [flag.kind for flag in seat.flags] == flags
    closed = msgspec.structs.replace(HOURS, is_open=False)
    assert seat_after(minutes, facts, held, closed).flags == ()


def test_a_sitting_open_for_days_is_for_practice_and_nobody_is_late() -> None:
    days = msgspec.structs.replace(HOURS, ends_ms=NOW + 30 * 86_400_000)
    assert seat_after(60, {"state": AttemptState.READY}, {}, days).flags == ()


def test_what_a_seat_reported_asks_for_a_look_until_somebody_looked_and_again_when_it_happens_again() -> None:
    held = {"noticed": {"focus_lost": Noticed(2, NOW + 5_000)}, "seen_ms": NOW + 60_000}
    assert seat_after(1, {}, held).flags == (Flag("focus_lost", Level.WARN, NOW + 5_000, 2),)
    looked = seat_after(1, {}, held, reviewed_ms=NOW + 5_000)
    assert looked.flags == ()
    assert [(count.kind, count.times) for count in looked.events] == [("focus_lost", 2)]
    again = held | {"noticed": {"focus_lost": Noticed(3, NOW + 9_000)}}
    assert [flag.times for flag in seat_after(1, {}, again, reviewed_ms=NOW + 5_000).flags] == [3]


def test_a_doubtful_face_and_a_browser_without_the_settings_ask_for_a_look() -> None:
    assert [flag.kind for flag in seat_after(0, {}, {}, identity="doubtful").flags] == ["identity_doubtful"]
    safe = msgspec.structs.replace(HOURS, needs_safe_browser=True)
    assert [flag.kind for flag in seat_after(0, {}, {}, safe).flags] == ["no_safe_browser"]
    shown = {"noticed": {"seb_checked": Noticed(1, NOW)}}
    assert seat_after(0, {}, shown, safe).flags == ()


def test_no_event_is_severe_enough_to_end_an_attempt() -> None:
    assert set(SEVERITIES.values()) == {Severity.LOG, Severity.COUNT, Severity.LOOK}
    assert severity_of("a_kind_nobody_foresaw") is Severity.LOG


def test_a_connected_seat_stays_equal_from_second_to_second_so_that_only_news_travels() -> None:
    step = NOW - NOW % 15_000
    first = seat_after(0, {}, {"seen_ms": step + 1_000})
    assert first == seat_after(0, {}, {"seen_ms": step + 9_000})
    assert first.last_seen_ms == step


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
    assert (first.candidate_number, first.name, first.seat, first.state) == (
        hall.seats[0].number,
        hall.seats[0].full_name,
        1,
        "running",
    )
    assert (first.is_connected, first.last_saved_ms) == (True, NOW)
    assert (first.answered, first.total, first.deadline_ms) == (2, 12, NOW + 3_600_000)
    assert [(event.kind, event.times) for event in first.events] == [("focus_lost", 1)]
    assert [flag.kind for flag in first.flags] == ["focus_lost"]
    assert (second.state, second.is_connected, second.deadline_ms) == ("submitted", False, None)
    everyone = await service.board(delivery, hall.sitting.id)
    assert (everyone.counts.seats, everyone.counts.running, everyone.counts.ready) == (4, 1, 2)
    lines = await service.rooms(delivery, hall.sitting.id)
    assert [(line.room, line.counts.seats, line.counts.may_need_help) for line in lines] == [
        ("P01", 2, 1),
        ("P02", 2, 0),
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
    assert shown.seats[0].is_connected
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
