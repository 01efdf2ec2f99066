"""The graduation score of 2020-2024, and rule sets as data."""

import json
from fractions import Fraction
from importlib import resources

import pytest

from scoring.errors import RecordInvalid, RuleSetInvalid, RuleSetNotValid, RuleSetUnknown
from scoring.graduation import (
    GraduationOutcome,
    ReasonCode,
    compute,
    known_rule_sets,
    load_rules,
    parse_rules,
    read_record,
)
from scoring.graduation.trace import shown
from scoring.values import to_hundredths

RULES = load_rules("grad_2020")
SOCIAL = {"toan": "6.4", "van": "7.0", "nn": "6.2", "su": "7.5", "dia": "8.0", "gdcd": "8.75", "year12": "7.9"}
CONTINUING = {"programme": "GDTX", "toan": "4.8", "van": "6.25", "su": "6.0", "dia": "6.75", "year12": "7.2"}


def graduate(*cells: dict[str, str], **more: str) -> GraduationOutcome:
    merged: dict[str, str] = {}
    for part in (*cells, more):
        merged |= part
    return compute(read_record(merged, RULES), RULES)


def codes(outcome: GraduationOutcome) -> list[ReasonCode]:
    return [reason.code for reason in outcome.reasons]


def test_the_worked_example_of_upper_secondary_education() -> None:
    outcome = graduate(SOCIAL)
    assert (outcome.score, outcome.passed) == (721, True)
    lines = {line.label: line for line in outcome.lines}
    assert lines["Social sciences"].value == "8.08"
    assert lines["Exam part"].value == "6.92"
    assert lines["Graduation score"].formula == "(6.92 × 7 + 7.90 × 3) / 10 + 0.00 = 7.214"


def test_the_worked_example_of_continuing_education() -> None:
    outcome = graduate(CONTINUING, encouragement="1.0", priority_points="0.25")
    assert (outcome.score, outcome.passed) == (665, True)
    lines = {line.label: line for line in outcome.lines}
    assert lines["Social sciences"].value == "6.38"
    assert lines["Exam part"].formula == "17.43 / 3 + 1.00 / 4"


def test_of_two_composites_the_higher_counts() -> None:
    both = graduate(SOCIAL, li="9.0", hoa="9.0", sinh="9.0")
    assert both.score == to_hundredths((Fraction("28.60") / 4 * 7 + Fraction("7.9") * 3) / 10)
    lower = graduate(SOCIAL, li="1.0", hoa="1.0", sinh="1.0")
    assert (lower.score, lower.passed) == (721, True)


def test_an_unfinished_composite_does_not_count_beside_a_complete_one() -> None:
    outcome = graduate(SOCIAL, li="9.0", hoa="9.0")
    assert (outcome.is_complete, outcome.score) == (True, 721)


def test_an_unfinished_composite_alone_is_an_incomplete_record() -> None:
    outcome = graduate(SOCIAL, gdcd="")
    assert outcome.is_complete is False
    assert codes(outcome) == [ReasonCode.MISSING_PAPER, ReasonCode.MISSING_COMPOSITE]
    assert outcome.reasons[0].facts == {"subject": "Civic education"}


def test_a_component_of_one_fails() -> None:
    outcome = graduate(SOCIAL, su="1.0")
    assert (outcome.passed, codes(outcome)) == (False, [ReasonCode.FAIL_MARK])
    assert outcome.reasons[0].facts["subject"] == "History"


def test_an_exemption_from_the_language_counts_ten() -> None:
    outcome = graduate(SOCIAL, nn="", exempt="NN")
    assert outcome.score == to_hundredths((Fraction("31.48") / 4 * 7 + Fraction("7.9") * 3) / 10)


def test_continuing_education_does_not_count_the_language() -> None:
    with_language = graduate(CONTINUING, nn="9.0")
    assert with_language.score == graduate(CONTINUING).score
    assert any(line.note == "does not count in this programme" for line in with_language.lines)


def test_several_kinds_of_encouragement_add_up_to_at_most_four() -> None:
    two = graduate(CONTINUING, encouragement="vocational_excellent;it_certificate")
    assert two.score == graduate(CONTINUING, encouragement="3.0").score
    many = graduate(CONTINUING, encouragement="vocational_excellent;it_certificate;language_certificate;provincial_1")
    assert many.score == graduate(CONTINUING, encouragement="4.0").score
    assert graduate(CONTINUING, encouragement="2.0;2.0;1.5").score == many.score


def test_of_two_prizes_of_one_kind_the_better_counts() -> None:
    assert graduate(SOCIAL, encouragement="provincial_3;provincial_1").score == (
        graduate(SOCIAL, encouragement="provincial_1").score
    )


def test_a_language_certificate_counts_in_continuing_education_only() -> None:
    with pytest.raises(RecordInvalid, match="does not count in programme thpt"):
        graduate(SOCIAL, encouragement="language_certificate")


def test_only_year_twelve_counts() -> None:
    assert graduate(SOCIAL, year10="1.0", year11="1.0").score == 721
    assert codes(graduate(SOCIAL, year12="")) == [ReasonCode.MISSING_YEAR]


def test_each_rule_set_names_its_source_and_years() -> None:
    assert known_rule_sets() == ("grad_2020", "grad_2025")
    for name in known_rule_sets():
        rules = load_rules(name)
        assert rules.id == name
        assert "TT-BGDĐT" in rules.source
    with pytest.raises(RuleSetNotValid):
        graduate(SOCIAL, exam_year="2025")


def test_an_unknown_rule_set_names_the_known_ones() -> None:
    with pytest.raises(RuleSetUnknown, match="grad_2020, grad_2025"):
        load_rules("grad_2031")


def own_rules(**changes: object) -> bytes:
    text = (resources.files("scoring.graduation") / "rule_sets" / "grad_2025.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(text) | changes).encode()


def test_a_province_can_bring_rules_of_its_own() -> None:
    rules = parse_rules(own_rules(id="own", final_rounding="truncate", last_year=2030), "own")
    cells = {"van": "4.95", "toan": "4.95", "su": "4.95", "dia": "4.95", "year10": "5", "year11": "5", "year12": "5"}
    assert compute(read_record(cells, rules), rules).score == 497


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"default_programme": "ib"}, "no programme 'ib'", id="an unknown default"),
        pytest.param({"years": {"weights": {}}}, "weights above 0", id="no years"),
        pytest.param({"wheights": {}}, "wheights", id="a misspelt field"),
        pytest.param({"final_rounding": "up"}, "final_rounding", id="an unknown rounding"),
        pytest.param({"exemptions": [{"subject": "NN", "effect": "fixed_mark"}]}, "a mark goes with", id="no mark"),
        pytest.param({"subjects": []}, "there is no subject", id="subjects missing"),
    ],
)
def test_a_rule_set_that_does_not_hang_together_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RuleSetInvalid, match=reason):
        parse_rules(own_rules(**changes), "own")


@pytest.mark.parametrize(
    ("value", "text"),
    [("19/3", "6.3333…"), ("5/2", "2.50"), ("6.96125", "6.96125"), ("7.61", "7.61"), ("0", "0.00")],
)
def test_numbers_that_do_not_end_are_shown_with_dots(value: str, text: str) -> None:
    assert shown(Fraction(value)) == text
