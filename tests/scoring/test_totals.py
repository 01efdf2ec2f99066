"""Totals of whole papers: worked examples, exactness, tracks, bulk scoring."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import MarkMissing, PaperFormatUnknown, ResponseInvalid
from scoring.keys.values import ClusterKey, Criterion, OneOptionKey, RubricKey, ShortAnswerKey, VoidKey
from scoring.papers import discrepancies, known_formats, load_format
from scoring.score_matrix import POINT_UNIT, coded, score_matrix
from scoring.totals import FormKey, SlotKey, is_on_grid, score_attempt
from scoring.values import ResponseValue, Rounding, to_decimal, to_hundredths

TRUTH = {"a": True, "b": False, "c": False, "d": True}


def paper(choices: int, clusters: int, answers: int, answer_points: int) -> FormKey:
    """A three-part paper: every right option is B, every right number 4."""
    slots = [SlotKey(i, 1, 25, OneOptionKey(("B",))) for i in range(1, choices + 1)]
    slots += [SlotKey(len(slots) + i, 2, 100, ClusterKey(TRUTH)) for i in range(1, clusters + 1)]
    slots += [SlotKey(len(slots) + i, 3, answer_points, ShortAnswerKey(("4",))) for i in range(1, answers + 1)]
    return FormKey(tuple(slots))


MATHEMATICS = paper(12, 4, 6, 50)


def cluster_with(right: int) -> dict[str, bool]:
    return {s: truth if i < right else not truth for i, (s, truth) in enumerate(TRUTH.items())}


def answered(form: FormKey, choices: int, clusters: list[int], answers: int) -> dict[int, ResponseValue]:
    """Responses with so many right in each part; the rest is wrong."""
    responses: dict[int, ResponseValue] = {}
    parts = {part: [s.slot for s in form.slots if s.part == part] for part in (1, 2, 3)}
    responses |= {slot: "B" if i < choices else "C" for i, slot in enumerate(parts[1])}
    responses |= {slot: cluster_with(right) for slot, right in zip(parts[2], clusters, strict=True)}
    responses |= {slot: "4" if i < answers else "5" for i, slot in enumerate(parts[3])}
    return responses


def test_the_worked_example_of_mathematics_comes_to_seven_point_one() -> None:
    score = score_attempt(MATHEMATICS, answered(MATHEMATICS, 10, [4, 4, 3, 1], 4))
    assert score.total == 710
    assert score.parts == {1: Decimal("2.5"), 2: Decimal("2.6"), 3: Decimal("2.0")}


@pytest.mark.parametrize(
    ("name", "scored_responses", "minutes", "step"),
    [
        ("toan_2025", 34, 90, "0.05"),
        *((f"{subject}_2025", 40, 50, "0.05") for subject in ("li", "hoa", "sinh", "dia")),
        *((f"{subject}_2025", 40, 50, "0.05") for subject in ("su", "ktpl", "tin", "cncn", "cnnn")),
        ("nn_2025", 40, 50, "0.25"),
        ("van_2025", 3, 120, "0.01"),
    ],
)
def test_each_paper_of_2025_adds_up_to_ten(name: str, scored_responses: int, minutes: int, step: str) -> None:
    paper_format = load_format(name)
    assert paper_format.total == 1000 == to_hundredths(paper_format.maximum)
    assert paper_format.n_scored_responses == scored_responses
    assert paper_format.minutes == minutes
    assert paper_format.step == Decimal(step)


def test_every_format_file_can_be_read() -> None:
    assert len(known_formats()) == 12
    assert [load_format(name).id for name in known_formats()] == list(known_formats())


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(PaperFormatUnknown, match="toan_2025"):
        load_format("toan_1999")


def test_a_form_is_held_against_its_format() -> None:
    assert discrepancies(load_format("toan_2025"), MATHEMATICS) == ()
    found = discrepancies(load_format("li_2025"), MATHEMATICS)
    assert any("lacks 6 × one_option" in line for line in found)
    assert any("has too many: 6 × short_answer of 50" in line for line in found)


def test_a_voided_slot_still_fits_its_format() -> None:
    slots = list(MATHEMATICS.slots)
    slots[3] = SlotKey(4, 1, 25, VoidKey("no right option"))
    assert discrepancies(load_format("toan_2025"), FormKey(tuple(slots))) == ()


@pytest.mark.parametrize(
    ("form", "step"),
    [
        pytest.param(MATHEMATICS, 5, id="mathematics"),
        pytest.param(paper(18, 4, 6, 25), 5, id="physics"),
        pytest.param(paper(24, 4, 0, 0), 5, id="history"),
        pytest.param(paper(40, 0, 0, 0), 25, id="languages"),
    ],
)
@given(data=st.data())
def test_scores_stay_on_the_grid_of_the_subject(form: FormKey, step: int, data: st.DataObject) -> None:
    counts = {part: len([s for s in form.slots if s.part == part]) for part in (1, 2, 3)}
    clusters = data.draw(st.lists(st.integers(0, 4), min_size=counts[2], max_size=counts[2]))
    responses = answered(form, data.draw(st.integers(0, counts[1])), clusters, data.draw(st.integers(0, counts[3])))
    score = score_attempt(form, responses)
    assert score.total is not None
    assert 0 <= score.total <= form.maximum == 1000
    assert is_on_grid(score.total, step)


@given(
    st.lists(st.sampled_from(["B", "C", None]), min_size=12, max_size=12),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.lists(st.sampled_from(["4", "4,0", "5", "", None]), min_size=6, max_size=6),
)
def test_the_total_is_the_sum_of_the_parts_and_of_the_slots(
    choices: list[str | None], clusters: list[int], answers: list[str | None]
) -> None:
    values: list[ResponseValue] = [*choices, *map(cluster_with, clusters), *answers]
    score = score_attempt(MATHEMATICS, dict(enumerate(values, start=1)))
    assert score.total is not None
    assert to_decimal(score.total) == sum(score.parts.values()) == sum(slot.points for slot in score.slots)


@given(data=st.data())
def test_scoring_many_at_once_gives_the_same_as_one_by_one(data: st.DataObject) -> None:
    value = st.sampled_from(["B", "C", "4", "4,0", "", None])
    cluster = st.one_of(st.none(), st.integers(0, 4).map(cluster_with))
    attempts = data.draw(
        st.lists(
            st.fixed_dictionaries(
                {}, optional={slot.slot: cluster if slot.part == 2 else value for slot in MATHEMATICS.slots}
            ),
            max_size=6,
        )
    )
    many = score_matrix(MATHEMATICS, coded(MATHEMATICS, attempts))
    for row, responses in enumerate(attempts):
        one = score_attempt(MATHEMATICS, responses)
        assert many.totals[row] == one.total
        assert [Decimal(int(p)) / POINT_UNIT for p in many.points[row]] == [slot.points for slot in one.slots]
        assert {part: Decimal(int(sums[row])) / POINT_UNIT for part, sums in many.parts.items()} == one.parts


def test_points_below_a_hundredth_are_kept_until_the_total() -> None:
    slots = tuple(SlotKey(i, 1, 25, ClusterKey(TRUTH)) for i in (1, 2))
    score = score_attempt(FormKey(slots), {1: cluster_with(1), 2: None})
    assert score.slots[0].points == Decimal("0.025")
    assert score.total == 3  # 0.025 rounds half up, once, at the end
    both = score_attempt(FormKey(slots), {1: cluster_with(1), 2: cluster_with(1)})
    assert both.total == 5
    assert score_attempt(FormKey(slots, Rounding.TRUNCATE), {1: cluster_with(1)}).total == 2


def test_a_response_for_a_slot_the_form_does_not_have_is_refused() -> None:
    with pytest.raises(ResponseInvalid) as refused:
        score_attempt(MATHEMATICS, {23: "B"})
    assert refused.value.place == "slot 23"


def test_a_response_of_the_wrong_kind_names_its_slot() -> None:
    with pytest.raises(ResponseInvalid) as refused:
        score_attempt(MATHEMATICS, {13: {"x": True}})
    assert refused.value.place == "slot 13, statement x"


ESSAY = FormKey((SlotKey(1, 1, 400, RubricKey((Criterion("c", "Content", 300), Criterion("l", "Language", 100)))),))


def test_an_essay_takes_the_mark_of_its_marker() -> None:
    assert score_attempt(ESSAY, {1: "text"}, {1: 325}).total == 325


def test_an_answered_essay_without_a_mark_gives_no_score() -> None:
    with pytest.raises(MarkMissing) as missing:
        score_attempt(ESSAY, {1: "text"})
    assert missing.value.place == "slot 1"


def test_a_rubric_of_another_scale_is_brought_to_the_points_of_the_slot() -> None:
    form = FormKey((SlotKey(1, 1, 200, RubricKey((Criterion("c", "Content", 300),))),))
    assert score_attempt(form, {1: "text"}, {1: 100}).total == 67  # a third of 2.00


INFORMATICS = FormKey(
    (
        SlotKey(1, 2, 100, ClusterKey(TRUTH)),
        SlotKey(2, 2, 100, ClusterKey(TRUTH), track="computer_science"),
        SlotKey(3, 2, 100, ClusterKey(TRUTH), track="applied_informatics"),
    )
)


def test_of_two_tracks_the_answered_one_counts() -> None:
    assert score_attempt(INFORMATICS, {1: cluster_with(4), 3: cluster_with(3)}).total == 150


def test_both_tracks_filled_count_by_the_recorded_choice() -> None:
    responses: dict[int, ResponseValue] = {1: cluster_with(4), 2: cluster_with(4), 3: cluster_with(3)}
    assert score_attempt(INFORMATICS, responses, track="applied_informatics").total == 150
    assert score_attempt(INFORMATICS, responses, track="computer_science").total == 200


def test_both_tracks_filled_without_a_recorded_choice_are_left_to_people() -> None:
    score = score_attempt(INFORMATICS, {1: cluster_with(4), 2: cluster_with(4), 3: cluster_with(3)})
    assert score.total is None
    assert score.undecided_tracks == ("computer_science", "applied_informatics")


def test_a_paper_with_tracks_is_worth_its_common_slots_and_one_track() -> None:
    assert INFORMATICS.maximum == 200


@pytest.mark.parametrize(
    ("value", "half_up", "cut"),
    [("4.975", 498, 497), ("4.974", 497, 497), ("5", 500, 500), ("0.005", 1, 0), ("6.96125", 696, 696)],
)
def test_rounding_is_exact_where_binary_floats_are_not(value: str, half_up: int, cut: int) -> None:
    assert to_hundredths(Decimal(value)) == half_up
    assert to_hundredths(Decimal(value), Rounding.TRUNCATE) == cut


@given(st.fractions(min_value=0, max_value=100))
def test_rounding_moves_a_number_by_at_most_half_a_hundredth(value: Fraction) -> None:
    assert abs(Fraction(to_hundredths(value), 100) - value) <= Fraction(1, 200)
    assert 0 <= value - Fraction(to_hundredths(value, Rounding.TRUNCATE), 100) < Fraction(1, 100)
