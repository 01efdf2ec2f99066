"""The page of an exam's accommodations: who has more time, in what, and what else is arranged."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Template

from api.acts import actor_names, staff_act
from api.language import language_of
from api.pages.staff_page import done, refusal, say, staff_page
from api.pages.table_imports import ConfirmForm, TableForm, TableImport, check_table, take_table
from api.pages.uploads import KeptFile
from api.staff.accommodations import import_accommodations
from api.staff.exams import require_managed_exam
from api.staff.sittings import desk_of
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingState
from exam_engine.delivery.service import Reached
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.accommodations import AccommodationLine, TypedAccommodation
from exam_engine.enrolment.model import ImportReport
from exam_engine.enrolment.time_factors import show_time_factor
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, translator

Request_ = Request[Any, Any, Any]
UrlEncoded = Body(media_type=RequestEncodingType.URL_ENCODED)
WITHDRAWN = N_("Withdrawn on the page of accommodations")


class AccommodationForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is granted to whom, and why, as it is typed."""

    number: Annotated[str, msgspec.Meta(max_length=20)] = ""
    subject: Annotated[str, msgspec.Meta(max_length=40)] = ""
    factor: Annotated[str, msgspec.Meta(max_length=10)] = ""
    minutes: Annotated[str, msgspec.Meta(max_length=10)] = ""
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class WithdrawForm(msgspec.Struct, frozen=True, kw_only=True):
    """Which accommodation is taken back."""

    accommodation: UUID


class AccommodationPages(Controller):
    """`/staff/exams/{code}/accommodations`."""

    path = "/staff/exams/{code:str}/accommodations"
    include_in_schema = False

    @get("/")
    async def accommodations(
        self, request: Request_, code: FromPath[str], change: FromQuery[UUID | None] = None
    ) -> Template:
        """List them; `change` fills the form with one of them."""
        return await _page(request, code, change=change)

    @post("/", status_code=200)
    async def grant(
        self, request: Request_, code: FromPath[str], data: Annotated[AccommodationForm, UrlEncoded]
    ) -> Response[Any]:
        """Grant an accommodation; a refused form keeps what was typed."""
        typed = TypedAccommodation(
            number=data.number, subject=data.subject, factor=data.factor, minutes=data.minutes, note=data.note
        )
        try:
            async with staff_act(request, Permission.MANAGE_EXAMS) as act:
                exam = await require_managed_exam(act, code)
                candidate, reached = await sittings.accommodate(desk_of(request, act), exam, typed, data.reason.strip())
        except EngineError as error:
            status, problem = refusal(request, error)
            kept = msgspec.to_builtins(data)
            return await _page(request, code, typed=kept, problem=problem, status_code=status)
        return _done(request, code, N_("{name} is granted it."), reached, name=candidate.full_name)

    @post("/withdraw", status_code=200)
    async def withdraw(
        self, request: Request_, code: FromPath[str], data: Annotated[WithdrawForm, UrlEncoded]
    ) -> Response[Any]:
        """Take an accommodation back."""
        try:
            async with staff_act(request, Permission.MANAGE_EXAMS) as act:
                exam = await require_managed_exam(act, code)
                reason = translator(language_of(request))(WITHDRAWN)
                candidate, reached = await sittings.withdraw_accommodation(
                    desk_of(request, act), exam, data.accommodation, reason
                )
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, code, problem=problem, status_code=status)
        return _done(request, code, N_("The accommodation of {name} is withdrawn."), reached, name=candidate.full_name)

    @post("/import", status_code=200)
    async def import_table(
        self,
        request: Request_,
        code: FromPath[str],
        data: Annotated[TableForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Response[Any]:
        """Show what a file would change, or every place that is wrong; nothing is written yet."""
        return await check_table(request, data, _table(request, code))

    @post("/import/confirm", status_code=200)
    async def confirm_import(
        self, request: Request_, code: FromPath[str], data: Annotated[ConfirmForm, UrlEncoded]
    ) -> Response[Any]:
        """Take a checked file in, whole."""
        return await take_table(request, data, _table(request, code))


def _table(request: Request_, code: str) -> TableImport:
    _ = translator(language_of(request))

    async def run(file: KeptFile, is_dry_run: bool) -> ImportReport:
        report, reached = await import_accommodations(request, code, file.content, file.name, is_dry_run=is_dry_run)
        _say_reached(request, reached)
        return report

    return TableImport(
        title=N_("Import accommodations"),
        crumbs=[
            ("/staff/exams", _(N_("Exams and candidates"))),
            (f"/staff/exams/{code}", code),
            (f"/staff/exams/{code}/accommodations", _(N_("Accommodations"))),
        ],
        action=f"/staff/exams/{code}/accommodations/import/confirm",
        permission=Permission.MANAGE_EXAMS,
        run=run,
        page=partial(_page, request, code),
    )


def _done(request: Request_, code: str, message_id: str, reached: Reached, **facts: object) -> Response[Any]:
    """Say what was done, and whose clock it changed."""
    _say_reached(request, reached)
    return done(request, f"/staff/exams/{code}/accommodations", message_id, **facts)


def _say_reached(request: Request_, reached: Reached) -> None:
    if reached.changed:
        said = N_("{count} seats of open sittings have the new time now: {sittings}.")
        say(request, said, count=reached.changed, sittings=", ".join(reached.sittings))


async def _page(
    request: Request_,
    code: str,
    *,
    change: UUID | None = None,
    typed: dict[str, str] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.MANAGE_EXAMS) as act:
        exam = await require_managed_exam(act, code)
        lines = await enrolment.load_accommodations(act.session, exam.id)
        chosen = next((line for line in lines if line.id == change), None)
        running = await sittings.load_sittings(act.session, state=SittingState.OPEN, exam_id=exam.id)
        return staff_page(
            request,
            act.person,
            "staff/exams/accommodations.html",
            status_code=status_code,
            exam=exam,
            subjects=await enrolment.load_subjects(act.session, exam.id),
            lines=lines,
            running=[context.sitting for context in running],
            actor_name=await actor_names(act),
            is_change=chosen is not None,
            typed=typed or (_typed(chosen) if chosen else {}),
            problem=problem,
        )


def _typed(line: AccommodationLine) -> dict[str, str]:
    granted = line.granted
    return {
        "number": line.number or "",
        "subject": line.subject or "",
        "factor": show_time_factor(granted.time_factor) if granted.time_factor > 100 else "",
        "minutes": str(granted.extra_minutes or ""),
        "note": granted.note,
    }
