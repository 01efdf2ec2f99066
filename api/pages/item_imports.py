"""Pages that import items: files in, what they would change, then the import itself; and the template to fill in."""

import io
import zipfile
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Template

from api.acts import Act, staff_act
from api.language import language_of
from api.pages.items import LEVELS
from api.pages.staff_page import done, refusal, staff_page
from api.pages.table_imports import ConfirmForm
from api.pages.uploads import Kept, KeptFile, keep, read_upload, take
from exam_engine.authoring import imports
from exam_engine.authoring import service as authoring
from exam_engine.authoring.imports import ImportOrder
from exam_engine.authoring.model import ImportReport
from exam_engine.authoring.packages import FIGURE_SUFFIXES, Package, SourceFile
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError, FileRefused, RowError
from exam_engine.infra.i18n import N_, translator
from item_bank.errors import ItemBankError
from item_bank.interchange.excel import template_bytes
from item_bank.interchange.gift import GiftDefaults
from item_bank.model.item import Level

MAXIMUM_FIGURES = 2_000
MAXIMUM_FIGURE_BYTES = 100_000_000  # of a zip, unpacked


class ItemImportForm(msgspec.Struct, frozen=True):
    """The files of a package and what GIFT leaves open."""

    bank: str = ""
    items: UploadFile | None = None
    stimuli: UploadFile | None = None
    topics: UploadFile | None = None
    media: UploadFile | None = None
    topic: str = ""
    level: str = Level.UNDERSTAND.value
    hand_in: str = ""


class ItemImportPages(Controller):
    """`/staff/items/import`, `/staff/items/template.xlsx`."""

    path = "/staff/items"
    include_in_schema = False

    @get("/template.xlsx")
    async def template(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answer the workbook to fill in."""
        async with staff_act(request, Permission.READ_ITEMS):
            body = template_bytes(language_of(request))
        media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        headers = {"Content-Disposition": 'attachment; filename="items-template.xlsx"'}
        return Response(body, media_type=media_type, headers=headers)

    @get("/import")
    async def form(self, request: Request[Any, Any, Any], bank: FromQuery[str] = "") -> Template:
        """Show the form of an import."""
        return await _form_page(request, ItemImportForm(bank=bank))

    @post("/import", status_code=200)
    async def check(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[ItemImportForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Response[Any]:
        """Read and compare without writing; every error is listed with its place."""
        uploads = {"items": data.items, "stimuli": data.stimuli, "topics": data.topics, "media": data.media}
        files = [await read_upload(field, upload) for field, upload in uploads.items()]
        values = {"bank": data.bank, "topic": data.topic.strip(), "level": data.level, "hand_in": data.hand_in}
        kept = Kept(tuple(file for file in files if file is not None), values)
        try:
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                report = await _import(act, kept, is_dry_run=True)
                token = await keep(request, act.person, kept)
                return _preview(request, act, kept, report, token)
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            return await _form_page(request, data, problem=problem, status_code=status)

    @post("/import/confirm", status_code=200)
    async def confirm(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[ConfirmForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Take the checked files in; everything is checked again, since the bank may have moved on."""
        typed = ItemImportForm()
        try:
            async with staff_act(request, Permission.WRITE_ITEMS) as act:
                kept = await take(request, act.person, data.token)
                typed = msgspec.convert(kept.values, ItemImportForm)
                report = await _import(act, kept, is_dry_run=False)
        except (EngineError, ItemBankError) as error:
            status, problem = refusal(request, error)
            return await _form_page(request, typed, problem=problem, status_code=status)
        return done(
            request,
            f"/staff/items?bank={report.bank}&sort=-updated",
            N_("{file}: {created} new, {changed} changed, {unchanged} unchanged."),
            file=report.file,
            created=len(report.created),
            changed=len(report.changed),
            unchanged=len(report.unchanged),
        )


async def _import(act: Act, kept: Kept, *, is_dry_run: bool) -> ImportReport:
    items = kept.file("items")
    if items is None:
        raise FileRefused("–", [_row_error(N_("no file was chosen"))])
    bank = await authoring.bank_by_code(act.session, kept.values.get("bank", ""))
    known_levels = {level.value for level in Level}
    level = kept.values.get("level", "")
    defaults = GiftDefaults(
        topic=kept.values.get("topic", ""), level=Level(level) if level in known_levels else Level.UNDERSTAND
    )
    package = Package(
        items=SourceFile(items.name, items.content),
        stimuli=_source(kept.file("stimuli")),
        topics=_source(kept.file("topics")),
        figures=_figures(kept.file("media")),
        language=bank.language,
        gift=defaults,
    )
    submitter = act.person if kept.values.get("hand_in") else None
    order = ImportOrder(bank=bank, package=package, author=act.person, submitter=submitter, dry_run=is_dry_run)
    return await imports.import_package(act.session, order, now=act.now)


def _source(file: KeptFile | None) -> SourceFile | None:
    return None if file is None else SourceFile(file.name, file.content)


def _figures(media: KeptFile | None) -> list[SourceFile]:
    """One figure, or every figure of a zip; names of folders inside are left out."""
    if media is None:
        return []
    if not media.name.lower().endswith(".zip"):
        return [SourceFile(media.name, media.content)]
    try:
        with zipfile.ZipFile(io.BytesIO(media.content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(FIGURE_SUFFIXES)]
            if len(entries) > MAXIMUM_FIGURES or sum(entry.file_size for entry in entries) > MAXIMUM_FIGURE_BYTES:
                raise FileRefused(media.name, [_row_error(N_("the zip holds too much"))])
            return [SourceFile(entry.filename.rpartition("/")[2], archive.read(entry)) for entry in entries]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise FileRefused(media.name, [_row_error(N_("the file is not a zip that can be read"))]) from error


def _row_error(message: str) -> RowError:
    return RowError(place="", reason=message, message=message)


def _preview(request: Request[Any, Any, Any], act: Act, kept: Kept, report: ImportReport, token: str) -> Template:
    _ = translator(language_of(request))
    counts = {"created": len(report.created), "changed": len(report.changed), "unchanged": len(report.unchanged)}
    back = f"/staff/items/import?bank={report.bank}"
    return staff_page(
        request,
        act.person,
        "staff/import_preview.html",
        title=_(N_("Import items")),
        crumbs=[("/staff/items", _(N_("Items"))), (back, kept.values["bank"])],
        report=counts,
        more=[(_(N_("Topics")), report.topics), (_(N_("Stimuli")), report.stimuli), (_(N_("Figures")), report.figures)],
        warnings=[(finding.place.described(_), finding.message.translated(_)) for finding in report.warnings],
        changes=(),
        codes=[*report.created, *report.changed],
        action="/staff/items/import/confirm",
        back=back,
        token=token,
        file_name=report.file,
    )


async def _form_page(
    request: Request[Any, Any, Any],
    typed: ItemImportForm,
    *,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.WRITE_ITEMS) as act:
        return staff_page(
            request,
            act.person,
            "staff/items/import.html",
            status_code=status_code,
            banks=await authoring.list_banks(act.session, actor=act.person),
            typed=typed,
            levels=LEVELS,
            problem=problem,
        )
