"""What can be a response to an interaction, and what is kept of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.errors import ResponseInvalid
from item_bank.forms.paper import candidate_item
from item_bank.interchange.rows import read_items
from item_bank.model.responses import ESSAY_LIMIT_CHARACTERS, ResponseShape, check_response, shape_of, shape_of_slot
from scoring.values import ResponseValue

SINGLE = ResponseShape("single_choice", frozenset("ABCD"))
MULTIPLE = ResponseShape("multiple_choice", frozenset("ABCD"), maximum=2)
CLUSTER = ResponseShape("true_false_cluster", frozenset("abcd"))
SHORT = ResponseShape("short_numeric", max_characters=4)
ESSAY = ResponseShape("essay")


@pytest.mark.parametrize(
    ("shape", "value", "kept"),
    [
        pytest.param(SINGLE, "B", "B", id="an option"),
        pytest.param(SINGLE, None, None, id="cleared"),
        pytest.param(MULTIPLE, ["C", "A"], ["A", "C"], id="options in order"),
        pytest.param(MULTIPLE, [], None, id="no option is blank"),
        pytest.param(CLUSTER, {"c": False, "a": True}, {"a": True, "c": False}, id="some statements"),
        pytest.param(CLUSTER, {}, None, id="no statement is blank"),
        pytest.param(SHORT, "-1,5", "-1,5", id="a number"),
        pytest.param(SHORT, "−1.5", "-1,5", id="minus sign and point of another keyboard"),
        pytest.param(SHORT, "-", "-", id="half typed"),
        pytest.param(SHORT, "1,", "1,", id="half typed decimal"),
        pytest.param(SHORT, " ", None, id="spaces are blank"),
        pytest.param(ESSAY, "Bài làm\n", "Bài làm\n", id="a text as it is"),
    ],
)
def test_a_possible_response_is_kept(shape: ResponseShape, value: object, kept: ResponseValue) -> None:
    assert check_response(shape, value) == kept


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        pytest.param(SINGLE, "E", id="no such option"),
        pytest.param(SINGLE, "b", id="small letter"),
        pytest.param(SINGLE, ["A"], id="list for one option"),
        pytest.param(SINGLE, True, id="truth for an option"),
        pytest.param(MULTIPLE, "A", id="letter for a list"),
        pytest.param(MULTIPLE, ["A", "A"], id="twice the same"),
        pytest.param(MULTIPLE, ["A", "B", "C"], id="more than allowed"),
        pytest.param(MULTIPLE, ["A", 1], id="a number among letters"),
        pytest.param(CLUSTER, {"e": True}, id="no such statement"),
        pytest.param(CLUSTER, {"a": "true"}, id="word for truth"),
        pytest.param(CLUSTER, {"a": None}, id="nothing for truth"),
        pytest.param(SHORT, "12345", id="too long"),
        pytest.param(SHORT, "x", id="letter"),
        pytest.param(SHORT, "1/2", id="fraction"),
        pytest.param(SHORT, 5, id="number instead of text"),
        pytest.param(ESSAY, "a\x00", id="a character the database cannot hold"),
        pytest.param(ESSAY, "\ud800", id="half a character"),
        pytest.param(ESSAY, "a" * (ESSAY_LIMIT_CHARACTERS + 1), id="too long a text"),
    ],
)
def test_an_impossible_response_is_refused(shape: ResponseShape, value: object) -> None:
    with pytest.raises(ResponseInvalid):
        check_response(shape, value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
)


@given(st.sampled_from([SINGLE, MULTIPLE, CLUSTER, SHORT, ESSAY]), json_values)
def test_whatever_is_sent_is_kept_or_refused_and_checking_twice_changes_nothing(
    shape: ResponseShape, value: object
) -> None:
    try:
        kept = check_response(shape, value)
    except ResponseInvalid:
        return
    assert check_response(shape, kept) == kept


@pytest.mark.parametrize(
    "cells",
    [
        {"kind": "single_choice", "option_a": "1", "option_b": "2", "key": "A"},
        {"kind": "multiple_choice", "option_a": "1", "option_b": "2", "key": "A", "maximum": "1"},
        {"kind": "true_false_cluster", "option_a": "1", "option_b": "2", "key": "ĐS"},
        {"kind": "short_numeric", "key": "5", "max_characters": "3"},
        {"kind": "essay", "key": "Bài: 1"},
    ],
    ids=lambda cells: cells["kind"],
)
def test_a_compiled_item_has_the_shape_of_its_interaction(cells: dict[str, str]) -> None:
    (item,) = read_items([(2, {"code": "X", "topic": "1", "level": "know", "stem": "?", **cells})]).items
    compiled = msgspec.to_builtins(candidate_item(item, 1, 1))
    assert shape_of_slot(compiled) == shape_of(item.interaction)
