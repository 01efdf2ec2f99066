"""Tables from outside: CSV and XLSX files read into rows of text, with every mistake collected by row and column.

What the columns mean belongs to the room that imports them. Word, GIFT and item templates are read in `item_bank`.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_, Translator

MAXIMUM_BYTES = 50_000_000
MAXIMUM_UNPACKED_BYTES = 400_000_000
MAXIMUM_ROWS = 500_000

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
    """Read CSV (UTF-8; comma, semicolon or tab) or XLSX (the named or the first sheet).

    Raises
    ------
    FileRefused
        The file is too large, not a table, not UTF-8, without a header line, or names a column twice.
    """
    if len(content) > MAXIMUM_BYTES:
        raise _refused(file_name, N_("the file is larger than {limit} MB"), limit=MAXIMUM_BYTES // 1_000_000)
    lines = _read_xlsx(content, file_name, sheet) if content[:2] == b"PK" else _read_csv(content, file_name)
    if len(lines) > MAXIMUM_ROWS:
        raise _refused(file_name, N_("the file has more than {limit} rows"), limit=MAXIMUM_ROWS)
    header_at = next((index for index, cells in enumerate(lines) if any(cells)), None)
    if header_at is None:
        raise _refused(file_name, N_("the file is empty"))
    titles = lines[header_at]
    columns = tuple(fold_name(title) for title in titles)
    named = [column for column in columns if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise _refused(file_name, N_("the column {column} stands there twice"), column=twice[0])
    rows = tuple(
        Row(number, {column: cell for column, cell in zip(columns, cells, strict=False) if column})
        for number, cells in enumerate(lines[header_at + 1 :], start=header_at + 2)
        if any(cells)
    )
    return Table(file_name, tuple(named), dict(zip(columns, titles, strict=True)), rows)


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
    ) -> None:
        self.file_name = table.file_name
        self.errors: list[RowError] = []
        renamed = {name: (aliases or {}).get(name, name) for name in table.columns}
        self.columns = tuple(renamed[name] for name in table.columns)
        self._rows = [Row(row.number, {renamed[name]: cell for name, cell in row.cells.items()}) for row in table.rows]
        self._row: Row = Row(0, {})
        for name in required:
            if name not in self.columns:
                self.errors.append(_error(N_("the column {column} is missing"), column=name))
        for name in self.columns:
            if optional is not None and name not in required and name not in optional:
                self.errors.append(_error(N_("the column {column} is not known"), column=name))
        if len(set(self.columns)) < len(self.columns):
            self.errors.append(_error(N_("two columns mean the same")))
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
        """Note a mistake in the present row."""
        self.errors.append(_error(message, row=self._row.number, column=column, **facts))

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
            raise FileRefused(self.file_name, self.errors)

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


def _error(message: str, row: int | None = None, column: str | None = None, **facts: str | int) -> RowError:
    if column is not None:
        facts = {"column": column, **facts}
    place = "header" if row is None else f"row {row}" if column is None else f"row {row}, column {column}"
    return RowError(place, message.format(**facts), row, column, message, dict(facts))


def _refused(file_name: str, message: str, **facts: str | int) -> FileRefused:
    return FileRefused(file_name, [RowError("file", message.format(**facts), message=message, facts=dict(facts))])


def _read_csv(content: bytes, file_name: str) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(file_name, N_("the file is not UTF-8 text; save it as “CSV UTF-8”")) from None
    if "\x00" in text:
        raise _refused(file_name, N_("the file is not a table"))
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise _refused(file_name, N_("the file is not a table: {reason}"), reason=str(error)) from None
    return [[cell.strip() for cell in line] for line in lines]


def _read_xlsx(content: bytes, file_name: str, sheet: str | None) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAXIMUM_UNPACKED_BYTES:
            raise _refused(file_name, N_("the file unpacks to more than {limit} MB"), limit=400)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = {fold_name(name): name for name in workbook.sheet_names}
        name = workbook.sheet_names[0] if sheet is None else names.get(fold_name(sheet))
        if name is None:
            raise _refused(file_name, N_("the sheet {sheet} is missing"), sheet=sheet or "")
        found = workbook.get_sheet_by_name(name)
        lines = [[_cell_text(cell) for cell in line] for line in found.to_python(skip_empty_area=False)]
    except (zipfile.BadZipFile, CalamineError, IndexError):
        raise _refused(file_name, N_("the file is not an Excel workbook")) from None
    return lines


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def _parse_date(text: str) -> date:
    if "/" in text:
        day, month, year = (int(part) for part in text.split("/"))
        return date(year, month, day)
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
