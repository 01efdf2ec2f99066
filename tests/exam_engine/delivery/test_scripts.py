"""The scripts on a real Valkey, from the same table of cases as the model."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Sequence
from itertools import chain
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from exam_engine.delivery import model
from exam_engine.delivery.errors import AttemptClosed, LeaseTaken, NotStarted, TimeOver
from exam_engine.delivery.model import CloseReason
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.places import PACKAGE, NotHeld, Place, place_of
from exam_engine.delivery.register import Held, PrimedAttempt, Register, SeatNote
from exam_engine.infra.redis_client import Durability, Script, ScriptRunner, load_script
from tests.exam_engine.delivery.act_cases import ACTS
from tests.exam_engine.delivery.cases import (
    DEADLINE,
    MINUTE,
    READY,
    RUNNING,
    SAVES,
    SEQUENCES,
    STARTS,
    SUBMITTED,
    TRANSITIONS,
    SaveCase,
    SequenceCase,
    TransitionCase,
)
from tests.exam_engine.delivery.mistake_cases import MISTAKES


@pytest.fixture
def place() -> Place:
    return place_of(uuid4(), 1, uuid4())


async def _events(runner: ScriptRunner, place: Place) -> list[dict[bytes, bytes]]:
    return [fields for _, fields in await runner.redis.xrange(place.stream)]


@pytest.mark.parametrize("case", SAVES, ids=lambda case: case.id)
async def test_the_save_script_decides_as_the_model_does(
    case: SaveCase, register: Register, runner: ScriptRunner, place: Place
) -> None:
    await register.prime([PrimedAttempt(place, case.facts)])
    answer = [(3, pack_response(1, STARTS, b'"B"', is_answered=True))]
    if case.refusal is None:
        saved = await register.save(place, case.lease, case.now_ms, answer)
        assert (saved.gate, saved.sequences) == (case.facts.gate, None)
        assert len(await _events(runner, place)) == 1
        return
    with pytest.raises(case.refusal) as caught:
        await register.save(place, case.lease, case.now_ms, answer)
    assert {name: getattr(caught.value, name) for name in case.told} == case.told
    held = await register.look(place, "r")
    assert not held.responses
    # What was refused after the start is kept as evidence, and counts for nothing.
    kept = [set(event) for event in await _events(runner, place)]
    assert kept == ([] if case.refusal is NotStarted else [{b"l", b"3"}])


@pytest.mark.parametrize("case", SEQUENCES, ids=lambda case: case.id)
async def test_the_save_script_keeps_the_newest_sequence_and_streams_what_it_kept(
    case: SequenceCase, register: Register, runner: ScriptRunner, place: Place
) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    newest = 0
    for sequence in case.sent:
        packed = pack_response(sequence, STARTS, b'"%d"' % sequence, is_answered=True)
        saved = await register.save(place, 1, STARTS, [(5, packed)])
        assert saved.sequences == (None if sequence > newest else [newest])
        newest = max(newest, sequence)
    held = await register.look(place, "r")
    assert held.sequences() == {5: case.held}
    assert held.responses[5].endswith(b'"%d"' % case.held)
    kept = [int(fields[b"s"].split(b"\n5 ")[1].split(b" ")[0]) for fields in await _events(runner, place)]
    assert kept == case.kept


def _drawn(rng: random.Random, count: int) -> list[tuple[int, int, int, list[tuple[int, bytes]]]]:
    """Draw saves as (attempt, lease, arrival, answers); some too late, some with a lease that is gone."""
    saves = []
    for _ in range(count):
        slots = rng.sample(range(1, 6), rng.randint(1, 3))
        answers = [(slot, pack_response(rng.randint(1, 9), STARTS, b'"x"', rng.random() < 0.8)) for slot in slots]
        arrival_ms = RUNNING.limit_ms + 1 if rng.random() < 0.2 else STARTS + rng.randint(0, 99)
        saves.append((rng.randrange(3), 2 if rng.random() < 0.1 else 1, arrival_ms, answers))
    return saves


def _told(events: list[dict[bytes, bytes]], place: Place) -> list[bytes]:
    """What a stream tells of an attempt's saves, in its order, without what makes each of them another."""
    parts = [part for fields in events for part in fields.get(b"s", b"").split(b"\n\n")]
    told = [part.removeprefix(place.attempt.encode()) for part in parts if part.startswith(place.attempt.encode())]
    return [re.sub(rb" \S+\n", b"\n", part, count=1) for part in told]


@pytest.mark.parametrize("seed", range(20))
async def test_saves_in_one_call_come_to_what_they_do_one_by_one(
    seed: int, register: Register, runner: ScriptRunner
) -> None:
    saves = _drawn(random.Random(seed), 24)
    sitting = uuid4(), uuid4()
    together, apart = ([place_of(one, 1, uuid4()) for _ in range(3)] for one in sitting)
    await register.prime([PrimedAttempt(place, RUNNING) for place in [*together, *apart]])

    async def save(place: Place, lease: int, arrival_ms: int, answers: list[tuple[int, bytes]]) -> object:
        try:
            return await register.save(place, lease, arrival_ms, answers)
        except (LeaseTaken, TimeOver) as refusal:
            return type(refusal)

    at_once = await asyncio.gather(*(save(together[n], *rest) for n, *rest in saves))
    assert at_once == [await save(apart[n], *rest) for n, *rest in saves]
    events = await _events(runner, together[0]), await _events(runner, apart[0])
    assert sum(b"s" in event for event in events[0]) < sum(b"s" in event for event in events[1])
    for pair in zip(together, apart, strict=True):
        held = [await register.look(place, "r") for place in pair]
        kept = [(one.facts, one.responses, one.answered, one.saved_ms) for one in held]
        assert kept[0] == kept[1]
        assert held[0].saved_ms
        assert held[0].answered == sum(packed.split(b" ")[1] == b"1" for packed in held[0].responses.values())
        told = [_told(*one) for one in zip(events, pair, strict=True)]
        assert told[0] == told[1]


async def test_a_call_may_hold_more_answers_than_a_command_has_arguments(
    register: Register, runner: ScriptRunner
) -> None:
    sitting = uuid4()
    places = [place_of(sitting, 1, uuid4()) for _ in range(60)]
    await register.prime([PrimedAttempt(place, RUNNING) for place in places])
    answers = [(slot, pack_response(1, STARTS, b'"A"', is_answered=True)) for slot in range(1, 201)]
    await asyncio.gather(*(register.save(place, 1, STARTS, answers) for place in places))
    for place in places:
        assert (await register.look(place, "r")).responses == dict(answers)
    events = await _events(runner, places[0])
    assert [sum(part.count(b"\n") for part in _told(events, place)) for place in places] == [200] * 60


_COUNTING = """
local asked = 0
local redis = {call = function(command, ...)
  if command == 'HMGET' then asked = asked + select('#', ...) - 1 end
  return redis.call(command, ...)
end}
local function run()
%s
end
run()
return {asked}
"""


async def _fields_read(runner: ScriptRunner, saves: Sequence[Place]) -> int:
    """Save five answers each in one call; return how many fields that made the script read."""
    entries = []
    for number, place in enumerate(saves, 1):
        answers = [(slot, pack_response(number, STARTS, b'"A"', is_answered=True)) for slot in range(1, 6)]
        entry = [place.attempt, msgspec.json.encode(RUNNING.gate), f"1 {STARTS} m-{number}", *chain(*answers)]
        entries += [len(entry), *entry]
    text = _COUNTING % load_script(PACKAGE, "save").text
    (asked,) = await runner.redis.eval(text, 1, saves[0].stream, *entries)
    return int(asked)


async def test_a_seat_that_saves_all_at_once_takes_no_more_of_the_server_than_many_seats(
    register: Register, runner: ScriptRunner
) -> None:
    sitting = uuid4()
    places = [place_of(sitting, 1, uuid4()) for _ in range(61)]
    await register.prime([PrimedAttempt(place, RUNNING) for place in places])
    many = await _fields_read(runner, places[1:])
    one = await _fields_read(runner, [places[0]] * 60)
    assert one <= 2 * many
    held = await register.look(places[0], "s")
    assert (held.answered, held.sequences()) == (5, dict.fromkeys(range(1, 6), 60))


@pytest.mark.parametrize("case", [*TRANSITIONS, *ACTS, *MISTAKES], ids=lambda case: case.id)
async def test_a_transition_reaches_redis_and_the_stream_or_neither(
    case: TransitionCase, register: Register, runner: ScriptRunner, place: Place
) -> None:
    await register.prime([PrimedAttempt(place, case.facts)])
    if case.refusal is not None:
        with pytest.raises(case.refusal):
            await register.change(place, case.act, "test")
    else:
        await register.change(place, case.act, "test")
    facts = (await register.look(place)).facts
    is_changed = bool(case.after) and case.refusal is None
    assert {name: getattr(facts, name) for name in case.after} == case.after
    assert (facts != case.facts) == is_changed
    assert len(await _events(runner, place)) == is_changed
    until = model.waited_until_ms(facts)
    far = 2**53
    assert len(await register.due(place.stream, far if until is None else until + 1, 10)) == (until is not None)
    assert await register.due(place.stream, far if until is None else until, 10) == []
    # Who has time left, or waits for the clock to run on, keeps the sitting open.
    assert await register.seal(place.stream) == (until is None)


async def test_a_change_computed_from_outdated_facts_is_computed_again(register: Register, place: Place) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    seen = []

    def extend(facts: model.AttemptFacts) -> model.Change | None:
        seen.append(facts.revision)
        return model.extend(facts, "slow", 60, STARTS)

    async def extend_after_another() -> None:
        first = True

        def decide(facts: model.AttemptFacts) -> model.Change | None:
            nonlocal first
            if first:
                first = False
                pending.append(facts)
            return extend(facts)

        pending: list[model.AttemptFacts] = []
        original = register._apply

        async def overtaken(*arguments: object) -> bool:
            if len(pending) == 1:
                pending.append(pending[0])
                register._apply = original  # type: ignore[method-assign]
                await register.change(place, lambda facts: model.extend(facts, "fast", 30, STARTS), "test")
            return await original(*arguments)  # type: ignore[arg-type]

        register._apply = overtaken  # type: ignore[method-assign]
        await register.change(place, decide, "test")

    await extend_after_another()
    facts = (await register.look(place)).facts
    assert seen == [1, 2]
    assert facts.extensions == "fast slow"
    assert facts.deadline_ms == DEADLINE + 90_000


async def test_an_answer_that_comes_between_look_and_change_is_looked_at_too(register: Register, place: Place) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    original = register._apply

    async def overtaken(*arguments: object) -> bool:
        register._apply = original  # type: ignore[method-assign]
        await register.save(place, 1, STARTS, [(1, pack_response(9, 0, b'"C"', is_answered=True))])
        return await original(*arguments)  # type: ignore[arg-type]

    register._apply = overtaken  # type: ignore[method-assign]
    decided: list[dict[int, int]] = []

    def decide(held: Held) -> model.Change | None:
        decided.append(held.sequences())
        return model.submit(held.facts, 1, {}, held.sequences(), STARTS)

    held, change = await register.act_on_answers(place, decide, "seat", lambda after, _: {"state": after.facts.state})
    assert decided == [{}, {1: 9}]
    assert change is not None
    assert (held.facts.state, held.sequences(), held.answered) == ("submitted", {1: 9}, 1)
    assert (await register.look(place, "s")).sequences() == {1: 9}


async def test_many_changes_at_once_are_all_credited(register: Register, place: Place) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    names = [f"x{number}" for number in range(12)]
    await asyncio.gather(
        *(register.change(place, lambda f, n=name: model.extend(f, n, 60, STARTS), "test") for name in names)  # type: ignore[misc]
    )
    facts = (await register.look(place)).facts
    assert sorted(facts.extensions.split()) == sorted(names)
    assert facts.deadline_ms == DEADLINE + 12 * MINUTE


async def test_what_redis_does_not_know_is_said_and_not_made_up(register: Register, place: Place) -> None:
    with pytest.raises(NotHeld):
        await register.save(place, 1, STARTS, [(1, pack_response(1, 0, b"null", is_answered=False))])
    with pytest.raises(NotHeld):
        await register.look(place)
    with pytest.raises(NotHeld):
        await register.change(place, lambda f: model.close(f, CloseReason.SITTING, STARTS), "test")
    with pytest.raises(NotHeld):
        await register.note(place, [SeatNote(kind="offline", at_ms=1)])


async def test_taking_over_never_replaces_what_redis_holds(register: Register, place: Place) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    await register.save(place, 1, STARTS, [(1, pack_response(9, 0, b'"C"', is_answered=True))])
    older = PrimedAttempt(place, READY, {1: pack_response(2, 0, b'"A"', is_answered=True)})
    assert await register.prime([older]) == 0
    held = await register.look(place, "s")
    assert held.facts == RUNNING
    assert held.sequences() == {1: 9}


async def test_answered_slots_are_counted_as_they_are_filled_and_cleared(register: Register, place: Place) -> None:
    restored = {1: pack_response(1, 0, b'"A"', is_answered=True), 2: pack_response(2, 0, b"null", is_answered=False)}
    await register.prime([PrimedAttempt(place, RUNNING, restored)])
    counts = [(await register.look(place)).answered]
    for sequence, (slot, is_answered) in enumerate([(2, True), (3, True), (3, True), (1, False), (1, False)], 3):
        packed = pack_response(sequence, 0, b'"B"' if is_answered else b"null", is_answered=is_answered)
        await register.save(place, 1, STARTS + sequence, [(slot, packed)])
        counts.append((await register.look(place)).answered)
    assert counts == [1, 2, 3, 3, 2, 2]
    assert (await register.look(place)).saved_ms == STARTS + 7


async def test_saves_of_one_batch_do_not_mix(register: Register) -> None:
    sitting = uuid4()
    places = [place_of(sitting, 1, uuid4()) for _ in range(150)]
    facts = [RUNNING if number % 3 else SUBMITTED for number in range(150)]
    await register.prime([PrimedAttempt(p, f) for p, f in zip(places, facts, strict=True)])
    outcomes = await asyncio.gather(
        *(
            register.save(place, 1, STARTS, [(1 + n % 7, pack_response(n + 1, 0, b'"%d"' % n, is_answered=True))])
            for n, place in enumerate(places)
        ),
        return_exceptions=True,
    )
    for n, (place, outcome) in enumerate(zip(places, outcomes, strict=True)):
        held = await register.look(place, "r")
        if n % 3:
            assert held.responses == {1 + n % 7: pack_response(n + 1, 0, b'"%d"' % n, is_answered=True)}
        else:
            assert isinstance(outcome, AttemptClosed)
            assert not held.responses


async def test_notices_get_growing_numbers_and_a_request_is_posted_once(
    register: Register, runner: ScriptRunner, place: Place
) -> None:
    first = await register.post(place.stream, "a", 1000, b'{"n":1}', is_kept=True)
    second = await register.post(place.stream, "b", 1000, b'{"n":2}', is_kept=False)
    again = await register.post(place.stream, "a", 2000, b'{"n":1}', is_kept=True)
    assert (first, second, again) == (1000, 1001, 1000)
    assert [fields[b"n"] for fields in await _events(runner, place)] == [b"1000"]


async def test_trimming_leaves_what_is_not_acknowledged(register: Register, runner: ScriptRunner, place: Place) -> None:
    trim = load_script("exam_engine.delivery", "trim")
    await register.prime([PrimedAttempt(place, RUNNING)])
    redis = runner.redis
    await redis.xgroup_create(place.stream, "store", id="0", mkstream=True)
    for sequence in range(1, 7):
        await register.save(place, 1, STARTS, [(1, pack_response(sequence, 0, b'"A"', is_answered=True))])
    assert await runner.read(trim, place.stream, []) == 0
    batch = await redis.xreadgroup("store", "w", {place.stream: ">"}, count=4)
    ids = [entry_id for entry_id, _ in (batch[0][1] if isinstance(batch, list) else batch[place.stream.encode()][0])]
    await redis.xack(place.stream, "store", ids[0], ids[2])
    assert await runner.read(trim, place.stream, []) == 1
    await redis.xack(place.stream, "store", ids[1], ids[3])
    assert await runner.read(trim, place.stream, [60_000]) == 0  # kept for a replay
    assert await runner.read(trim, place.stream, []) == 3
    assert await redis.xlen(place.stream) == 2


class LosingReplies(ScriptRunner):
    """Every first reply is lost after the script has run, and the call repeated, as a batcher does."""

    async def run(self, script: Script, key: str, arguments: Sequence[Any]) -> Any:
        await super().run(script, key, arguments)
        return await super().run(script, key, arguments)


@pytest_asyncio.fixture
async def unlucky(runner: ScriptRunner) -> AsyncIterator[Register]:
    register = Register(LosingReplies(runner.redis, Durability(waits_for_aof=False)))
    yield register
    await register.close()


async def test_notes_whose_reply_was_lost_are_counted_and_written_once(
    unlucky: Register, runner: ScriptRunner, place: Place
) -> None:
    await unlucky.prime([PrimedAttempt(place, RUNNING)])
    notes = [SeatNote(kind="focus_lost", at_ms=5)] * 2
    await asyncio.gather(*(unlucky.note(place, notes) for _ in range(3)))
    assert (await unlucky.look(place)).noticed["focus_lost"].times == 6
    assert len(await _events(runner, place)) == 3


async def test_refused_answers_whose_reply_was_lost_are_one_piece_of_evidence(
    unlucky: Register, runner: ScriptRunner, place: Place
) -> None:
    await unlucky.prime([PrimedAttempt(place, SUBMITTED)])
    for sequence in (1, 1, 2):
        with pytest.raises(AttemptClosed):
            await unlucky.save(place, 1, STARTS, [(3, pack_response(sequence, STARTS, b'"B"', is_answered=True))])
    assert len(await _events(runner, place)) == 2


async def test_an_answer_let_count_whose_reply_was_lost_counts_once_and_is_told_so(
    unlucky: Register, runner: ScriptRunner, place: Place
) -> None:
    await unlucky.prime([PrimedAttempt(place, RUNNING)])
    assert await unlucky.count(place, 1, STARTS, 3, pack_response(2, STARTS, b'"B"', is_answered=True))
    assert len(await _events(runner, place)) == 1
    assert (await unlucky.look(place)).answered == 1


async def test_a_change_whose_reply_was_lost_is_known_by_its_request(unlucky: Register, place: Place) -> None:
    await unlucky.prime([PrimedAttempt(place, RUNNING)])
    _, change = await unlucky.change(place, lambda f: model.pause(f, STARTS + 1), "person:a", request="r1")
    held = await unlucky.look(place)
    assert change is None  # the second call found it done
    assert (held.facts.is_paused, held.acts.split()) == (True, ["r1"])


async def test_one_seat_fills_the_stream_with_no_more_notes_than_its_share(
    register: Register, runner: ScriptRunner, place: Place
) -> None:
    await register.prime([PrimedAttempt(place, RUNNING)])
    told = [SeatNote(kind="offline", at_ms=5, detail={"why": "x" * 200})] * 100
    for _ in range(20):
        await register.note(place, told)
    await register.note(place, [SeatNote(kind="seb_check_failed", at_ms=6, source="server")])
    events = await _events(runner, place)
    assert sum(len(event[b"d"]) for event in events) < 300_000
    assert b"seb_check_failed" in events[-1][b"d"]
    noticed = (await register.look(place)).noticed
    assert (noticed["offline"].times, noticed["seb_check_failed"].times) == (2000, 1)
