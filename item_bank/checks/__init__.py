"""Checks of items before they are imported, submitted or used: errors refuse, warnings ask."""

from item_bank.checks.bank import Surroundings, check_items, check_references, check_stimulus
from item_bank.checks.findings import Finding, Place, Severity, errors_of
from item_bank.checks.items import check_item

__all__ = [
    "Finding",
    "Place",
    "Severity",
    "Surroundings",
    "check_item",
    "check_items",
    "check_references",
    "check_stimulus",
    "errors_of",
]
