"""Candidate numbers: two digits of a council or province, which mean another place in another year, and a serial.

A number is text: its leading zeros count. Numbers follow the alphabetical order of names and are never given twice.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

import msgspec

from exam_engine.enrolment.errors import NumberingRefused, PrefixUnknown

DIGITS = 8
PREFIX_DIGITS = 2


class PrefixTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first two digits mean in a range of years."""

    valid_from: int
    valid_to: int | None
    source: str
    prefixes: dict[str, str]

    def holds_in(self, year: int) -> bool:
        """Whether the table is in force in a year."""
        return self.valid_from <= year and (self.valid_to is None or year <= self.valid_to)


class Unnumbered(msgspec.Struct, frozen=True):
    """A candidate to be numbered, with everything that decides the order."""

    id: object
    sort_key: str
    date_of_birth: str | None
    school: str


@cache
def prefix_tables() -> tuple[PrefixTable, ...]:
    """Return the tables of all years."""
    content = resources.files(__package__).joinpath("data/number_prefixes.json").read_bytes()
    return msgspec.json.decode(content, type=tuple[PrefixTable, ...])


def place_of_number(number: str, year: int) -> str | None:
    """Return the council or province a number comes from in a year; None where nobody has these digits."""
    for table in prefix_tables():
        if table.holds_in(year):
            return table.prefixes.get(number[:PREFIX_DIGITS])
    return None


def require_prefix(prefix: str, year: int) -> str:
    """Return the place of two digits.

    Raises
    ------
    PrefixUnknown
        Nobody has them in that year.
    """
    place = place_of_number(prefix, year) if len(prefix) == PREFIX_DIGITS else None
    if place is None:
        raise PrefixUnknown(prefix, year)
    return place


def assign(
    candidates: Iterable[Unnumbered], prefix: str, taken: Iterable[str], *, digits: int = DIGITS
) -> list[tuple[object, str]]:
    """Give numbers in alphabetical order, behind the highest serial already given under this prefix.

    Raises
    ------
    NumberingRefused
        The serials do not suffice.
    """
    # Two people of one name: the older goes first, then the school decides; an unknown date goes last.
    ordered: Sequence[Unnumbered] = sorted(
        candidates, key=lambda c: (c.sort_key, c.date_of_birth is None, c.date_of_birth or "", c.school, str(c.id))
    )
    width = digits - len(prefix)
    serials = [int(number[len(prefix) :]) for number in taken if number.startswith(prefix) and len(number) == digits]
    start = max(serials, default=0) + 1
    if start + len(ordered) > 10**width:
        raise NumberingRefused(f"{len(ordered)} numbers do not fit behind {prefix}{start - 1:0{width}}")
    return [(candidate.id, f"{prefix}{start + i:0{width}}") for i, candidate in enumerate(ordered)]
