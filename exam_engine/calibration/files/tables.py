"""The lines of a table file in constant memory: header found and checked, ragged rows named."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.infra.csv_streams import csv_lines, refused_file
from exam_engine.infra.files import fold_name, read_table
from exam_engine.infra.i18n import N_

Line = tuple[int, list[str]]


class Header(msgspec.Struct, frozen=True):
    """Column titles as written and folded."""

    titles: tuple[str, ...]
    names: tuple[str, ...]

    def place(self, *wanted: str) -> int | None:
        """Return the first column of one of these folded names."""
        return next((i for i, name in enumerate(self.names) if name in wanted), None)


class OpenTable:
    """A table being read: its header, then its lines, all as wide as the header."""

    def __init__(self, source: Path | bytes, file_name: str) -> None:
        self.file_name = file_name
        self.mistakes = Mistakes(file_name)
        self._stream: BinaryIO = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        try:
            self._lines = self._open()
            self.header = self._read_header()
        except BaseException:
            self._stream.close()
            raise

    def __iter__(self) -> Iterator[Line]:
        """Yield (line number, cells); lines without any cell filled are left out."""
        width = len(self.header.titles)
        for number, cells in self._lines:
            if len(cells) != width:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                    message = N_("{count} cells stand here, but the header has {width}")
                    self.mistakes.add(message, line=number, count=len(cells), width=width)
                    continue
                cells = cells[:width]
            elif not any(cells):
                continue
            yield number, cells

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Iterator[Line]:
        start = self._stream.read(2)
        self._stream.seek(0)
        if start != b"PK":
            return csv_lines(self._stream, self.file_name)
        table = read_table(self._stream.read(), self.file_name)
        titles = [table.titles[name] for name in table.columns]
        rows = ((row.number, [row.cells.get(name, "") for name in table.columns]) for row in table.rows)
        return iter([(1, titles), *rows])

    def _read_header(self) -> Header:
        found = next(((number, cells) for number, cells in self._lines if any(cell.strip() for cell in cells)), None)
        if found is None:
            raise refused_file(self.file_name, N_("the file is empty"))
        number, cells = found
        titles = tuple(cell.strip() for cell in cells)
        if len(titles) > 1 and not titles[-1]:
            titles = titles[:-1]  # a delimiter at the end of every line
        seen: set[str] = set()
        for place, title in enumerate(titles, start=1):
            if not title:
                self.mistakes.add(N_("the {place}. column has no title"), line=number, place=place)
            elif title in seen:
                self.mistakes.add(N_("the column {column} stands there twice"), line=number, column=title)
            seen.add(title)
        self.mistakes.finish()
        return Header(titles, tuple(fold_name(title) for title in titles))


def require_columns(table: OpenTable, wanted: Sequence[str]) -> list[int]:
    """Return the places of columns, by folded name.

    Raises
    ------
    FileRefused
        One is missing.
    """
    places = [table.header.place(name) for name in wanted]
    for name, place in zip(wanted, places, strict=True):
        if place is None:
            table.mistakes.add(N_("the column {column} is missing"), column=name)
    table.mistakes.finish()
    return [place for place in places if place is not None]
