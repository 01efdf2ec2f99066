"""The state machine of an attempt, from the one table of cases, and its laws."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.assembly.model import PaperCodeId
from exam_engine.delivery import model
from exam_engine.delivery.errors import AttemptRefusal, SittingPlanInvalid
from exam_engine.delivery.model import AttemptFacts, AttemptSeat, AttemptState, CloseReason
from tests.exam_engine.delivery.cases import (
    MINUTE,
    READY,
    RUNNING,
    SAVES,
    SEQUENCES,
    STARTS,
    TRANSITIONS,
    SaveCase,
    SequenceCase,
    TransitionCase,
)


@pytest.mark.parametrize("case", SAVES, ids=lambda case: case.id)
def test_a_save_counts_or_is_refused_by_the_facts(case: SaveCase) -> None:
    if case.refusal is None:
        model.require_writable(case.facts, case.lease, case.now_ms)
        return
    with pytest.raises(case.refusal) as caught:
        model.require_writable(case.facts, case.lease, case.now_ms)
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


@pytest.mark.parametrize("case", TRANSITIONS, ids=lambda case: case.id)
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
    st.tuples(st.just("start"), st.sampled_from(["seat-1", "seat-2"])),
    st.tuples(st.just("submit"), st.integers(0, 4)),
    st.tuples(st.just("extend"), st.sampled_from(["x", "y", "z"])),
    st.tuples(st.just("close"), st.sampled_from(list(CloseReason))),
)


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
            case _:
                change = model.close(facts, CloseReason(str(argument)), now_ms)
    except AttemptRefusal:
        return facts
    return change.facts if change else facts


@given(st.lists(st.tuples(acts, moments), max_size=30))
def test_whatever_happens_leases_and_revisions_only_grow_and_time_is_credited_exactly(
    story: list[tuple[tuple[str, object], int]],
) -> None:
    facts = READY
    for act, now_ms in sorted(story, key=lambda step: step[1]):
        after = _do(facts, act, now_ms)
        assert after.lease >= facts.lease
        assert after.revision >= facts.revision
        assert (after.revision > facts.revision) == (after != facts)
        if facts.state is AttemptState.SUBMITTED:
            assert after == facts
        if after.started_ms:
            base = min(after.started_ms + after.duration_ms, after.ends_ms)
            assert after.deadline_ms == base + after.extra_ms
            assert after.started_ms == (facts.started_ms or after.started_ms)
        assert after.extra_ms == 300_000 * len(after.extensions.split())
        assert len(set(after.extensions.split())) == len(after.extensions.split())
        facts = after


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
