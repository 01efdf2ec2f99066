"""Human marks: one round, two rounds with thresholds, appeals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import RuleSetUnknown
from scoring.marking import Step, load_appeal_rules, load_marking_rules, settle, settle_appeal

SINGLE = load_marking_rules("single")
TWO = load_marking_rules("two_rounds_2025")
APPEAL = load_appeal_rules("appeal_2025")
quarters = st.integers(0, 40).map(lambda steps: steps * 25)


def test_one_round_is_settled_by_its_newest_mark() -> None:
    assert settle([], SINGLE).step is Step.MARK
    assert settle([650], SINGLE).mark == 650


@pytest.mark.parametrize(
    ("marks", "step", "mark"),
    [
        pytest.param([600], Step.MARK, None, id="the second round is missing"),
        pytest.param([600, 600], Step.SETTLED, 600, id="equal"),
        pytest.param([600, 675], Step.AGREE, None, id="0.75 apart: they agree"),
        pytest.param([600, 700], Step.AGREE_WITH_MINUTES, None, id="1.0 apart: with minutes"),
        pytest.param([600, 750], Step.AGREE_WITH_MINUTES, None, id="1.5 apart: with minutes"),
        pytest.param([600, 775], Step.THIRD_MARK, None, id="more than 1.5 apart: a third mark"),
        pytest.param([600, 775, 600], Step.SETTLED, 600, id="two of three equal"),
        pytest.param([500, 700, 650], Step.SETTLED, 617, id="spread 2.0: mean of three"),
        pytest.param([500, 750, 600], Step.SETTLED, 617, id="spread 2.5: mean of three"),
        pytest.param([400, 675, 500], Step.COLLECTIVE, None, id="spread above 2.5: marked together"),
    ],
)
def test_two_rounds_are_settled_by_their_difference(marks: list[int], step: Step, mark: int | None) -> None:
    settlement = settle(marks, TWO)
    assert (settlement.step, settlement.mark) == (step, mark)


def test_markers_who_agree_settle_the_script() -> None:
    assert settle([600, 700], TWO, agreed=650).mark == 650
    assert settle([600, 775], TWO, agreed=650).step is Step.THIRD_MARK
    assert settle([400, 675, 500], TWO, agreed=550).mark == 550


@given(st.lists(quarters, min_size=2, max_size=3))
def test_a_settled_mark_lies_between_the_marks(marks: list[int]) -> None:
    settlement = settle(marks, TWO)
    if settlement.mark is not None:
        assert min(marks) <= settlement.mark <= max(marks)


@given(st.lists(quarters, min_size=2, max_size=3))
def test_the_order_of_the_markers_does_not_matter(marks: list[int]) -> None:
    assert settle(marks[::-1], TWO) == settle(marks, TWO)


def test_the_worked_appeal_changes_the_mark_with_a_dialogue() -> None:
    outcome = settle_appeal(600, [650, 625, 675], APPEAL)
    assert (outcome.found, outcome.mark, outcome.is_changed, outcome.needs_dialogue) == (650, 650, True, True)


@pytest.mark.parametrize(
    ("published", "examiners", "mark", "is_changed", "needs_dialogue"),
    [
        pytest.param(600, [625, 625], 625, True, False, id="0.25 changes"),
        pytest.param(600, [575, 575], 575, True, False, id="downwards too"),
        pytest.param(600, [620, 620], 600, False, False, id="less than 0.25 does not"),
        pytest.param(600, [650, 650], 650, True, True, id="from 0.5 on with a dialogue"),
        pytest.param(600, [600, 700, 600], 600, False, False, id="two of three equal"),
        pytest.param(600, [600, 650, 700], 650, True, True, id="three different: the mean"),
        pytest.param(600, [625, 650], 600, False, False, id="a third examiner is needed"),
    ],
)
def test_an_appeal_changes_the_mark_from_a_quarter_on(
    published: int, examiners: list[int], mark: int, is_changed: bool, needs_dialogue: bool
) -> None:
    outcome = settle_appeal(published, examiners, APPEAL)
    assert (outcome.mark, outcome.is_changed, outcome.needs_dialogue) == (mark, is_changed, needs_dialogue)


def test_appeal_rules_are_no_marking_rules() -> None:
    with pytest.raises(RuleSetUnknown, match="single, two_rounds_2025"):
        load_marking_rules("appeal_2025")
    with pytest.raises(RuleSetUnknown, match="appeal_2025"):
        load_appeal_rules("single")
