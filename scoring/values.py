"""The values every scoring rule works on: a response as it was given, hundredths, exact rounding.

On the wire and in the database a response is plain JSON, by kind of interaction:
single choice `"B"`; multiple choice `["A", "C"]`; true/false cluster `{"a": true, "c": false}` (a statement left out is
blank); short answer `"-1,5"`; essay `"text"`. `null` means the candidate cleared it. Option letters are those of the
master form.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import NewType

ResponseValue = str | list[str] | dict[str, bool] | None

Hundredths = NewType("Hundredths", int)
"""A score or a number of points in hundredths: 250 means 2.50. Shown scores are never binary floats."""


def to_hundredths(value: Decimal) -> Hundredths:
    """Round an exact decimal half up to two places: 4.975 becomes 498."""
    return Hundredths(int((value * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def to_decimal(hundredths: int) -> Decimal:
    """Return the exact decimal with two places: 498 becomes 4.98."""
    return Decimal(hundredths).scaleb(-2)
