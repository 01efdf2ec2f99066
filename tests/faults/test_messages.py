"""Messages that come twice, in any order, or twenty minutes late: the newest sequence stands, not the last to come."""

import random
from typing import Any

import pytest

from exam_engine.delivery.errors import AttemptClosed, LeaseTaken, TimeOver
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.delivery.write_behind import Writer
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import Hall, SetClock

SLOTS = range(1, 5)


def _sends(seed: int, lease: int) -> list[SaveBody]:
    """What a seat sent over a while: growing sequences, some sent together, each as the network may deliver it."""
    chance = random.Random(seed)
    sent: list[SaveBody] = []
    sequence = 0
    for _ in range(20):
        responses = []
        for slot in chance.sample(SLOTS, chance.choice((1, 1, 2))):
            sequence += 1
            responses.append(SaveResponse(slot, sequence, chance.choice("ABCD"), 0))
        sent.append(SaveBody(lease, responses))
    return sent


def _newest(sent: list[SaveBody]) -> dict[int, tuple[int, Any]]:
    newest: dict[int, tuple[int, Any]] = {}
    for body in sent:
        for response in body.responses:
            newest[response.slot] = max((response.sequence, response.value), newest.get(response.slot, (0, None)))
    return newest


async def _stored(pool: Any, writer: Writer, hall: Hall) -> dict[int, tuple[int, Any]]:
    while await writer.turn(block_ms=1):
        pass
    rows = await pool.fetch("select slot, sequence, value from response where attempt_id = $1", hall.attempt())
    return {row["slot"]: (row["sequence"], row["value"].strip('"')) for row in rows}


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_and_any_number_of_times_come_to_the_same(
    seed: int, opened: HallMaker, delivery: Delivery, writer: Writer, pool: Any
) -> None:
    hall = await opened(candidates=1)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.1")
    sent = _sends(seed, envelope.lease)
    chance = random.Random(seed)
    delivered = [body for body in sent for _ in range(chance.choice((1, 1, 2, 3)))]
    chance.shuffle(delivered)
    for body in delivered:
        await delivery.save(hall.candidate(), hall.attempt(), body)
    assert await _stored(pool, writer, hall) == _newest(sent)
    events = await pool.fetchrow(
        "select count(*) as all, count(distinct (slot, sequence)) as different"
        " from response_event where attempt_id = $1",
        hall.attempt(),
    )
    assert events["all"] == events["different"]


async def test_a_message_twenty_minutes_late_undoes_nothing_while_the_paper_is_open(
    opened: HallMaker, delivery: Delivery, writer: Writer, pool: Any, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.1")
    late, *rest = _sends(5, envelope.lease)
    for body in rest:
        await delivery.save(hall.candidate(), hall.attempt(), body)
    clock.forward(minutes=20)
    reply = await delivery.save(hall.candidate(), hall.attempt(), late)
    assert all(saved.sequence >= response.sequence for saved, response in zip(reply.saved, late.responses, strict=True))
    assert await _stored(pool, writer, hall) == _newest([late, *rest])


async def test_a_message_twenty_minutes_late_counts_neither_after_time_nor_after_a_move_and_is_kept(
    opened: HallMaker, delivery: Delivery, writer: Writer, pool: Any, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.1")
    first, late, *_ = _sends(6, envelope.lease)
    await delivery.save(hall.candidate(), hall.attempt(), first)
    clock.forward(minutes=61, seconds=20 * 60)
    with pytest.raises(TimeOver):
        await delivery.save(hall.candidate(), hall.attempt(), late)
    assert await _stored(pool, writer, hall) == _newest([first])
    kept = await pool.fetch("select slot, sequence, refusal from late_response where attempt_id = $1", hall.attempt())
    assert {(row["slot"], row["sequence"]) for row in kept} == {(r.slot, r.sequence) for r in late.responses}
    assert {row["refusal"] for row in kept} == {"time-over"}


async def test_a_message_twenty_minutes_late_cannot_change_a_paper_that_was_handed_in_or_moved(
    opened: HallMaker, delivery: Delivery, writer: Writer, pool: Any, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "d.1")
    first, late, *_ = _sends(7, envelope.lease)
    await delivery.save(hall.candidate(), hall.attempt(), first)
    clock.forward(minutes=1)  # the browser crashed; the same machine comes back and gets the lease
    moved = await delivery.start(hall.candidate(), hall.attempt(), "d.2")
    assert moved.lease > envelope.lease
    clock.forward(minutes=20)
    with pytest.raises(LeaseTaken):
        await delivery.save(hall.candidate(), hall.attempt(), late)
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(moved.lease, {}))
    with pytest.raises(AttemptClosed):
        await delivery.save(hall.candidate(), hall.attempt(), late)
    assert await _stored(pool, writer, hall) == _newest([first])
