"""CSV from outside, line by line in constant memory: encoding and delimiter are found, what is no table is refused."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_
from exam_engine.infra.vietnamese_legacy import legacy_text

OLD_FONT_FILE = N_(
    "line {line} is not UTF-8 text: it looks like the old font encoding {encoding}, where it reads “{converted}”; "
    "save the file as Unicode first"
)


def csv_lines(stream: BinaryIO, file_name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells as they stand) of UTF-8 or UTF-16 text; comma, semicolon or tab; blank lines too.

    Parameters
    ----------
    stream : binary file
        Stands at its beginning and can be rewound.

    Raises
    ------
    FileRefused
        Not Unicode (a Vietnamese legacy font is named, with what the text would be), or not a table.
    """
    is_utf16 = stream.read(2) in {b"\xff\xfe", b"\xfe\xff"}  # what Excel calls "Unicode text"
    stream.seek(0)
    text = TextIOWrapper(stream, encoding="utf-16" if is_utf16 else "utf-8-sig", newline="")
    try:
        lines = _without_zeros(text, file_name)
        blanks, first = 0, next(lines, "")
        while first and not first.strip():
            yield blanks + 1, []
            blanks, first = blanks + 1, next(lines, "")
        said = re.fullmatch(r"sep=([,;\t])", first.strip(" \r\n"), re.IGNORECASE)  # a line of Excel's own
        if said:
            yield blanks + 1, []
            blanks, first = blanks + 1, next(lines, "")
        reader = csv.reader(chain([first], lines), delimiter=said[1] if said else max(",;\t", key=first.count))
        for cells in reader:
            yield blanks + reader.line_num, cells
    except UnicodeDecodeError:
        stream.seek(0)
        raise _not_unicode(stream.read(), file_name, is_utf16=is_utf16) from None
    except csv.Error as error:
        raise refused_file(file_name, N_("the file is not a table: {reason}"), reason=str(error)) from None
    finally:
        with suppress(ValueError):  # closed already by whom it belongs to
            text.detach()


def refused_file(file_name: str, message: str, **facts: str | int) -> FileRefused:
    """Refuse a file as a whole, by a message id and its facts."""
    return FileRefused(file_name, [RowError("file", message.format(**facts), message=message, facts=dict(facts))])


def _without_zeros(lines: Iterator[str], file_name: str) -> Iterator[str]:
    for line in lines:
        if "\x00" in line:
            raise refused_file(file_name, N_("the file is not a table"))
        yield line


def _not_unicode(content: bytes, file_name: str, *, is_utf16: bool) -> FileRefused:
    try:
        content.decode("utf-16" if is_utf16 else "utf-8-sig")
        start = 0
    except UnicodeDecodeError as error:
        start = error.start
    line = content[:start].count(b"\n")
    sample = content.splitlines()[line].decode("latin-1").strip()
    legacy = legacy_text(sample)
    if legacy is None:
        message = N_("line {line} is not UTF-8 text; save the file as “CSV UTF-8”")
        return refused_file(file_name, message, line=line + 1)
    return refused_file(
        file_name, OLD_FONT_FILE, line=line + 1, encoding=legacy.encoding, converted=legacy.converted[:60]
    )
