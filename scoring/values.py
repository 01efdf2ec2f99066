"""The values every scoring rule works on: a response as it was given, hundredths, exact rounding.

A response is plain JSON, by kind of interaction: single choice `"B"`; multiple choice `["A", "C"]`; true/false cluster
`{"a": true, "c": false}` (a statement left out is blank); short answer `"-1,5"`; essay `"text"`; `null`: cleared.
Option letters are those of the master form.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NewType

ResponseValue = str | list[str] | dict[str, bool] | None

Hundredths = NewType("Hundredths", int)
"""A score or a number of points in hundredths: 250 means 2.50. Shown scores are never binary floats."""


class Rounding(StrEnum):
    """What happens to the digits after the second decimal."""

    HALF_UP = "half_up"  # 4.975 becomes 4.98
    TRUNCATE = "truncate"  # 4.975 becomes 4.97


def to_hundredths(value: Decimal | Fraction, rounding: Rounding = Rounding.HALF_UP) -> Hundredths:
    """Round an exact number to two places: 4.975 becomes 498. Halves go away from zero, cuts towards it."""
    scaled = Fraction(value) * 100
    magnitude = abs(scaled) + (Fraction(1, 2) if rounding is Rounding.HALF_UP else 0)
    whole = int(magnitude)
    return Hundredths(whole if scaled >= 0 else -whole)


def to_decimal(hundredths: int) -> Decimal:
    """Return the exact decimal with two places: 498 becomes 4.98."""
    return Decimal(hundredths).scaleb(-2)


def plain_decimal(value: Decimal) -> str:
    """Write an exact number without trailing zeros: 0.250 becomes "0.25", 1.00 becomes "1"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_blank(response: ResponseValue) -> bool:
    """Tell whether nothing was answered: cleared, empty, or only white space."""
    if isinstance(response, str):
        return not response.strip()
    return not response
