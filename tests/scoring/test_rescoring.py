"""Before and after a key change: who changed, by how much, and why."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from scoring.keys.values import OneOptionKey, RubricKey, VoidKey
from scoring.rescoring import Cause, ScoredAttempt, compare
from scoring.totals import FormKey, SlotKey, score_attempt
from scoring.values import ResponseValue

FORM = FormKey(tuple(SlotKey(slot, 1, 25, OneOptionKey(("A",))) for slot in range(1, 5)))


def with_key(form: FormKey, slot: int, key: OneOptionKey | VoidKey | RubricKey) -> FormKey:
    slots = tuple(msgspec.structs.replace(s, key=key) if s.slot == slot else s for s in form.slots)
    return FormKey(slots)


def scored(form: FormKey, responses: dict[str, dict[int, ResponseValue]]) -> dict[str, ScoredAttempt]:
    result = {}
    for candidate, given_responses in responses.items():
        score = score_attempt(form, given_responses)
        assert score.total is not None
        result[candidate] = ScoredAttempt(score.total, {slot.slot: slot.points for slot in score.slots})
    return result


RESPONSES: dict[str, dict[int, ResponseValue]] = {
    "01": {1: "A", 2: "A", 3: "A", 4: "A"},
    "02": {1: "A", 2: "B", 3: "C", 4: "D"},
    "03": {},
}


def test_a_second_accepted_option_raises_only_those_who_chose_it() -> None:
    changed = with_key(FORM, 2, OneOptionKey(("A", "B")))
    report = compare(scored(FORM, RESPONSES), FORM, scored(changed, RESPONSES), changed)
    assert report.changed_keys == (2,)
    assert [(change.candidate, change.before, change.after) for change in report.changes] == [("02", 25, 50)]
    (slot,) = report.changes[0].slots
    assert (slot.slot, slot.before, slot.after, slot.cause) == (2, Decimal(0), Decimal("0.25"), Cause.KEY_CHANGED)


def test_another_key_may_lower_a_score() -> None:
    changed = with_key(FORM, 1, OneOptionKey(("D",)))
    report = compare(scored(FORM, RESPONSES), FORM, scored(changed, RESPONSES), changed)
    assert (report.n_raised, report.n_lowered) == (0, 2)


def test_a_voided_item_counts_for_everybody_and_says_so() -> None:
    changed = with_key(FORM, 4, VoidKey("misprint"))
    report = compare(scored(FORM, RESPONSES), FORM, scored(changed, RESPONSES), changed)
    assert [(change.candidate, change.difference) for change in report.changes] == [("02", 25), ("03", 25)]
    assert {slot.cause for change in report.changes for slot in change.slots} == {Cause.ITEM_VOIDED}


def test_a_candidate_of_one_run_only_is_reported() -> None:
    before = scored(FORM, RESPONSES)
    after = {candidate: score for candidate, score in before.items() if candidate != "02"}
    report = compare(before, FORM, after, FORM)
    assert [(change.candidate, change.before, change.after) for change in report.changes] == [("02", 25, None)]


attempts = st.dictionaries(
    st.sampled_from(["01", "02", "03", "04"]),
    st.dictionaries(st.integers(1, 4), st.sampled_from(["A", "B", None])),
)


@given(attempts)
def test_nothing_changed_is_reported_as_nothing(responses: dict[str, dict[int, ResponseValue]]) -> None:
    run = scored(FORM, responses)
    assert compare(run, FORM, run, FORM).changes == ()


@given(attempts, st.integers(1, 4), st.sampled_from([("B",), ("A", "B")]))
def test_the_differences_of_the_slots_add_up_to_the_difference_of_the_total(
    responses: dict[str, dict[int, ResponseValue]], slot: int, accepted: tuple[str, ...]
) -> None:
    changed = with_key(FORM, slot, OneOptionKey(accepted))
    report = compare(scored(FORM, responses), FORM, scored(changed, responses), changed)
    for change in report.changes:
        moved = sum(((s.after or 0) - (s.before or 0) for s in change.slots), Decimal(0))
        assert moved * 100 == change.difference
