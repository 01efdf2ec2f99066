"""The key as it is printed after the exam: part by part, one column a paper code. Never a part of a keyless form."""

from collections.abc import Mapping, Sequence

import msgspec

from item_bank.forms.keys import key_for_code, shown_key
from item_bank.forms.ordering import Ordering
from item_bank.forms.paper import CandidateForm
from scoring.keys.values import Criterion, Key, RubricKey


class PrintedKeyRow(msgspec.Struct, frozen=True):
    """The keys at one number of a part, in the order of the paper codes."""

    number: int
    keys: tuple[str, ...]


class PrintedKeyPart(msgspec.Struct, frozen=True):
    """One part of the key."""

    part: int
    title: str
    rows: tuple[PrintedKeyRow, ...]


class PrintedRubric(msgspec.Struct, frozen=True):
    """The rubric of an essay, with its number under each paper code."""

    part: int
    numbers: tuple[int, ...]
    criteria: tuple[Criterion, ...]


class PrintedKey(msgspec.Struct, frozen=True):
    """The whole key of a form."""

    title: str
    language: str
    codes: tuple[str, ...]
    parts: tuple[PrintedKeyPart, ...]
    rubrics: tuple[PrintedRubric, ...]


def printed_key(form: CandidateForm, keys: Mapping[int, Key], codes: Sequence[tuple[str, Ordering]]) -> PrintedKey:
    """Write the keys, given in master letters by slot, as each paper code displays them."""
    part_of = {item.slot: item.part for item in form.items}
    columns = [_column(keys, ordering, part_of, form.language) for _, ordering in codes]
    parts = []
    for part in form.parts:
        texts = [column.get(part.part, []) for column in columns]
        rows = tuple(
            PrintedKeyRow(number, tuple(row))
            for number, row in enumerate(zip(*texts, strict=True), start=1)
            if any(row)
        )
        if rows:
            parts.append(PrintedKeyPart(part.part, part.title, rows))
    rubrics = tuple(
        PrintedRubric(part_of[slot], tuple(_number(slot, ordering, part_of) for _, ordering in codes), key.criteria)
        for slot, key in sorted(keys.items())
        if isinstance(key, RubricKey)
    )
    return PrintedKey(form.title, form.language, tuple(code for code, _ in codes), tuple(parts), rubrics)


def _column(
    keys: Mapping[int, Key], ordering: Ordering, part_of: Mapping[int, int], language: str
) -> dict[int, list[str]]:
    column: dict[int, list[str]] = {}
    for entry in ordering:
        shown = shown_key(key_for_code(keys[entry.slot], entry.options), language)
        column.setdefault(part_of[entry.slot], []).append(shown)
    return column


def _number(slot: int, ordering: Ordering, part_of: Mapping[int, int]) -> int:
    beside = [entry.slot for entry in ordering if part_of[entry.slot] == part_of[slot]]
    return beside.index(slot) + 1
