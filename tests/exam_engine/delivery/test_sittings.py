"""Sittings as a whole: planning, opening, closing, extra time and messages, reconciliation."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.assembly.errors import FormNotSealed, FormUnknown
from exam_engine.delivery import service
from exam_engine.delivery.errors import (
    AttemptClosed,
    AttemptUnknown,
    SittingPlanInvalid,
    SittingStateWrong,
    SittingUnknown,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptId, AttemptState, SittingId
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk, Extension, Message, Scope, SittingPlan
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.timers import Timers
from exam_engine.delivery.wire import SaveBody, SaveResponse, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.enrolment.errors import SubjectUnknown
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from tests.exam_engine.delivery.conftest import SECRET, HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock, open_hall

NOW = to_milliseconds(START)
At = Callable[..., Awaitable[Any]]


@pytest.fixture
def at_desk(sessions: async_sessionmaker[AsyncSession], register: Register, clock: SetClock) -> At:
    async def act(use_case: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async with transaction(sessions) as session:
            desk = Desk(session=session, register=register, actor=ACTOR, now=clock())
            return await use_case(desk, *arguments)

    return act


def _plan(hall: Hall, **changes: Any) -> SittingPlan:
    plan = SittingPlan(
        exam_subject_id=hall.exam_subject_id,
        form_id=hall.form_id,
        code=f"s-{uuid4().hex[:8]}",
        name="Ca hai",
        starts_at=START,
        ends_at=START + timedelta(hours=1),
        duration_seconds=3600,
    )
    return msgspec.structs.replace(plan, **changes)


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"ends_at": START}, SittingPlanInvalid, "after the start"),
        ({"duration_seconds": 3601}, SittingPlanInvalid, "all the time"),
        ({"opens_at": START + timedelta(seconds=1)}, SittingPlanInvalid, "opens_at"),
        ({"starts_at": START.replace(tzinfo=None)}, SittingPlanInvalid, "time zone"),
        ({"exam_subject_id": uuid4()}, SubjectUnknown, "no subject"),
        ({"form_id": uuid4()}, FormUnknown, "no form"),
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(
    plan: HallMaker, session: AsyncSession, changes: dict[str, Any], refusal: type[Exception], words: str
) -> None:
    hall = await plan(candidates=1)
    with pytest.raises(refusal, match=words):
        await service.plan_sitting(session, _plan(hall, **changes), actor=ACTOR, now=START)


async def test_a_code_is_given_once_and_a_draft_cannot_be_sat(
    plan: HallMaker, session: AsyncSession, pool: Any
) -> None:
    hall = await plan(candidates=1)
    with pytest.raises(SittingPlanInvalid, match="already"):
        await service.plan_sitting(session, _plan(hall, code=hall.sitting.code), actor=ACTOR, now=START)
    await pool.execute(
        "update form set state = 'draft', sealed_by = null, sealed_at = null where id = $1", hall.form_id
    )
    with pytest.raises(FormNotSealed):
        await service.plan_sitting(session, _plan(hall), actor=ACTOR, now=START)


async def test_opening_gives_every_seat_a_paper_and_neighbours_different_ones(opened: HallMaker, pool: Any) -> None:
    hall = await opened(candidates=10, rooms=2)
    assert hall.sitting.state == "open"
    assert hall.sitting.form_hash == hall.form_hash
    assert len(hall.seats) == 10
    for one, next_one in zip(hall.seats, hall.seats[1:], strict=False):
        if one.room_id == next_one.room_id:
            assert one.paper_code_id != next_one.paper_code_id
    audit = await pool.fetch("select action from audit_entry where subject = $1", f"sitting:{hall.sitting.id}")
    assert {row["action"] for row in audit} == {"sitting.plan", "sitting.open"}


async def test_the_exam_is_open_from_its_first_sitting_on(opened: HallMaker, pool: Any) -> None:
    hall = await opened(candidates=1)
    found = await pool.fetchval(
        "select exam.state from exam join exam_subject s on s.exam_id = exam.id where s.id = $1", hall.exam_subject_id
    )
    assert found == "open"


async def test_opening_again_changes_no_paper(
    opened: HallMaker, sessions: async_sessionmaker[AsyncSession], register: Register
) -> None:
    hall = await opened(candidates=4)
    before = hall.seats
    again = await open_hall(sessions, register, hall)
    assert again.seats == before


async def test_a_sitting_without_candidates_or_unknown_or_closed_does_not_open(
    plan: HallMaker, at_desk: At, pool: Any
) -> None:
    empty = await plan(candidates=0)
    with pytest.raises(SittingPlanInvalid, match="nobody"):
        await at_desk(service.open_sitting, empty.sitting.id)
    with pytest.raises(SittingUnknown):
        await at_desk(service.open_sitting, SittingId(uuid4()))
    hall = await plan(candidates=1)
    with pytest.raises(SittingStateWrong, match="planned"):
        await at_desk(service.close_sitting, hall.sitting.id)
    await at_desk(service.open_sitting, hall.sitting.id)
    await at_desk(service.close_sitting, hall.sitting.id)
    with pytest.raises(SittingStateWrong, match="closed"):
        await at_desk(service.open_sitting, hall.sitting.id)


async def test_extra_time_reaches_one_a_room_or_all_with_the_next_reply(
    opened: HallMaker, delivery: Delivery, at_desk: At, clock: SetClock
) -> None:
    hall = await opened(candidates=4, rooms=2, shards=2)
    await delivery.rolls.refresh(START)
    deadline = NOW + 3_600_000
    for position in range(4):
        await delivery.start(hall.candidate(position), hall.attempt(position), "seat")
    clock.forward(minutes=10)
    one = Scope(attempt_id=hall.attempt(0))
    room = Scope(room_id=hall.seats[0].room_id)
    given = await at_desk(
        service.extend, hall.sitting.id, Extension(seconds=60, reason="hỏng máy", request="r1", scope=one)
    )
    assert (given.extended, given.reopened, given.unchanged) == (1, 0, 0)
    await at_desk(service.extend, hall.sitting.id, Extension(seconds=120, reason="mất điện", request="r2", scope=room))
    everyone = Extension(seconds=300, reason="báo cháy", request="r3")
    assert (await at_desk(service.extend, hall.sitting.id, everyone)).extended == 4
    assert (await at_desk(service.extend, hall.sitting.id, everyone)).is_repeated  # pressed twice
    clock.forward(seconds=1)
    await delivery.exchange()
    in_room = [seat.room_id == hall.seats[0].room_id for seat in hall.seats]
    for position in range(4):
        expected = 300 + 120 * in_room[position] + 60 * (position == 0)
        reply = await delivery.time(hall.candidate(position), hall.attempt(position))
        assert reply.deadline_ms == deadline + 1000 * expected
        assert sum(notice.extra_seconds for notice in reply.notices) == expected
        assert [n.id for n in reply.notices] == sorted({n.id for n in reply.notices})
        newest = reply.notices[-1].id
        assert (await delivery.time(hall.candidate(position), hall.attempt(position), newest)).notices == []
    saved = await delivery.save(
        hall.candidate(0), hall.attempt(0), SaveBody(1, [SaveResponse(1, 1, "A", NOW)], after=newest)
    )
    assert saved.deadline_ms == deadline + 480_000


async def test_time_that_is_over_reopens_for_who_has_not_handed_in(
    opened: HallMaker, delivery: Delivery, at_desk: At, clock: SetClock, sessions: Any, register: Register
) -> None:
    hall = await opened(candidates=3)
    await delivery.rolls.refresh(START)
    for position in (0, 1):
        await delivery.start(hall.candidate(position), hall.attempt(position), "seat")
    await delivery.submit(hall.candidate(1), hall.attempt(1), SubmitBody(1, {}))
    clock.forward(minutes=60, seconds=11)
    timers = Timers(sessions, register, clock)
    assert await timers.close_due(hall.sitting) == 1
    clock.forward(seconds=1)
    assert (await delivery.time(hall.candidate(0), hall.attempt(0))).state == "closed"
    given = await at_desk(service.extend, hall.sitting.id, Extension(seconds=600, reason="mất mạng", request="r1"))
    assert (given.extended, given.reopened, given.unchanged) == (1, 1, 1)
    clock.forward(seconds=1)
    await delivery.exchange()
    reply = await delivery.time(hall.candidate(0), hall.attempt(0))
    assert (reply.state, reply.deadline_ms) == ("running", NOW + 4_200_000)
    await delivery.save(hall.candidate(0), hall.attempt(0), SaveBody(1, [SaveResponse(1, 1, "A", NOW)]))
    for_who_handed_in = Extension(seconds=60, reason="?", request="r2", scope=Scope(attempt_id=hall.attempt(1)))
    with pytest.raises(AttemptClosed):
        await at_desk(service.extend, hall.sitting.id, for_who_handed_in)


@pytest.mark.parametrize(
    ("seconds", "scope", "refusal"),
    [
        (0, Scope(), SittingPlanInvalid),
        (-60, Scope(), SittingPlanInvalid),
        (999_999, Scope(), SittingPlanInvalid),
        (60, Scope(attempt_id=AttemptId(uuid4())), AttemptUnknown),
        (60, Scope(room_id=uuid4()), AttemptUnknown),
    ],
)
async def test_extra_time_that_cannot_be_is_refused(
    opened: HallMaker, at_desk: At, seconds: int, scope: Scope, refusal: type[Exception]
) -> None:
    hall = await opened(candidates=1)
    with pytest.raises(refusal):
        await at_desk(service.extend, hall.sitting.id, Extension(seconds=seconds, reason="", request="r", scope=scope))


async def test_messages_reach_whom_they_are_for_and_survive_an_empty_redis(
    opened: HallMaker, delivery: Delivery, at_desk: At, writer: Writer, redis: Any, sessions: Any, register: Register
) -> None:
    hall = await opened(candidates=2, rooms=2)
    await delivery.rolls.refresh(START)
    for text, scope in [
        ("Cho tất cả", Scope()),
        ("Cho phòng 1", Scope(room_id=hall.seats[0].room_id)),
        ("Cho một em", Scope(attempt_id=hall.attempt(1))),
    ]:
        await at_desk(service.send_message, hall.sitting.id, Message(text=text, request=text[4:7].strip(), scope=scope))
    await delivery.exchange()
    for worker in (0, 1):
        texts = [
            [notice.text for notice in (await delivery.time(hall.candidate(p), hall.attempt(p))).notices]
            for p in (0, 1)
        ]
        assert texts == [["Cho tất cả", "Cho phòng 1"], ["Cho tất cả", "Cho một em"]]
        if worker == 0:
            while await writer.turn(block_ms=1):
                pass
            await redis.flushdb()
            await Timers(sessions, register, delivery.clock).tick()
            delivery.bulletins.forget(delivery.rolls.all_open()[0].streams)
            await delivery.exchange()


async def test_a_message_has_words(opened: HallMaker, at_desk: At) -> None:
    hall = await opened(candidates=1)
    for text in ("", "  \x00 ", "x" * 1001):
        with pytest.raises(SittingPlanInvalid):
            await at_desk(service.send_message, hall.sitting.id, Message(text=text, request="r"))


async def test_a_planned_sitting_takes_neither_time_nor_messages(plan: HallMaker, at_desk: At) -> None:
    hall = await plan(candidates=1)
    with pytest.raises(SittingStateWrong):
        await at_desk(service.extend, hall.sitting.id, Extension(seconds=60, reason="", request="r"))
    with pytest.raises(SittingStateWrong):
        await at_desk(service.send_message, hall.sitting.id, Message(text="a", request="r"))


async def test_closing_keeps_every_answer_and_names_who_never_came(
    opened: HallMaker, delivery: Delivery, at_desk: At, writer: Writer, session: AsyncSession, register: Register
) -> None:
    hall = await opened(candidates=3, shards=2)
    for position in (0, 1):
        await delivery.start(hall.candidate(position), hall.attempt(position), "seat")
        body = SaveBody(1, [SaveResponse(slot, slot, "A", NOW) for slot in range(1, 5)])
        await delivery.save(hall.candidate(position), hall.attempt(position), body)
    await delivery.submit(hall.candidate(0), hall.attempt(0), SubmitBody(1, {1: 1}))
    await at_desk(service.close_sitting, hall.sitting.id)
    while await writer.turn(block_ms=1):
        pass
    result = await service.reconcile(session, register, hall.sitting.id, SigningKey(SECRET))
    assert result.is_equal
    assert (result.responses_in_redis, result.responses_stored) == (8, 8)
    assert result.states == {"submitted": 1, "closed": 2}


async def test_a_difference_between_redis_and_postgresql_is_named_with_its_place(
    opened: HallMaker, delivery: Delivery, writer: Writer, session: AsyncSession, register: Register, pool: Any
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat")
    body = SaveBody(1, [SaveResponse(slot, slot, "A", NOW) for slot in (1, 2, 3)])
    await delivery.save(hall.candidate(), hall.attempt(), body)
    while await writer.turn(block_ms=1):
        pass
    await pool.execute("delete from response where attempt_id = $1 and slot = 2", hall.attempt())
    await pool.execute("update attempt set state = 'closed' where id = $1", hall.attempt(1))
    result = await service.reconcile(session, register, hall.sitting.id, SigningKey(SECRET))
    assert not result.is_equal
    assert [(gap.candidate_number, gap.slot, gap.in_redis, gap.stored) for gap in result.gaps] == [
        (hall.numbers[0], 2, "2", "nothing"),
        (hall.numbers[1], None, "ready", "closed"),
    ]


async def test_an_extension_finds_attempts_that_an_empty_redis_forgot(
    opened: HallMaker, register: Register, at_desk: At, redis: Any
) -> None:
    hall = await opened(candidates=2)
    await redis.flushdb()
    given = await at_desk(service.extend, hall.sitting.id, Extension(seconds=60, reason="", request="r"))
    assert given.extended == 2
    facts = (await register.look(hall.place())).facts
    assert (facts.state, facts.extra_ms) == (AttemptState.READY, 60_000)
