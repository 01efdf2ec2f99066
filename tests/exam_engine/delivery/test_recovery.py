"""A Redis that lost its disk: what is taken back outranks what it gave out, and no promise to people is broken."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import model, service
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import LEASES_PER_SECOND, AttemptState
from exam_engine.delivery.service import Desk, Extension, Scope
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.cases import MINUTE, READY, RUNNING, STARTS
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START

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
