"""The two steps of importing one table into an exam: look at what it would do, then take it in."""

from typing import Any

import msgspec
from litestar import Request
from litestar.response import Template

from api.acts import staff_act
from api.language import language_of
from api.pages.staff_page import staff_page
from api.pages.uploads import Kept, KeptFile, keep
from exam_engine.enrolment.model import ImportReport
from exam_engine.infra.i18n import translator

DERIVED = ("sort_key", "folded_name")
"""Columns the engine computes itself: no news to who imports."""


class ConfirmForm(msgspec.Struct, frozen=True):
    """The second step: the token of the checked file."""

    token: str = ""


async def table_preview(
    request: Request[Any, Any, Any],
    file: KeptFile,
    report: ImportReport,
    *,
    title: str,
    crumbs: list[tuple[str, str]],
    action: str,
) -> Template:
    """Show what a table would change, and keep it for the second step.

    `title` is a message id; the last crumb leads back to the page with the form.
    """
    async with staff_act(request) as act:
        token = await keep(request, act.person, Kept((file,)))
        return staff_page(
            request,
            act.person,
            "staff/import_preview.html",
            title=translator(language_of(request))(title),
            crumbs=crumbs,
            report={"created": report.created, "changed": report.changed, "unchanged": report.unchanged},
            more=[],
            warnings=(),
            changes=[change for change in report.changes if change.field not in DERIVED],
            codes=(),
            action=action,
            back=crumbs[-1][0],
            token=token,
            file_name=report.file_name,
        )
