"""A worker in trouble and at its edges: sign-in, an empty or absent Redis, clients that leave, closed sittings."""

import asyncio
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.draining import drain
from exam_engine.delivery.errors import (
    AttemptClosed,
    LeaseTaken,
    ResponsesMissing,
    TokenExpired,
    TokenInvalid,
)
from exam_engine.delivery.hot_path import Delivery, open_delivery
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.delivery.wire import (
    SaveBody,
    SavedSlot,
    SaveResponse,
    SignInBody,
    SubmitBody,
)
from exam_engine.delivery.write_behind import Writer
from exam_engine.enrolment.codes import look_up_code, sit_code
from exam_engine.enrolment.errors import CodeRefused
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.redis_client import Durability, ScriptRunner, create_redis
from exam_engine.infra.settings import Secret, Settings
from scoring.values import ResponseValue
from tests.exam_engine.delivery.conftest import SECRET, HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

NOW = to_milliseconds(START)


def _save(lease: int, *answers: tuple[int, int, ResponseValue]) -> SaveBody:
    return SaveBody(lease, [SaveResponse(slot, sequence, value, NOW - 100) for slot, sequence, value in answers])


async def test_a_card_opens_the_door_and_lists_what_the_candidate_sits(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=2)
    await delivery.rolls.refresh(START)
    code = sit_code(SECRET, hall.exam_code, hall.numbers[1], 1)
    reply = await delivery.sign_in(SignInBody(hall.exam_code, f" {hall.numbers[1]} ", code.lower().replace("-", " ")))
    assert (reply.candidate.number, reply.candidate.school) == (hall.numbers[1], "Trường Thử")
    (attempt,) = reply.attempts
    assert (attempt.subject, attempt.state, attempt.minutes, attempt.seat) == ("Toán", "ready", 60, 2)
    assert attempt.starts_at_ms == NOW
    candidate = delivery.authenticate(reply.token)
    assert candidate.candidate_id == hall.candidates[1]
    assert (await delivery.attempts_of(candidate)).attempts == reply.attempts


async def test_a_candidate_whose_sitting_is_not_open_signs_in_and_waits(
    plan: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], register: Register
) -> None:
    hall = await plan(candidates=1)
    code = sit_code(SECRET, hall.exam_code, hall.numbers[0], 1)
    reply = await delivery.sign_in(SignInBody(hall.exam_code, hall.numbers[0], code))
    assert reply.attempts == []
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START)
        await service.open_sitting(desk, hall.sitting.id)
    await delivery.rolls.refresh(START)
    listed = await delivery.attempts_of(delivery.authenticate(reply.token))
    assert [attempt.state for attempt in listed.attempts] == ["ready"]


async def test_wrong_exam_number_or_code_are_refused_alike(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=1)
    code = sit_code(SECRET, hall.exam_code, hall.numbers[0], 1)
    look_up = look_up_code(SECRET, hall.exam_code, hall.numbers[0], 1)
    messages = set()
    for exam, number, typed in [
        ("no-such-exam", hall.numbers[0], code),
        (hall.exam_code, "99999999", code),
        (hall.exam_code, hall.numbers[0], "AAAA-BBBB-CCCC"),
        (hall.exam_code, hall.numbers[0], look_up),
        (hall.exam_code, hall.numbers[0], "\x00"),
    ]:
        with pytest.raises(CodeRefused) as caught:
            await delivery.sign_in(SignInBody(exam, number, typed))
        messages.add(str(caught.value))
    assert len(messages) == 1


async def test_forged_changed_and_expired_tokens_open_nothing(
    opened: HallMaker, delivery: Delivery, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    code = sit_code(SECRET, hall.exam_code, hall.numbers[0], 1)
    token = (await delivery.sign_in(SignInBody(hall.exam_code, hall.numbers[0], code))).token
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [token[:-1] + letter for letter in letters] + [token[:9] + "!" + token[9:], token + "=="]
    for forged in (
        "",
        "x",
        token[:-2],
        token + "AA",
        "B" + token[1:],
        token[:20] + "A" + token[21:],
        "é" * 60,
        *spellings,
    ):
        if forged != token:
            with pytest.raises(TokenInvalid):
                delivery.authenticate(forged)
    clock.forward(hours=15)
    with pytest.raises(TokenExpired):
        delivery.authenticate(token)


async def test_a_redis_started_empty_loses_nothing_that_was_stored_and_the_seat_brings_the_rest(
    opened: HallMaker,
    delivery: Delivery,
    register: Register,
    sessions: async_sessionmaker[AsyncSession],
    writer: Writer,
    runner: ScriptRunner,
    redis: Redis,
) -> None:
    hall = await opened(candidates=2)
    candidate, attempt = hall.candidate(), hall.attempt()
    started = await delivery.start(candidate, attempt, "seat-1")
    await delivery.save(candidate, attempt, _save(1, (1, 1, "A"), (2, 2, "B")))
    while await writer.turn(block_ms=1):
        pass
    await delivery.save(candidate, attempt, _save(1, (3, 3, "C"), (2, 4, "D")))  # acknowledged, not yet stored
    await redis.flushdb()
    # Ten requests meet the empty Redis at once; one restores. The old lease is void, so that the seat notices.
    refusals = await asyncio.gather(
        *(delivery.save(candidate, attempt, _save(1, (5, 5, "A"))) for _ in range(10)), return_exceptions=True
    )
    assert {type(refusal) for refusal in refusals} == {LeaseTaken}
    resumed = await delivery.start(candidate, attempt, "seat-1")
    assert resumed.lease > started.lease
    assert (resumed.started_at_ms, resumed.deadline_ms) == (NOW, started.deadline_ms)
    reply = await delivery.save(candidate, attempt, _save(resumed.lease, (5, 5, "A")))
    assert reply.saved == [SavedSlot(5, 5)]
    resumed = await delivery.start(candidate, attempt, "seat-1")
    held = {response.slot: (response.sequence, response.value) for response in resumed.responses}
    assert held == {1: (1, "A"), 2: (2, "B"), 5: (5, "A")}
    # The seat compares the vectors and sends what the server lacks.
    with pytest.raises(ResponsesMissing) as caught:
        await delivery.submit(candidate, attempt, SubmitBody(resumed.lease, {1: 1, 2: 4, 3: 3, 5: 5}))
    assert caught.value.missing == (2, 3)
    await delivery.save(candidate, attempt, _save(resumed.lease, (3, 3, "C"), (2, 4, "D")))
    await delivery.submit(candidate, attempt, SubmitBody(resumed.lease, {1: 1, 2: 4, 3: 3, 5: 5}))
    task = asyncio.create_task(writer.run())
    await drain(runner.redis, hall.sitting, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with sessions() as session:
        result = await service.reconcile(session, register, hall.sitting.id, SigningKey(SECRET))
    # The other seat never came back; the timer takes it back in the background, here nobody did.
    assert [gap.candidate_number for gap in result.gaps] == [hall.numbers[1]]
    sat = await delivery.rolls.require(hall.candidate(1).candidate_id, hall.attempt(1))
    await delivery.restorer.restore_sitting(sat.roll.sitting)
    async with sessions() as session:
        result = await service.reconcile(session, register, hall.sitting.id, SigningKey(SECRET))
    assert (result.is_equal, result.responses_stored) == (True, 4)
    assert result.states == {"submitted": 1, "ready": 1}


async def test_a_client_that_leaves_does_not_stop_its_start_or_submission_half_way(
    opened: HallMaker, delivery: Delivery
) -> None:
    hall = await opened(candidates=1)
    await delivery.rolls.refresh(START)
    for _ in range(3):
        task = asyncio.create_task(delivery.start(hall.candidate(), hall.attempt(), "seat-1"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    while delivery._tasks:
        await asyncio.wait(delivery._tasks)
    assert (await delivery.time(hall.candidate(), hall.attempt())).state == "running"
    for sequence, value in ((1, "A"), (2, "B")):  # the second time the worker knows the gate
        body = _save(1, (1, sequence, value))
        task = asyncio.create_task(delivery.save(hall.candidate(), hall.attempt(), body))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        while delivery.register._saving._tasks:
            await asyncio.wait(delivery.register._saving._tasks)
        resumed = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
        assert [response.value for response in resumed.responses] == [value]


async def test_without_redis_a_seat_is_told_to_come_again(
    opened: HallMaker,
    sessions: async_sessionmaker[AsyncSession],
    clock: SetClock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = await opened(candidates=1)
    nowhere = create_redis(msgspec.structs.replace(settings, redis_url=Secret("unix:///nobody/here.sock")))
    away = Delivery(clock, sessions, ScriptRunner(nowhere, Durability(waits_for_aof=False)), SECRET)
    away.register._saving._saves._retry_seconds = 0.05
    away.register._looks._retry_seconds = 0.05
    for act in (
        away.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "A"))),
        away.start(hall.candidate(), hall.attempt(), "seat-1"),
        away.time(hall.candidate(), hall.attempt()),
    ):
        with pytest.raises(ServiceUnavailable):
            await act
    await away.close()
    await nowhere.aclose()


async def test_after_the_sitting_is_closed_a_seat_still_gets_true_answers(
    opened: HallMaker,
    delivery: Delivery,
    register: Register,
    sessions: async_sessionmaker[AsyncSession],
    writer: Writer,
    redis: Redis,
    runner: ScriptRunner,
) -> None:
    hall = await opened(candidates=2)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "A")))
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START)
        closed = await service.close_sitting(desk, hall.sitting.id)
        assert (await service.close_sitting(desk, hall.sitting.id)).state == closed.state
    with pytest.raises(AttemptClosed) as caught:
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 2, "B")))
    assert (caught.value.state, caught.value.reason) == ("closed", "sitting")
    writer._discover_at = 0.0
    while await writer.turn(block_ms=1):
        pass
    await delivery.rolls.refresh(START)
    await redis.flushdb()  # a week later the keys are gone
    fresh = Delivery(delivery.clock, sessions, runner, SECRET)
    for worker in (delivery, fresh):
        with pytest.raises(AttemptClosed):
            await worker.save(hall.candidate(), hall.attempt(), _save(1, (1, 2, "B")))
        with pytest.raises(AttemptClosed):
            await worker.start(hall.candidate(), hall.attempt(), "seat-1")
        listed = await worker.attempts_of(hall.candidate(1))
        assert [attempt.state for attempt in listed.attempts] == ["closed"]
    await fresh.close()


async def test_who_is_added_while_the_sitting_is_open_can_sit(
    opened: HallMaker, delivery: Delivery, register: Register, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall = await opened(candidates=2)
    await delivery.rolls.refresh(START)
    late = hall.candidates[1]
    await pool.execute("delete from attempt where id = $1", hall.attempt(1))
    await delivery.rolls.load(hall.sitting.id, anew=True)
    candidate = CandidatePass(late, hall.exam_id, 2**32 - 1)
    assert (await delivery.attempts_of(candidate)).attempts == []
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START)
        await service.open_sitting(desk, hall.sitting.id)
    await delivery.rolls.refresh(START)  # a second later, before the candidate has asked for anything
    assert len((await delivery.roll(hall.sitting.id)).seats) == 2
    (attempt,) = (await delivery.attempts_of(candidate)).attempts
    envelope = await delivery.start(candidate, AttemptId(attempt.attempt_id), "seat-9")
    assert envelope.state == "running"


async def test_the_facade_keeps_itself_in_step_while_it_is_open(
    opened: HallMaker, sessions: async_sessionmaker[AsyncSession], runner: ScriptRunner
) -> None:
    hall: Hall = await opened(candidates=1)
    async with open_delivery(clock=SetClock(), sessions=sessions, redis=runner.redis, master_secret=SECRET) as delivery:
        async with asyncio.timeout(5):
            while not delivery.rolls.all_open():
                await asyncio.sleep(0.01)
        await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    seen = await runner.redis.hget(hall.place().prefix + "seen", str(hall.attempt()))
    assert int(seen) == NOW


async def test_draining_ends_when_the_writer_has_written(
    opened: HallMaker, delivery: Delivery, writer: Writer, runner: ScriptRunner
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    task = asyncio.create_task(writer.run())
    await drain(runner.redis, hall.sitting, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_starts_at_one_worker_is_started_at_the_other_at_once(
    opened: HallMaker, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], runner: ScriptRunner
) -> None:
    hall = await opened(candidates=1)
    other = Delivery(delivery.clock, sessions, runner, SECRET)
    assert [a.state for a in (await other.attempts_of(hall.candidate())).attempts] == ["ready"]
    started = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert (await other.time(hall.candidate(), hall.attempt())).deadline_ms == started.deadline_ms
    assert (await other.form_blob(hall.candidate(), hall.form_hash, "br"))[1] == "br"
    await other.close()


async def test_a_reissued_card_ends_what_the_old_one_opened(opened: HallMaker, delivery: Delivery, pool: Any) -> None:
    hall = await opened(candidates=2)
    exam, number, candidate = hall.exam_code, hall.numbers[0], hall.candidates[0]
    old = await delivery.sign_in(SignInBody(exam, number, sit_code(SECRET, exam, number, 1)))
    assert delivery.authenticate(old.token).candidate_id == candidate
    await pool.execute("update candidate set code_version = 2 where id = $1", candidate)
    new = await delivery.sign_in(SignInBody(exam, number, sit_code(SECRET, exam, number, 2)))
    await delivery.rolls.refresh(START)  # a second later
    with pytest.raises(TokenExpired):
        delivery.authenticate(old.token)
    assert delivery.authenticate(new.token).candidate_id == candidate
    other = SignInBody(exam, hall.numbers[1], sit_code(SECRET, exam, hall.numbers[1], 1))
    assert delivery.authenticate((await delivery.sign_in(other)).token)


async def test_boards_of_sittings_long_closed_are_forgotten(
    opened: HallMaker,
    delivery: Delivery,
    clock: SetClock,
    register: Register,
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    hall = await opened(candidates=1)
    await delivery._refresh()
    await delivery.exchange()
    stream = hall.place().stream
    assert stream in delivery.bulletins._boards
    async with transaction(sessions) as session:
        await service.close_sitting(Desk(session=session, register=register, actor=ACTOR, now=START), hall.sitting.id)
    await delivery._refresh()
    assert stream in delivery.bulletins._boards  # seats still ask
    clock.forward(hours=7)
    await delivery._refresh()
    assert stream not in delivery.bulletins._boards
