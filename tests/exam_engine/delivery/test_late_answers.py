"""Refused answers: evidence, bounded, that counts when time covers it and two people agree."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.errors import LateAnswersUnknown, SamePersonTwice, TimeOver
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import ActKind, Scope, SeatAct
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import SetClock
from tests.exam_engine.delivery.test_acts import Staff, _save, _stored, staff

__all__ = ["staff"]


async def test_late_answers_count_only_when_extra_time_covers_them_and_two_people_agree(
    opened: HallMaker, delivery: Delivery, staff: Staff, clock: SetClock, writer: Writer, pool: Any, register: Register
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, 1, "A"))
    clock.forward(minutes=61)
    for sequence, value in ((2, "B"), (3, "C"), (3, "C")):
        with pytest.raises(TimeOver):
            await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, sequence, value))
    await _stored(writer)
    with pytest.raises(LateAnswersUnknown):
        await staff.accept_late(hall, 0, "person:an")
    await staff.extend(hall, "x", 300, 0)
    proposed = await staff.accept_late(hall, 0, "person:an")
    assert (proposed.is_accepted, proposed.answers) == (False, 2)  # what came twice is one piece of evidence
    assert (await register.look(hall.place(), "s")).sequences() == {1: 1}
    with pytest.raises(SamePersonTwice):
        await staff.accept_late(hall, 0, "person:an")
    accepted = await staff.accept_late(hall, 0, "person:binh")
    assert (accepted.is_accepted, accepted.counted, accepted.proposed_by) == (True, 2, "person:an")
    await _stored(writer)
    stored = await pool.fetchrow("select sequence, value from response where attempt_id = $1", hall.attempt())
    assert tuple(stored) == (3, '"C"')
    with pytest.raises(LateAnswersUnknown):
        await staff.accept_late(hall, 0, "person:an")


async def test_a_redis_that_began_empty_hinders_neither_a_dry_run_nor_late_answers(
    opened: HallMaker,
    delivery: Delivery,
    staff: Staff,
    clock: SetClock,
    writer: Writer,
    redis: Any,
    register: Register,
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    await redis.flushdb()
    pause = SeatAct(kind=ActKind.PAUSE, request="p", reason="mất điện", scope=Scope())
    async with transaction(sessions) as session:
        seen = await service.preview(staff._desk(session), hall.sitting.id, pause)
    assert (seen.changed, seen.unchanged) == (2, 0)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    clock.forward(minutes=61)
    lease = (await register.look(hall.place())).facts.lease
    with pytest.raises(TimeOver):
        await delivery.save(hall.candidate(), hall.attempt(), _save(lease, 1, 2, "B"))
    await _stored(writer)
    await staff.extend(hall, "x", 300, 0)
    for actor, is_accepted in (("person:an", False), ("person:binh", True)):
        await redis.flushdb()
        accepted = await staff.accept_late(hall, 0, actor)
        assert (accepted.is_accepted, accepted.counted) == (is_accepted, int(is_accepted))
    assert (await register.look(hall.place(), "s")).sequences() == {1: 2}


async def test_the_evidence_of_one_attempt_is_bounded(
    opened: HallMaker, delivery: Delivery, clock: SetClock, writer: Writer, pool: Any
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    clock.forward(minutes=61)
    for sequence in range(1, 251):
        with pytest.raises(TimeOver):
            await delivery.save(hall.candidate(), hall.attempt(), _save(1, 1, sequence))
    await _stored(writer)
    assert await pool.fetchval("select count(*) from late_response where attempt_id = $1", hall.attempt()) == 200


async def test_the_evidence_of_one_attempt_is_bounded_in_length_too(
    opened: HallMaker, delivery: Delivery, clock: SetClock, writer: Writer, pool: Any
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "a.1")
    clock.forward(minutes=61)
    essay = "x" * 39_000
    for sequence in range(1, 121):
        with pytest.raises(TimeOver):
            await delivery.save(hall.candidate(), hall.attempt(), _save(1, 11, sequence, essay))
    await _stored(writer)
    kept = await pool.fetchval(
        "select sum(length(value::text)) from late_response where attempt_id = $1", hall.attempt()
    )
    assert 3_900_000 < kept < 4 * 1024 * 1024
