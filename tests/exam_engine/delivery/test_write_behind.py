"""Streams into PostgreSQL: exactly the last answers, every event once, whatever is repeated, late or shared."""

import asyncio
import random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery import model, service
from exam_engine.delivery.draining import backlog, drain, waiting, writer_signs
from exam_engine.delivery.errors import AttemptClosed, NotStored
from exam_engine.delivery.model import CloseReason
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.projection import Entry, write_entries
from exam_engine.delivery.register import Register, SeatNote
from exam_engine.delivery.service import Desk, Message, Scope
from exam_engine.delivery.store import lock_sitting
from exam_engine.delivery.write_behind import Writer
from exam_engine.infra.clock import to_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import ScriptRunner
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import ACTOR, START, Hall, SetClock

NOW = to_milliseconds(START)


async def _start(register: Register, hall: Hall, position: int = 0) -> None:
    await register.change(hall.place(position), lambda f: model.start(f, "seat", NOW), "seat")


async def _save(register: Register, hall: Hall, position: int, slot: int, sequence: int, value: Any) -> None:
    packed = pack_response(sequence, NOW - 5, msgspec.json.encode(value), is_answered=bool(value))
    await register.save(hall.place(position), 1, NOW + sequence, [(slot, packed)])


async def _stored(pool: Any, hall: Hall) -> dict[tuple[int, int], tuple[int, str]]:
    rows = await pool.fetch("select * from response where attempt_id = any($1)", [s.attempt_id for s in hall.seats])
    positions = {seat.attempt_id: position for position, seat in enumerate(hall.seats)}
    return {(positions[row["attempt_id"]], row["slot"]): (row["sequence"], row["value"]) for row in rows}


async def _count(pool: Any, hall: Hall, table: str) -> int:
    query = f"select count(*) from {table} where attempt_id = any($1)"
    return int(await pool.fetchval(query, [seat.attempt_id for seat in hall.seats]))


async def _write_all(writer: Writer, runner: ScriptRunner, hall: Hall) -> None:
    while await waiting(runner.redis, hall.sitting):
        await writer.turn(block_ms=1)


async def test_answers_and_states_reach_postgresql(
    opened: HallMaker, register: Register, writer: Writer, runner: ScriptRunner, pool: Any
) -> None:
    hall = await opened(candidates=2, shards=3)
    for position in (0, 1):
        await _start(register, hall, position)
    await _save(register, hall, 0, 1, 1, "A")
    await _save(register, hall, 0, 1, 2, "B")
    await _save(register, hall, 0, 9, 3, {"a": True, "c": False})
    await _save(register, hall, 1, 1, 1, None)
    await _save(register, hall, 1, 11, 2, "Tôi viết “ngoặc” \\ và 漢字")
    await _write_all(writer, runner, hall)
    assert await _stored(pool, hall) == {
        (0, 1): (2, '"B"'),
        (0, 9): (3, '{"a": true, "c": false}'),
        (1, 1): (1, "null"),
        (1, 11): (2, '"Tôi viết “ngoặc” \\\\ và 漢字"'),
    }
    assert await _count(pool, hall, "response_event") == 5
    row = await pool.fetchrow("select * from attempt where id = $1", hall.attempt())
    assert (row["state"], row["lease"], row["client"], row["started_at"]) == ("running", 1, "seat", START)
    assert row["due_at"].timestamp() == START.timestamp() + 3600


async def test_every_kind_of_entry_is_kept(
    opened: HallMaker, register: Register, writer: Writer, runner: ScriptRunner, pool: Any
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    notes = [SeatNote(kind="focus_lost", at_ms=NOW, client_ms=NOW - 9, detail={"seconds": 3})] * 2
    await register.note(hall.place(), notes)
    await register.change(hall.place(), lambda f: model.extend(f, "x", 60, NOW), "person:a", seconds=60)
    await register.change(hall.place(), lambda f: model.submit(f, 1, {}, {}, NOW + 9), "seat")
    await _write_all(writer, runner, hall)
    rows = await pool.fetch("select * from attempt_event where attempt_id = $1 order by id", hall.attempt())
    assert sorted((row["source"], row["kind"]) for row in rows) == [
        ("seat", "focus_lost"),
        ("seat", "focus_lost"),
        ("server", "extend"),
        ("server", "start"),
        ("server", "submit"),
    ]
    attempt = await pool.fetchrow("select * from attempt where id = $1", hall.attempt())
    assert (attempt["state"], attempt["extra_ms"], attempt["extensions"]) == ("submitted", 60_000, '["x"]')
    assert attempt["submitted_at"] is not None
    assert attempt["closed_at"] is None


async def test_what_was_read_and_not_acknowledged_is_written_by_the_next_life_of_the_writer(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    await _save(register, hall, 0, 1, 1, "A")
    first = Writer(pool, runner.redis, "writer-1", clock)
    await first._discover()
    assert len(await first._read_new(1)) == 2  # and it dies here, before the COMMIT
    assert (await backlog(runner.redis, hall.place().stream)).pending == 2
    await _write_all(Writer(pool, runner.redis, "writer-1", clock), runner, hall)
    assert await _stored(pool, hall) == {(0, 1): (1, '"A"')}


async def test_what_was_committed_and_not_acknowledged_is_written_once(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    await _save(register, hall, 0, 1, 1, "A")
    first = Writer(pool, runner.redis, "writer-1", clock)
    await first._discover()
    entries = await first._read_new(1)
    async with pool.acquire() as connection:
        await write_entries(connection, entries, START)  # and it dies here, before the XACK
    await _save(register, hall, 0, 1, 2, "B")
    await _write_all(Writer(pool, runner.redis, "writer-1", clock), runner, hall)
    assert await _stored(pool, hall) == {(0, 1): (2, '"B"')}
    assert await _count(pool, hall, "response_event") == 2
    assert await _count(pool, hall, "attempt_event") == 1


async def test_a_late_batch_never_undoes_a_newer_one(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    for sequence in range(1, 6):
        await _save(register, hall, 0, 1, sequence, "ABCDA"[sequence - 1])
    await register.change(hall.place(), lambda f: model.submit(f, 1, {}, {}, NOW + 9), "seat")
    stream = hall.place().stream
    entries = [Entry(stream, i.decode(), fields) for i, fields in await runner.redis.xrange(stream)]
    shuffled = random.Random(3).sample(entries, len(entries))
    async with pool.acquire() as connection:
        for entry in [*shuffled, *reversed(entries), *shuffled]:
            await write_entries(connection, [entry], START)
    assert await _stored(pool, hall) == {(0, 1): (5, '"A"')}
    assert await _count(pool, hall, "response_event") == 5
    state = await pool.fetchval("select state from attempt where id = $1", hall.attempt())
    assert state == "submitted"


async def test_two_writers_at_once_store_everything_once(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, clock: SetClock
) -> None:
    hall = await opened(candidates=12, shards=2)
    for position in range(12):
        await _start(register, hall, position)
    writers = [Writer(pool, runner.redis, f"writer-{number}", clock) for number in (1, 2)]
    tasks = [asyncio.create_task(writer.run()) for writer in writers]
    # The same consumer twice, as when an old process has not noticed that it was replaced.
    tasks.append(asyncio.create_task(Writer(pool, runner.redis, "writer-1", clock).run()))
    rng = random.Random(5)
    expected: dict[tuple[int, int], tuple[int, str]] = {}
    for sequence in range(1, 41):
        value = rng.choice("ABCD")
        places = [(position, rng.randint(1, 8)) for position in range(12)]
        await asyncio.gather(*(_save(register, hall, position, slot, sequence, value) for position, slot in places))
        expected |= dict.fromkeys(places, (sequence, f'"{value}"'))
    await drain(runner.redis, hall.sitting, 20)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await _stored(pool, hall) == expected
    assert await _count(pool, hall, "response_event") == 12 * 40


async def test_entries_of_a_dead_writer_are_claimed_by_another(
    opened: HallMaker,
    register: Register,
    pool: Any,
    runner: ScriptRunner,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exam_engine.delivery.write_behind.CLAIM_IDLE_MS", 0)
    hall = await opened(candidates=1)
    await _start(register, hall)
    dead = Writer(pool, runner.redis, "writer-of-another-host", clock)
    await dead._discover()
    assert len(await dead._read_new(1)) == 1
    await _write_all(Writer(pool, runner.redis, "writer-1", clock), runner, hall)
    assert await pool.fetchval("select state from attempt where id = $1", hall.attempt()) == "running"


async def test_an_entry_postgresql_will_not_take_is_set_aside_and_stops_nothing(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    stream = hall.place().stream
    await runner.redis.xadd(stream, {"s": f"{hall.attempt()} 1 {NOW}\n3 7 1 0 not json"})
    one, other = f'{UUID(int=1)} 1 {NOW}\n3 7 1 0 "A"', f'{hall.attempt()} 1 {NOW}\n2 1 1 0 "C"'
    await runner.redis.xadd(stream, {"s": f"{one}\n\n{other}"})
    await runner.redis.xadd(stream, {"what": "is this"})
    await runner.redis.xadd(stream, {"s": f"{hall.attempt()} 1 {NOW}", "3": '7 0 1 "A"'})  # as it was once written
    await runner.redis.xadd(stream, {"l": f"{hall.attempt()} 1 {NOW} 5", "3": '7 0 1 "A"'})
    await runner.redis.xadd(stream, {"s": "\x00" * 3 + " 1 1\n\n" + "x" * 9000 + " 1 1\n\nx 1 1"})
    await runner.redis.xadd(stream, {"c": str(hall.attempt()), "f": "{}"})
    await _save(register, hall, 0, 1, 1, "A")
    await _write_all(writer, runner, hall)
    assert await _stored(pool, hall) == {(0, 1): (1, '"A"'), (0, 2): (1, '"C"')}
    rejects = await pool.fetch("select body, reason from stream_reject where stream = $1 order by id", stream)
    assert sorted(row["reason"].split(":")[0] for row in rejects) == [
        "ForeignKeyViolationError",
        "InvalidTextRepresentationError",
        *(7 * ["malformed"]),
    ]
    assert "not json" in str([row["body"] for row in rejects])


async def test_a_stream_is_trimmed_only_below_what_is_stored(
    opened: HallMaker, register: Register, runner: ScriptRunner, writer: Writer
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    await _save(register, hall, 0, 1, 1, "A")
    await writer.turn(block_ms=1)
    writer._tidy_at = 0.0
    await _save(register, hall, 0, 1, 2, "B")
    assert await runner.redis.xlen(hall.place().stream) >= 1
    await _write_all(writer, runner, hall)
    writer._tidy_at = 0.0
    await writer.turn(block_ms=1)
    assert await runner.redis.xlen(hall.place().stream) == 0
    assert await waiting(runner.redis, hall.sitting) == 0


async def test_a_sitting_that_opens_is_met_and_one_that_closed_is_stored(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, writer: Writer
) -> None:
    assert await writer.turn(block_ms=1) == 0
    hall = await opened(candidates=2)
    await _start(register, hall)
    for position in (0, 1):
        await register.change(
            hall.place(position), lambda f: model.close(f, CloseReason.SITTING, NOW + 1), "person:board"
        )
    await pool.execute("update sitting set state = 'closed' where id = $1", hall.sitting.id)
    writer._discover_at = 0.0
    await _write_all(writer, runner, hall)
    writer._tidy_at = 0.0
    await writer.turn(block_ms=1)
    row = await pool.fetchrow("select * from sitting where id = $1", hall.sitting.id)
    assert row["stored_at"] is not None
    reasons = await pool.fetch("select close_reason from attempt where sitting_id = $1", hall.sitting.id)
    assert sorted(row["close_reason"] for row in reasons) == ["absent", "sitting"]
    assert await runner.redis.ttl(f"{hall.place().prefix}a:{hall.attempt()}") > 0


async def test_waiting_for_the_store_says_how_much_is_missing(
    opened: HallMaker, register: Register, runner: ScriptRunner
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    with pytest.raises(NotStored) as caught:
        await drain(runner.redis, hall.sitting, 0.0)
    assert caught.value.waiting == 1


async def test_a_writer_gives_signs_of_life(opened: HallMaker, runner: ScriptRunner, writer: Writer) -> None:
    await opened(candidates=1)
    await writer.turn(block_ms=1)
    sign = (await writer_signs(runner.redis))["writer-1"]
    assert (sign.at_ms, sign.waiting) == (NOW, 0)


async def test_a_redis_started_empty_gets_its_groups_again(
    opened: HallMaker, register: Register, pool: Any, runner: ScriptRunner, redis: Redis, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    task = asyncio.create_task(Writer(pool, runner.redis, "writer-1", clock).run())
    await _start(register, hall)
    await drain(runner.redis, hall.sitting)
    await redis.flushdb()
    stream = hall.place().stream
    await runner.redis.xadd(stream, {"s": f'{hall.attempt()} 1 {NOW}\n3 7 1 0 "D"'})
    async with asyncio.timeout(10):
        while await _stored(pool, hall) != {(0, 3): (7, '"D"')}:
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_comes_long_after_a_sitting_was_stored_is_stored_too(
    opened: HallMaker,
    register: Register,
    pool: Any,
    runner: ScriptRunner,
    clock: SetClock,
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    hall = await opened(candidates=1)
    await _start(register, hall)
    clock.forward(hours=3)
    async with transaction(sessions) as session:
        await service.close_sitting(Desk(session=session, register=register, actor=ACTOR, now=clock()), hall.sitting.id)
    await _write_all(Writer(pool, runner.redis, "writer-1", clock), runner, hall)
    await pool.execute("update sitting set stored_at = now() - interval '3 hours' where id = $1", hall.sitting.id)
    with pytest.raises(AttemptClosed):
        await _save(register, hall, 0, 1, 7, "A")
    await register.note(hall.place(), [SeatNote(kind="online", at_ms=NOW)])
    assert await waiting(runner.redis, hall.sitting) == 2
    await Writer(pool, runner.redis, "writer-2", clock).turn(block_ms=1)
    assert await waiting(runner.redis, hall.sitting) == 0
    assert await _count(pool, hall, "late_response") == 1
    assert await _count(pool, hall, "response") == 0
    kept = await pool.fetchval(
        "select count(*) from attempt_event where kind = 'online' and attempt_id = $1", hall.attempt()
    )
    assert kept == 1


async def test_a_stored_sitting_that_redis_let_go_is_not_made_anew(
    opened: HallMaker, pool: Any, runner: ScriptRunner, clock: SetClock
) -> None:
    hall = await opened(candidates=1)
    await pool.execute(
        "update sitting set state = 'closed', stored_at = now() - interval '7 days' where id = $1", hall.sitting.id
    )
    await runner.redis.flushdb()
    await Writer(pool, runner.redis, "writer-1", clock).turn(block_ms=1)
    assert await runner.redis.exists(hall.place().stream) == 0


async def test_what_an_act_has_told_is_stored_while_the_act_holds_its_sitting(
    opened: HallMaker,
    register: Register,
    writer: Writer,
    runner: ScriptRunner,
    sessions: async_sessionmaker[AsyncSession],
    pool: Any,
) -> None:
    # A writer that waited for the act while the act waits for attempts that the writer has locked would be a circle.
    hall = await opened(candidates=1)
    async with transaction(sessions) as session:
        assert await lock_sitting(session, hall.sitting.id)
        desk = Desk(session=session, register=register, actor=ACTOR, now=START)
        await service.send_message(desk, hall.sitting.id, Message(text="Giữ trật tự", request="m", scope=Scope()))
        async with asyncio.timeout(30):
            await _write_all(writer, runner, hall)
        told = await pool.fetchval("select text from notice where sitting_id = $1", hall.sitting.id)
        assert told == "Giữ trật tự"
