"""The page of a sitting's Safe Exam Browser file: make it, download it, expect any browser again."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import engine_of, staff_act
from api.pages.staff_page import done, staff_page
from api.staff.rooms import hub_of
from api.staff.sittings import require_sitting
from exam_engine.delivery.model import SittingId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_
from exam_engine.invigilation import service as invigilation

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LONGEST_PASSWORD = 100


class SafeBrowserPages(Controller):
    """`/staff/sittings/{sitting}/safe-browser`."""

    path = "/staff/sittings/{sitting_id:uuid}/safe-browser"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Template:
        """Show whether there is a file, and the form that makes one."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            made = await invigilation.find_safe_browser(act.session, SittingId(sitting_id))
            return staff_page(request, act.person, "staff/sittings/safe_browser.html", context=context, made=made)

    @post("/", status_code=200)
    async def make(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID], data: Form) -> Response[Any]:
        """Make the file anew, or drop it."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            if data.get("act") == "drop":
                await invigilation.drop_safe_browser(act.session, context, actor=act.actor, now=act.now)
                said = N_("Seats may use any browser again.")
            else:
                await invigilation.make_safe_browser(
                    act.session,
                    context,
                    base_url=engine_of(request).settings.base_url,
                    quit_password=data.get("quit_password", "").strip()[:LONGEST_PASSWORD],
                    actor=act.actor,
                    now=act.now,
                )
                said = N_("The Safe Exam Browser file is made. Download it and open it on the lab machines.")
        await hub_of(request).noted(SittingId(sitting_id))
        return done(request, f"/staff/sittings/{sitting_id}/safe-browser", said)
