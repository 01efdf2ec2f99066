"""`exam-engine form`: assemble, look at, seal; print the key."""

from typing import Annotated

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service
from exam_engine.assembly.model import AssemblyOrder, Form, FormSummary
from exam_engine.cli import console
from exam_engine.identity import service as identity
from exam_engine.infra.database import transaction
from exam_engine.infra.randomness import fresh_seed
from item_bank.forms.printed_key import PrintedKey

app = typer.Typer(help="Forms: assemble, seal, print.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FormArgument = Annotated[str, typer.Argument(help="Code of the form.")]
AsOption = Annotated[str, typer.Option("--as", help="User name of the person who does it.")]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="The same seed, bank and exposures give the same form; new if left out.")
]
ExposureOption = Annotated[bool, typer.Option("--ignore-exposure", help="Do not prefer items used less so far.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]


class FormView(msgspec.Struct):
    """A form for printing."""

    code: str
    title: str
    state: str
    seed: int
    key_version: int
    form_hash: str
    seal_hash: str | None
    seal_holds: bool | None  # none: not sealed
    slots: list[str]  # "1: T12-MC-004"
    paper_codes: list[str]


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    blueprint: str
    code: str
    seed: int
    paper_codes: int
    first_serial: int
    prefer_unused: bool


@app.command()
def assemble(
    blueprint: Annotated[str, typer.Argument(help="Code of the blueprint.")],
    as_user: AsOption,
    code: Annotated[str | None, typer.Option(help="Code of the new form; blueprint and seed if left out.")] = None,
    seed: SeedOption = None,
    codes: Annotated[int, typer.Option(min=1, max=1000, help="How many paper codes.")] = 1,
    first_serial: Annotated[int, typer.Option(min=0, help="Serial of the first paper code.")] = 1,
    ignore_exposure: ExposureOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a draft from the active items of the blueprint's bank, with its paper codes and keys.

    Example: exam-engine form assemble toan-12 --as developer --seed 202701 --codes 2 --dry-run
    """
    chosen = fresh_seed() if seed is None else seed
    wanted = _Wanted(
        blueprint=blueprint,
        code=code or f"{blueprint}-{chosen}",
        seed=chosen,
        paper_codes=codes,
        first_serial=first_serial,
        prefer_unused=not ignore_exposure,
    )
    view = console.run(_assemble(wanted, as_user, is_dry=dry_run))
    _emit_form(view, as_json=as_json)
    if dry_run:
        console.note("dry run: nothing was written")


@app.command()
def show(form: FormArgument, as_json: JsonOption = False) -> None:
    """Show a form: state, items by slot, paper codes, and whether its seal holds. No keys.

    Example: exam-engine form show TOAN-2027-TT1
    """
    view = console.run(_show(form))
    _emit_form(view, as_json=as_json)
    if view.seal_holds is False:
        console.refuse("the seal is broken: something it covers was altered")


@app.command("list")
def list_forms(as_json: JsonOption = False) -> None:
    """List all forms, newest first.

    Example: exam-engine form list --json
    """
    forms = console.run(_all())
    if as_json:
        console.emit(forms, as_json=True)
        return
    console.emit_table(
        ("code", "title", "state", "items", "paper codes", "assembled by", "sealed by"),
        [
            (
                line.form.code,
                line.form.title,
                line.form.state,
                line.slots,
                " ".join(line.paper_codes),
                line.created_by_name,
                line.sealed_by_name,
            )
            for line in forms
        ],
    )


@app.command()
def seal(form: FormArgument, as_user: AsOption, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Seal a draft; somebody other than its assembler does it, and nothing but the key can change afterwards.

    Example: exam-engine form seal TOAN-2027-TT1 --as board
    """
    done = console.run(_seal(form, as_user, is_dry=dry_run))
    text = f"form {done.code} is sealed: {done.seal_hash}"
    console.emit(done, as_json=as_json, text=f"{text} (dry run: nothing was written)" if dry_run else text)


@app.command()
def key(
    form: FormArgument,
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version of the key.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the key, one column a paper code.

    Example: exam-engine form key TOAN-2027-TT1
    """
    printed = console.run(_key(form, version))
    if as_json:
        console.emit(printed, as_json=True)
        return
    for part in printed.parts:
        typer.echo(part.title)
        console.emit_table(("", *printed.codes), [(row.number, *row.keys) for row in part.rows])


def _emit_form(view: FormView, *, as_json: bool) -> None:
    seal_text = {None: "not sealed", True: "holds", False: "BROKEN"}[view.seal_holds]
    lines = [
        f"{view.code}  {view.title}  {view.state}, key version {view.key_version}, seal {seal_text}",
        f"seed {view.seed}, keyless form {view.form_hash}",
        f"paper codes: {' '.join(view.paper_codes)}",
        *view.slots,
    ]
    console.emit(view, as_json=as_json, text="\n".join(lines))


async def _assemble(wanted: _Wanted, user_name: str, *, is_dry: bool) -> FormView:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        order = AssemblyOrder(
            blueprint_id=(await service.load_blueprint_coded(session, wanted.blueprint)).id,
            code=wanted.code,
            seed=wanted.seed,
            paper_codes=wanted.paper_codes,
            first_serial=wanted.first_serial,
            prefer_unused=wanted.prefer_unused,
        )
        actor = await identity.load_person_named(session, user_name, on=engine.local_day(now))
        form = await service.assemble(session, order, actor=actor, now=now)
        view = await _view(session, form)
        if is_dry:
            await session.rollback()
        return view


async def _show(code: str) -> FormView:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        return await _view(session, await service.load_form_coded(session, code))


async def _all() -> list[FormSummary]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        return list(await service.load_forms(session))


async def _seal(code: str, user_name: str, *, is_dry: bool) -> Form:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        form = await service.load_form_coded(session, code)
        actor = await identity.load_person_named(session, user_name, on=engine.local_day(now))
        done = await service.seal(session, form.id, actor=actor, now=now)
        if is_dry:
            await session.rollback()
        return done


async def _key(code: str, version: int | None) -> PrintedKey:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        form = await service.load_form_coded(session, code)
        return await service.key_for_print(session, form.id, version)


async def _view(session: AsyncSession, form: Form) -> FormView:
    items = await service.load_items(session, form.id)
    compiled = await service.load_compiled_of_form(session, form.id)
    return FormView(
        code=form.code,
        title=form.title,
        state=form.state,
        seed=form.seed,
        key_version=form.key_version,
        form_hash=compiled.hash,
        seal_hash=form.seal_hash,
        seal_holds=await service.seal_holds(session, form.id) if form.seal_hash else None,
        slots=[f"{slot}: {item.code}" for slot, item in sorted(items.items())],
        paper_codes=[each.code for each in await service.load_paper_codes(session, form.id)],
    )
