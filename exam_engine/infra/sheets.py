"""Tables to the outside: CSV that Excel reads with Vietnamese letters, and workbooks. Reading is in `files`."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

Lines = tuple[Sequence[str], Iterable[Sequence[object]]]
"""Column titles, then the rows."""


def csv_bytes(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write CSV as UTF-8 with the mark that makes Excel read it as such."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(titles)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def workbook_bytes(sheets: Mapping[str, Lines]) -> bytes:
    """Write a workbook; texts stay texts: numbers keep leading zeros, nothing runs as a formula."""
    import xlsxwriter  # slow to load, and most processes write no workbook

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        for name, (titles, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, titles, bold)
            for index, row in enumerate(rows, start=1):
                sheet.write_row(index, 0, ["" if cell is None else cell for cell in row])
            sheet.freeze_panes(1, 0)
            sheet.autofit()
    return out.getvalue()


def _harmless(cell: object) -> object:
    # A text that a spreadsheet would run as a formula is written as text.
    if isinstance(cell, str) and cell[:1] in {"=", "@", "\t", "\r"}:
        return "'" + cell
    return "" if cell is None else cell
