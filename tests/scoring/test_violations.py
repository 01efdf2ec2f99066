"""Deductions and cancellations by article 57."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import RuleSetInvalid, RuleSetUnknown
from scoring.violations import Violation, adjusted, effect, load_violation_rules, violation_rules_in

RULES = load_violation_rules("violations_2025")
MARKS = {"TOAN": 700, "VAN": 225}


@pytest.mark.parametrize(
    ("mark", "per_cent", "left"), [(700, 25, 525), (225, 25, 169), (350, 25, 263), (700, 50, 350), (700, 100, 0)]
)
def test_a_deduction_rounds_half_up(mark: int, per_cent: int, left: int) -> None:
    assert adjusted(mark, per_cent) == left


@pytest.mark.parametrize(
    ("violations", "marks", "is_cancelled"),
    [
        pytest.param([], {"TOAN": 700, "VAN": 225}, False, id="none"),
        pytest.param([Violation("reprimand", "TOAN")], {"TOAN": 525, "VAN": 225}, False, id="reprimand"),
        pytest.param([Violation("warning", "TOAN")], {"TOAN": 350, "VAN": 225}, False, id="warning"),
        pytest.param([Violation("marked_script", "VAN")], {"TOAN": 700, "VAN": 113}, False, id="signs on the script"),
        pytest.param(
            [Violation("reprimand", "TOAN"), Violation("warning", "TOAN")],
            {"TOAN": 350, "VAN": 225},
            False,
            id="the heavier of two",
        ),
        pytest.param([Violation("zero", "TOAN")], {"TOAN": 0, "VAN": 225}, False, id="a paper counted 0"),
        pytest.param(
            [Violation("zero", "TOAN"), Violation("zero", "VAN")], {"TOAN": 0, "VAN": 0}, True, id="two papers at 0"
        ),
        pytest.param([Violation("suspension", "TOAN")], {"TOAN": 0, "VAN": 225}, True, id="suspension"),
        pytest.param([Violation("cancellation")], {"TOAN": 700, "VAN": 225}, True, id="cancellation"),
    ],
)
def test_a_violation_has_the_effect_of_its_kind(
    violations: list[Violation], marks: dict[str, int], is_cancelled: bool
) -> None:
    outcome = effect(MARKS, violations, RULES)
    assert (outcome.marks, outcome.is_cancelled) == (marks, is_cancelled)


@given(st.integers(0, 1000), st.integers(0, 100))
def test_a_deduction_never_raises_a_mark(mark: int, per_cent: int) -> None:
    assert 0 <= adjusted(mark, per_cent) <= mark


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RuleSetInvalid, match="no kind of violation 'whispering'"):
        effect(MARKS, [Violation("whispering", "TOAN")], RULES)
    with pytest.raises(RuleSetUnknown, match="violations_2025"):
        load_violation_rules("violations_1999")


def test_the_rules_of_a_year_are_found_by_their_validity() -> None:
    assert violation_rules_in(2027) == RULES
    with pytest.raises(RuleSetUnknown, match="violations in 2019"):
        violation_rules_in(2019)
