"""Refusals of authoring.

AuthoringError
├── BankUnknown        no bank has this code or id
├── BankExists         the code of a bank is taken
├── ItemUnknown        no item has this code or id
├── ItemExists         the bank has an item of this code
├── MediaUnknown       no figure has this hash
├── VersionOutdated    somebody changed the item in between
└── ItemNotSound       the checks found errors: it cannot be submitted

A file that cannot be imported is a FileRefused of infra.
"""

from collections.abc import Sequence
from uuid import UUID

from exam_engine.infra.errors import EngineError
from item_bank.checks import Finding


class AuthoringError(EngineError):
    """Base of the refusals of authoring."""


class BankUnknown(AuthoringError):
    """No bank has this code or id."""

    def __init__(self, bank: UUID | str) -> None:
        self.bank = str(bank)
        super().__init__(f"there is no bank {bank}")


class BankExists(AuthoringError):
    """The code is taken."""

    def __init__(self, bank: str) -> None:
        self.bank = bank
        super().__init__(f"there is already a bank with the code {bank}")


class ItemUnknown(AuthoringError):
    """No item has this code or id."""

    def __init__(self, item: UUID | str) -> None:
        self.item = str(item)
        super().__init__(f"there is no item {item}")


class ItemExists(AuthoringError):
    """The bank has an item of this code."""

    def __init__(self, item: str) -> None:
        self.item = item
        super().__init__(f"the bank already has an item with the code {item}")


class MediaUnknown(AuthoringError):
    """No figure has this hash."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(f"there is no figure {sha256}")


class VersionOutdated(AuthoringError):
    """The item has another version by now; what was typed must be compared with it."""

    def __init__(self, item: str, expected: int, present: int) -> None:
        self.item = item
        self.expected = expected
        self.present = present
        super().__init__(f"item {item} is at version {present} by now, not {expected}")


class ItemNotSound(AuthoringError):
    """The checks found errors; an item with errors stays a draft."""

    def __init__(self, item: str, findings: Sequence[Finding]) -> None:
        self.item = item
        self.findings = tuple(findings)
        head = "; ".join(f"{finding.place.field}: {finding.message}" for finding in self.findings[:5])
        super().__init__(f"item {item} cannot be submitted: {head}")
