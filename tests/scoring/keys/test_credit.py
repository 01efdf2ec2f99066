"""Each scoring rule: what it credits, what it does not, what it refuses."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import KeyInvalid, MarkInvalid, MarkMissing, ResponseInvalid
from scoring.keys import (
    RULES,
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
    credit,
    require_valid_key,
    rubric,
    short_answer,
)
from scoring.keys.values import CLUSTER_STEPS_2025
from scoring.values import ResponseValue

CLUSTER = ClusterKey({"a": True, "b": False, "c": True, "d": False})
RUBRIC = RubricKey((Criterion("content", "Content", 100), Criterion("language", "Language", 50)))

letters = st.sampled_from("ABCDEFGH")
responses = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.lists(letters, max_size=5),
    st.dictionaries(st.sampled_from("abcd"), st.booleans()),
)
keys: st.SearchStrategy[Key] = st.one_of(
    st.lists(letters, min_size=1, max_size=3, unique=True).map(lambda options: OneOptionKey(tuple(options))),
    st.lists(letters, min_size=1, max_size=4, unique=True).map(lambda options: OptionSetKey(tuple(options))),
    st.lists(st.booleans(), min_size=4, max_size=4).map(
        lambda truth: ClusterKey(dict(zip("abcd", truth, strict=True)))
    ),
    st.builds(
        ShortAnswerKey,
        st.sampled_from(["0,83", "4", "92,3", "1,67", "1440", "0803", "-2"]).map(lambda answer: (answer,)),
        st.sampled_from(Compare),
    ),
    st.just(VoidKey("two right answers")),
)


@given(response=responses, key=keys)
def test_credit_is_between_zero_and_one_or_the_response_is_refused(response: ResponseValue, key: Key) -> None:
    try:
        given_credit = credit(response, key)
    except ResponseInvalid:
        assert response is not None
    else:
        assert 0 <= given_credit <= 1


@given(key=keys)
def test_a_cleared_response_earns_nothing_but_on_a_void_item(key: Key) -> None:
    assert credit(None, key) == (1 if isinstance(key, VoidKey) else 0)


def test_every_kind_of_key_has_a_rule() -> None:
    assert set(RULES) == set(Key.__args__)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param("B", 1, id="the accepted option"),
        pytest.param("A", 0, id="another option"),
        pytest.param("AB", 0, id="two options marked on a sheet"),
        pytest.param("b", 0, id="a small letter is not a master letter"),
        pytest.param("", 0, id="left blank"),
    ],
)
def test_one_option_credits_the_accepted_letter_only(response: str, expected: int) -> None:
    assert credit(response, OneOptionKey(("B",))) == expected


def test_after_a_key_change_each_accepted_option_is_credited() -> None:
    key = OneOptionKey(("B", "D"))
    assert [credit(option, key) for option in "ABCD"] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(["A", "C"], 1, id="the exact set"),
        pytest.param(["C", "A"], 1, id="in another order"),
        pytest.param(["A", "C", "C"], 1, id="an option sent twice"),
        pytest.param(["A"], 0, id="one too few"),
        pytest.param(["A", "B", "C"], 0, id="one too many"),
        pytest.param([], 0, id="left blank"),
    ],
)
def test_an_option_set_credits_only_the_exact_set(response: list[str], expected: int) -> None:
    assert credit(response, OptionSetKey(("A", "C"))) == expected


@pytest.mark.parametrize(("right", "expected"), [(0, "0"), (1, "0.1"), (2, "0.25"), (3, "0.5"), (4, "1")], ids=str)
def test_a_cluster_credits_by_the_number_of_right_statements(right: int, expected: str) -> None:
    response = {
        statement: truth if index < right else not truth
        for index, (statement, truth) in enumerate(CLUSTER.statements.items())
    }
    assert credit(response, CLUSTER) == Decimal(expected)


def test_a_blank_statement_is_a_wrong_one() -> None:
    assert credit({"a": True, "b": False, "c": True}, CLUSTER) == Decimal("0.5")


@given(response=st.dictionaries(st.sampled_from("abcd"), st.booleans()), statement=st.sampled_from("abcd"))
def test_one_more_right_statement_never_lowers_a_cluster(response: dict[str, bool], statement: str) -> None:
    better = {**response, statement: CLUSTER.statements[statement]}
    assert credit(better, CLUSTER) >= credit(response, CLUSTER)


@given(response=st.dictionaries(st.sampled_from("abcd"), st.booleans()))
def test_the_order_of_statements_does_not_matter(response: dict[str, bool]) -> None:
    backwards = dict(reversed(response.items()))
    assert credit(backwards, CLUSTER) == credit(response, CLUSTER)


@pytest.mark.parametrize(
    ("answer", "key", "expected"),
    [
        pytest.param("0,83", "0,83", 1, id="as the key writes it"),
        pytest.param("0.83", "0,83", 1, id="with a point"),
        pytest.param("0,50", "0,5", 1, id="trailing zero"),
        pytest.param("05", "5", 1, id="leading zero"),
        pytest.param(" 14 40", "1440", 1, id="with spaces"),
        pytest.param("１４４０", "1440", 1, id="full-width digits"),
        pytest.param("\u22121,5", "-1,5", 1, id="minus sign"),
        pytest.param("–1,5", "-1,5", 1, id="en dash"),
        pytest.param("－１，５", "-1,5", 1, id="full-width minus and comma"),
        pytest.param("-0", "0", 1, id="minus zero"),
        pytest.param("0803", "803", 1, id="as numbers, leading zeros do not count"),
        pytest.param("0,84", "0,83", 0, id="another number"),
        pytest.param("-4", "4", 0, id="another sign"),
        pytest.param(",5", "0,5", 0, id="comma in column 1"),
        pytest.param("5,", "5", 0, id="nothing after the comma"),
        pytest.param("1,2,", "1,2", 0, id="two commas"),
        pytest.param("--4", "4", 0, id="two minus signs"),
        pytest.param("4-", "4", 0, id="minus at the end"),
        pytest.param("+4", "4", 0, id="a plus sign is not on the grid"),
        pytest.param("-", "4", 0, id="only a minus"),
        pytest.param("1/2", "0,5", 0, id="a fraction"),
        pytest.param("4e0", "4", 0, id="an exponent"),
        pytest.param("5²", "52", 0, id="a superscript is not a digit"),
        pytest.param("0,500", "0,5", 0, id="longer than the grid"),
        pytest.param("", "0", 0, id="left blank"),
        pytest.param("không", "0", 0, id="words"),
    ],
)
def test_a_numeric_short_answer_is_compared_as_a_number(answer: str, key: str, expected: int) -> None:
    assert credit(answer, ShortAnswerKey((key,))) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [("0803", 1), ("0 803", 1), ("803", 0), ("0830", 0), ("", 0)], ids=repr
)
def test_a_literal_short_answer_is_compared_character_by_character(answer: str, expected: int) -> None:
    assert credit(answer, ShortAnswerKey(("0803",), Compare.LITERAL)) == expected


@pytest.mark.parametrize("key", ["0,83", "4", "92,3", "1,67", "1440", "2605"])
def test_keys_of_the_2025_papers_credit_themselves(key: str) -> None:
    assert credit(key, ShortAnswerKey((key,))) == 1


def test_several_accepted_answers_are_all_credited() -> None:
    key = ShortAnswerKey(("0,33", "0,34"))
    assert [credit(answer, key) for answer in ("0,33", "0,34", "0,35")] == [1, 1, 0]


def test_a_longer_key_widens_the_grid() -> None:
    assert credit("12,345", ShortAnswerKey(("12,345",))) == 1


@given(text=st.text(max_size=12))
def test_normalising_a_short_answer_twice_changes_nothing(text: str) -> None:
    once = short_answer.normalised(text)
    assert short_answer.normalised(once) == once


@given(value=st.decimals(min_value=-9, max_value=99, places=1))
def test_a_number_is_credited_however_it_is_signed_and_spaced(value: Decimal) -> None:
    written = f"{value}".replace(".", ",").replace("-0,0", "0,0")
    key = ShortAnswerKey((written,))
    assert credit(f" {written}".replace("-", "−").replace(",", "."), key) == 1


def test_an_essay_that_was_answered_waits_for_a_marker() -> None:
    with pytest.raises(MarkMissing):
        credit("Mùa thu Hà Nội …", RUBRIC)


def test_a_blank_essay_earns_nothing_without_a_marker() -> None:
    assert credit("  \n", RUBRIC) == 0


def test_a_mark_is_the_sum_of_its_criteria() -> None:
    assert rubric.mark_total({"content": 75, "language": 50}, RUBRIC) == 125


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param({"content": 101, "language": 0}, id="above the maximum"),
        pytest.param({"content": -1, "language": 0}, id="below zero"),
        pytest.param({"content": 50}, id="one left out"),
        pytest.param({"content": 50, "language": 0, "style": 10}, id="an unknown one"),
    ],
)
def test_a_mark_outside_its_rubric_is_refused(criteria: dict[str, int]) -> None:
    with pytest.raises(MarkInvalid):
        rubric.mark_total(criteria, RUBRIC)


@pytest.mark.parametrize(
    ("response", "key", "place"),
    [
        pytest.param(["A"], OneOptionKey(("A",)), "response", id="a list for one option"),
        pytest.param("A", OptionSetKey(("A",)), "response", id="a letter for a set"),
        pytest.param([["A"]], OptionSetKey(("A",)), "option 1", id="a list in the list"),
        pytest.param("ĐSĐS", CLUSTER, "response", id="a text for a cluster"),
        pytest.param({"e": True}, CLUSTER, "statement e", id="an unknown statement"),
        pytest.param({"a": "true"}, CLUSTER, "statement a", id="a text for a truth"),
        pytest.param({"a": 1}, CLUSTER, "statement a", id="a number for a truth"),
        pytest.param(["4"], ShortAnswerKey(("4",)), "response", id="a list for a short answer"),
        pytest.param(["text"], RUBRIC, "response", id="a list for an essay"),
    ],
)
def test_a_response_of_the_wrong_kind_is_refused_with_its_place(response: ResponseValue, key: Key, place: str) -> None:
    with pytest.raises(ResponseInvalid) as refused:
        credit(response, key)
    assert refused.value.place == place


@pytest.mark.parametrize(
    ("key", "place"),
    [
        pytest.param(OneOptionKey(()), "accepted", id="no option"),
        pytest.param(OptionSetKey(("A", "A")), "correct", id="an option twice"),
        pytest.param(ClusterKey({"a": True}, CLUSTER_STEPS_2025), "steps", id="steps that do not fit"),
        pytest.param(ClusterKey({"a": True, "b": True}, (0, 60, 50)), "steps", id="steps that fall"),
        pytest.param(ShortAnswerKey(("x",)), "accepted", id="a word as a number"),
        pytest.param(ShortAnswerKey((" ",), Compare.LITERAL), "accepted", id="an empty answer"),
        pytest.param(RubricKey(()), "criteria", id="no criterion"),
        pytest.param(RubricKey((Criterion("a", "A", 0),)), "criterion a", id="a criterion worth nothing"),
        pytest.param(VoidKey(" "), "reason", id="a void item without a reason"),
    ],
)
def test_a_key_that_contradicts_itself_is_refused_with_its_place(key: Key, place: str) -> None:
    with pytest.raises(KeyInvalid) as refused:
        require_valid_key(key)
    assert refused.value.place == place


@given(key=keys)
def test_sound_keys_are_accepted(key: Key) -> None:
    require_valid_key(key)


def test_a_cluster_with_too_few_steps_gives_no_score() -> None:
    with pytest.raises(KeyInvalid):
        credit({"a": True}, ClusterKey({"a": True, "b": True}, (0, 100)))
