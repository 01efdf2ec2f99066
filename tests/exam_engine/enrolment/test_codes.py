"""The codes on the candidates' cards."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.enrolment.codes import (
    ALPHABET,
    look_up_code,
    look_up_code_matches,
    read_code,
    sit_code,
    sit_code_matches,
)

SECRET = b"the secret of one installation, thirty-two bytes or more"


def test_a_code_is_three_groups_of_four_readable_characters() -> None:
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{2}}", sit_code(SECRET, "vao-10-2027", "08000001", 1))


def test_the_code_of_one_purpose_does_not_open_the_other() -> None:
    code = sit_code(SECRET, "vao-10-2027", "08000001", 1)
    assert sit_code_matches(SECRET, "vao-10-2027", "08000001", 1, code)
    assert not look_up_code_matches(SECRET, "vao-10-2027", "08000001", 1, code)


@pytest.mark.parametrize(
    "other",
    [
        (SECRET, "vao-10-2026", "08000001", 1),
        (SECRET, "vao-10-2027", "08000002", 1),
        (SECRET, "vao-10-2027", "08000001", 2),
        (SECRET[::-1], "vao-10-2027", "08000001", 1),
        (SECRET, "vao-10-20270", "8000001", 1),
    ],
    ids=["exam", "number", "version", "secret", "the border between exam and number"],
)
def test_a_code_belongs_to_one_secret_exam_number_and_version(other: tuple[bytes, str, str, int]) -> None:
    assert look_up_code(*other) != look_up_code(SECRET, "vao-10-2027", "08000001", 1)


@given(st.integers(0, 10**8 - 1), st.data())
def test_codes_are_read_as_people_type_them(number: int, data: st.DataObject) -> None:
    code = sit_code(SECRET, "thi-thu", f"{number:08}", 1)
    typed = "".join(data.draw(st.sampled_from({"0": "0oO", "1": "1iIlL"}.get(c, c + c.lower()))) for c in code)
    typed = typed.replace("-", data.draw(st.sampled_from(["-", "", " ", "–"])))
    assert sit_code_matches(SECRET, "thi-thu", f"{number:08}", 1, typed)


@given(st.text())
def test_any_text_may_be_typed_and_none_is_taken_for_a_code_by_chance(typed: str) -> None:
    assert not sit_code_matches(SECRET, "thi-thu", "08000001", 1, typed)


def test_reading_forgives_case_hyphens_and_look_alikes() -> None:
    assert read_code("oil2 abcdefgh") == "0112-ABCD-EFGH"
