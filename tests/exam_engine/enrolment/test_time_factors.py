"""Accommodations: a factor on everybody's time, typed as people type it, kept exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.enrolment.time_factors import parse_time_factor, show_time_factor


@pytest.mark.parametrize(
    ("typed", "hundredths"),
    [("1", 100), ("1.25", 125), ("1,25", 125), (" 1,5 ", 150), ("2.0", 200), ("3", 300), ("3,00", 300), ("1.05", 105)],
)
def test_a_factor_is_read_with_point_or_comma(typed: str, hundredths: int) -> None:
    assert parse_time_factor(typed) == hundredths


@pytest.mark.parametrize("typed", ["", "0.9", "3.01", "4", "1.255", "-1", "1.2.3", "25%", "một", "١", "1e0", "nan"])
def test_what_is_no_factor_from_1_to_3_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_time_factor(typed)


@given(st.integers(100, 300))
def test_what_is_shown_reads_back_as_the_same(hundredths: int) -> None:
    assert parse_time_factor(show_time_factor(hundredths)) == hundredths
