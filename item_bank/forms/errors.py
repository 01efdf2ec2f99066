"""Refusals of form assembly.

ItemBankError
├── BlueprintInvalid    a blueprint contradicts itself: every place and reason
├── Shortage            the bank lacks items: every short cell and by how many
├── DrawUndecided       the solver found no answer in time
├── KeyMisfit           a key does not fit the item it is meant for
└── OrderingInvalid     an ordering is not a permutation of its form
"""

from collections.abc import Sequence

import msgspec

from item_bank.errors import ItemBankError
from item_bank.messages import Fact, Message


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong in one place of a blueprint; in English, and with what another language needs."""

    place: str  # "part 2, cell 3"
    reason: str
    message: str = ""  # the reason as a message id with its fields still open
    facts: dict[str, Fact] = {}

    @classmethod
    def of(cls, place: str, reason: Message) -> "Fault":
        """Make a fault from a message."""
        return cls(place, str(reason), reason.id, dict(reason.facts))


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the blueprint for which the bank has not enough."""

    part: int
    kind: str
    topic: str | None  # none: any topic
    level: str | None  # none: any level
    wanted: int
    available: int  # what is left for this cell when the bank is divided as well as it can be
    of: str = "items"  # or "testlets"

    @property
    def lacking(self) -> int:
        """By how many the cell falls short."""
        return self.wanted - self.available

    @property
    def cell(self) -> str:
        """Name the cell and its numbers without words: `2 · DH · apply · 1/3 (-2)`; a star is any."""
        of = "" if self.of == "items" else f" {self.of}"
        place = f"{self.part} · {self.topic or '*'} · {self.level or '*'}"
        return f"{place} · {self.available}/{self.wanted}{of} (-{self.lacking})"

    def __str__(self) -> str:
        topic = f"topic {self.topic}" if self.topic else "any topic"
        level = f"level {self.level}" if self.level else "any level"
        return (
            f"part {self.part} ({self.kind}), {topic}, {level}: {self.wanted} {self.of} wanted, "
            f"{self.available} available, {self.lacking} short"
        )


class BlueprintInvalid(ItemBankError):
    """A blueprint contradicts itself; every fault is listed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.place}: {fault.reason}" for fault in self.faults))


class Shortage(ItemBankError):
    """The bank has not enough items for the blueprint; every short cell is listed."""

    def __init__(self, shortfalls: Sequence[Shortfall]) -> None:
        self.shortfalls = tuple(shortfalls)
        self.cells = tuple(shortfall.cell for shortfall in self.shortfalls)
        super().__init__("; ".join(str(shortfall) for shortfall in self.shortfalls))


class DrawUndecided(ItemBankError):
    """The solver found neither a selection nor a proof that there is none."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"no selection was found within {seconds} s; loosen the blueprint or split its cells")


class KeyMisfit(ItemBankError):
    """A key names what its item does not have, or is of another kind; the key itself is never repeated."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place}: {reason}")


class OrderingInvalid(ItemBankError):
    """An ordering is not a permutation of the form it belongs to."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
