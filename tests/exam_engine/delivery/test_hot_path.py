"""What a seat sees: sign-in, start, save, time, submission, take-over, and a Redis that was started empty."""

import asyncio
import gzip
from typing import Any
from uuid import uuid4

import brotli
import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.assembly.errors import CompiledFormUnknown
from exam_engine.delivery import service
from exam_engine.delivery.draining import drain
from exam_engine.delivery.errors import (
    AttemptClosed,
    AttemptUnknown,
    LateStart,
    LeaseTaken,
    NotStarted,
    NotYours,
    ResponseInvalid,
    ResponsesMissing,
    SittingNotStarted,
    TimeOver,
    TokenExpired,
    TokenInvalid,
    UnknownSlot,
)
from exam_engine.delivery.hot_path import Delivery, open_delivery
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.delivery.wire import (
    EventsBody,
    SaveBody,
    SavedSlot,
    SaveResponse,
    SeatEvent,
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
    for forged in ("", "x", token[:-2], token + "AA", "B" + token[1:], token[:20] + "A" + token[21:], "é" * 60):
        if forged != token:
            with pytest.raises(TokenInvalid):
                delivery.authenticate(forged)
    clock.forward(hours=15)
    with pytest.raises(TokenExpired):
        delivery.authenticate(token)


async def test_a_paper_is_started_once_and_resumed_with_its_answers(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=2)
    first = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert (first.state, first.lease, first.started_at_ms) == ("running", 1, NOW)
    assert first.deadline_ms == NOW + 3_600_000
    assert (first.form_hash, first.responses) == (hall.form_hash, [])
    assert len(first.ordering) == 12
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "B"), (9, 2, {"a": True})))
    again = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert (again.lease, again.started_at_ms, again.deadline_ms) == (1, NOW, first.deadline_ms)
    assert {r.slot: (r.sequence, r.value) for r in again.responses} == {1: (1, "B"), 9: (2, {"a": True})}
    other = await delivery.start(hall.candidate(1), hall.attempt(1), "seat-2")
    assert other.paper_code != first.paper_code
    assert other.responses == []


async def test_another_browser_takes_the_lease_over_and_the_first_is_told(
    opened: HallMaker, delivery: Delivery
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "B")))
    moved = await delivery.start(hall.candidate(), hall.attempt(), "seat-2")
    assert moved.lease == 2
    assert [response.value for response in moved.responses] == ["B"]
    with pytest.raises(LeaseTaken) as caught:
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 2, "C")))
    assert caught.value.lease == 2
    saved = await delivery.save(hall.candidate(), hall.attempt(), _save(2, (1, 2, "D")))
    assert saved.saved == [SavedSlot(1, 2)]


@pytest.mark.parametrize(
    ("minutes", "refusal"), [(-1, SittingNotStarted), (16, LateStart), (80, LateStart)], ids=["early", "late", "over"]
)
async def test_starts_out_of_time_are_refused(
    opened: HallMaker, delivery: Delivery, clock: SetClock, minutes: int, refusal: type[Exception]
) -> None:
    hall = await opened(candidates=1)
    clock.forward(minutes=minutes)
    with pytest.raises(refusal):
        await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    with pytest.raises(NotStarted):
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "B")))


async def test_another_candidates_attempt_is_closed_to_everyone_else(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=2)
    stranger = hall.candidate(1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    with pytest.raises(NotYours):
        await delivery.start(stranger, hall.attempt(), "seat-1")
    with pytest.raises(NotYours):
        await delivery.save(stranger, hall.attempt(), _save(1, (1, 1, "B")))
    with pytest.raises(NotYours):
        await delivery.time(stranger, hall.attempt())
    with pytest.raises(NotYours):
        await delivery.submit(stranger, hall.attempt(), SubmitBody(1, {}))
    with pytest.raises(NotYours):
        await delivery.events(stranger, hall.attempt(), EventsBody([SeatEvent("focus_lost", NOW)]))
    with pytest.raises(AttemptUnknown):
        await delivery.time(stranger, AttemptId(uuid4()))


@pytest.mark.parametrize(
    ("slot", "value", "reason"),
    [
        (1, "E", "no such option"),
        (1, ["A"], "one option letter"),
        (1, "", "no such option"),
        (9, {"e": True}, "no such statement"),
        (9, "a", "true or false"),
        (10, "12,345", "at most 4"),
        (10, "x", "only digits"),
        (11, "x" * 40_001, "longer"),
        (11, "a\x00b", "cannot be kept"),
        (12, ["A", "A"], "twice"),
        (12, ["A", "B", "C"], "at most 2"),
        (12, ["A", "Z"], "no such option"),
    ],
)
async def test_a_value_that_cannot_be_an_answer_is_refused_and_nothing_of_the_body_is_kept(
    opened: HallMaker, delivery: Delivery, slot: int, value: ResponseValue, reason: str
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    with pytest.raises(ResponseInvalid, match=reason) as caught:
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (2, 1, "A"), (slot, 2, value)))
    assert caught.value.slot == slot
    resumed = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert resumed.responses == []


async def test_a_slot_that_is_not_in_the_paper_is_refused(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    with pytest.raises(UnknownSlot):
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (99, 1, "A")))
    with pytest.raises(UnknownSlot):
        await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {99: 1}))


@pytest.mark.parametrize(
    ("slot", "value", "kept"),
    [
        (10, "-", "-"),
        (10, "0,83", "0,83"),
        (10, "0803", "0803"),
        (10, "", None),
        (11, "Bài làm\n“…”", "Bài làm\n“…”"),
        (12, ["D", "A"], ["A", "D"]),
        (9, {"c": True, "a": False}, {"a": False, "c": True}),
        (9, {}, None),
    ],
)
async def test_half_typed_and_full_answers_are_kept_in_one_spelling(
    opened: HallMaker, delivery: Delivery, slot: int, value: ResponseValue, kept: ResponseValue
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    await delivery.save(hall.candidate(), hall.attempt(), _save(1, (slot, 1, value)))
    resumed = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert [response.value for response in resumed.responses] == [kept]


async def test_the_same_slot_twice_in_a_body_ends_with_the_newer(
    opened: HallMaker, delivery: Delivery, runner: ScriptRunner
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    body = _save(1, (1, 3, "C"), (2, 2, "A"), (1, 1, "A"))
    reply = await delivery.save(hall.candidate(), hall.attempt(), body)
    assert {saved.slot: saved.sequence for saved in reply.saved} == {1: 3, 2: 2}
    events = [fields for _, fields in await runner.redis.xrange(hall.place().stream) if b"s" in fields]
    assert sum(len(fields) - 1 for fields in events) == 3


async def test_a_wrong_clock_at_the_seat_is_recorded_and_changes_nothing(
    opened: HallMaker, delivery: Delivery, pool: Any, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    for sequence, client_ms in enumerate([-(2**53), 0, 2**53], 1):
        body = SaveBody(1, [SaveResponse(sequence, sequence, "A", client_ms)])
        reply = await delivery.save(hall.candidate(), hall.attempt(), body)
        assert reply.server_time_ms == NOW
    while await writer.turn(block_ms=1):
        pass
    assert await pool.fetchval("select count(*) from response where attempt_id = $1", hall.attempt()) == 3


async def test_saves_stop_at_the_deadline_and_its_grace(opened: HallMaker, delivery: Delivery, clock: SetClock) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    clock.forward(minutes=60, seconds=10)
    reply = await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "A")))
    assert reply.deadline_ms == NOW + 3_600_000
    clock.forward(milliseconds=1)
    with pytest.raises(TimeOver):
        await delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 2, "B")))
    with pytest.raises(TimeOver):
        await delivery.start(hall.candidate(), hall.attempt(), "seat-1")


async def test_a_paper_is_handed_in_when_the_server_holds_everything(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=1)
    candidate, attempt = hall.candidate(), hall.attempt()
    await delivery.start(candidate, attempt, "seat-1")
    await delivery.save(candidate, attempt, _save(1, (1, 1, "A"), (2, 2, "B"), (3, 3, None)))
    with pytest.raises(ResponsesMissing) as caught:
        await delivery.submit(candidate, attempt, SubmitBody(1, {1: 1, 2: 5, 7: 4}))
    assert caught.value.missing == (2, 7)
    await delivery.save(candidate, attempt, _save(1, (2, 5, "C"), (7, 4, "D")))
    reply = await delivery.submit(candidate, attempt, SubmitBody(1, {1: 1, 2: 5, 7: 4}))
    assert (reply.state, reply.submitted_at_ms, reply.answered) == ("submitted", NOW, 3)
    again = await delivery.submit(candidate, attempt, SubmitBody(1, {1: 1}))
    assert again == reply
    with pytest.raises(AttemptClosed) as closed:
        await delivery.save(candidate, attempt, _save(1, (1, 9, "D")))
    assert closed.value.state == "submitted"
    with pytest.raises(AttemptClosed):
        await delivery.start(candidate, attempt, "seat-1")
    assert (await delivery.time(candidate, attempt)).state == "submitted"


async def test_the_form_is_given_to_those_who_have_started_on_it(opened: HallMaker, delivery: Delivery) -> None:
    hall = await opened(candidates=2)
    with pytest.raises(CompiledFormUnknown):
        await delivery.form_blob(hall.candidate(), hall.form_hash, "br")
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    body, encoding = await delivery.form_blob(hall.candidate(), hall.form_hash, "identity;q=1")
    assert encoding == ""
    zipped, encoding = await delivery.form_blob(hall.candidate(), hall.form_hash, "gzip, deflate, br;q=0")
    assert (gzip.decompress(zipped), encoding) == (body, "gzip")
    packed, encoding = await delivery.form_blob(hall.candidate(), hall.form_hash, "gzip, deflate, br")
    assert (brotli.decompress(packed), encoding) == (body, "br")
    with pytest.raises(CompiledFormUnknown):
        await delivery.form_blob(hall.candidate(1), hall.form_hash, "br")
    with pytest.raises(CompiledFormUnknown):
        await delivery.form_blob(hall.candidate(), "0" * 64, "br")


async def test_events_of_the_seat_are_kept_and_lost_focus_is_counted(
    opened: HallMaker, delivery: Delivery, pool: Any, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    events = [
        SeatEvent("focus_lost", NOW, {"ms": 5, "why": "a\x00b"}),
        SeatEvent("offline", NOW),
        SeatEvent("focus_lost", NOW),
    ]
    await delivery.events(hall.candidate(), hall.attempt(), EventsBody(events))
    sat = await delivery.rolls.require(hall.candidate().candidate_id, hall.attempt())
    assert (await delivery.look(sat)).focus_lost == 2
    while await writer.turn(block_ms=1):
        pass
    kinds = await pool.fetch(
        "select kind from attempt_event where attempt_id = $1 and source = 'seat' order by position", hall.attempt()
    )
    assert [row["kind"] for row in kinds] == ["focus_lost", "offline", "focus_lost"]
    assert await pool.fetchval("select count(*) from stream_reject") == await pool.fetchval(
        "select count(*) from stream_reject where stream not like $1", f"%{hall.sitting.id}%"
    )


async def test_an_idle_seat_costs_redis_nothing(
    opened: HallMaker, delivery: Delivery, runner: ScriptRunner, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    await delivery.time(hall.candidate(), hall.attempt())
    before = (await runner.redis.info("stats"))["total_commands_processed"]
    for _ in range(50):
        clock.forward(seconds=1)
        reply = await delivery.time(hall.candidate(), hall.attempt())
    after = (await runner.redis.info("stats"))["total_commands_processed"]
    assert after - before <= 2  # the two questions themselves
    assert reply.server_time_ms == NOW + 50_000
    assert reply.deadline_ms == NOW + 3_600_000


async def test_a_redis_started_empty_loses_nothing_that_was_stored_and_the_seat_brings_the_rest(
    opened: HallMaker, delivery: Delivery, register: Register, writer: Writer, runner: ScriptRunner, redis: Redis
) -> None:
    hall = await opened(candidates=2)
    candidate, attempt = hall.candidate(), hall.attempt()
    started = await delivery.start(candidate, attempt, "seat-1")
    await delivery.save(candidate, attempt, _save(1, (1, 1, "A"), (2, 2, "B")))
    while await writer.turn(block_ms=1):
        pass
    await delivery.save(candidate, attempt, _save(1, (3, 3, "C"), (2, 4, "D")))  # acknowledged, not yet stored
    await redis.flushdb()
    # Ten requests meet the empty Redis at once; one restores.
    reply, *_ = await asyncio.gather(*(delivery.save(candidate, attempt, _save(1, (5, 5, "A"))) for _ in range(10)))
    assert reply.saved == [SavedSlot(5, 5)]
    resumed = await delivery.start(candidate, attempt, "seat-1")
    assert (resumed.lease, resumed.started_at_ms, resumed.deadline_ms) == (1, NOW, started.deadline_ms)
    held = {response.slot: (response.sequence, response.value) for response in resumed.responses}
    assert held == {1: (1, "A"), 2: (2, "B"), 5: (5, "A")}
    # The seat compares the vectors and sends what the server lacks.
    with pytest.raises(ResponsesMissing) as caught:
        await delivery.submit(candidate, attempt, SubmitBody(1, {1: 1, 2: 4, 3: 3, 5: 5}))
    assert caught.value.missing == (2, 3)
    await delivery.save(candidate, attempt, _save(1, (3, 3, "C"), (2, 4, "D")))
    await delivery.submit(candidate, attempt, SubmitBody(1, {1: 1, 2: 4, 3: 3, 5: 5}))
    task = asyncio.create_task(writer.run())
    await drain(runner.redis, hall.sitting, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with delivery._sessions() as session:
        result = await service.reconcile(session, register, hall.sitting.id)
    # The other seat never came back; the timer takes it back in the background, here nobody did.
    assert [gap.candidate_number for gap in result.gaps] == [hall.numbers[1]]
    sat = await delivery.rolls.require(hall.candidate(1).candidate_id, hall.attempt(1))
    await delivery.restorer.restore_sitting(sat.roll.sitting)
    async with delivery._sessions() as session:
        result = await service.reconcile(session, register, hall.sitting.id)
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
    task = asyncio.create_task(delivery.save(hall.candidate(), hall.attempt(), _save(1, (1, 1, "A"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await delivery.register._saves.close()
    resumed = await delivery.start(hall.candidate(), hall.attempt(), "seat-1")
    assert [response.value for response in resumed.responses] == ["A"]


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
    away.register._saves._retry_seconds = 0.05
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
    delivery.rolls._without.clear()  # fifteen seconds later
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
