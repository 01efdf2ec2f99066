"""The state machine of an attempt, from the one table of cases, and its laws."""

from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.assembly.model import PaperCodeId
from exam_engine.delivery import model
from exam_engine.delivery.errors import AttemptRefusal, SittingPlanInvalid
from exam_engine.delivery.model import AttemptFacts, AttemptSeat, AttemptState, CloseReason
from tests.exam_engine.delivery.act_cases import ACTS
from tests.exam_engine.delivery.cases import (
    CLOSED_BY_TIME,
    DEADLINE,
    ENDED,
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


@pytest.mark.parametrize("case", SAVES, ids=lambda case: case.id)
def test_a_save_counts_or_is_refused_by_the_facts(case: SaveCase) -> None:
    gate = case.facts.gate
    lets_in = case.lease == gate.lease and case.now_ms <= model.writable_until_ms(gate)
    assert lets_in == (case.refusal is None)
    if case.refusal is None:
        model.require_writable(gate, case.lease, case.now_ms)
        return
    with pytest.raises(case.refusal) as caught:
        model.require_writable(case.facts.gate, case.lease, case.now_ms)
    assert {name: getattr(caught.value, name) for name in case.told} == case.told


@pytest.mark.parametrize("case", SEQUENCES, ids=lambda case: case.id)
def test_the_newest_sequence_wins(case: SequenceCase) -> None:
    held: int | None = None
    kept = []
    for sequence in case.sent:
        if model.is_newer(sequence, held):
            held = sequence
            kept.append(sequence)
    assert (held, kept) == (case.held, case.kept)


@pytest.mark.parametrize("case", [*TRANSITIONS, *ACTS, *MISTAKES], ids=lambda case: case.id)
def test_a_transition_gives_these_facts(case: TransitionCase) -> None:
    if case.refusal is not None:
        with pytest.raises(case.refusal) as caught:
            case.act(case.facts)
        assert {name: getattr(caught.value, name) for name in case.told} == case.told
        return
    change = case.act(case.facts)
    if not case.after:
        assert change is None or change.facts == case.facts
        return
    assert change is not None
    assert {name: getattr(change.facts, name) for name in case.after} == case.after
    assert change.facts.revision == case.facts.revision + 1


moments = st.integers(STARTS - 10 * MINUTE, STARTS + 120 * MINUTE)
acts = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(["pc1.a", "pc1.b", "pc2.c"])),
    st.tuples(st.just("submit"), st.integers(0, 4)),
    st.tuples(st.just("extend"), st.sampled_from(["x", "y", "z"])),
    st.tuples(st.just("admit"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("close"), st.sampled_from(list(CloseReason))),
    st.tuples(st.sampled_from(["pause", "resume", "lock", "unlock", "refuse", "reopen"]), st.none()),
)
PLAIN = {
    "pause": model.pause,
    "resume": model.resume,
    "lock": model.lock,
    "unlock": model.unlock,
    "refuse": model.refuse_claim,
    "reopen": model.reopen,
}


def _do(facts: AttemptFacts, act: tuple[str, object], now_ms: int) -> AttemptFacts:
    name, argument = act
    try:
        match name:
            case "start":
                change: model.Change | None = model.start(facts, str(argument), now_ms)
            case "submit":
                change = model.submit(facts, int(str(argument)), {}, {}, now_ms)
            case "extend":
                change = model.extend(facts, str(argument), 300, now_ms)
            case "admit":
                change = model.admit(facts, str(argument), 0, now_ms, is_credited=True)
            case "close":
                change = model.close(facts, CloseReason(str(argument)), now_ms)
            case _:
                change = PLAIN[name](facts, now_ms)
    except AttemptRefusal:
        return facts
    return change.facts if change else facts


class Stopwatch:
    """What a candidate has left, counted step by step: it runs down while the clock runs, and for no other reason."""

    def __init__(self) -> None:
        self.left_ms = 0
        self.silent_ms = 0  # how long the holder of the lease has been silent while its clock ran
        self.at_ms = 0

    def run(self, facts: AttemptFacts, now_ms: int) -> None:
        # An attempt that time closed runs on: extra time or an admission reopens it with what would have been left.
        runs = facts.state is AttemptState.RUNNING or facts.reason == CloseReason.TIME
        if facts.started_ms and runs and not facts.paused_ms:
            self.left_ms -= now_ms - self.at_ms
            self.silent_ms += now_ms - self.at_ms
        self.at_ms = now_ms

    def see(self, before: AttemptFacts, after: AttemptFacts, act: tuple[str, object]) -> None:
        if after.started_ms and not before.started_ms:
            self.left_ms = after.deadline_ms - after.started_ms
        elif act[0] == "extend" and after != before and after.started_ms:
            self.left_ms += 300_000
        elif act[0] == "admit" and after != before:
            self.left_ms += self.silent_ms
        if after.lease != before.lease:
            self.silent_ms = 0


@given(st.lists(st.tuples(acts, moments), max_size=40))
def test_whatever_happens_leases_and_revisions_only_grow_and_time_is_credited_exactly(
    story: list[tuple[tuple[str, object], int]],
) -> None:
    facts, watch = READY, Stopwatch()
    for act, now_ms in sorted(story, key=lambda step: step[1]):
        watch.run(facts, now_ms)
        after = _do(facts, act, now_ms)
        watch.see(facts, after, act)
        assert after.lease >= facts.lease
        assert (after.client == facts.client) == (after.lease == facts.lease)
        assert after.revision == facts.revision + (after != facts)
        if facts.state is AttemptState.SUBMITTED:
            assert after == facts
        if after.started_ms:
            assert after.started_ms == (facts.started_ms or after.started_ms)
        if after.state is AttemptState.RUNNING:
            # While it stands the stopwatch stands as well: what is left counts from the beginning of the pause.
            assert after.deadline_ms == (after.paused_ms or now_ms) + watch.left_ms
        assert len(set(after.extensions.split())) == len(after.extensions.split())
        facts = after


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6)), max_size=30), st.randoms())
def test_in_whatever_order_and_however_often_versions_meet_the_same_ones_stand(
    entries: list[tuple[int, int]], chance: Random
) -> None:
    again = entries * 2
    chance.shuffle(again)
    once = model.newest(entries, key=lambda e: e[0], version=lambda e: e[1])
    assert model.newest(again, key=lambda e: e[0], version=lambda e: e[1]) == once
    split = len(again) // 2
    parts = [model.newest(part, key=lambda e: e[0], version=lambda e: e[1]) for part in (again[:split], again[split:])]
    merged = model.newest([*parts[1].values(), *parts[0].values()], key=lambda e: e[0], version=lambda e: e[1])
    assert merged == once


@pytest.mark.parametrize(
    ("facts", "refusal", "arrival_ms", "counts"),
    [
        pytest.param(RUNNING, "time-over", RUNNING.limit_ms, True, id="covered by extra time given since"),
        pytest.param(RUNNING, "time-over", RUNNING.limit_ms + 1, False, id="not covered"),
        pytest.param(CLOSED_BY_TIME, "attempt-closed", DEADLINE, True, id="closed by time, covered"),
        pytest.param(RUNNING, "lease-taken", DEADLINE * 2, True, id="people may say the lease was a mistake"),
        pytest.param(SUBMITTED, "attempt-closed", STARTS, False, id="handed in stays as it is"),
        pytest.param(ENDED, "attempt-locked", STARTS, False, id="ended by people stays as it is"),
    ],
)
def test_late_answers_may_count_only_when_covered(
    facts: AttemptFacts, refusal: str, arrival_ms: int, counts: bool
) -> None:
    assert model.may_count(facts, refusal, arrival_ms) == counts


@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 8), st.integers(0, 2**63 - 1))
def test_neighbours_get_different_papers(seats: int, codes: int, columns: int, seed: int) -> None:
    room = uuid4()
    papers = [PaperCodeId(UUID(int=i)) for i in range(codes)]
    people = [AttemptSeat(candidate_id=UUID(int=n), room_id=room, seat_number=n) for n in range(1, seats + 1)]
    assigned = model.assign_paper_codes(people, papers, seed, columns)
    assert assigned == model.assign_paper_codes(people, papers, seed, columns)
    for seat in range(1, seats + 1):
        beside, behind = seat + 1, seat + columns
        if codes > 1 and beside <= seats and not (columns and seat % columns == 0):
            assert assigned[UUID(int=seat)] != assigned[UUID(int=beside)]
        if codes > 1 and columns and behind <= seats:
            assert assigned[UUID(int=seat)] != assigned[UUID(int=behind)]


def test_a_form_without_paper_codes_cannot_be_dealt_out() -> None:
    with pytest.raises(SittingPlanInvalid, match="paper codes"):
        model.assign_paper_codes([], [], 1)


@given(st.uuids(), st.integers(1, 64))
def test_an_attempt_has_one_shard(attempt_id: UUID, shards: int) -> None:
    assert 0 <= model.shard_of(attempt_id, shards) < shards
    assert model.shard_of(attempt_id, shards) == model.shard_of(attempt_id, shards)


def test_a_running_attempt_is_written_until_its_limit() -> None:
    assert RUNNING.limit_ms == RUNNING.deadline_ms + RUNNING.grace_ms
