"""Files that appear whole or not at all: written under another name beside the place, then renamed."""

import csv
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from tempfile import mkstemp

import numpy as np


def write_all(contents: Sequence[tuple[Path, bytes]]) -> None:
    """Write every file or none; on any failure the old ones, if there were some, are still there.

    Raises
    ------
    OSError
        A folder is missing, closed or full; the error names the path that was asked for.
    """
    unfinished: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in contents:
            unfinished.append((_written_beside(path, content), path))
        for part, path in unfinished:
            part.replace(path)
    except OSError as error:
        for part, _ in unfinished:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None


def _written_beside(path: Path, content: bytes) -> Path:
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp closes the file to others; what is asked for by name follows the user's mask.
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return part


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a table as UTF-8 CSV; numbers with twelve digits, NA where there is none."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8")


def cell(value: object) -> str:
    """Write one cell: twelve digits, `NA`, `Inf` and `-Inf` as the reference files have them."""
    if value is None:
        return "NA"
    if isinstance(value, float | np.floating):
        number = float(value)
        if np.isnan(number):
            return "NA"
        if np.isinf(number):
            return "Inf" if number > 0 else "-Inf"
        return f"{number:.12g}"
    return str(value)
