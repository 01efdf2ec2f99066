"""Tables from outside: CSV and XLSX files read into rows of text, with every mistake collected by row and column.

What the columns mean belongs to the room that imports them. Word, GIFT and item templates are read in `item_bank`.
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import TypeVar

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from exam_engine.infra.csv_streams import csv_lines, refused_file
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_, Translator
from exam_engine.infra.vietnamese_legacy import legacy_text

MAXIMUM_BYTES = 50_000_000
MAXIMUM_UNPACKED_BYTES = 400_000_000
MAXIMUM_ROWS = 2_000_000

OLD_FONT_CELL = N_(
    "“{value}” looks like the old font encoding {encoding}, where it reads “{converted}”; "
    "save the file as Unicode first"
)
T = TypeVar("T")
V = TypeVar("V")


class Row(msgspec.Struct, frozen=True):
    """One line: its number as the spreadsheet shows it, and its cells by folded column name, trimmed."""

    number: int
    cells: dict[str, str]


class Table(msgspec.Struct, frozen=True):
    """A file or sheet: folded column names in order, the names as written, and the rows that are not empty."""

    file_name: str
    columns: tuple[str, ...]
    titles: dict[str, str]
    rows: tuple[Row, ...]


def fold_name(title: str) -> str:
    """Fold a column title: `Số báo danh ` becomes `so_bao_danh`."""
    text = unicodedata.normalize("NFD", title.strip().casefold().replace("đ", "d"))
    text = "".join(c if c.isalnum() else " " for c in text if not unicodedata.combining(c))
    return "_".join(text.split())


def read_table(content: bytes, file_name: str, *, sheet: str | None = None) -> Table:
    """Read CSV (UTF-8 or UTF-16; comma, semicolon or tab) or XLSX (the named or the first sheet).

    Raises
    ------
    FileRefused
        The file is too large, not a table, not Unicode (a Vietnamese legacy font is named, with what the text would
        be), without a header line, names a column twice, or has cells under no column title.
    """
    if len(content) > MAXIMUM_BYTES:
        raise refused_file(file_name, N_("the file is larger than {limit} MB"), limit=MAXIMUM_BYTES // 1_000_000)
    lines = _read_xlsx(content, file_name, sheet) if content[:2] == b"PK" else _read_csv(content, file_name)
    if len(lines) > MAXIMUM_ROWS:
        raise refused_file(file_name, N_("the file has more than {limit} rows"), limit=MAXIMUM_ROWS)
    header_at = next((index for index, cells in enumerate(lines) if any(cells)), None)
    if header_at is None:
        raise refused_file(file_name, N_("the file is empty"))
    titles = lines[header_at]
    columns = tuple(fold_name(title) for title in titles)
    named = [column for column in columns if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise refused_file(file_name, N_("the column {column} stands there twice"), column=twice[0])
    body = [(number, cells) for number, cells in enumerate(lines[header_at + 1 :], start=header_at + 2) if any(cells)]
    _refuse_untitled_cells(body, columns, file_name)
    rows = tuple(
        Row(number, {column: cell for column, cell in zip(columns, cells, strict=False) if column})
        for number, cells in body
    )
    table = Table(file_name, tuple(named), dict(zip(columns, titles, strict=True)), rows)
    _refuse_legacy_fonts(table)
    return table


def sheet_names(content: bytes, file_name: str) -> tuple[str, ...]:
    """Return the folded names of a workbook's sheets.

    Raises
    ------
    FileRefused
        The file is not a workbook, or unpacks to more than we read.
    """
    return tuple(fold_name(name) for name in _open_workbook(content, file_name).sheet_names)


class TableReader:
    """Reads the cells of a table as values and collects what is wrong; `finish` refuses the file if anything was.

    A cell that cannot be read gives the stated default, so that one pass finds every mistake.
    """

    def __init__(
        self,
        table: Table,
        *,
        required: Sequence[str] = (),
        optional: Sequence[str] | None = None,  # none: further columns are allowed
        aliases: Mapping[str, str] | None = None,  # folded alias → column
        mapping: Mapping[str, str] | None = None,  # title as written → column, said by a person; goes first
    ) -> None:
        self.file_name = table.file_name
        self.errors: list[RowError] = []
        said = {fold_name(title): column for title, column in (mapping or {}).items()}
        meant = {**(aliases or {}), **said}
        renamed = {name: meant.get(name, name) for name in table.columns}
        self._titles = {renamed[name]: table.titles[name] for name in table.columns}
        for title in mapping or {}:
            if fold_name(title) not in table.columns:
                self.errors.append(_error(N_("the mapping names a column {column} that is not there"), column=title))
        self.columns = tuple(renamed[name] for name in table.columns)
        self._rows: Sequence[Row] = table.rows
        if any(name != column for name, column in renamed.items()):
            self._rows = [Row(r.number, {renamed[name]: cell for name, cell in r.cells.items()}) for r in table.rows]
        self._row: Row = Row(0, {})
        for name in required:
            if name not in self.columns:
                self.errors.append(_error(N_("the column {column} is missing"), column=name))
        for name in self.columns:
            if optional is not None and name not in required and name not in optional:
                self.errors.append(_error(N_("the column {column} is not known"), column=name))
        for first, second, name in _same_meaning(table, renamed):
            self.errors.append(
                _error(
                    N_("the columns {first} and {second} both mean {column}"), first=first, second=second, column=name
                )
            )
        self._has_columns = not self.errors

    def __iter__(self) -> Iterator[Row]:
        """Go through the rows; the getters read the row that was given last."""
        if not self._has_columns:
            return
        for row in self._rows:
            self._row = row
            yield row

    @property
    def row_number(self) -> int:
        """The row the getters read just now."""
        return self._row.number

    def wrong(self, column: str | None, message: str, **facts: str | int) -> None:
        """Note a mistake in the present row, under the column's title as written."""
        self.wrong_in(self._row.number, column, message, **facts)

    def wrong_in(self, row: int, column: str | None, message: str, **facts: str | int) -> None:
        """Note a mistake in a row read before."""
        title = None if column is None else self._titles.get(column, column)
        self.errors.append(_error(message, row=row, column=title, **facts))

    def text(self, column: str, *, required: bool = True) -> str:
        """Return the cell's text, NFC."""
        cell = unicodedata.normalize("NFC", self._row.cells.get(column, ""))
        if required and not cell:
            self.wrong(column, N_("the cell is empty"))
        return cell

    def date(self, column: str, default: T) -> date | T:
        """Read dd/mm/yyyy or yyyy-mm-dd; an empty cell gives the default."""
        return self._read(column, default, _parse_date, N_("“{value}” is not a date like 31/12/2027"))

    def whole(self, column: str, default: T) -> int | T:
        """Read a whole number; an empty cell gives the default."""
        return self._read(column, default, _parse_whole, N_("“{value}” is not a whole number"))

    def hundredths(self, column: str, default: T) -> int | T:
        """Read a number with at most two decimals, comma or point, as hundredths; an empty cell gives the default."""
        return self._read(column, default, _parse_hundredths, N_("“{value}” is not a number with at most two decimals"))

    def finish(self) -> None:
        """Refuse the file when anything was wrong.

        Raises
        ------
        FileRefused
            Every mistake, in the order of the file.
        """
        if self.errors:
            raise FileRefused(self.file_name, sorted(self.errors, key=lambda error: error.row or 0))

    def _read(self, column: str, default: T, parse: Callable[[str], V], message: str) -> V | T:
        cell = self._row.cells.get(column, "")
        if not cell:
            return default
        try:
            return parse(cell)
        except ValueError:
            self.wrong(column, message, value=cell[:40])
            return default


def explain(error: RowError, translate: Translator) -> str:
    """Say in the reader's language what is wrong and where."""
    reason = translate(error.message, **error.facts) if error.message else error.reason
    if error.row is None:
        return reason
    if error.column is None:
        return translate(N_("row {row}: {reason}"), row=error.row, reason=reason)
    return translate(N_("row {row}, column {column}: {reason}"), row=error.row, column=error.column, reason=reason)


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Read column mappings given as `Ho ten=full_name`.

    Raises
    ------
    FileRefused
        A pair is not "title=column".
    """
    mapping = {}
    for pair in pairs:
        title, _, column = (part.strip() for part in pair.rpartition("="))
        if not title or not column:
            raise refused_file("--map", N_("“{value}” is no column mapping; write title=column"), value=pair)
        mapping[title] = column
    return mapping


def _same_meaning(table: Table, renamed: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    first: dict[str, str] = {}
    for name in table.columns:
        if renamed[name] in first:
            yield table.titles[first[renamed[name]]], table.titles[name], renamed[name]
        first.setdefault(renamed[name], name)


def _refuse_untitled_cells(body: Sequence[tuple[int, Sequence[str]]], columns: Sequence[str], file_name: str) -> None:
    """Refuse what no title covers: `6,75` in a comma-separated file makes two cells and shifts all that follow."""
    named = [column != "" for column in columns]
    errors = [
        _error(
            N_("“{value}” stands under no column title; a decimal comma needs quotation marks or a semicolon file"),
            row=number,
            value=next(cell for is_named, cell in zip_longest(named, cells) if cell and not is_named)[:40],
        )
        for number, cells in body
        if any(cell and not is_named for is_named, cell in zip_longest(named, cells))
    ]
    if errors:
        raise FileRefused(file_name, errors)


def _refuse_legacy_fonts(table: Table) -> None:
    errors = []
    header = Row(0, dict(table.titles))
    for row in (header, *table.rows):
        for name, cell in row.cells.items():
            legacy = None if cell.isascii() else legacy_text(cell)
            if legacy is not None:
                message = OLD_FONT_CELL
                facts = {"value": cell[:40], "encoding": legacy.encoding, "converted": legacy.converted[:40]}
                errors.append(_error(message, row=row.number or None, column=table.titles[name], **facts))
    # Prose in another language may hold one such word; a table typed in an old font holds many.
    if len(errors) * 20 > len(table.rows):
        raise FileRefused(table.file_name, errors)


def _error(message: str, row: int | None = None, column: str | None = None, **facts: str | int) -> RowError:
    if column is not None:
        facts = {"column": column, **facts}
    place = "header" if row is None else f"row {row}" if column is None else f"row {row}, column {column}"
    return RowError(place, message.format(**facts), row, column, message, dict(facts))


def _read_csv(content: bytes, file_name: str) -> list[list[str]]:
    return [[cell.strip() for cell in cells] for _, cells in csv_lines(io.BytesIO(content), file_name)]


def _read_xlsx(content: bytes, file_name: str, sheet: str | None) -> list[list[str]]:
    workbook = _open_workbook(content, file_name)
    names = {fold_name(name): name for name in workbook.sheet_names}
    name = workbook.sheet_names[0] if sheet is None else names.get(fold_name(sheet))
    if name is None:
        raise refused_file(file_name, N_("the sheet {sheet} is missing"), sheet=sheet or "")
    try:
        found = workbook.get_sheet_by_name(name)
        return [[_cell_text(cell) for cell in line] for line in found.to_python(skip_empty_area=False)]
    except (zipfile.BadZipFile, CalamineError):
        raise refused_file(file_name, N_("the file is not an Excel workbook")) from None


def _open_workbook(content: bytes, file_name: str) -> CalamineWorkbook:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAXIMUM_UNPACKED_BYTES:
            raise refused_file(file_name, N_("the file unpacks to more than {limit} MB"), limit=400)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (zipfile.BadZipFile, CalamineError, IndexError):
        raise refused_file(file_name, N_("the file is not an Excel workbook")) from None
    if not workbook.sheet_names:
        raise refused_file(file_name, N_("the file is not an Excel workbook"))
    return workbook


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"  # as Excel shows it; never a mark of 1
    if isinstance(cell, float):
        # Excel shows 7.3 where it holds 7.300000000000001: fifteen digits are all it ever meant.
        return str(int(cell)) if cell.is_integer() else repr(float(f"{cell:.12g}"))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def _parse_date(text: str) -> date:
    if match := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", text):
        day, month, year = (int(part) for part in match.groups())
        return date(year, month, day)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise ValueError("no date")  # 1/1/27 is not the year 27
    return date.fromisoformat(text)


def _parse_whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        raise ValueError(text)
    return int(text)


def _parse_hundredths(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}([.,][0-9]{0,6})?", text):
        raise ValueError(text)
    hundredths = Decimal(text.replace(",", ".")).scaleb(2)
    if hundredths != hundredths.to_integral_value():
        raise ValueError(text)
    return int(hundredths)
