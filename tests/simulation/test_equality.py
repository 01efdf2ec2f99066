"""The simulated Valkey and PostgreSQL beside the real ones: the commands of whole schedules, every reply the same."""

from collections.abc import Sequence
from itertools import count, islice
from typing import Any

import msgspec
import pytest

from exam_engine.delivery import projection
from exam_engine.delivery.draining import GROUP
from exam_engine.delivery.model import ChangeKind, Gate
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.places import PACKAGE
from exam_engine.delivery.register import NEVER, StoredChange, _fields, _held, _limit, _tally
from exam_engine.delivery.store import load_stored_attempts
from exam_engine.infra.clock import from_milliseconds
from exam_engine.infra.redis_client import ScriptRunner, load_script
from tests.exam_engine.delivery.conftest import HallMaker
from tests.exam_engine.delivery.halls import Hall
from tests.simulation import moments
from tests.simulation.messages import Answer, Apply, Count, Entry, Late, Prime, Save, Saves
from tests.simulation.plan import START_MS, Plan, draw
from tests.simulation.rules import Rules
from tests.simulation.schedule import Schedule

SCRIPTS = {name: load_script(PACKAGE, name) for name in ("save", "late", "apply", "look", "prime", "count", "seal")}
STORED = (
    "state", "revision", "lease", "client", "seated_ms", "claimant", "claimed_ms", "refused", "extra_ms", "extensions",
    "started_ms", "deadline_ms", "paused_ms", "stops", "is_locked", "finished_ms", "reason",
)  # fmt: skip
# Several seats, acts of people, lost disks and killed servers among them, and ten minutes without PostgreSQL.
SEEDS = [*range(1, 24), 31, 51, 57, 91, 97, 111, 131, 151]
# … and late answers that count, also where the paper has been handed in meanwhile.
PLANS = [*map(draw, SEEDS), *islice(moments.late_answers(), 200, 260, 5)]


class Twin:
    """The real servers, told what the simulated ones were told."""

    def __init__(self, runner: ScriptRunner, hall: Hall) -> None:
        self._runner, self._redis, self._hall = runner, runner.redis, hall
        self._stream = hall.place().stream
        self._marks = count()
        self._ids: dict[int, bytes] = {}  # the real id of each simulated entry
        self._last_saves: dict[tuple[int, str], bytes] = {}  # of attempts with these sequences, as they were seen

    def attempt(self, number: int) -> str:
        return str(self._hall.attempt(number))

    async def repeat(self, command: str, arguments: Any, expected: Any) -> None:
        match command:
            case "save":
                replies = await self._script("save", [self._save(save) for save in arguments])
                newest = [[answer.sequence for _, answer in save.answers] for save in arguments]
                assert [_told(reply, sent) for reply, sent in zip(replies, newest, strict=True)] == expected
            case "late":
                assert await self._script("late", [self._late(late) for late in arguments]) == expected
            case "apply":
                assert await self._script("apply", [self._apply(apply) for apply in arguments]) == expected
            case "prime":
                assert await self._script("prime", [self._prime(prime) for prime in arguments]) == expected
            case "count":
                assert await self._script("count", [self._count(count) for count in arguments]) == expected
            case "seal":
                sealed = await self._runner.run(SCRIPTS["seal"], self._stream, ["1" if arguments else ""])
                assert bool(sealed) == expected
            case "look":
                await self._look(arguments, expected)
            case "make_group":
                if expected and not await self._redis.exists(self._stream + ":grouped"):
                    await self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
                    await self._redis.set(self._stream + ":grouped", "1")
            case "read_new" | "read_pending" if expected is not None:
                consumer, count = arguments if command == "read_new" else (arguments, None)
                await self._read(consumer, ">" if command == "read_new" else "0", count, expected)
            case _:
                await self._repeat_on_keys(command, arguments, expected)

    async def _repeat_on_keys(self, command: str, arguments: Any, expected: Any) -> None:
        match command:
            case "claim" if expected:
                ids = [self._ids[entry.number] for entry in expected]
                assert len(await self._redis.xclaim(self._stream, GROUP, arguments[0], 0, ids)) == len(ids)
            case "acknowledge":
                ids = [self._ids[number] for number in arguments if number in self._ids]
                assert (await self._redis.xack(self._stream, GROUP, *ids) if ids else 0) == expected
            case "due":
                due = await self._redis.zrangebyscore(self._prefix + "due", "-inf", f"({arguments}")
                assert sorted(map(bytes.decode, due)) == sorted(map(self.attempt, expected))
            case "running":
                assert await self._redis.zcard(self._prefix + "due") == expected
            case "empty":
                await self._redis.flushdb()
                self._ids.clear()

    @property
    def _prefix(self) -> str:
        return self._stream.removesuffix("events")

    async def _script(self, name: str, entries: Sequence[list[Any]]) -> Any:
        flat = [part for entry in entries for part in (len(entry), *entry)]
        return await self._runner.run(SCRIPTS[name], self._stream, flat)

    def _save(self, save: Save) -> list[Any]:
        gate = b"" if save.gate is None else msgspec.json.encode(save.gate)
        mark = next(self._marks)
        return [self.attempt(save.attempt), gate, f"{_circumstances(save)} {mark}", *_packed(save.answers)]

    def _late(self, late: Late) -> list[Any]:
        circumstances = f"{_circumstances(late.save)} {late.refusal}"
        return [self.attempt(late.save.attempt), circumstances, *_packed(late.save.answers)]

    def _count(self, count: Count) -> list[Any]:
        return [f"{self.attempt(count.attempt)} {_circumstances(count)}", count.slot, _pack(count.answer)]

    def _apply(self, apply: Apply) -> list[Any]:
        facts = apply.change.facts
        change = msgspec.json.encode(_stored(apply))
        return [
            self.attempt(apply.attempt),
            apply.expected,
            self._last_save_of(apply),
            _limit(facts),
            change,
            msgspec.json.encode(facts.gate),
            *_fields(facts),
        ]

    def _last_save_of(self, apply: Apply) -> bytes:
        """What tells the script that it applies to these answers."""
        return b"" if apply.sequences is None else self._last_saves[apply.attempt, _named(apply.sequences)]

    def _prime(self, prime: Prime) -> list[Any]:
        facts = _fields(prime.facts)
        tally = _tally({slot: _pack(answer) for slot, answer in prime.answers.items()})
        return [
            self.attempt(prime.attempt),
            _limit(prime.facts),
            0,
            msgspec.json.encode(prime.facts.gate),
            tally,
            NEVER,
            len(facts),
            *facts,
            *_packed(prime.answers.items()),
        ]

    async def _look(self, attempts: Sequence[int], expected: Sequence[Any]) -> None:
        replies = await self._script("look", [[self.attempt(attempt), "r"] for attempt in attempts])
        for attempt, (flat, *more), told in zip(attempts, replies, expected, strict=True):
            if told is None:
                assert not flat
                continue
            held = _held(flat, *more)
            assert held.facts == told[0]
            assert held.responses == {slot: _pack(answer) for slot, answer in told[1].items()}
            self._last_saves[attempt, _named(held.sequences())] = held.last_save

    async def _read(self, consumer: str, after: str, count: int | None, expected: Sequence[Entry]) -> None:
        reply = await self._redis.xreadgroup(GROUP, consumer, {self._stream: after}, count=count)
        found = [
            entry
            for batches in (reply.values() if isinstance(reply, dict) else [b for _, b in reply])
            for entry in batches
        ]
        found = found[0] if found and isinstance(found[0], list) else found
        assert len(found) == len(expected)
        for (entry_id, fields), entry in zip(found, expected, strict=True):
            self._ids[entry.number] = entry_id
            assert _unmarked(fields) == self.fields(entry)

    def fields(self, entry: Entry) -> dict[bytes, bytes]:
        """What the scripts append for such an entry."""
        body = entry.body
        if isinstance(body, Apply):
            return {b"c": self.attempt(body.attempt).encode(), b"f": msgspec.json.encode(_stored(body))}
        if isinstance(body, Late):
            head = f"{self.attempt(body.save.attempt)} {_circumstances(body.save)} {body.refusal}"
            return {b"l": head.encode()} | {b"%d" % slot: _pack(answer) for slot, answer in body.save.answers}
        assert isinstance(body, Saves)
        return {b"s": b"\n\n".join(self._lines(save) for save in body.saves)}

    def _lines(self, save: Save) -> bytes:
        head = f"{self.attempt(save.attempt)} {_circumstances(save)}"
        return b"\n".join([head.encode(), *(b"%d %b" % (slot, _pack(answer)) for slot, answer in save.answers)])


@pytest.mark.parametrize("scheduled", PLANS, ids=lambda scheduled: f"{scheduled.seed}")
async def test_the_scripts_and_the_projection_answer_as_the_simulation_does(
    scheduled: Plan, opened: HallMaker, runner: ScriptRunner, pool: Any, sessions: Any
) -> None:
    schedule = Schedule(scheduled, Rules(), is_recorded=True)
    schedule.run()
    hall = await opened(candidates=len(scheduled.seatings), shards=1)
    twin = Twin(runner, hall)
    await runner.redis.flushdb()
    await twin.repeat(
        "prime", [Prime(n, schedule.planned, {}) for n in range(len(scheduled.seatings))], [1] * len(scheduled.seatings)
    )
    record = schedule.valkey.record or []
    assert {"apply", "look"} <= {command for command, _, _ in record}
    for command, arguments, reply in record:
        await twin.repeat(command, arguments, reply)
    await _project(schedule, twin, hall, pool)
    rows = await pool.fetch(
        "select attempt_id, slot, sequence, value from response where attempt_id = any($1)",
        [hall.attempt(n) for n in range(len(scheduled.seatings))],
    )
    stored = {
        (str(row["attempt_id"]), row["slot"]): (row["sequence"], msgspec.json.decode(row["value"])) for row in rows
    }
    assert stored == {(twin.attempt(n), slot): kept for (n, slot), kept in schedule.postgres.responses.items()}
    async with sessions() as session:
        found = await load_stored_attempts(session, hall.sitting)
    facts = {attempt.place.attempt: attempt.facts for attempt in found}
    for number in range(len(scheduled.seatings)):
        real, simulated = facts[twin.attempt(number)], schedule.postgres.facts(number)
        assert {name: getattr(real, name) for name in STORED} == {name: getattr(simulated, name) for name in STORED}


async def _project(schedule: Schedule, twin: Twin, hall: Hall, pool: Any) -> None:
    """Write the batches in their order, every third twice, as after a lost acknowledgement."""
    async with pool.acquire() as connection:
        for number, batch in enumerate(schedule.postgres.batches or ()):
            for _ in range(2 if number % 3 == 0 else 1):
                if isinstance(batch, tuple):
                    change = StoredChange(kind=ChangeKind.RESUME, at_ms=START_MS, by="person", facts=batch[1])
                    async with connection.transaction():
                        await projection.write_changes(connection, {hall.attempt(batch[0]): change})
                else:
                    entries = [projection.Entry("s", f"{e.number}-0", twin.fields(e)) for e in batch]
                    await projection.write_entries(connection, entries, from_milliseconds(START_MS))


def _stored(apply: Apply) -> StoredChange:
    return StoredChange(kind=apply.change.kind, at_ms=apply.change.at_ms, by=apply.by, facts=apply.change.facts)


def _pack(answer: Answer) -> bytes:
    value = msgspec.json.encode(answer.value)
    return pack_response(answer.sequence, answer.client_ms, value, is_answered=answer.value is not None)


def _packed(answers: Any) -> list[Any]:
    return [part for slot, answer in answers for part in (slot, _pack(answer))]


def _circumstances(save: Save | Count) -> str:
    return f"{save.lease} {save.arrival_ms}"


def _unmarked(fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Leave out what makes each save another: of an answer that came to count there is no mark."""
    saves = [save.partition(b"\n") for save in fields.get(b"s", b"").split(b"\n\n")]
    told = b"\n\n".join(b" ".join(head.split(b" ")[:3]) + end + answers for head, end, answers in saves)
    return fields | {b"s": told} if b"s" in fields else fields


def _named(sequences: dict[int, int]) -> str:
    return str(sorted(sequences.items()))


def _told(reply: Any, sent: list[int]) -> Any:
    """What the script's reply tells, as the simulation tells it."""
    if isinstance(reply, bytes):
        return msgspec.json.decode(reply, type=Gate)
    return sent if reply == 1 else reply
