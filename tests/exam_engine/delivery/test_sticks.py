"""What a stick brings to a paper that another seat writes: never more than was blank or older, and soon seen there."""

import random
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery.errors import (
    LeaseTaken,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.wire import SaveBody, SaveResponse, StartBody
from exam_engine.infra.clock import to_milliseconds
from loadtests.candidate_bot.protocol import Ask, Phase, Refusal, SeatProtocol
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, Hall, SetClock
from tests.exam_engine.delivery.sticks import held_values, stick_file, take_in

MINUTE = 60_000
NOW = to_milliseconds(START)


async def test_the_stick_of_a_seat_left_behind_replaces_nothing_answered_later(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    """The first seat began by its release code and never came on line; the second got the same, first lease."""
    hall = await opened()
    clock.now = START + timedelta(minutes=5)
    left = [SaveResponse(1, 15, "A", NOW), SaveResponse(2, 14, "B", NOW)]
    content = await stick_file(delivery, hall, started_ms=NOW + MINUTE, responses=left)
    seat = SeatProtocol("d2.t", random.Random(1))
    await _ask(delivery, hall, seat)
    assert seat.lease == 1
    seat.answer(1, "C", 0)
    await _ask(delivery, hall, seat)
    restored = await take_in(delivery, sessions, hall, clock, content)
    assert (restored.taken, restored.known) == (1, 1)
    assert await held_values(delivery, hall) == {1: "C", 2: "B"}
    seat.answer(2, "D", 0)
    while seat.pending():
        await _ask(delivery, hall, seat)
    assert await held_values(delivery, hall) == {1: "C", 2: "D"}


async def test_a_seat_that_writes_soon_shows_what_a_stick_brought(
    opened: HallMaker, delivery: Delivery, clock: SetClock, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall = await opened()
    clock.now = START + timedelta(minutes=5)
    seat = SeatProtocol("d2.t", random.Random(1))
    await _ask(delivery, hall, seat)
    left = [SaveResponse(2, 14, "B", NOW)]
    await take_in(delivery, sessions, hall, clock, await stick_file(delivery, hall, responses=left))
    await _ask(delivery, hall, seat)  # what time is it?
    await _ask(delivery, hall, seat)  # what have I missed?
    assert seat.phase is Phase.PAPER
    assert {slot: held.value for slot, held in seat.held.items()} == {2: "B"}
    lease = seat.lease
    await take_in(delivery, sessions, hall, clock, await stick_file(delivery, hall, responses=left))
    await _ask(delivery, hall, seat)
    assert seat.lease == lease
    assert not seat.must_compare


async def _ask(delivery: Delivery, hall: Hall, seat: SeatProtocol) -> None:
    """Let a seat ask what it wants to ask, and hear the answer."""
    seat.wake_ms = 0
    request = seat.next_request(0)
    assert request is not None
    candidate, attempt, body = hall.candidate(), hall.attempt(), request.body
    if isinstance(body, StartBody):
        seat.replied(request, await delivery.start(candidate, attempt, body.client_id), 0)
    elif isinstance(body, SaveBody):
        try:
            seat.replied(request, await delivery.save(candidate, attempt, body), 0)
        except LeaseTaken as refusal:
            seat.refused(request, Refusal("lease-taken", {"lease": refusal.lease}), 0)
    else:
        assert request.ask is Ask.TIME
        seat.replied(request, await delivery.time(candidate, attempt, request.after, request.lease), 0)
