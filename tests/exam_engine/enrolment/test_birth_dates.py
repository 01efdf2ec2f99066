"""Dates of birth as files have them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_engine.enrolment.birth_dates import parse_birth_date, show_birth_date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("15/03/2009", "2009-03-15"),
        ("5/3/09", "2009-03-05"),
        ("5/3/65", "1965-03-05"),
        ("05-03-2009", "2009-03-05"),
        ("5.3.2009", "2009-03-05"),
        ("050309", "2009-03-05"),
        ("05032009", "2009-03-05"),
        ("2009-03-15", "2009-03-15"),
        ("2009", "2009"),
        ("00/00/2009", "2009"),
        ("000000", None),
        ("", None),
    ],
)
def test_written_forms(text: str, iso: str | None) -> None:
    assert parse_birth_date(text, 2027) == iso


@pytest.mark.parametrize(
    "text", ["12/31/2009", "31/02/2009", "2028", "1/1/2027", "1890", "hôm qua", "5309", "1/2009", "٥/3/2009"]
)
def test_what_is_no_date_of_birth_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_birth_date(text, 2027)


@given(st.dates(min_value=date(1928, 1, 1), max_value=date(2026, 12, 31)))
def test_a_shown_date_reads_as_itself(day: date) -> None:
    assert parse_birth_date(show_birth_date(day.isoformat()), 2027) == day.isoformat()


def test_the_year_alone_is_shown_as_the_year() -> None:
    assert show_birth_date("2009") == "2009"
    assert show_birth_date(None) == ""
