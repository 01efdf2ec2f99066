"""`exam-engine unit`: the dated tree of organisation units."""

from pathlib import Path
from typing import Annotated

import typer

from exam_engine.cli import console
from exam_engine.cli.imports import read_given_table
from exam_engine.identity import imports, service
from exam_engine.identity.model import OrgUnit
from exam_engine.infra.database import transaction
from exam_engine.infra.files import Table

app = typer.Typer(help="Organisation units.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

COMMAND_LINE = "system:command-line"


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="units.csv or .xlsx: code, name, kind, parent, valid_from, valid_to, successor.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add units, or change those whose code is known; all or nothing.

    Example: exam-engine unit import units.csv --dry-run
    """
    done = console.run(_import(read_given_table(file, None, None)[0], is_dry=dry_run))
    text = f"{done.added} units added, {done.changed} changed, {done.unchanged} unchanged"
    console.emit(done, as_json=as_json, text=f"{text} (dry run: nothing was written)" if dry_run else text)


@app.command("list")
def list_units(as_json: JsonOption = False) -> None:
    """List all units in order of code, ended ones among them.

    Example: exam-engine unit list --json
    """
    units = console.run(_units())
    if as_json:
        console.emit(units, as_json=True)
        return
    codes = {unit.id: unit.code for unit in units}
    console.emit_table(
        ("code", "name", "kind", "parent", "from", "to", "successor"),
        [
            (
                unit.code,
                unit.name,
                unit.kind,
                codes[unit.parent_id] if unit.parent_id else None,
                unit.valid_from,
                unit.valid_to,
                codes[unit.successor_id] if unit.successor_id else None,
            )
            for unit in units
        ],
    )


async def _import(table: Table, *, is_dry: bool) -> imports.UnitImport:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        done = await imports.import_units(session, table, actor=COMMAND_LINE, now=engine.clock())
        if is_dry:
            await session.rollback()
        return done


async def _units() -> list[OrgUnit]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        return list(await service.load_units(session))
