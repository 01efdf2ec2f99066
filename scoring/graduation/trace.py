"""The lines that explain a graduation score: what was taken, with which numbers, and what came out.

Labels, notes and words are message ids in English; numbers have a decimal point. Whoever shows a line translates it.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec

PLACES = 4
"""Decimals shown of a number that does not end."""


class Line(msgspec.Struct, frozen=True):
    """One line of the explanation."""

    label: str
    value: str
    formula: str = ""
    note: str = ""
    facts: dict[str, str] = {}  # fill the fields of label and note


class ReasonCode(StrEnum):
    """Why there is no score, or why the outcome is what it is."""

    MISSING_PAPER = "missing_paper"
    ABSENT = "absent"
    MISSING_ELECTIVES = "missing_electives"
    TOO_MANY_ELECTIVES = "too_many_electives"
    MISSING_COMPOSITE = "missing_composite"
    MISSING_YEAR = "missing_year"
    NO_SCHOOL_YEAR = "no_school_year"
    CONSERVED_NOT_VALID = "conserved_not_valid"
    FAIL_MARK = "fail_mark"
    BELOW_MINIMUM = "below_minimum"
    CANCELLED = "cancelled"
    EXEMPT_FROM_ALL = "exempt_from_all"
    SPECIAL_CASE = "special_case"
    SPECIAL_CASE_REFUSED = "special_case_refused"


MESSAGES: dict[ReasonCode, str] = {
    ReasonCode.MISSING_PAPER: "There is no mark in {subject}",
    ReasonCode.ABSENT: "Absent from {subject}",
    ReasonCode.MISSING_ELECTIVES: "Marks of chosen subjects are missing: {count}",
    ReasonCode.TOO_MANY_ELECTIVES: "There are marks in {count} chosen subjects, {allowed} count: it must be said which",
    ReasonCode.MISSING_COMPOSITE: "There is no composite paper with marks in all its components",
    ReasonCode.MISSING_YEAR: "The average of year {year} is missing",
    ReasonCode.NO_SCHOOL_YEAR: "No school year with an average is left",
    ReasonCode.CONSERVED_NOT_VALID: "The conserved mark {mark} in {subject} does not count any more",
    ReasonCode.FAIL_MARK: "{subject}: {mark} is not above {limit}",
    ReasonCode.BELOW_MINIMUM: "The graduation score {score} is below {minimum}",
    ReasonCode.CANCELLED: "The results are cancelled",
    ReasonCode.EXEMPT_FROM_ALL: "Exempt from all papers",
    ReasonCode.SPECIAL_CASE: "Recognised as a special case by decision",
    ReasonCode.SPECIAL_CASE_REFUSED: "Not recognised as a special case: {subject} {mark} is below {minimum}",
}


class Reason(msgspec.Struct, frozen=True):
    """One reason with its facts; `MESSAGES` has the sentence."""

    code: ReasonCode
    facts: dict[str, str] = {}

    @property
    def message(self) -> str:
        """The sentence in English, filled."""
        return MESSAGES[self.code].format(**self.facts)


def shown(value: Fraction | Decimal, minimum_places: int = 2) -> str:
    """Write a number exactly if it ends, else with four decimals and "…"."""
    exact = Fraction(value)
    places = _places(exact.denominator)
    if places is None:
        cut = int(exact * 10**PLACES)
        return f"{Decimal(cut).scaleb(-PLACES):f}…"
    places = max(places, minimum_places)
    return f"{Decimal(int(exact * 10**places)).scaleb(-places):f}"


def shown_sum(values: list[Decimal]) -> str:
    """Write the numbers of a sum."""
    return " + ".join(shown(value) for value in values)


def _places(denominator: int) -> int | None:
    """Decimals a fraction needs, `None` when it does not end within eight."""
    for places in range(9):
        if 10**places % denominator == 0:
            return places
    return None
