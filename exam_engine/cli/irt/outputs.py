"""What the commands on files share in telling: JSON without NaN, numbers in tables, reports and files written whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from exam_engine.calibration.files.writing import write_all
from exam_engine.calibration.report.content import report_blocks
from exam_engine.calibration.report.facts import TestFacts
from exam_engine.cli.console import note
from scoring.calibration import Calibration

REPORT_ENDINGS = (".html", ".pdf")


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows: numbers that are not finite become null, arrays lists."""
    if isinstance(value, np.ndarray):
        return [plain(each) for each in value.tolist()]
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    return value


def shown(value: float | None, places: int = 3) -> str:
    """Write a number for a table in the terminal; nothing where there is none."""
    return "" if value is None or not np.isfinite(value) else f"{value:.{places}f}"


def with_error(value: float, se: float | None, places: int = 3) -> str:
    """Write an estimate with its standard error."""
    text = shown(value, places)
    return f"{text} ± {se:.{places}f}" if text and se is not None and np.isfinite(se) else text


def reports(
    paths: Sequence[Path], facts: TestFacts, *, name: str, language: str, calibration: Calibration | None = None
) -> list[tuple[Path, bytes]]:
    """Set the report in every form asked for."""
    from exam_engine.calibration.report.documents import document
    from exam_engine.calibration.report.page import page

    blocks = report_blocks(facts, name=name, language=language, calibration=calibration)
    return [
        (path, document(blocks, language=language) if path.suffix == ".pdf" else page(blocks, language=language))
        for path in paths
    ]


def write_files(contents: Sequence[tuple[Path, bytes]], *, is_dry_run: bool) -> None:
    """Write all files or none, and say so."""
    if is_dry_run:
        for path, content in contents:
            note(f"would write {path} ({len(content)} bytes)")
        return
    write_all(contents)
    for path, _ in contents:
        note(f"written: {path}")
