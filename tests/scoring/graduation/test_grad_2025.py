"""The graduation score by TT 24/2024: worked examples, traps and laws."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import RecordInvalid, RuleSetNotValid
from scoring.graduation import GraduationOutcome, ReasonCode, compute, load_rules, read_record, year_average
from scoring.values import Rounding, to_hundredths

RULES = load_rules("grad_2025")
FOUR = {"van": "5.25", "toan": "6.75", "li": "7.00", "hoa": "6.25"}
YEARS = {"year10": "7.15", "year11": "7.42", "year12": "7.88"}


def graduate(*cells: dict[str, str], rounding: Rounding | None = None, **more: str) -> GraduationOutcome:
    merged: dict[str, str] = {}
    for part in (*cells, more):
        merged |= part
    return compute(read_record(merged, RULES), RULES, rounding)


def codes(outcome: GraduationOutcome) -> list[ReasonCode]:
    return [reason.code for reason in outcome.reasons]


@pytest.mark.parametrize(
    ("more", "score"),
    [
        pytest.param({}, 696, id="6.96125 is 6.96"),
        pytest.param({"encouragement": "2.0"}, 721, id="with KK 2.0, 7.21125 is 7.21"),
        pytest.param({"encouragement": "gold", "priority_group": "2"}, 746, id="with KK and UT, 7.46125 is 7.46"),
    ],
)
def test_the_worked_example_with_four_papers(more: dict[str, str], score: int) -> None:
    outcome = graduate(FOUR, YEARS, more)
    assert (outcome.score, outcome.passed, outcome.is_complete) == (score, True, True)


def test_the_worked_example_of_a_candidate_exempt_from_the_language() -> None:
    outcome = graduate({"van": "5.25", "toan": "6.75", "li": "7.00"}, YEARS, exempt="NN")
    assert (outcome.score, outcome.passed) == (697, True)


def test_continuing_education_has_the_same_formula() -> None:
    assert graduate(FOUR, YEARS, programme="GDTX").score == 696


def test_four_nine_seven_five_prints_four_nine_eight_and_can_be_cut_instead() -> None:
    cells = {"van": "4.95", "toan": "4.95", "su": "4.95", "dia": "4.95", "year10": "5", "year11": "5", "year12": "5"}
    assert graduate(cells).score == 498
    assert graduate(cells, rounding=Rounding.TRUNCATE).score == 497


def test_the_rounded_score_decides_on_passing() -> None:
    cells = {"van": "4.99", "toan": "4.99", "su": "4.99", "dia": "4.99", "year10": "5", "year11": "5", "year12": "5"}
    assert (graduate(cells).score, graduate(cells).passed) == (500, True)
    cut = graduate(cells, rounding=Rounding.TRUNCATE)
    assert (cut.score, cut.passed, codes(cut)) == (499, False, [ReasonCode.BELOW_MINIMUM])


def test_a_mark_of_one_fails_and_one_point_nought_five_passes() -> None:
    failed = graduate(FOUR, YEARS, hoa="1.0")
    assert failed.score is not None
    assert failed.score >= 500
    assert (failed.passed, codes(failed)) == (False, [ReasonCode.FAIL_MARK])
    assert graduate(FOUR, YEARS, hoa="1.05").passed is True


def test_a_mark_of_nought_is_a_mark() -> None:
    outcome = graduate(FOUR, YEARS, hoa="0")
    assert (outcome.is_complete, outcome.passed) == (True, False)


@pytest.mark.parametrize("cell", ["", "V", "vắng"], ids=["empty", "absent", "absent in full"])
def test_a_missing_paper_is_an_incomplete_record_and_no_nought(cell: str) -> None:
    outcome = graduate(FOUR, YEARS, toan=cell)
    assert (outcome.is_complete, outcome.score, outcome.passed) == (False, None, None)
    assert codes(outcome) == [ReasonCode.ABSENT if cell else ReasonCode.MISSING_PAPER]


def test_a_missing_elective_says_how_many_are_missing() -> None:
    outcome = graduate(FOUR, YEARS, hoa="")
    assert outcome.is_complete is False
    assert outcome.reasons[0].facts == {"count": "1"}


def test_three_electives_are_left_to_people() -> None:
    outcome = graduate(FOUR, YEARS, su="8.0")
    assert (outcome.is_complete, codes(outcome)) == (False, [ReasonCode.TOO_MANY_ELECTIVES])


def test_a_missing_year_is_an_incomplete_record() -> None:
    outcome = graduate(FOUR, YEARS, year11="")
    assert (outcome.is_complete, outcome.score) == (False, None)
    assert outcome.reasons[0].message == "The average of year 11 is missing"


@pytest.mark.parametrize(
    ("cells", "years"),
    [
        pytest.param({"year10": "abroad"}, Fraction(742 * 2 + 788 * 3, 500), id="year 10"),
        pytest.param({"year11": "", "years_abroad": "11"}, Fraction(715 + 788 * 3, 400), id="year 11, by its column"),
        pytest.param({"year10": "abroad", "year11": "abroad"}, Fraction(788, 100), id="two years"),
    ],
)
def test_years_abroad_leave_the_weights_of_the_others(cells: dict[str, str], years: Fraction) -> None:
    average = Fraction(to_hundredths(years), 100)
    assert graduate(FOUR, YEARS, cells).score == to_hundredths((Fraction("6.3125") + average) / 2)


def test_no_year_left_is_an_incomplete_record() -> None:
    assert codes(graduate(FOUR, years_abroad="10;11;12")) == [ReasonCode.NO_SCHOOL_YEAR]


def test_a_year_average_is_made_of_its_subjects_unless_the_record_shows_one() -> None:
    assert year_average([Decimal("7.1"), Decimal("8.0"), Decimal("6.5")]) == Decimal("7.20")
    made = graduate(FOUR, YEARS, year10="", year10_subjects="7.1;7.2")
    assert made.score == 696
    shown = graduate(FOUR, YEARS, year10_subjects="1.0;1.0")
    assert shown.score == 696


def test_only_the_highest_prize_counts() -> None:
    assert graduate(FOUR, YEARS, encouragement="provincial_3;national_2;1.5").score == 721
    assert graduate(FOUR, YEARS, encouragement="bronze").score == to_hundredths(
        (Fraction("26.25") / 4 + Fraction("7.61")) / 2
    )


def test_only_the_highest_priority_group_counts() -> None:
    outcome = graduate(FOUR, YEARS, priority_group="2;3")
    assert outcome.score == 746
    assert graduate(FOUR, YEARS, priority_points="0.5").score == 746
    assert graduate(FOUR, YEARS, priority_group="1").score == 696


def test_the_score_is_not_capped_at_ten() -> None:
    tens = dict.fromkeys(FOUR, "10") | dict.fromkeys(YEARS, "10")
    assert graduate(tens, encouragement="2.0", priority_group="3").score == 1075


def test_an_exempt_candidate_who_sits_the_language_has_the_mark_counted() -> None:
    sat = graduate({"van": "5.25", "toan": "6.75", "li": "7.00", "nn": "6.25"}, YEARS, exempt="NN")
    assert sat.score == 696


def test_an_exemption_is_not_used_by_who_sat_two_other_electives() -> None:
    assert graduate(FOUR, YEARS, exempt="NN").score == 696


def test_a_foreigner_exempt_from_literature_has_three_papers() -> None:
    outcome = graduate({"toan": "6.75", "li": "7.00", "hoa": "6.25"}, YEARS, van="miễn")
    assert outcome.score == to_hundredths((Fraction("20.00") / 3 + Fraction("7.61")) / 2)


def test_exempt_from_all_papers_passes_without_a_score() -> None:
    outcome = graduate(exempt="all")
    assert (outcome.is_complete, outcome.score, outcome.passed) == (True, None, True)


def test_cancelled_results_fail_whatever_the_score() -> None:
    outcome = graduate(FOUR, YEARS, cancelled="yes")
    assert (outcome.passed, codes(outcome)) == (False, [ReasonCode.CANCELLED])
    assert graduate(FOUR, cancelled="x").passed is False
    assert graduate(exempt="all", cancelled="có").passed is False


def test_a_special_case_passes_on_the_papers_that_were_sat() -> None:
    outcome = graduate({"van": "5.0", "toan": "6.0", "special_case": "yes"}, YEARS)
    assert (outcome.is_complete, outcome.score, outcome.passed) == (True, None, True)
    assert codes(outcome) == [ReasonCode.SPECIAL_CASE]
    refused = graduate({"van": "4.75", "special_case": "yes"}, YEARS)
    assert (refused.passed, codes(refused)) == (False, [ReasonCode.SPECIAL_CASE_REFUSED])


def test_a_special_case_with_all_papers_is_computed_like_any_other() -> None:
    assert graduate(FOUR, YEARS, special_case="yes").score == 696


def test_a_conserved_mark_stands_in_for_a_paper_not_sat_again() -> None:
    kept = graduate(FOUR, YEARS, toan="", conserved="TOAN:6,75:2026", exam_year="2027")
    assert kept.score == 696
    assert any(line.note == "conserved from {year}" for line in kept.lines)


@pytest.mark.parametrize(
    ("conserved", "why"),
    [("TOAN:4.75:2026", "below five"), ("TOAN:6.75:2025", "two years old"), ("TOAN:6.75:2027", "of this very exam")],
    ids=lambda text: text,
)
def test_a_conserved_mark_that_does_not_count_leaves_the_record_incomplete(conserved: str, why: str) -> None:
    outcome = graduate(FOUR, YEARS, toan="", conserved=conserved, exam_year="2027")
    assert codes(outcome) == [ReasonCode.MISSING_PAPER, ReasonCode.CONSERVED_NOT_VALID]


def test_a_subject_sat_again_replaces_what_was_conserved() -> None:
    assert graduate(FOUR, YEARS, conserved="TOAN:9.75:2026", exam_year="2027").score == 696


def test_of_conserved_electives_the_best_fills_the_gap() -> None:
    outcome = graduate(FOUR, YEARS, hoa="", conserved="SU:5.5;HOA:6.25;DIA:6.0")
    assert outcome.score == 696


def test_the_rule_set_does_not_hold_before_2025() -> None:
    with pytest.raises(RuleSetNotValid, match="2025 on, not of 2024"):
        graduate(FOUR, YEARS, exam_year="2024")


def test_the_lines_let_a_parent_follow_the_sum() -> None:
    lines = {line.label: line for line in graduate(FOUR, YEARS, priority_group="2").lines}
    assert lines["Sum of the papers"].formula == "5.25 + 6.75 + 7.00 + 6.25"
    assert lines["Exam part"].formula == "(25.25 + 0.00) / 4"
    assert lines["Exam part"].value == "6.3125"
    years = lines["Average of the school years"]
    assert years.formula == "(7.15 × 1 + 7.42 × 2 + 7.88 × 3) / 6 = 7.605"
    assert years.value == "7.61"
    assert lines["Graduation score"].formula == "(6.3125 + 7.61) / 2 + 0.25 = 7.21125"
    assert lines["Graduation score"].value == "7.21"
    assert lines["Result"].value == "passed"


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        pytest.param({"toan": "10.05"}, "toan", "outside 0 to 10", id="above ten"),
        pytest.param({"toan": "775"}, "toan", "outside 0 to 10", id="an old file without its comma"),
        pytest.param({"toan": "-1"}, "toan", "outside 0 to 10", id="negative"),
        pytest.param({"toan": "7.5.5"}, "toan", "is not a number", id="two points"),
        pytest.param({"toan": "1e1"}, "toan", "is not a number", id="an exponent"),
        pytest.param({"toan": "nan"}, "toan", "is not a number", id="not a number"),
        pytest.param({"toan": "６"}, "toan", "is not a number", id="a full-width digit"),
        pytest.param({"toan": "6.255"}, "toan", "more than two decimals", id="three decimals"),
        pytest.param({"year10": "abc"}, "year10", "is not a number", id="a year average of letters"),
        pytest.param({"latin": "7"}, "latin", "is not known", id="an unknown subject"),
        pytest.param({"anh": "7", "nn": "6"}, "nn", "are the same subject", id="a subject under two names"),
        pytest.param({"encouragement": "2.5"}, "encouragement", "outside 0 to 2.0", id="more than the highest prize"),
        pytest.param({"encouragement": "olympic"}, "encouragement", "national_1", id="an unknown prize"),
        pytest.param({"priority_group": "4"}, "priority_group", "there is no priority group", id="an unknown group"),
        pytest.param({"priority_points": "1"}, "priority_points", "outside 0 to 0.5", id="too many priority points"),
        pytest.param({"exempt": "TOAN"}, "exempt", "nobody can be exempt from TOAN", id="exempt from mathematics"),
        pytest.param({"conserved": "TOAN"}, "conserved", "is not like", id="a conserved subject without its mark"),
        pytest.param({"cancelled": "maybe"}, "cancelled", "neither yes nor no", id="neither yes nor no"),
        pytest.param({"programme": "ib"}, "programme", "known: thpt, gdtx", id="an unknown programme"),
        pytest.param({"years_abroad": "9"}, "years_abroad", "not one of the years", id="year 9"),
        pytest.param({"exam_year": "27"}, "exam_year", "is not a year", id="a year of two digits"),
    ],
)
def test_a_malformed_cell_is_refused_with_its_column(cells: dict[str, str], column: str, reason: str) -> None:
    with pytest.raises(RecordInvalid) as refused:
        graduate(FOUR, YEARS, cells)
    (mistake,) = refused.value.mistakes
    assert mistake.column == column
    assert reason in mistake.reason


def test_every_mistake_of_a_record_is_named_at_once() -> None:
    with pytest.raises(RecordInvalid) as refused:
        graduate(FOUR, YEARS, toan="x", hoa="11", priority_group="9")
    assert [mistake.column for mistake in refused.value.mistakes] == ["toan", "hoa", "priority_group"]


def test_commas_and_points_are_the_same() -> None:
    with_commas = {name: cell.replace(".", ",") for name, cell in (FOUR | YEARS).items()}
    assert graduate(with_commas, encouragement="1,0;2,0").score == 721


marks = st.integers(0, 200).map(lambda steps: f"{steps * 5 / 100:.2f}")
averages = st.integers(0, 1000).map(lambda hundredths: f"{hundredths / 100:.2f}")


@given(st.lists(marks, min_size=4, max_size=4), st.lists(averages, min_size=3, max_size=3))
def test_the_score_is_the_formula_of_the_circular(papers: list[str], years: list[str]) -> None:
    outcome = graduate(dict(zip(FOUR, papers, strict=True)), dict(zip(YEARS, years, strict=True)))
    mean = sum(map(Fraction, papers), Fraction(0)) / 4
    weighted = (Fraction(year) * weight for year, weight in zip(years, (1, 2, 3), strict=True))
    average = sum(weighted, Fraction(0)) / 6
    exact = (mean + Fraction(to_hundredths(average), 100)) / 2
    assert outcome.score == to_hundredths(exact)
    assert outcome.passed == (outcome.score >= 500 and all(Fraction(paper) > 1 for paper in papers))


@given(st.lists(marks, min_size=4, max_size=4), st.permutations(list(FOUR)), st.lists(averages, min_size=3, max_size=3))
def test_the_order_of_the_columns_does_not_matter(papers: list[str], order: list[str], years: list[str]) -> None:
    by_name = dict(zip(FOUR, papers, strict=True))
    year_cells = dict(zip(YEARS, years, strict=True))
    outcome = graduate(year_cells, {name: by_name[name] for name in order})
    assert outcome.score == graduate(by_name, year_cells).score


@given(st.lists(marks, min_size=4, max_size=4), st.lists(averages, min_size=3, max_size=3), st.integers(0, 3))
def test_a_better_paper_never_lowers_the_score(papers: list[str], years: list[str], better: int) -> None:
    before = graduate(dict(zip(FOUR, papers, strict=True)), dict(zip(YEARS, years, strict=True)))
    raised = [*papers]
    raised[better] = "10"
    after = graduate(dict(zip(FOUR, raised, strict=True)), dict(zip(YEARS, years, strict=True)))
    assert before.score is not None
    assert after.score is not None
    assert after.score >= before.score
