"""Essay by rubric: people give each criterion its hundredths; the sum over the maxima is the credit."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from scoring.errors import MarkInvalid, MarkMissing, ResponseInvalid
from scoring.keys.values import RubricKey
from scoring.values import Hundredths, ResponseValue, is_blank


def credit(response: ResponseValue, key: RubricKey) -> Decimal:  # noqa: ARG001 (one signature for all rules)
    """Return 0 for a blank essay, the only one that needs no marker.

    Raises
    ------
    MarkMissing
        Something was written: a person has to mark it (`credit_of_mark`).
    ResponseInvalid
        The response is not a text.
    """
    if response is not None and not isinstance(response, str):
        raise ResponseInvalid("response", "a text is expected")
    if is_blank(response):
        return Decimal(0)
    raise MarkMissing("response")


def maximum(key: RubricKey) -> Hundredths:
    """Sum of the maxima of the criteria."""
    return Hundredths(sum(criterion.maximum for criterion in key.criteria))


def mark_total(criteria: Mapping[str, int], key: RubricKey) -> Hundredths:
    """Add up a mark after checking it against the rubric.

    Raises
    ------
    MarkInvalid
        A criterion is unknown, left out, negative or above its maximum.
    """
    known = {criterion.id: criterion for criterion in key.criteria}
    for given in criteria:
        if given not in known:
            raise MarkInvalid(f"criterion {given}", "the rubric has no such criterion")
    for criterion in key.criteria:
        points = criteria.get(criterion.id)
        if points is None:
            raise MarkInvalid(f"criterion {criterion.id}", "a mark is missing")
        if not 0 <= points <= criterion.maximum:
            raise MarkInvalid(f"criterion {criterion.id}", f"{points} hundredths is outside 0 to {criterion.maximum}")
    return Hundredths(sum(criteria.values()))


def credit_of_mark(total: int, key: RubricKey) -> Fraction:
    """Return the share of the maximum that a mark reaches, exactly.

    Raises
    ------
    MarkInvalid
        The total is outside 0 to the rubric's maximum.
    """
    most = maximum(key)
    if not 0 <= total <= most:
        raise MarkInvalid("mark", f"{total} hundredths is outside 0 to {most}")
    return Fraction(total, most)
