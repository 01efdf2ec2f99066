"""Orders of a form: the master order with its option letters, and the seeded orderings behind paper codes.

Chance comes from the generator given and from nothing an item's key says, so that no order leaks a key.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from item_bank.forms.blueprint import Blueprint, Part, PartOrder
from item_bank.forms.draw import DrawnItem
from item_bank.forms.errors import OrderingInvalid
from item_bank.model.interactions import Interaction, MultipleChoice, SingleChoice, TrueFalseCluster
from item_bank.model.item import Level

T = TypeVar("T")


class FormSlot(msgspec.Struct, frozen=True, kw_only=True):
    """What an ordering needs to know of one slot of the master form."""

    slot: int
    run: int  # the run of the blueprint it stands in: items never leave it
    letters: str = ""  # "ABCD" options, "abcd" statements, "" neither
    pinned: str = ""  # letters that keep their place
    stimulus: str | None = None  # slots of one stimulus stay together
    shuffle: bool = True  # items and testlets of this run may be reordered
    shuffle_in_testlets: bool = False


class OrderedSlot(msgspec.Struct, frozen=True):
    """One place of a paper: which slot stands there, and which master letter under each displayed letter."""

    slot: int
    options: str = ""


Ordering = tuple[OrderedSlot, ...]


def master_order(blueprint: Blueprint, drawn: Iterable[DrawnItem], rng: np.random.Generator) -> tuple[DrawnItem, ...]:
    """Put a selection into the order of slots: part by part, lone items first, testlets together."""
    ordered: list[DrawnItem] = []
    selection = sorted(drawn, key=lambda each: each.position)
    for part_index, part in enumerate(blueprint.parts):
        units = _units([each for each in selection if each.part_index == part_index], lambda each: each.item.stimulus)
        units = [units[index] for index in rng.permutation(len(units))]
        rank = _level_rank if part.order is PartOrder.LEVELS else _cell_rank
        units.sort(key=rank)
        ordered += [each for unit in units for each in unit]
    return tuple(ordered)


def option_order(interaction: Interaction, rng: np.random.Generator) -> str | None:
    """Permute the options of a choice: "CADB" makes the author's C the master letter A. Others have no such order."""
    if not isinstance(interaction, SingleChoice | MultipleChoice):
        return None
    letters = "".join(option.id for option in interaction.options)
    pinned = "".join(option.id for option in interaction.options if option.pinned)
    return _permuted(letters, pinned, rng)


def master_letters(interaction: Interaction) -> str:
    """Return the letters options or statements carry in the master form: by their place, whatever the author's were."""
    match interaction:
        case SingleChoice() | MultipleChoice():
            return "ABCDEFGH"[: len(interaction.options)]
        case TrueFalseCluster():
            return "".join(statement.id for statement in interaction.statements)
        case _:
            return ""


def form_slot(interaction: Interaction, part: Part, *, slot: int, run: int, stimulus: str | None) -> FormSlot:
    """Describe the slot an interaction stands in, inside the run `part` of a blueprint, which counts from 0."""
    letters = master_letters(interaction)
    match interaction:
        case SingleChoice() | MultipleChoice():
            # A pinned option has the same index in every order, so its letter follows from the author's index.
            pinned = "".join(letters[i] for i, option in enumerate(interaction.options) if option.pinned)
        case TrueFalseCluster(shuffle=False):
            pinned = letters
        case _:
            pinned = ""
    return FormSlot(
        slot=slot,
        run=run,
        letters=letters,
        pinned=pinned,
        stimulus=stimulus,
        shuffle=part.shuffle,
        shuffle_in_testlets=part.shuffle_in_testlets,
    )


def paper_ordering(slots: Sequence[FormSlot], rng: np.random.Generator) -> Ordering:
    """Draw the ordering of one paper code: runs in place, testlets together, pinned options in place."""
    ordering: list[OrderedSlot] = []
    for run in dict.fromkeys(slot.run for slot in slots):
        units = _units([slot for slot in slots if slot.run == run], lambda slot: slot.stimulus)
        if all(slot.shuffle for unit in units for slot in unit):
            units = [units[index] for index in rng.permutation(len(units))]
        for unit in units:
            if all(slot.shuffle_in_testlets for slot in unit):
                unit = [unit[index] for index in rng.permutation(len(unit))]
            ordering += [OrderedSlot(slot.slot, _permuted(slot.letters, slot.pinned, rng)) for slot in unit]
    return tuple(ordering)


def require_ordering(slots: Sequence[FormSlot], ordering: Ordering) -> None:
    """Check that an ordering shows every slot once, with all its letters, and keeps what must stay.

    Raises
    ------
    OrderingInvalid
        It does not.
    """
    by_slot = {slot.slot: slot for slot in slots}
    if sorted(entry.slot for entry in ordering) != sorted(by_slot):
        raise OrderingInvalid("it does not show every slot exactly once")
    shown = [by_slot[entry.slot] for entry in ordering]
    for entry, slot in zip(ordering, shown, strict=True):
        if sorted(entry.options) != sorted(slot.letters):
            raise OrderingInvalid(f"slot {slot.slot}: its letters are {slot.letters or 'none'}")
        if any(entry.options.index(letter) != slot.letters.index(letter) for letter in slot.pinned):
            raise OrderingInvalid(f"slot {slot.slot}: a pinned option left its place")
    if not _is_contiguous([slot.run for slot in shown]):
        raise OrderingInvalid("a part is torn apart")
    testlets = [slot.stimulus or str(slot.slot) for slot in shown]
    if not _is_contiguous(testlets):
        raise OrderingInvalid("a testlet is torn apart")


def _units(entries: Sequence[T], stimulus_of: Callable[[T], str | None]) -> list[list[T]]:
    """Group the items of one stimulus; a lone item is a unit of its own."""
    units: dict[object, list[T]] = {}
    for index, entry in enumerate(entries):
        stimulus = stimulus_of(entry)
        units.setdefault(index if stimulus is None else stimulus, []).append(entry)
    return list(units.values())


def _level_rank(unit: Sequence[DrawnItem]) -> tuple[bool, int]:
    levels = list(Level)
    return unit[0].item.stimulus is not None, min(levels.index(each.item.level) for each in unit)


def _cell_rank(unit: Sequence[DrawnItem]) -> tuple[bool, int]:
    return False, min(each.cell_index for each in unit)


def _permuted(letters: str, pinned: str, rng: np.random.Generator) -> str:
    free = [index for index, letter in enumerate(letters) if letter not in pinned]
    permuted = list(letters)
    for index, source in zip(free, rng.permutation(len(free)), strict=True):
        permuted[index] = letters[free[source]]
    return "".join(permuted)


def _is_contiguous(values: Sequence[object]) -> bool:
    starts = [value for index, value in enumerate(values) if index == 0 or values[index - 1] != value]
    return len(starts) == len(set(starts))
