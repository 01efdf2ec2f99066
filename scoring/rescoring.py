"""Before and after: what changed between two scorings of the same attempts, for whom, and why, slot by slot."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from scoring.keys.values import RubricKey, VoidKey
from scoring.totals import FormKey


class Cause(StrEnum):
    """Why the points of a slot differ."""

    KEY_CHANGED = "key_changed"
    ITEM_VOIDED = "item_voided"
    POINTS_CHANGED = "points_changed"
    MARK_CHANGED = "mark_changed"
    RESPONSE_CHANGED = "response_changed"


class ScoredAttempt(msgspec.Struct, frozen=True):
    """A score as it is kept: the total in hundredths, the exact points of each slot."""

    total: int
    slots: dict[int, Decimal]


class SlotChange(msgspec.Struct, frozen=True):
    """One slot that gives other points than before; `None`: the slot was not there."""

    slot: int
    before: Decimal | None
    after: Decimal | None
    cause: Cause


class ScoreChange(msgspec.Struct, frozen=True):
    """One candidate whose slots or total differ; `None`: no score in that run."""

    candidate: str
    before: int | None
    after: int | None
    slots: tuple[SlotChange, ...]

    @property
    def difference(self) -> int:
        """Hundredths gained, negative when lost; a missing score counts as nothing."""
        return (self.after or 0) - (self.before or 0)


class Rescoring(msgspec.Struct, frozen=True):
    """The report on two runs."""

    n_before: int
    n_after: int
    changed_keys: tuple[int, ...]  # slots whose key or points differ
    changes: tuple[ScoreChange, ...]  # by candidate

    @property
    def n_raised(self) -> int:
        """How many totals went up."""
        return sum(change.difference > 0 for change in self.changes)

    @property
    def n_lowered(self) -> int:
        """How many totals went down."""
        return sum(change.difference < 0 for change in self.changes)


def compare(
    before: Mapping[str, ScoredAttempt], before_key: FormKey, after: Mapping[str, ScoredAttempt], after_key: FormKey
) -> Rescoring:
    """Compare two scorings, each with the key it used; the order of candidates does not matter."""
    causes = _key_causes(before_key, after_key)
    essays = {slot.slot for slot in after_key.slots if isinstance(slot.key, RubricKey)}
    changes = []
    for candidate in sorted(before.keys() | after.keys()):
        old, new = before.get(candidate), after.get(candidate)
        slots = _slot_changes(old, new, causes, essays)
        totals = (old.total if old else None, new.total if new else None)
        if slots or totals[0] != totals[1]:
            changes.append(ScoreChange(candidate, *totals, slots))
    return Rescoring(len(before), len(after), tuple(sorted(causes)), tuple(changes))


def _key_causes(before: FormKey, after: FormKey) -> dict[int, Cause]:
    old = {slot.slot: slot for slot in before.slots}
    new = {slot.slot: slot for slot in after.slots}
    causes = {}
    for slot in old.keys() | new.keys():
        was, now = old.get(slot), new.get(slot)
        if was is None or now is None or was.key != now.key:
            is_voided = now is not None and isinstance(now.key, VoidKey)
            causes[slot] = Cause.ITEM_VOIDED if is_voided else Cause.KEY_CHANGED
        elif was.points != now.points:
            causes[slot] = Cause.POINTS_CHANGED
    return causes


def _slot_changes(
    old: ScoredAttempt | None, new: ScoredAttempt | None, causes: Mapping[int, Cause], essays: set[int]
) -> tuple[SlotChange, ...]:
    if old is None or new is None:
        return ()
    return tuple(
        SlotChange(
            slot,
            old.slots.get(slot),
            new.slots.get(slot),
            causes.get(slot, Cause.MARK_CHANGED if slot in essays else Cause.RESPONSE_CHANGED),
        )
        for slot in sorted(old.slots.keys() | new.slots.keys())
        if old.slots.get(slot) != new.slots.get(slot)
    )
