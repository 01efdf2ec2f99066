"""`exam-engine bank`: add and list item banks."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from exam_engine.authoring import service
from exam_engine.authoring.model import Bank, BankSummary
from exam_engine.authoring.service import NewBank
from exam_engine.cli import console
from exam_engine.identity import service as identity
from exam_engine.infra.database import transaction

app = typer.Typer(help="Item banks.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

COMMAND_LINE = "system:command-line"


@app.command()
def create(
    code: Annotated[str, typer.Argument(help="Code of the bank, unique everywhere.")],
    name: Annotated[str, typer.Option(help="Name people read.")],
    subject: Annotated[str, typer.Option(help="Subject code, such as TOAN.")],
    grade: Annotated[int, typer.Option(min=1, max=13, help="Grade the items are for.")],
    unit: Annotated[str, typer.Option(help="Code of the unit that keeps the bank.")],
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the items.")] = "vi",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add an empty bank.

    Example: exam-engine bank create toan-12 --name "Toán 12" --subject TOAN --grade 12 --unit 31
    """
    bank = console.run(_create(code, (name, subject, grade, language), unit, is_dry=dry_run))
    console.emit(bank, as_json=as_json, text=f"bank {bank.code} added" + (" (dry run)" if dry_run else ""))


@app.command("list")
def list_banks(
    as_user: Annotated[str, typer.Option("--as", help="User name of the person who asks.")],
    as_json: JsonOption = False,
) -> None:
    """List the banks a person may read, with their items counted by state.

    Example: exam-engine bank list --as author
    """
    banks = console.run(_list(as_user))
    if as_json:
        console.emit(banks, as_json=True)
        return
    console.emit_table(
        ("code", "name", "subject", "grade", "language", "items", "active"),
        [
            (b.bank.code, b.bank.name, b.bank.subject_code, b.bank.grade, b.bank.language, b.total, b.active)
            for b in banks
        ],
    )


async def _create(code: str, facts: tuple[str, str, int, str], unit: str, *, is_dry: bool) -> Bank:
    name, subject, grade, language = facts
    async with console.engine() as engine, transaction(engine.sessions) as session:
        unit_id = (await identity.load_unit_coded(session, unit)).id
        new = NewBank(code=code, name=name, subject_code=subject, grade=grade, unit_id=unit_id, language=language)
        bank = await service.create_bank(session, new, actor=COMMAND_LINE, now=engine.clock())
        if is_dry:
            await session.rollback()
        return bank


async def _list(as_user: str) -> Sequence[BankSummary]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        actor = await identity.load_person_named(session, as_user, on=engine.local_day(now))
        return await service.list_banks(session, actor=actor)
