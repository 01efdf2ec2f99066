"""Dates of birth as files have them: dd/mm/yyyy, d/m/yy, ddmmyy, ISO, or the year alone; kept as ISO 8601 text."""

import re
from datetime import date

_PARTS = re.compile(r"([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4}|[0-9]{2})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_OLDEST = 100


def parse_birth_date(text: str, exam_year: int) -> str | None:
    """Read a date of birth; None where it is unknown (empty, 000000).

    Two digits of a year mean the century in which the person is at most a hundred years old in the year of the exam.

    Raises
    ------
    ValueError
        It is no date, or nobody born then sits this exam.
    """
    text = text.strip()
    if not text.strip("0/.- "):
        return None
    day, month, year = _split(text, exam_year)
    if not exam_year - _OLDEST <= year < exam_year:
        raise ValueError(f"the year {year} is no year of birth for an exam of {exam_year}")
    if day == 0 and month == 0:
        return f"{year:04}"
    return date(year, month, day).isoformat()


def show_birth_date(iso: str | None) -> str:
    """Return dd/mm/yyyy, the year alone, or nothing."""
    if not iso:
        return ""
    return "/".join(reversed(iso.split("-")))


def _split(text: str, exam_year: int) -> tuple[int, int, int]:
    if match := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
        return day, month, year
    if match := _PARTS.fullmatch(text):
        day_text, month_text, year_text = match.groups()
        return int(day_text), int(month_text), _full_year(year_text, exam_year)
    if text.isdecimal() and text.isascii():
        if len(text) == 4:
            return 0, 0, int(text)
        if len(text) in {6, 8}:
            return int(text[:2]), int(text[2:4]), _full_year(text[4:], exam_year)
    raise ValueError("no date")


def _full_year(text: str, exam_year: int) -> int:
    if len(text) == 4:
        return int(text)
    century = exam_year - exam_year % 100
    year = century + int(text)
    return year if year < exam_year else year - 100
