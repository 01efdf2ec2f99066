"""What the importing commands share: the table given, the mapping of its columns, and the report."""

from pathlib import Path
from typing import Annotated, Any

import typer

from exam_engine.cli.console import emit, note, refuse
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import Table, parse_mapping, read_table

SheetName = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook; the first if not given.")]
ColumnMap = Annotated[
    list[str] | None, typer.Option("--map", help='A column by hand: "Ho ten=full_name"; may be repeated.')
]


def read_given_table(file: Path, sheet: str | None, column_map: list[str] | None) -> tuple[Table, dict[str, str]]:
    """Read the table and the mapping a command was given; a refusal ends the command."""
    try:
        return read_table(file.read_bytes(), file.name, sheet=sheet), parse_mapping(column_map or [])
    except OSError as error:
        refuse(f"{file}: {error.strerror}")
    except FileRefused as error:
        refuse(error)


def show_report(report: Any, *, as_json: bool) -> None:
    """Print what an import did: every change on standard error, the sum as the result."""
    if not as_json:
        for change in report.changes:
            note(f"  {change.subject} {change.field}: {change.before or '-'} -> {change.after or '-'}")
    verb = "would be " if report.is_dry_run else ""
    text = (
        f"{report.file_name}: {report.rows} rows; {verb}created {report.created}, "
        f"{verb}changed {report.changed}, unchanged {report.unchanged}"
    )
    emit(report, as_json=as_json, text=text)
