"""A Redis that lost its disk: what is taken back outranks what it gave out, and no promise to people is broken."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import model, service
from exam_engine.delivery.errors import LeaseTaken, ReceiptNotYet
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import LEASES_PER_SECOND, AttemptFacts, AttemptState
from exam_engine.delivery.projection import Entry, write_changes, write_entries
from exam_engine.delivery.register import StoredChange
from exam_engine.delivery.service import Desk, Extension, Scope
from exam_engine.delivery.wire import SaveBody, SavedSlot, SaveResponse, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.cases import MINUTE, READY, RUNNING, STARTS
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall

LEASES_32_BIT = 2**31


@given(
    now_ms=st.integers(STARTS - 3_600_000, STARTS + 8 * 3_600_000),
    later_ms=st.integers(1_000, 3_600_000),
    changes=st.integers(0, 200),
)
def test_each_filling_outranks_everything_that_one_before_it_gave_out(now_ms: int, later_ms: int, changes: int) -> None:
    first = model.taken_back(RUNNING, now_ms)
    lost = msgspec.structs.replace(first, revision=first.revision + changes, lease=first.lease + changes)
    second = model.taken_back(RUNNING, now_ms + later_ms)  # PostgreSQL never heard of what happened in between
    assert second.revision > lost.revision
    assert second.lease > lost.lease
    assert second.lease // LEASES_PER_SECOND > first.lease // LEASES_PER_SECOND > 0
    assert second.lease < LEASES_32_BIT
    assert (second.lease + 1) * 100_000 < model.MAXIMUM_SEQUENCE  # where a seat's sequences begin


def test_who_seems_not_to_have_started_may_come_back_after_the_latest_start() -> None:
    taken = model.taken_back(READY, READY.late_ms + MINUTE)
    change = model.start(taken, "seat-1", READY.late_ms + MINUTE)
    assert (change.facts.state, change.facts.deadline_ms) == (AttemptState.RUNNING, READY.ends_ms)
    assert model.taken_back(RUNNING, STARTS + MINUTE).late_ms == RUNNING.late_ms


def test_a_hand_in_that_came_back_without_its_answers_is_to_be_repeated() -> None:
    submitted = msgspec.structs.replace(RUNNING, state=AttemptState.SUBMITTED, finished_ms=STARTS + MINUTE)
    whole = model.taken_back(submitted, STARTS + 2 * MINUTE)
    assert (whole.state, whole.finished_ms) == (AttemptState.SUBMITTED, STARTS + MINUTE)
    partial = model.taken_back(submitted, STARTS + 2 * MINUTE, is_whole=False)
    assert (partial.state, partial.finished_ms, partial.deadline_ms) == ("running", 0, RUNNING.deadline_ms)


SUBMITTED = msgspec.structs.replace(
    RUNNING, state=AttemptState.SUBMITTED, revision=RUNNING.revision + 1, finished_ms=STARTS + MINUTE
)

EARLIER = msgspec.structs.replace(SUBMITTED, finished_ms=STARTS + MINUTE - 1)


@pytest.mark.parametrize(
    ("facts", "stored", "stored_sequences", "is_stored"),
    [
        pytest.param(SUBMITTED, SUBMITTED, {1: 4, 2: 5}, True, id="everything there"),
        pytest.param(SUBMITTED, SUBMITTED, {1: 4, 2: 9}, True, id="an answer is newer"),
        pytest.param(SUBMITTED, SUBMITTED, {1: 4, 2: 3}, False, id="an answer is older"),
        pytest.param(SUBMITTED, SUBMITTED, {1: 4}, False, id="an answer is missing"),
        pytest.param(SUBMITTED, RUNNING, {1: 4, 2: 5}, False, id="the hand-in is missing"),
        pytest.param(SUBMITTED, EARLIER, {1: 4, 2: 5}, False, id="another hand-in"),
        pytest.param(model.taken_back(SUBMITTED, STARTS + 9), SUBMITTED, {1: 4, 2: 5}, True, id="taken back"),
        pytest.param(RUNNING, RUNNING, {1: 4, 2: 5}, False, id="not ended"),
    ],
)
def test_a_paper_is_stored_when_postgresql_has_the_end_and_every_answer(
    facts: AttemptFacts, stored: AttemptFacts, stored_sequences: dict[int, int], is_stored: bool
) -> None:
    assert model.is_stored(facts, {1: 4, 2: 5}, stored, stored_sequences) is is_stored


async def test_the_receipt_says_when_the_paper_has_reached_postgresql(
    opened: HallMaker, delivery: Delivery, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await _hand_in(delivery, hall)
    early = await delivery.receipt(hall.candidate(), hall.attempt())
    assert (early.state, early.is_stored, early.saved) == ("submitted", False, [SavedSlot(1, 1)])
    while await writer.turn(block_ms=1):
        pass
    assert (await delivery.receipt(hall.candidate(), hall.attempt())).is_stored


async def test_a_paper_handed_in_and_lost_before_postgresql_heard_of_it_is_handed_in_again(
    opened: HallMaker, delivery: Delivery, writer: Writer, redis: Any
) -> None:
    hall = await opened(candidates=1)
    await _hand_in(delivery, hall)
    await redis.flushdb()
    with pytest.raises(ReceiptNotYet):
        await delivery.receipt(hall.candidate(), hall.attempt())
    await _hand_in(delivery, hall)
    while await writer.turn(block_ms=1):
        pass
    again = await delivery.receipt(hall.candidate(), hall.attempt())
    assert (again.is_stored, again.answered, again.saved) == (True, 1, [SavedSlot(1, 1)])


async def test_a_hand_in_that_overtook_its_answers_is_taken_back_as_running(
    opened: HallMaker, delivery: Delivery, pool: Any, redis: Any
) -> None:
    hall = await opened(candidates=1)
    await _hand_in(delivery, hall)
    entries = await _entries(redis, hall)
    async with pool.acquire() as connection:  # another writer has read the answers, and dies with them
        await write_entries(connection, [entry for entry in entries if b"s" not in entry.fields], START)
    early = await delivery.receipt(hall.candidate(), hall.attempt())
    assert (early.state, early.is_stored) == ("submitted", False)
    await redis.flushdb()
    with pytest.raises(ReceiptNotYet):
        await delivery.receipt(hall.candidate(), hall.attempt())
    async with pool.acquire() as connection:  # and after all it does not
        await write_entries(connection, [entry for entry in entries if b"s" in entry.fields], START)
    await redis.flushdb()
    assert (await delivery.receipt(hall.candidate(), hall.attempt())).is_stored


async def test_a_hand_in_known_only_from_an_act_is_not_stored_yet(
    opened: HallMaker, delivery: Delivery, pool: Any, redis: Any
) -> None:
    hall = await opened(candidates=1)
    await _hand_in(delivery, hall)
    entries = await _entries(redis, hall)
    hand_in = entries[-1]
    change = msgspec.json.decode(hand_in.fields[b"f"], type=StoredChange)
    async with pool.acquire() as connection:
        await write_entries(connection, entries[:-1], START)
        await write_changes(connection, {hall.attempt(): change})  # as an act on the room does
    assert not (await delivery.receipt(hall.candidate(), hall.attempt())).is_stored
    async with pool.acquire() as connection:
        await write_entries(connection, [hand_in], START)
    assert (await delivery.receipt(hall.candidate(), hall.attempt())).is_stored


async def test_a_redis_that_begins_empty_between_a_refusal_and_its_evidence_keeps_both(
    opened: HallMaker, delivery: Delivery, writer: Writer, redis: Any, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    while await writer.turn(block_ms=1):
        pass
    lates = delivery.register._saving._lates
    put, calls = lates.put, iter([True])

    def empty_first(*arguments: Any, **options: Any) -> Any:
        async def work() -> Any:
            if next(calls, False):
                await redis.flushdb()
            return await put(*arguments, **options)

        return work()

    monkeypatch.setattr(lates, "put", empty_first)
    body = SaveBody(7, [SaveResponse(1, 1, "A", to_milliseconds(START))])
    with pytest.raises(LeaseTaken):
        await delivery.save(hall.candidate(), hall.attempt(), body)
    assert (await delivery.start(hall.candidate(), hall.attempt(), "a.1")).state == "running"
    writer._unread.add(hall.place().stream)
    writer._discover_at = 0.0
    while await writer.turn(block_ms=1):
        pass
    assert await pool.fetchval("select count(*) from late_response where attempt_id = $1", hall.attempt()) == 1


@pytest.mark.parametrize("lost", ["answers", "facts"])
async def test_half_an_attempt_is_taken_back_whole(
    opened: HallMaker, delivery: Delivery, writer: Writer, redis: Any, lost: str
) -> None:
    hall = await opened(candidates=2)
    await _hand_in(delivery, hall)
    await delivery.start(hall.candidate(1), hall.attempt(1), "b.1")
    while await writer.turn(block_ms=1):
        pass
    receipt = (await delivery.receipt(hall.candidate(), hall.attempt())).receipt
    place = hall.place()
    await redis.delete(place.prefix + ("answers" if lost == "answers" else f"a:{place.attempt}"))
    again = await delivery.receipt(hall.candidate(), hall.attempt())
    assert (again.is_stored, again.answered, again.receipt) == (True, 1, receipt)
    opened_again = await delivery.start(hall.candidate(1), hall.attempt(1), "b.1")
    body = SaveBody(opened_again.lease, [SaveResponse(1, 1, "A", to_milliseconds(START))])
    assert (await delivery.save(hall.candidate(1), hall.attempt(1), body)).saved == [SavedSlot(1, 1)]


async def _entries(redis: Any, hall: Hall) -> list[Entry]:
    stream = hall.place().stream
    return [Entry(stream, entry_id.decode(), fields) for entry_id, fields in await redis.xrange(stream)]


async def _hand_in(delivery: Delivery, hall: Hall) -> None:
    """Start, answer the first item, hand in."""
    envelope = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    answer = SaveResponse(1, 1, "B", to_milliseconds(START))
    await delivery.save(hall.candidate(), hall.attempt(), SaveBody(envelope.lease, [answer]))
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(envelope.lease, {1: 1}))


async def test_an_extension_somebody_was_told_of_outlives_a_redis_whose_writer_had_not_read_it(
    opened: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], redis: Any
) -> None:
    hall = await opened(candidates=1)
    started = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    extension = Extension(seconds=300, reason="mất điện", request="x", scope=Scope(attempt_id=hall.attempt()))
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=delivery.register, actor=ACTOR, now=START + timedelta(minutes=1))
        await service.extend(desk, hall.sitting.id, extension)
    await redis.flushdb()
    resumed = await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    assert resumed.deadline_ms == started.deadline_ms + 300_000
    assert resumed.lease // LEASES_PER_SECOND > started.lease // LEASES_PER_SECOND
