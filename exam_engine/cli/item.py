"""`exam-engine item`: check files, import and export them, write the template, list, submit and approve."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import exports, imports, service
from exam_engine.authoring.imports import ImportOrder
from exam_engine.authoring.model import Bank, ImportReport, ItemPage, ItemQuery
from exam_engine.authoring.packages import FIGURE_SUFFIXES, Contents, Package, SourceFile, read_package
from exam_engine.cli import console
from exam_engine.cli.score import score_command
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person
from exam_engine.infra.database import transaction
from item_bank.checks import Finding, errors_of
from item_bank.interchange.gift import GiftDefaults
from item_bank.model.item import Level
from item_bank.model.review import ItemState

app = typer.Typer(help="Items: check, import, export, review, score.", no_args_is_help=True)
app.command(name="score")(score_command)


FileArgument = Annotated[Path, typer.Argument(help="items.csv, a workbook of the template, or a GIFT file.")]
BankOption = Annotated[str, typer.Option("--bank", help="Code of the bank.")]
AsOption = Annotated[str, typer.Option("--as", help="User name of the person who does it.")]
StimuliOption = Annotated[Path | None, typer.Option(help="stimuli.csv with the passages the items hang on.")]
TopicsOption = Annotated[Path | None, typer.Option(help="topics.csv with the taxonomy.")]
MediaOption = Annotated[Path | None, typer.Option(help="Folder of the figures; the file's own folder if left out.")]
TopicOption = Annotated[str, typer.Option(help="GIFT: topic of items that name none.")]
LevelOption = Annotated[Level, typer.Option(help="GIFT: level of items that name none.")]
PrefixOption = Annotated[str, typer.Option(help="GIFT: beginning of codes given to questions without one.")]
LeaveOutOption = Annotated[
    bool, typer.Option("--leave-out", help="GIFT: go on without questions we cannot hold, instead of refusing.")
]
CodesArgument = Annotated[list[str], typer.Argument(help="Codes of the items.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(
    file: FileArgument,
    stimuli: StimuliOption = None,
    topics: TopicsOption = None,
    media_folder: MediaOption = None,
    topic: TopicOption = "",
    level: LevelOption = Level.UNDERSTAND,
    leave_out: LeaveOutOption = False,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the items.")] = "vi",
    as_json: JsonOption = False,
) -> None:
    """Read a file as an import would, without a server; exit code 1 when it has errors.

    Example: exam-engine item check items.csv --stimuli stimuli.csv --topics topics.csv
    """
    gift = GiftDefaults(topic=topic, level=level, leave_out=leave_out)
    package = _package(file, (stimuli, topics, media_folder), language, gift)
    contents = console.run(_read(package))
    if as_json:
        console.emit({"file": contents.file, "items": len(contents.items), "findings": contents.findings}, as_json=True)
    else:
        _tell(contents.findings)
        errors = errors_of(contents.findings)
        warned = len(contents.findings) - len(errors)
        console.emit(f"{len(contents.items)} items read: {len(errors)} errors, {warned} warnings")
    if errors_of(contents.findings):
        raise typer.Exit(console.REFUSED)


@app.command("import")
def import_file(
    file: FileArgument,
    bank: BankOption,
    as_user: Annotated[str | None, typer.Option("--as", help="User name of the author.")] = None,
    stimuli: StimuliOption = None,
    topics: TopicsOption = None,
    media_folder: MediaOption = None,
    submit_as: Annotated[str | None, typer.Option(help="Submit the items at once, as this user.")] = None,
    approve_as: Annotated[str | None, typer.Option(help="Approve them at once, as this other user.")] = None,
    topic: TopicOption = "",
    level: LevelOption = Level.UNDERSTAND,
    prefix: PrefixOption = "GIFT",
    leave_out: LeaveOutOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import items into a bank, all or nothing; a known code with other content gets a new version.

    Example: exam-engine item import items.csv --bank toan-12 --as author --topics topics.csv --dry-run
    """
    author = as_user or submit_as
    if author is None:
        raise typer.BadParameter("say who the author is: --as USER (or --submit-as)", param_hint="--as")
    defaults = GiftDefaults(topic=topic, level=level, prefix=prefix, leave_out=leave_out)
    package = _package(file, (stimuli, topics, media_folder), "vi", defaults)
    report = console.run(_import(package, bank, (author, submit_as, approve_as), is_dry=dry_run))
    if as_json:
        console.emit(report, as_json=True)
        return
    _tell(report.warnings)
    console.emit(_sentence(report))


@app.command("export")
def export_items(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made if it is not there.")],
    bank: BankOption,
    as_user: AsOption,
    file_format: Annotated[
        exports.Format, typer.Option("--format", help="Tables, one workbook, or GIFT.")
    ] = exports.Format.CSV,
    as_json: JsonOption = False,
) -> None:
    """Write the newest versions of a bank's items with their figures; importing them again changes nothing.

    Example: exam-engine item export out --bank toan-12 --as author --format xlsx
    """
    export = console.run(_export(bank, as_user, file_format))
    folder.mkdir(parents=True, exist_ok=True)
    for file in export.files:
        (folder / file.name).write_bytes(file.content)
    _tell(export.findings)
    names = [file.name for file in export.files]
    console.emit({"files": names, "findings": export.findings}, as_json=as_json, text=f"{len(names)} files in {folder}")


@app.command()
def template(
    file: Annotated[Path, typer.Argument(help="Workbook to write.")],
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the instructions.")] = "vi",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write the Excel template with an example of each kind and instructions.

    Example: exam-engine item template mau-cau-hoi.xlsx
    """
    from item_bank.interchange.excel import template_bytes

    if file.exists() and not overwrite:
        console.refuse(f"{file} is there already; add --overwrite to replace it")
    file.write_bytes(template_bytes(language))
    console.emit(f"{file} written")


@app.command("list")
def list_items(
    as_user: AsOption,
    bank: Annotated[str | None, typer.Option("--bank", help="Only this bank.")] = None,
    search: Annotated[str, typer.Option(help="Words; with diacritics they match exactly.")] = "",
    state: Annotated[ItemState | None, typer.Option(help="Only items in this state.")] = None,
    kind: Annotated[str, typer.Option(help="Only this kind, such as single_choice.")] = "",
    topic: Annotated[str, typer.Option(help="Only this topic code.")] = "",
    page: Annotated[int, typer.Option(min=1, help="Page of fifty.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """List and search the items a person may read.

    Example: exam-engine item list --as author --bank toan-12 --search "tiem can"
    """
    query = ItemQuery(text=search, state=state, kind=kind, topic=topic, page=page)
    found = console.run(_list(query, bank, as_user))
    if as_json:
        console.emit(found, as_json=True)
        return
    console.emit_table(
        ("bank", "code", "kind", "topic", "level", "state", "version", "stem"),
        [(i.bank_code, i.code, i.kind, i.topic, i.level, i.state, i.number, i.title[:60]) for i in found.items],
    )
    console.note(f"page {found.page} of {found.pages}, {found.total} items")


@app.command()
def submit(
    codes: CodesArgument,
    bank: BankOption,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Hand items in for review; refused when a check finds an error.

    Example: exam-engine item submit T12-MC-001 T12-MC-002 --bank toan-12 --as author
    """
    done = console.run(_step(codes, bank, as_user, is_approval=False, is_dry=dry_run))
    console.emit({"submitted": done}, as_json=as_json, text=f"{len(done)} items submitted")


@app.command()
def approve(
    codes: CodesArgument,
    bank: BankOption,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make submitted items active, as somebody who neither wrote nor submitted them.

    Example: exam-engine item approve T12-MC-001 --bank toan-12 --as reviewer
    """
    done = console.run(_step(codes, bank, as_user, is_approval=True, is_dry=dry_run))
    console.emit({"approved": done}, as_json=as_json, text=f"{len(done)} items approved")


def _package(
    file: Path, others: tuple[Path | None, Path | None, Path | None], language: str, gift: GiftDefaults
) -> Package:
    stimuli, topics, media_folder = others
    items = _source(file)
    folder = media_folder or file.parent
    if media_folder is not None and not media_folder.is_dir():
        raise typer.BadParameter(f"{media_folder} is no folder", param_hint="--media-folder")
    figures = sorted(path for path in folder.iterdir() if path.suffix.lower() in FIGURE_SUFFIXES)
    return Package(
        items=items,
        stimuli=None if stimuli is None else _source(stimuli),
        topics=None if topics is None else _source(topics),
        figures=[_source(path) for path in figures],
        language=language,
        gift=gift,
    )


def _source(path: Path) -> SourceFile:
    try:
        return SourceFile(path.name, path.read_bytes())
    except OSError as error:
        console.refuse(f"{path}: {error.strerror}")


def _tell(findings: Sequence[Finding]) -> None:
    for finding in findings:
        console.note(f"{finding.severity.value}: {finding.place.described()}: {finding.message} [{finding.code}]")


def _sentence(report: ImportReport) -> str:
    parts = [f"{len(report.created)} items created", f"{len(report.changed)} changed"]
    parts.append(f"{len(report.unchanged)} unchanged")
    if report.submitted or report.approved:
        parts.append(f"{report.submitted} submitted, {report.approved} approved")
    parts.append(f"{report.topics} topics, {report.stimuli} stimuli, {report.figures} figures written")
    return f"{report.bank}: {', '.join(parts)}" + (" (dry run: nothing was written)" if report.dry_run else "")


async def _read(package: Package) -> Contents:
    return read_package(package)


async def _import(
    package: Package, bank_code: str, people: tuple[str, str | None, str | None], *, is_dry: bool
) -> ImportReport:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        bank = await service.bank_by_code(session, bank_code)
        author, submitter, approver = [
            None if name is None else await identity.load_person_named(session, name, on=engine.local_day(now))
            for name in people
        ]
        assert author is not None  # noqa: S101 (the first name is always given)
        order = ImportOrder(
            bank=bank, package=package, author=author, submitter=submitter, approver=approver, dry_run=is_dry
        )
        return await imports.import_package(session, order, now=now)


async def _export(bank_code: str, as_user: str, file_format: exports.Format) -> exports.Export:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        bank, actor = await _bank_and_person(session, bank_code, as_user, engine.local_day(now))
        return await exports.export_bank(session, bank, file_format, actor=actor, now=now)


async def _list(query: ItemQuery, bank_code: str | None, as_user: str) -> ItemPage:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        actor = await identity.load_person_named(session, as_user, on=engine.local_day(now))
        if bank_code is not None:
            bank = await service.bank_by_code(session, bank_code)
            query = msgspec.structs.replace(query, bank_id=bank.id)
        return await service.list_items(session, query, actor=actor)


async def _step(codes: Sequence[str], bank_code: str, as_user: str, *, is_approval: bool, is_dry: bool) -> list[str]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        bank, actor = await _bank_and_person(session, bank_code, as_user, engine.local_day(now))
        ids = [await service.find_item(session, bank.id, code) for code in dict.fromkeys(codes)]
        step = service.approve_items if is_approval else service.submit_items
        done = await step(session, ids, actor=actor, now=now)
        if is_dry:
            await session.rollback()
        return [version.item.code for version in done]


async def _bank_and_person(session: AsyncSession, bank_code: str, as_user: str, today: date) -> tuple[Bank, Person]:
    bank = await service.bank_by_code(session, bank_code)
    return bank, await identity.load_person_named(session, as_user, on=today)
