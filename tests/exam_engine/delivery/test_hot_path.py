"""What a seat sees: start, save, time, submission, take-over."""

import gzip
from datetime import timedelta
from typing import Any
from uuid import uuid4

import brotli
import msgspec
import pytest

from exam_engine.assembly.errors import CompiledFormUnknown
from exam_engine.delivery.envelopes import start_jitter_ms
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
    UnknownSlot,
)
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptId, SecondSeat, SittingSettings
from exam_engine.delivery.rolls import Sat
from exam_engine.delivery.wire import (
    EventsBody,
    SaveBody,
    SavedSlot,
    SaveResponse,
    SeatEvent,
    SubmitBody,
)
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.redis_client import ScriptRunner
from scoring.values import ResponseValue
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import START, SetClock

NOW = to_milliseconds(START)


def _save(lease: int, *answers: tuple[int, int, ResponseValue]) -> SaveBody:
    return SaveBody(lease, [SaveResponse(slot, sequence, value, NOW - 100) for slot, sequence, value in answers])


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


async def test_where_practice_allows_it_another_browser_takes_the_lease_over_and_the_first_is_told(
    opened: HallMaker, delivery: Delivery
) -> None:
    hall = await opened(candidates=1, settings=SittingSettings(second_seat=SecondSeat.TAKE_OVER))
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
    assert sum(fields[b"s"].count(b"\n") for fields in events) == 3


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
    assert (await delivery.look(sat)).noticed["focus_lost"].times == 2
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
    # Other processes of the run ask the same server meanwhile: what counts is who asks about this sitting.
    async with runner.redis.monitor() as monitor:
        for _ in range(50):
            clock.forward(seconds=1)
            reply = await delivery.time(hall.candidate(), hall.attempt())
        await runner.redis.echo(f"over {hall.sitting.id}")
        told = await anext(one["command"] async for one in monitor.listen() if str(hall.sitting.id) in one["command"])
    assert told == f"ECHO over {hall.sitting.id}"
    assert reply.server_time_ms == NOW + 50_000
    assert reply.deadline_ms == NOW + 3_600_000


async def test_seats_are_told_to_begin_as_a_stream_and_never_at_the_cost_of_their_time(
    opened: HallMaker, delivery: Delivery
) -> None:
    hall = await opened(candidates=60)
    await delivery.rolls.refresh(START)
    told = [
        (await delivery.attempts_of(hall.candidate(position))).attempts[0].start_jitter_ms for position in range(60)
    ]
    again = await delivery.start(hall.candidate(), hall.attempt(), "pc.a")
    assert again.start_jitter_ms == told[0]
    assert max(told) <= 3 * 60
    assert len(set(told)) > 30
    tight = Sat(
        msgspec.structs.replace(
            (await delivery.roll(hall.sitting.id)),
            context=msgspec.structs.replace(
                (await delivery.roll(hall.sitting.id)).context,
                sitting=msgspec.structs.replace(hall.sitting, ends_at=START + timedelta(minutes=60)),
            ),
        ),
        hall.seats[0],
        hall.place(),
    )
    assert start_jitter_ms(tight) == 0
