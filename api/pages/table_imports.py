"""The two steps of importing one table into an exam: look at what it would do, then take it in."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.response import Template

from api.acts import staff_act
from api.language import language_of
from api.pages.staff_page import done, refusal, staff_page
from api.pages.uploads import Kept, KeptFile, keep, read_upload, take
from exam_engine.enrolment.model import ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, translator

DERIVED = ("sort_key", "folded_name")
"""Columns the engine computes itself: no news to who imports."""


class TableForm(msgspec.Struct, frozen=True):
    """The first step: a table."""

    file: UploadFile | None = None


class ConfirmForm(msgspec.Struct, frozen=True):
    """The second step: the token of the checked file."""

    token: str = ""


class TableImport(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of table, where its form stands, and what takes it in."""

    title: str  # message id
    crumbs: list[tuple[str, str]]  # the last leads back to the page with the form
    action: str  # of the second step
    permission: Permission
    run: Callable[[KeptFile, bool], Awaitable[ImportReport]]  # the file, and whether it is only looked at
    page: Callable[..., Awaitable[Template]]  # the page with the form, given `problem` and `status_code`


async def check_table(request: Request[Any, Any, Any], data: TableForm, table: TableImport) -> Response[Any]:
    """Show what a table would change, or every place that is wrong; nothing is written yet."""
    file = await read_upload("file", data.file)
    if file is None:
        return await table.page()
    try:
        report = await table.run(file, True)
    except EngineError as error:
        status, problem = refusal(request, error)
        return await table.page(problem=problem, status_code=status)
    return await _preview(request, file, report, table)


async def take_table(request: Request[Any, Any, Any], data: ConfirmForm, table: TableImport) -> Response[Any]:
    """Take a checked table in, whole."""
    try:
        async with staff_act(request, table.permission) as act:
            kept = await take(request, act.person, data.token)
        report = await table.run(kept.files[0], False)
    except EngineError as error:
        status, problem = refusal(request, error)
        return await table.page(problem=problem, status_code=status)
    return done(
        request,
        table.crumbs[-1][0],
        N_("{file}: {created} new, {changed} changed, {unchanged} unchanged."),
        file=report.file_name,
        created=report.created,
        changed=report.changed,
        unchanged=report.unchanged,
    )


async def _preview(
    request: Request[Any, Any, Any], file: KeptFile, report: ImportReport, table: TableImport
) -> Template:
    async with staff_act(request, table.permission) as act:
        token = await keep(request, act.person, Kept((file,)))
        return staff_page(
            request,
            act.person,
            "staff/import_preview.html",
            title=translator(language_of(request))(table.title),
            crumbs=table.crumbs,
            report={"created": report.created, "changed": report.changed, "unchanged": report.unchanged},
            more=[],
            warnings=(),
            changes=[change for change in report.changes if change.field not in DERIVED],
            codes=(),
            action=table.action,
            back=table.crumbs[-1][0],
            token=token,
            file_name=report.file_name,
        )
