"""Marks from files on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from exam_engine.cli.console import act, run
from exam_engine.cli.imports import ColumnMap, SheetName, read_given_table, show_report

app = typer.Typer(help="Marks from files.", no_args_is_help=True)


@app.callback()
def _marks() -> None:
    """Marks from files."""


@app.command(name="import")
def import_marks(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; columns: docs/formats/marks.md.")],
    *,
    exam: Annotated[str, typer.Option(help="Code of the exam.")],
    sheet: SheetName = None,
    column_map: ColumnMap = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check and say what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Take marks from a file, one column a subject; a mistake anywhere refuses the whole file.

    Example: exam-engine marks import diem.xlsx --exam thi-thu-tn-2027 --dry-run
    """
    from exam_engine.enrolment import service

    table, mapping = read_given_table(file, sheet, column_map)

    async def work() -> object:
        async with act(is_dry_run=dry_run) as command:
            found = await service.require_exam(command.session, exam)
            return await service.import_marks(
                command.session,
                found,
                table,
                mapping=mapping,
                is_dry_run=dry_run,
                actor=command.actor,
                now=command.now,
            )

    show_report(run(work()), as_json=as_json)
