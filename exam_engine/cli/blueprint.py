"""`exam-engine blueprint`: what a form must hold, from a file of parts and cells."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from exam_engine.assembly import service
from exam_engine.assembly.imports import BlueprintHeader, read_blueprint
from exam_engine.assembly.model import StoredBlueprint
from exam_engine.authoring import service as authoring
from exam_engine.cli import console
from exam_engine.identity import service as identity
from exam_engine.infra.database import transaction
from item_bank.forms.blueprint import Blueprint

app = typer.Typer(help="Blueprints: what a form must hold.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FormatOption = Annotated[str | None, typer.Option("--format", help="For a table: the paper format it has to meet.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON, or a table: part, kind, points, topic, level, count.")],
    bank: Annotated[str, typer.Option(help="Code of the bank it draws from.")],
    as_user: Annotated[str, typer.Option("--as", help="User name of the test developer.")],
    code: Annotated[str | None, typer.Option(help="Code of the blueprint; the file's name if left out.")] = None,
    name: Annotated[str, typer.Option(help="Name people see; its title if left out.")] = "",
    title: Annotated[str, typer.Option(help="For a table: the title on the paper.")] = "",
    minutes: Annotated[int, typer.Option(help="For a table: minutes of the test.")] = 0,
    language: Annotated[Literal["vi", "en"], typer.Option(help="For a table: language of the paper.")] = "vi",
    prefix: Annotated[str, typer.Option(help="For a table: first digits of its paper codes.")] = "00",
    paper_format: FormatOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep a blueprint under a code; one that forms were made by stays as it is.

    Example: exam-engine blueprint import toan-12.json --bank toan-12 --as developer
    """
    header = BlueprintHeader(
        title=title, minutes=minutes, language=language, paper_code_prefix=prefix, format=paper_format
    )
    try:
        spec = read_blueprint(file.read_bytes(), file.name, header)
    except console.REFUSALS as error:
        console.refuse(error)
    except OSError as error:
        console.refuse(f"{file}: {error.strerror}")
    kept = console.run(_save(spec, bank, code or file.stem, name or spec.title, as_user, is_dry=dry_run))
    spec = kept.spec
    text = f"blueprint {kept.code}: {spec.count} items, {spec.maximum / 100:g} points, {spec.minutes} minutes"
    console.emit(kept, as_json=as_json, text=f"{text} (dry run: nothing was written)" if dry_run else text)


@app.command("list")
def list_blueprints(as_json: JsonOption = False) -> None:
    """List all blueprints.

    Example: exam-engine blueprint list
    """
    found = console.run(_all())
    if as_json:
        console.emit(found, as_json=True)
        return
    console.emit_table(
        ("code", "name", "items", "points", "minutes"),
        [(each.code, each.name, each.spec.count, f"{each.spec.maximum / 100:g}", each.spec.minutes) for each in found],
    )


async def _save(spec: Blueprint, bank: str, code: str, name: str, user_name: str, *, is_dry: bool) -> StoredBlueprint:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        kept = await service.save_blueprint(
            session,
            bank_id=(await authoring.bank_by_code(session, bank)).id,
            code=code,
            name=name,
            spec=spec,
            actor=await identity.load_person_named(session, user_name, on=engine.local_day(now)),
            now=now,
        )
        if is_dry:
            await session.rollback()
        return kept


async def _all() -> list[StoredBlueprint]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        return list(await service.load_blueprints(session))
