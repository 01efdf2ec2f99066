"""The Excel template: items, stimuli and topics with an example filled in, lists to choose from, instructions."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from item_bank.interchange import columns
from item_bank.interchange.instructions import EXAMPLE_ITEMS, EXAMPLE_STIMULI, EXAMPLE_TOPICS, instructions

WIDTHS: Mapping[str, int] = {
    "stem": 60,
    "content": 80,
    "explanation": 40,
    "alt_text": 24,
    "title": 30,
    "name": 40,
    "key": 18,
    **dict.fromkeys(columns.OPTION_COLUMNS, 22),
}
KINDS = ("single_choice", "multiple_choice", "true_false_cluster", "short_numeric", "essay")
LEVELS = ("know", "understand", "apply")
CHOICES: Mapping[str, Sequence[str]] = {"kind": KINDS, "level": LEVELS, "compare": ("numeric", "literal")}
MADE = datetime(2026, 1, 1, tzinfo=UTC)  # a fixed date, so that the same template has the same bytes

Row = Mapping[str, str]


def template_bytes(language: str = "vi") -> bytes:
    """Write the template with its example, its titles and instructions in the given language."""
    sheets = {"items": EXAMPLE_ITEMS, "stimuli": EXAMPLE_STIMULI, "topics": EXAMPLE_TOPICS}
    titles = {
        "items": columns.ITEM_COLUMNS,
        "stimuli": columns.STIMULUS_COLUMNS,
        "topics": columns.TOPIC_COLUMNS,
    }
    return workbook_bytes(sheets, titles, explained=instructions(language))


def workbook_bytes(
    sheets: Mapping[str, Sequence[Row]],
    titles: Mapping[str, Sequence[str]],
    explained: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Write one sheet a table; texts stay texts, so that `0803` and `=1` are what was typed."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": MADE.replace(tzinfo=None)})
        wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        heading = book.add_format({"bold": True, "bottom": 1, "valign": "top", "bg_color": "#E8EEF4"})
        for name, rows in sheets.items():
            _write_table(book.add_worksheet(name), rows, titles[name], heading, wrapped)
        _write_instructions(book, explained, heading, wrapped)
    return out.getvalue()


def _write_table(sheet: Worksheet, rows: Sequence[Row], titles: Sequence[str], heading: Format, text: Format) -> None:
    sheet.freeze_panes(1, 1)
    for index, title in enumerate(titles):
        sheet.set_column(index, index, WIDTHS.get(title, 14), text)
        sheet.write_string(0, index, title, heading)
        if title in CHOICES:
            # A wrong word is only warned of: Vietnamese words are read as well.
            rule = {"validate": "list", "source": list(CHOICES[title]), "error_type": "warning"}
            sheet.data_validation(1, index, max(len(rows), 1000), index, rule)
    for number, row in enumerate(rows, start=1):
        for index, title in enumerate(titles):
            if row.get(title):
                sheet.write_string(number, index, row[title], text)


def _write_instructions(book: Workbook, lines: Iterable[tuple[str, str]], heading: Format, text: Format) -> None:
    lines = list(lines)
    if not lines:
        return
    sheet = book.add_worksheet("instructions")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    for number, (subject, explanation) in enumerate(lines):
        sheet.write_string(number, 0, subject, heading)
        sheet.write_string(number, 1, explanation, text)
