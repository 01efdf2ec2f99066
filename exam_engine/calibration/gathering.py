"""From stored responses to categories: one column an item version, whatever form or paper code it stood in. Pure.

Missing by design: candidates have no category of items their form did not hold. A cluster counts its right statements,
an essay the fifths of its marks; everything else is right or wrong.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.authoring.model import ItemId, ItemVersionId
from scoring.errors import MarkMissing, ResponseInvalid
from scoring.keys.rubric import credit_of_mark
from scoring.keys.rules import credit
from scoring.keys.values import ClusterKey, Key, OneOptionKey, RubricKey, VoidKey
from scoring.values import ResponseValue, is_blank

ESSAY_CATEGORIES = 5
LETTERS = "ABCDEFGH"
MISSING = -1


class FormSlotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of a form as calibration sees it; `option_order` turns master letters into the author's."""

    slot: int
    item_version_id: ItemVersionId
    key: Key
    option_order: str | None
    is_scored: bool
    track: str | None = None


class FormFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One form with the orders in which its paper codes show it."""

    code: str
    slots: tuple[FormSlotFacts, ...]
    orders: Mapping[UUID, tuple[int, ...]]  # paper code id: slots in displayed order


class SatAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One finished attempt with its newest stored responses."""

    attempt_id: UUID
    paper_code_id: UUID
    responses: Mapping[int, ResponseValue]
    marks: Mapping[int, int] = {}  # hundredths, by slot
    group: str = ""


class ItemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an item before it is calibrated."""

    item_version_id: ItemVersionId
    item_id: ItemId
    name: str  # code; with the version where two versions were used
    code: str
    version: int
    kind: str
    title: str
    n_options: int = 0


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Responses of all candidates to all items.

    Attributes
    ----------
    items : tuple of ItemFacts
        The columns.
    n_categories : tuple of int
        Raw categories each item can have.
    categories : ndarray of int8, shape (n_candidates, n_items)
        Raw category; 0 for a blank, -1 where the form did not hold the item.
    is_omitted, is_not_reached : ndarray of bool, shape (n_candidates, n_items)
        Blank though something later in the paper was answered; blank with all that follow in the paper.
    chosen : ndarray of int8, shape (n_candidates, n_items)
        Option chosen, in the author's letters (0 is A); -1 for blanks and items without options.
    keys : tuple of str
        Accepted options of each item in the author's letters; "" for items without options.
    is_scored : ndarray of bool, shape (n_items,)
        False for items that stood in pretest blocks only.
    forms : ndarray of int32, shape (n_candidates,)
        Index into `form_codes`.
    groups : tuple of str
        Of each candidate; "" where unknown.
    """

    items: tuple[ItemFacts, ...]
    n_categories: tuple[int, ...]
    categories: NDArray[np.int8]
    is_omitted: NDArray[np.bool_]
    is_not_reached: NDArray[np.bool_]
    chosen: NDArray[np.int8]
    keys: tuple[str, ...]
    is_scored: NDArray[np.bool_]
    is_void: NDArray[np.bool_]
    forms: NDArray[np.int32]
    form_codes: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def n_candidates(self) -> int:
        """Finished attempts."""
        return int(self.categories.shape[0])


def category_count(key: Key) -> int:
    """Return how many raw categories a key can give."""
    match key:
        case ClusterKey(statements=statements):
            return len(statements) + 1
        case RubricKey():
            return ESSAY_CATEGORIES
        case _:
            return 2


def raw_category(key: Key, response: ResponseValue, mark: int | None = None) -> int:
    """Return the raw category of one response.

    Raises
    ------
    ResponseInvalid, MarkMissing
        As the scoring rules do.
    """
    match key:
        case ClusterKey(statements=statements):
            credit(response, key)  # refuses what the cluster cannot judge
            given = response if isinstance(response, dict) else {}
            return sum(given.get(statement) is truth for statement, truth in statements.items())
        case RubricKey():
            share = credit(response, key) if mark is None else credit_of_mark(mark, key)
            return min(ESSAY_CATEGORIES - 1, int(share * ESSAY_CATEGORIES))
        case _:
            return int(credit(response, key) == 1)


def gather(
    forms: Sequence[FormFacts],
    attempts: Sequence[tuple[int, SatAttempt]],
    items: Mapping[ItemVersionId, ItemFacts],
) -> Gathered:
    """Put the attempts, each with the index of its form, into one table.

    Raises
    ------
    ResponseInvalid, MarkMissing
        A stored response does not fit its key, an essay has no mark; the place names attempt and slot.
    """
    columns = list(dict.fromkeys(slot.item_version_id for form in forms for slot in form.slots))
    column_of = {version: i for i, version in enumerate(columns)}
    shape = (len(attempts), len(columns))
    table = _Table(
        categories=np.full(shape, MISSING, dtype=np.int8),
        is_omitted=np.zeros(shape, dtype=np.bool_),
        is_not_reached=np.zeros(shape, dtype=np.bool_),
        chosen=np.full(shape, MISSING, dtype=np.int8),
    )
    coders = [_Coder(form, column_of) for form in forms]
    for row, (form_index, attempt) in enumerate(attempts):
        coders[form_index].write(table, row, attempt)
    slots = {slot.item_version_id: slot for form in forms for slot in form.slots}
    scored = {slot.item_version_id for form in forms for slot in form.slots if slot.is_scored}
    return Gathered(
        items=tuple(items[version] for version in columns),
        n_categories=tuple(category_count(slots[version].key) for version in columns),
        categories=table.categories,
        is_omitted=table.is_omitted,
        is_not_reached=table.is_not_reached,
        chosen=table.chosen,
        keys=tuple(_author_key(slots[version]) for version in columns),
        is_scored=np.array([version in scored for version in columns], dtype=np.bool_),
        is_void=np.array([isinstance(slots[version].key, VoidKey) for version in columns], dtype=np.bool_),
        forms=np.array([form for form, _ in attempts], dtype=np.int32),
        form_codes=tuple(form.code for form in forms),
        groups=tuple(attempt.group for _, attempt in attempts),
    )


class _Table(msgspec.Struct):
    """The arrays being filled."""

    categories: NDArray[np.int8]
    is_omitted: NDArray[np.bool_]
    is_not_reached: NDArray[np.bool_]
    chosen: NDArray[np.int8]


class _Coder:
    """Writes the attempts of one form; equal responses of a slot are judged once."""

    def __init__(self, form: FormFacts, column_of: Mapping[ItemVersionId, int]) -> None:
        self._form = form
        self._slots = {slot.slot: slot for slot in form.slots}
        self._columns = {slot.slot: column_of[slot.item_version_id] for slot in form.slots}
        self._order = tuple(slot.slot for slot in form.slots)
        self._judged: dict[tuple[int, bytes, int | None], int] = {}
        self._encode = msgspec.json.Encoder(order="sorted").encode

    def write(self, table: _Table, row: int, attempt: SatAttempt) -> None:
        for slot in attempt.responses:
            if slot not in self._slots:
                raise ResponseInvalid(f"attempt {attempt.attempt_id}, slot {slot}", "the form has no such slot")
        taken = self._tracks(attempt)
        order = self._form.orders.get(attempt.paper_code_id, self._order)
        shown = [number for number in order if self._slots[number].track is None or self._slots[number].track in taken]
        blank = [is_blank(attempt.responses.get(number)) for number in shown]
        reached = max((place for place, is_empty in enumerate(blank) if not is_empty), default=-1)
        for place, number in enumerate(shown):
            column = self._columns[number]
            table.categories[row, column] = self._category(attempt, number)
            if blank[place]:
                (table.is_omitted if place < reached else table.is_not_reached)[row, column] = True
            else:
                table.chosen[row, column] = self._choice(number, attempt.responses.get(number))

    def _tracks(self, attempt: SatAttempt) -> set[str | None]:
        """In a paper with a choice, slots of a track the candidate left alone were not asked of them."""
        return {
            slot.track
            for number, slot in self._slots.items()
            if slot.track is not None and not is_blank(attempt.responses.get(number))
        }

    def _category(self, attempt: SatAttempt, number: int) -> int:
        response, mark = attempt.responses.get(number), attempt.marks.get(number)
        seen = (number, self._encode(response), mark)
        found = self._judged.get(seen)
        if found is None:
            try:
                found = self._judged[seen] = raw_category(self._slots[number].key, response, mark)
            except ResponseInvalid as refused:
                place = f"attempt {attempt.attempt_id}, slot {number}, {refused.place}"
                raise ResponseInvalid(place, refused.reason) from refused
            except MarkMissing as missing:
                raise MarkMissing(f"attempt {attempt.attempt_id}, slot {number}") from missing
        return found

    def _choice(self, number: int, response: ResponseValue) -> int:
        if not isinstance(self._slots[number].key, OneOptionKey) or not isinstance(response, str):
            return MISSING
        return _author_place(response.strip(), self._slots[number].option_order)


def _author_place(letter: str, option_order: str | None) -> int:
    place = LETTERS.find(letter)
    if place < 0 or option_order is None or place >= len(option_order):
        return place
    return LETTERS.find(option_order[place])


def _author_key(slot: FormSlotFacts) -> str:
    if not isinstance(slot.key, OneOptionKey):
        return ""
    return "".join(sorted(LETTERS[_author_place(letter, slot.option_order)] for letter in slot.key.accepted))
