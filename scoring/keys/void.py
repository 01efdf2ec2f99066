"""A defective item taken out after the exam: everybody gets full credit, answered or not."""

from decimal import Decimal

from scoring.keys.values import VoidKey
from scoring.values import ResponseValue


def credit(response: ResponseValue, key: VoidKey) -> Decimal:  # noqa: ARG001 (one signature for all rules)
    """Return 1, whatever was answered."""
    return Decimal(1)
