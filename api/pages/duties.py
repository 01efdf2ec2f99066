"""The page of a sitting's duties: who watches which room, and who stands in."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import staff_act
from api.language import language_of
from api.pages.staff_page import done, refusal, staff_page
from api.pages.table_imports import ConfirmForm, TableForm, TableImport, check_table, take_table
from api.pages.uploads import KeptFile
from api.staff.duties import import_duties
from api.staff.room_rights import reach
from api.staff.sittings import require_sitting
from exam_engine.delivery.model import SittingId
from exam_engine.enrolment.model import Change, ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, Translator, translator
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.duties import Duty, DutyPlan, by_room, in_several_rooms

Request_ = Request[Any, Any, Any]
UrlEncoded = Body(media_type=RequestEncodingType.URL_ENCODED)
DUTIES = {"invigilator": N_("Invigilator"), "deputy": N_("Deputy")}


class DutyForm(msgspec.Struct, frozen=True, kw_only=True):
    """Who shall watch which room."""

    room: UUID
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    duty: Duty = Duty.INVIGILATOR


class TakeForm(msgspec.Struct, frozen=True, kw_only=True):
    """Who no longer watches which room."""

    room: UUID
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class DutyPages(Controller):
    """`/staff/sittings/{sitting}/duties`."""

    path = "/staff/sittings/{sitting_id:uuid}/duties"
    include_in_schema = False

    @get("/")
    async def duties(self, request: Request_, sitting_id: FromPath[UUID]) -> Template:
        """Show the rooms with who watches them."""
        return await _page(request, sitting_id)

    @post("/", status_code=200)
    async def give(
        self, request: Request_, sitting_id: FromPath[UUID], data: Annotated[DutyForm, UrlEncoded]
    ) -> Response[Any]:
        """Give a duty."""
        plan = DutyPlan(room_id=data.room, user_name=data.person, duty=data.duty)
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                person = await invigilation.give_duty(
                    act.session, SittingId(sitting_id), plan, on=act.today, actor=act.actor, now=act.now
                )
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, sitting_id, problem=problem, status_code=status)
        href = f"/staff/sittings/{sitting_id}/duties"
        return done(request, href, N_("{name} finds the room in the list of sittings."), name=person.display_name)

    @post("/take", status_code=200)
    async def take(
        self, request: Request_, sitting_id: FromPath[UUID], data: Annotated[TakeForm, UrlEncoded]
    ) -> Response[Any]:
        """Take a duty back."""
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                person = await invigilation.take_duty(
                    act.session,
                    SittingId(sitting_id),
                    data.room,
                    data.person,
                    on=act.today,
                    actor=act.actor,
                    now=act.now,
                )
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, sitting_id, problem=problem, status_code=status)
        href = f"/staff/sittings/{sitting_id}/duties"
        return done(request, href, N_("{name} no longer watches the room."), name=person.display_name)

    @post("/import", status_code=200)
    async def import_table(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        data: Annotated[TableForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Response[Any]:
        """Show what a file would change, or every place that is wrong; nothing is written yet."""
        return await check_table(request, data, await _table(request, sitting_id))

    @post("/import/confirm", status_code=200)
    async def confirm_import(
        self, request: Request_, sitting_id: FromPath[UUID], data: Annotated[ConfirmForm, UrlEncoded]
    ) -> Response[Any]:
        """Take a checked file in, whole."""
        return await take_table(request, data, await _table(request, sitting_id))


async def _table(request: Request_, sitting_id: UUID) -> TableImport:
    _ = translator(language_of(request))
    async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
        context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
    base = f"/staff/sittings/{sitting_id}"

    async def run(file: KeptFile, is_dry_run: bool) -> ImportReport:
        report = await import_duties(request, sitting_id, file.content, file.name, is_dry_run=is_dry_run)
        return msgspec.structs.replace(report, changes=tuple(_in_words(change, _) for change in report.changes))

    return TableImport(
        title=N_("Import duties"),
        crumbs=[
            ("/staff/sittings", _(N_("Sittings and rooms"))),
            (base, context.sitting.name),
            (f"{base}/duties", _(N_("Who watches which room"))),
        ],
        action=f"{base}/duties/import/confirm",
        permission=Permission.MANAGE_SITTINGS,
        run=run,
        page=partial(_page, request, sitting_id),
    )


def _in_words(change: Change, _: Translator) -> Change:
    before, after = (_(DUTIES[value]) if value else None for value in (change.before, change.after))
    return Change(change.subject, _(N_("Duty")), before, after)


async def _page(
    request: Request_, sitting_id: UUID, *, problem: dict[str, Any] | None = None, status_code: int = 200
) -> Template:
    async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
        context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
        duties = await invigilation.load_duties(act.session, SittingId(sitting_id))
        watched = {one.room_id for one in duties}
        used = {room.id for room in (await reach(act, sitting_id, Permission.MANAGE_SITTINGS)).rooms}
        every = await invigilation.load_rooms(act.session, SittingId(sitting_id))
        return staff_page(
            request,
            act.person,
            "staff/sittings/duties.html",
            status_code=status_code,
            context=context,
            rooms=[room for room in every if room.id in used | watched],
            every_room=every,
            duties=by_room(duties),
            several=in_several_rooms(duties),
            people=await invigilation.load_invigilators(act.session, on=act.today),
            names=DUTIES,
            problem=problem,
        )
