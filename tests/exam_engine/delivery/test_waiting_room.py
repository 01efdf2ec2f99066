"""What a candidate is told who has not started: the attempt's own times, and what was said meanwhile."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import ActKind, Desk, Message, Scope, SeatAct
from exam_engine.delivery.wire import AttemptSummary
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

NOW = to_milliseconds(START)
MINUTE = 60_000


Sessions = async_sessionmaker[AsyncSession]


async def _act(sessions: Sessions, register: Register, clock: SetClock, hall: Hall, kind: ActKind) -> None:
    act = SeatAct(kind=kind, request=kind.value, reason="mất điện", scope=Scope())
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=clock.now)
        await service.act_on_seats(desk, hall.sitting.id, act)


async def _say(sessions: Sessions, register: Register, clock: SetClock, hall: Hall, text: str, **scope: Any) -> None:
    message = Message(text=text, request=f"say-{len(text)}", scope=Scope(**scope))
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=clock.now)
        await service.send_message(desk, hall.sitting.id, message)


async def _listed(delivery: Delivery, hall: Hall, position: int = 0) -> AttemptSummary:
    (listed,) = (await delivery.attempts_of(hall.candidate(position))).attempts
    return listed


async def test_a_pause_that_outlasts_the_planned_end_leaves_the_door_open_as_long(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: Sessions, register: Register
) -> None:
    hall = await opened(candidates=1)
    planned = await _listed(delivery, hall)
    assert planned.latest_start_ms == NOW + 1000 * hall.sitting.late_limit_seconds
    clock.forward(minutes=2)
    await _act(sessions, register, clock, hall, ActKind.PAUSE)
    clock.forward(minutes=118)
    assert planned.ends_at_ms < NOW + 120 * MINUTE
    await delivery.exchange()
    assert (await _listed(delivery, hall)).ends_at_ms == planned.ends_at_ms + 118 * MINUTE
    await _act(sessions, register, clock, hall, ActKind.RESUME)
    await delivery.exchange()
    clock.forward(seconds=1)
    listed = await _listed(delivery, hall)
    assert listed.ends_at_ms == planned.ends_at_ms + 118 * MINUTE
    assert listed.latest_start_ms == planned.latest_start_ms + 118 * MINUTE
    started = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    assert started.deadline_ms == NOW + 120 * MINUTE + 1000 + 1000 * hall.sitting.duration_seconds


async def test_who_waits_reads_what_is_said_to_all_and_to_the_room(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: Sessions, register: Register
) -> None:
    hall = await opened(candidates=4, rooms=2)
    await delivery.rolls.refresh(clock.now)
    clock.forward(minutes=-5)
    await _say(sessions, register, clock, hall, "Mở đề muộn 5 phút.")
    await _say(sessions, register, clock, hall, "Phòng hai: đổi máy 7.", room_id=hall.seats[2].room_id)
    await delivery.exchange()
    assert [notice.text for notice in (await _listed(delivery, hall)).notices] == ["Mở đề muộn 5 phút."]
    assert len((await _listed(delivery, hall, 2)).notices) == 2
    clock.forward(minutes=5)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    assert (await _listed(delivery, hall)).notices == []
