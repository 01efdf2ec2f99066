"""Statements of rooms: seat = Redis = PostgreSQL at the close; every row changed afterwards is found in its place."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import service
from exam_engine.delivery.errors import AttemptClosed, NotStored
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.receipts import verify_receipt
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import (
    ActKind,
    Desk,
    Message,
    Scope,
    SeatAct,
    StatementCheck,
    StatementMaking,
)
from exam_engine.delivery.signing import SigningKey, key_ring
from exam_engine.delivery.statements import SignedStatement, signed_content
from exam_engine.delivery.store.statements import load_proofs
from exam_engine.delivery.wire import EventsBody, SaveBody, SaveResponse, SeatEvent, SubmitBody
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.jobs.tasks import TASKS
from tests.exam_engine.delivery.conftest import SECRET, HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall

NOW = to_milliseconds(START)
KEY = SigningKey(SECRET)
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def sat(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, writer: Writer, redis: Redis
) -> Hall:
    """Two rooms: one candidate has handed in, one was closed, one never came."""
    hall = await opened(candidates=3, rooms=2, shards=2)
    for position, answers in enumerate([((1, 1, "A"), (1, 2, "B"), (9, 3, {"b": True, "a": False})), ((2, 1, "C"),)]):
        await delivery.start(hall.candidate(position), hall.attempt(position), f"seat-{position}")
        for slot, sequence, value in answers:
            body = SaveBody(1, [SaveResponse(slot, sequence, value, NOW)])  # type: ignore[arg-type]
            await delivery.save(hall.candidate(position), hall.attempt(position), body)
    event = EventsBody([SeatEvent("focus_lost", NOW, {"seconds": 3})])
    await delivery.events(hall.candidate(), hall.attempt(), event)
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {1: 2, 9: 3}))
    with pytest.raises(AttemptClosed):
        await delivery.save(hall.candidate(), hall.attempt(), SaveBody(1, [SaveResponse(1, 7, "C", NOW)]))
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START + timedelta(minutes=20))
        pausing = SeatAct(kind=ActKind.PAUSE, request="pause-1", reason="mất điện", scope=Scope())
        await service.act_on_seats(desk, hall.sitting.id, pausing)
        await service.send_message(desk, hall.sitting.id, Message(text="Giữ trật tự", request="m", scope=Scope()))
    async with transaction(sessions) as session:
        desk = Desk(session=session, register=register, actor=ACTOR, now=START + timedelta(minutes=30))
        await service.close_sitting(desk, hall.sitting.id)
    while await writer.turn(block_ms=1):
        pass
    async with transaction(sessions) as session:
        await session.execute(text("update sitting set stored_at = closed_at where id = :id"), {"id": hall.sitting.id})
    return hall


@pytest.fixture
async def stated(sat: Hall, sessions: Sessions, register: Register) -> Hall:
    await _state(sat, sessions, register)
    return sat


async def _state(hall: Hall, sessions: Sessions, register: Register, *, is_anew: bool = False) -> list[SignedStatement]:
    async with transaction(sessions) as session:
        making = StatementMaking(
            session=session, register=register, key=KEY, actor=ACTOR, now=START + timedelta(hours=1)
        )
        return await service.make_statements(making, hall.sitting.id, is_anew=is_anew)


async def _check(hall: Hall, sessions: Sessions, key: SigningKey = KEY) -> StatementCheck:
    async with transaction(sessions) as session:
        return await service.check_statements(session, hall.sitting.id, key)


async def _by_hand(sessions: Sessions, statement: str, **values: Any) -> None:
    async with transaction(sessions) as session:
        changed = await session.execute(text(statement), values)
        assert changed.rowcount > 0, "the test itself changed nothing"  # type: ignore[attr-defined]


async def test_each_room_gets_a_signed_statement_of_what_all_three_held(
    sat: Hall, sessions: Sessions, register: Register
) -> None:
    made = await _state(sat, sessions, register)
    assert [one.statement.room for one in made] == ["P01", "P02"]
    lines = {line.candidate_number: line for one in made for line in one.statement.attempts}
    counts = {number: (line.state, line.at_seat, line.in_redis, line.stored) for number, line in lines.items()}
    assert counts == {
        "31000001": ("submitted", 2, 2, 2),
        "31000003": ("sitting", None, 1, 1),
        "31000002": ("absent", None, 0, 0),
    }
    assert lines["31000001"].events == 3 + 3 + 1  # answers; started, focus lost, handed in with the receipt; refused
    for one in made:
        assert one.statement.is_whole
        assert KEY.public.accepts(one.signature, signed_content(one.body))
    assert (await _check(sat, sessions)).is_unchanged


async def test_the_proof_keeps_the_receipt_the_candidate_has(
    stated: Hall, delivery: Delivery, sessions: Sessions
) -> None:
    reply = await delivery.submit(stated.candidate(), stated.attempt(), SubmitBody(1, {}))
    async with transaction(sessions) as session:
        (first, _) = await service.load_statements(session, stated.sitting.id)
        proof = (await load_proofs(session, first.id))[stated.attempt()]
    assert proof.receipt == reply.receipt
    assert verify_receipt(proof.receipt, key_ring([KEY.public])).slots == 2


async def test_a_statement_is_made_once_and_a_new_one_names_the_old(
    stated: Hall, sessions: Sessions, register: Register
) -> None:
    first = await _state(stated, sessions, register)
    assert [one.statement.number for one in first] == [1, 1]
    anew = await _state(stated, sessions, register, is_anew=True)
    assert [(one.statement.number, one.statement.previous) for one in anew] == [(2, one.hash) for one in first]
    assert [one.statement.root for one in anew] == [one.statement.root for one in first]


async def test_no_statement_is_made_before_everything_is_stored(
    opened: HallMaker, sessions: Sessions, register: Register
) -> None:
    hall = await opened()
    with pytest.raises(NotStored):
        await _state(hall, sessions, register)


ATTEMPT = "attempt_id = :attempt"
TAMPERING = [
    pytest.param(
        f"update response set value = '\"C\"' where {ATTEMPT} and slot = 1",
        ("response", "changed", 1, "value"),
        id="an answer changed",
    ),
    pytest.param(
        f"update response set sequence = 9 where {ATTEMPT} and slot = 9",
        ("response", "changed", 9, "sequence"),
        id="a sequence changed",
    ),
    pytest.param(
        f"update response set server_time = server_time + interval '1 microsecond' where {ATTEMPT} and slot = 1",
        ("response", "changed", 1, "server_time"),
        id="a moment changed by a microsecond",
    ),
    pytest.param(
        f"update response set client_time = now() where {ATTEMPT} and slot = 9",
        ("response", "changed", 9, "client_time"),
        id="the seat's moment changed",
    ),
    pytest.param(
        f"delete from response where {ATTEMPT} and slot = 9", ("response", "missing", 9, ""), id="an answer removed"
    ),
    pytest.param(
        "insert into response (attempt_id, slot, sequence, value, client_time, server_time)"
        " values (:attempt, 5, 1, '\"A\"', now(), now())",
        ("response", "added", 5, ""),
        id="an answer added",
    ),
    pytest.param(
        f"update response_event set value = '\"D\"' where {ATTEMPT} and sequence = 1",
        ("response_event", "changed", 1, ""),
        id="a raw event changed",
    ),
    pytest.param(
        f"delete from response_event where {ATTEMPT} and sequence = 3",
        ("response_event", "missing", 9, ""),
        id="a raw event removed",
    ),
    pytest.param(
        "insert into response_event (attempt_id, slot, sequence, value, client_time, server_time, stream_id, lease)"
        " values (:attempt, 5, 1, '\"A\"', now(), now(), '1-1', 1)",
        ("response_event", "added", 5, ""),
        id="a raw event added",
    ),
    pytest.param(
        f"update attempt_event set server_time = now() where {ATTEMPT} and kind = 'submit'",
        ("attempt_event", "changed", None, ""),
        id="the moment of submission changed",
    ),
    pytest.param(
        f"delete from attempt_event where {ATTEMPT} and kind = 'focus_lost'",
        ("attempt_event", "missing", None, ""),
        id="what the seat noticed removed",
    ),
    pytest.param(
        "insert into attempt_event (attempt_id, source, kind, server_time, detail, stream_id, position)"
        " values (:attempt, 'seat', 'focus_lost', now(), '{}', '1-1', 0)",
        ("attempt_event", "added", None, ""),
        id="something the seat never noticed added",
    ),
    pytest.param(
        f"update late_response set value = '\"D\"' where {ATTEMPT}",
        ("late_response", "changed", 1, ""),
        id="a refused answer changed",
    ),
    pytest.param(
        f"delete from late_response where {ATTEMPT}",
        ("late_response", "missing", 1, ""),
        id="a refused answer removed",
    ),
    pytest.param(
        "insert into late_response (attempt_id, slot, sequence, value, client_time, server_time, stream_id, lease,"
        " refusal) values (:attempt, 5, 1, '\"A\"', now(), now(), '1-1', 1, 'time-over')",
        ("late_response", "added", 5, ""),
        id="a refused answer added",
    ),
    pytest.param(
        "update attempt set submitted_at = now() where id = :attempt",
        ("attempt", "changed", None, "submitted_at"),
        id="the attempt changed",
    ),
    pytest.param(
        f"update attempt_proof set answers = '' where {ATTEMPT}",
        ("attempt_proof", "forged", None, ""),
        id="the proof changed",
    ),
    pytest.param(
        f"delete from attempt_proof where {ATTEMPT}", ("attempt_proof", "missing", None, ""), id="the proof removed"
    ),
]


@pytest.mark.parametrize(("statement", "place"), TAMPERING)
async def test_a_row_changed_by_hand_after_the_close_is_found_in_its_place(
    stated: Hall, sessions: Sessions, statement: str, place: tuple[Any, ...]
) -> None:
    await _by_hand(sessions, statement, attempt=stated.attempt())
    found = await _check(stated, sessions)
    assert not found.is_unchanged
    (difference,) = found.differences
    assert (difference.room, difference.candidate_number, difference.attempt_id) == (
        "P01",
        "31000001",
        stated.attempt(),
    )
    assert (difference.table, difference.kind.value, difference.slot, difference.column) == place
    if place[3] not in ("", "submitted_at"):
        assert (len(difference.stated), len(difference.found)) == (16, 16)
        assert difference.stated != difference.found


@pytest.mark.parametrize(
    ("statement", "table", "kind", "column"),
    [
        ("update sitting set ends_at = ends_at + interval '1 second' where id = :id", "sitting", "changed", "ends_at"),
        ("update notice set text = 'x' where sitting_id = :id", "notice", "changed", None),
        ("delete from notice where sitting_id = :id", "notice", "missing", None),
        ("update sitting_act set reason = 'x' where sitting_id = :id", "sitting_act", "changed", "pause-1"),
        ("delete from sitting_act where sitting_id = :id", "sitting_act", "missing", "pause-1"),
        (
            """insert into sitting_act select sitting_id, 'made-up', kind, actor, at, reason, room_id,
            attempts, outcome, undone_by from sitting_act where sitting_id = :id""",
            "sitting_act",
            "added",
            "made-up",
        ),
    ],
)
async def test_what_was_done_and_said_in_a_sitting_cannot_be_changed_unseen(
    stated: Hall, sessions: Sessions, statement: str, table: str, kind: str, column: str | None
) -> None:
    await _by_hand(sessions, statement, id=stated.sitting.id)
    (difference,) = (await _check(stated, sessions)).differences
    assert (difference.table, difference.kind.value, difference.room) == (table, kind, "")
    assert column in (None, difference.column)


async def test_an_order_of_a_paper_code_changed_by_hand_is_found(stated: Hall, sessions: Sessions) -> None:
    changed = """update paper_code set ordering = '[{"slot": 1, "options": ""}]'
    where id = (select paper_code_id from attempt where id = :attempt)"""
    await _by_hand(sessions, changed, attempt=stated.attempt())
    (difference, *_) = (await _check(stated, sessions)).differences
    assert (difference.candidate_number, difference.table, difference.column) == ("31000001", "paper_code", "ordering")


async def test_a_rewritten_statement_is_found_by_its_signature(stated: Hall, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        (first, _) = await service.load_statements(session, stated.sitting.id)
    forged = msgspec.json.decode(first.body)
    forged["attempts"][0]["answered"] = 40
    changed = "update room_statement set body = :body where id = :id"
    await _by_hand(sessions, changed, body=msgspec.json.encode(forged), id=first.id)
    (difference,) = (await _check(stated, sessions)).differences
    assert (difference.table, difference.kind.value, difference.column) == ("room_statement", "forged", "signature")


async def test_a_statement_of_another_installation_does_not_count(stated: Hall, sessions: Sessions) -> None:
    found = await _check(stated, sessions, SigningKey(b"another secret, long enough for a key, of a forger"))
    assert {difference.column for difference in found.differences} == {"signature"}


async def test_what_a_seat_notices_after_the_close_is_no_difference(
    stated: Hall, delivery: Delivery, writer: Writer, sessions: Sessions
) -> None:
    await delivery.events(stated.candidate(), stated.attempt(), EventsBody([SeatEvent("online", NOW)]))
    while await writer.turn(block_ms=1):
        pass
    async with transaction(sessions) as session:
        kinds = (await session.execute(text("select kind from attempt_event"))).scalars().all()
    assert "online" in kinds
    found = await _check(stated, sessions)
    assert found.is_unchanged
    assert found.later == 1


async def test_an_answer_changed_before_the_statement_is_a_gap_with_its_place(
    sat: Hall, sessions: Sessions, register: Register
) -> None:
    await _by_hand(
        sessions, "update response set value = '\"D\"' where attempt_id = :attempt and slot = 1", attempt=sat.attempt()
    )
    first, second = await _state(sat, sessions, register)
    assert second.statement.is_whole
    places = {(gap.candidate_number, gap.slot, gap.what) for gap in first.statement.gaps}
    assert places == {("31000001", 1, "value"), ("31000001", None, "receipt")}


async def test_a_receipt_a_seat_makes_up_is_not_believed(
    opened: HallMaker, delivery: Delivery, sessions: Sessions, register: Register, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await delivery.start(hall.candidate(), hall.attempt(), "seat-0")
    await delivery.submit(hall.candidate(), hall.attempt(), SubmitBody(1, {}))
    made_up = EventsBody([SeatEvent("receipt", NOW, {"receipt": "R1.AAAAAAAA.AA.AA"})])
    await delivery.events(hall.candidate(), hall.attempt(), made_up)
    async with transaction(sessions) as session:
        await service.close_sitting(Desk(session=session, register=register, actor=ACTOR, now=START), hall.sitting.id)
    while await writer.turn(block_ms=1):
        pass
    await _by_hand(sessions, "update sitting set stored_at = closed_at where id = :id", id=hall.sitting.id)
    (made,) = await _state(hall, sessions, register)
    assert made.statement.is_whole
    assert made.statement.attempts[0].at_seat == 0


async def test_closing_leaves_a_job_that_makes_the_statements(sat: Hall, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        query = "select args ->> 'sitting_id' from procrastinate_jobs where task_name = :task"
        jobs = (await session.execute(text(query), {"task": service.MAKE_STATEMENTS})).scalars().all()
    assert service.MAKE_STATEMENTS in TASKS
    assert sat.sitting.id in {UUID(job) for job in jobs}
