"""Response files: one column an item, one row a candidate or a pattern with its frequency, read in flat memory.

Cells are turned into bytes by a table of the few codes that occur, so that a hundred thousand rows take a second.
"""

import re
from array import array
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.calibration.files.tables import OpenTable
from exam_engine.infra.files import fold_name
from exam_engine.infra.i18n import N_

MISSING, OMITTED, NOT_REACHED = -1, -2, -3
_WHOLE = re.compile(r"([0-9]{1,3})(?:\.0+)?")
HIGHEST_CATEGORY, MOST_OPTIONS = 99, 60
_MOST_KINDS = 10_000

IDENTIFIER_NAMES = (
    "id", "candidate", "candidate_number", "person", "student",
    "sbd", "so_bao_danh", "thi_sinh", "hoc_sinh", "ma_hoc_sinh",
)  # fmt: skip
FREQUENCY_NAMES = ("freq", "frequency", "weight", "tan_so", "so_luong")
GROUP_NAMES = ("group", "nhom")
MISSING_CODES = ("", "na", "n/a", "nan", ".")


class ReadingRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a response file is to be understood.

    Attributes
    ----------
    identifier, frequency, group : str or None
        Title of the column; None finds it by the usual names.
    ignored : tuple of str
        Titles of columns that are no items.
    missing_codes, omitted_codes, not_reached_codes : tuple of str
        Cells that mean these, besides an empty cell, NA, N/A, NaN and a full stop, which are missing.
    """

    identifier: str | None = None
    frequency: str | None = None
    group: str | None = None
    ignored: tuple[str, ...] = ()
    missing_codes: tuple[str, ...] = ()
    omitted_codes: tuple[str, ...] = ()
    not_reached_codes: tuple[str, ...] = ()


class ResponseFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a response file.

    Attributes
    ----------
    file_name : str
    item_names : tuple of str
    marks : ndarray of int8, shape (n_rows, n_items)
        Categories as written; MISSING, OMITTED, NOT_REACHED are negative.
    lines : ndarray of int64, shape (n_rows,)
        Line of the file.
    identifiers, groups : tuple of str or None
    frequencies : ndarray, shape (n_rows,), or None
    """

    file_name: str
    item_names: tuple[str, ...]
    marks: NDArray[np.int8]
    lines: NDArray[np.int64]
    identifiers: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    frequencies: NDArray[np.float64] | None = None


class OptionFile(msgspec.Struct, frozen=True):
    """Chosen options: `responses.marks` are places in `options`, one tuple an item, in the order they were met."""

    responses: ResponseFile
    options: tuple[tuple[str, ...], ...]


class _WrongCell(ValueError):
    """A cell that is no category; the row is then gone through slowly."""


class _Codes(dict[str, int]):
    """Byte of each kind of cell that occurs, 256 less one to three for blanks; a kind is read when first met."""

    def __init__(self, rules: ReadingRules) -> None:
        super().__init__()
        self._blanks = dict.fromkeys(MISSING_CODES, 256 + MISSING)
        for codes, value in (
            (rules.missing_codes, MISSING),
            (rules.omitted_codes, OMITTED),
            (rules.not_reached_codes, NOT_REACHED),
        ):
            self._blanks |= {code.strip().casefold(): 256 + value for code in codes}

    def __missing__(self, cell: str) -> int:
        text = cell.strip()
        value = self._blanks.get(text.casefold())
        if value is None:
            value = self.value(text)
        if len(self) < _MOST_KINDS:
            self[cell] = value
        return value

    def value(self, text: str) -> int:
        """Read a category."""
        # 1.0 is what other programs write for a column that also holds NaN.
        found = _WHOLE.fullmatch(text)
        if found is None or int(found[1]) > HIGHEST_CATEGORY:
            raise _WrongCell(text)
        return int(found[1])


class _Options(_Codes):
    """Options of one item, numbered as they are met."""

    def __init__(self, rules: ReadingRules) -> None:
        super().__init__(rules)
        self.options: list[str] = []

    def value(self, text: str) -> int:
        """Number an option."""
        option = text.upper()
        if option not in self.options:
            if len(self.options) >= MOST_OPTIONS:
                raise _WrongCell(text)
            self.options.append(option)
        return self.options.index(option)


def read_responses(source: Path | bytes, file_name: str, rules: ReadingRules) -> ResponseFile:
    """Read a file of categories (CSV or XLSX).

    Raises
    ------
    FileRefused
        A cell is no category, a row is ragged, a column is named twice, there are no items or no rows.
    """
    with OpenTable(source, file_name) as table:
        columns = _Columns(table, rules)
        wrong = N_("“{value}” is no category: whole numbers from 0 to {highest} are, and NA where missing")
        codes = _Codes(rules)
        return columns.read([codes] * len(columns.names), wrong, HIGHEST_CATEGORY)


def read_options(source: Path | bytes, file_name: str, rules: ReadingRules) -> OptionFile:
    """Read a file of chosen options; letters in either case are one option.

    Raises
    ------
    FileRefused
        A row is ragged, a column is named twice, an item has too many different cells to be options.
    """
    with OpenTable(source, file_name) as table:
        columns = _Columns(table, rules)
        wrong = N_("“{value}” would be more than {highest} different options")
        codes = [_Options(rules) for _ in columns.names]
        found = columns.read(codes, wrong, MOST_OPTIONS)
        return OptionFile(found, tuple(tuple(each.options) for each in codes))


class _Columns:
    """What each column of the table is, and the rows read by it."""

    def __init__(self, table: OpenTable, rules: ReadingRules) -> None:
        self._table = table
        header = table.header
        self._identifier = self._place(rules.identifier, IDENTIFIER_NAMES)
        self._frequency = self._place(rules.frequency, FREQUENCY_NAMES)
        self._group = self._place(rules.group, GROUP_NAMES)
        ignored = {i for title in rules.ignored if (i := self._place(title, ())) is not None}
        used = {self._identifier, self._frequency, self._group, *ignored}
        self._items = [i for i in range(len(header.titles)) if i not in used]
        if not self._items:
            table.mistakes.add(N_("there is no column with responses"))
        self.names = tuple(header.titles[i] for i in self._items)
        table.mistakes.finish()

    def read(self, codes: Sequence[_Codes], wrong: str, limit: int) -> ResponseFile:
        """Go through the lines; `wrong` is what is said of a cell that cannot be read."""
        table, mistakes = self._table, self._table.mistakes
        cells_of = _chosen(self._items)
        one, are_alike = codes[0], all(each is codes[0] for each in codes)
        marks, lines, weights = bytearray(), array("q"), array("d")
        identifiers: list[str] = []
        groups: list[str] = []
        for line, cells in table:
            chosen = cells_of(cells)
            try:
                if are_alike:
                    marks += bytes(map(one.__getitem__, chosen))
                else:
                    marks += bytes([of[cell] for of, cell in zip(codes, chosen, strict=True)])
            except _WrongCell:
                self._name_wrong(line, chosen, codes, wrong, limit)
                continue
            lines.append(line)
            if self._frequency is not None:
                weights.append(self._weight(line, cells[self._frequency]))
            if self._group is not None:
                groups.append(self._group_of(line, cells[self._group]))
            if self._identifier is not None:
                identifiers.append(cells[self._identifier].strip())
        if not lines and not mistakes.errors:
            mistakes.add(N_("there are no rows under the header"))
        mistakes.finish()
        return ResponseFile(
            file_name=table.file_name,
            item_names=self.names,
            marks=np.frombuffer(marks, dtype=np.int8).reshape(len(lines), len(self.names)),
            lines=np.array(lines, dtype=np.int64),
            identifiers=tuple(identifiers) if self._identifier is not None else None,
            groups=tuple(groups) if self._group is not None else None,
            frequencies=np.array(weights) if self._frequency is not None else None,
        )

    def _place(self, said: str | None, usual: Sequence[str]) -> int | None:
        header = self._table.header
        if said is None:
            return header.place(*usual)
        place = header.place(fold_name(said))
        if place is None:
            self._table.mistakes.add(N_("the column {column} is missing"), column=said)
        return place

    def _name_wrong(self, line: int, chosen: Sequence[str], codes: Sequence[_Codes], wrong: str, limit: int) -> None:
        for name, of, cell in zip(self.names, codes, chosen, strict=True):
            try:
                of[cell]
            except _WrongCell:
                self._table.mistakes.add(wrong, line=line, column=name, value=cell.strip()[:40], highest=limit)

    def _weight(self, line: int, cell: str) -> float:
        try:
            value = float(cell.strip().replace(",", "."))
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            title = self._table.header.titles[self._frequency or 0]
            message = N_("“{value}” is not how often a row occurred")
            self._table.mistakes.add(message, line=line, column=title, value=cell.strip()[:40])
        return value

    def _group_of(self, line: int, cell: str) -> str:
        name = cell.strip()
        if not name:
            self._table.mistakes.add(
                N_("the cell is empty"), line=line, column=self._table.header.titles[self._group or 0]
            )
        return name


def _chosen(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what takes the item cells out of a line."""
    if list(places) == list(range(places[0], places[-1] + 1)):
        together: Callable[[Sequence[str]], Sequence[str]] = itemgetter(slice(places[0], places[-1] + 1))
        return together
    return itemgetter(*places)
