"""Safe Exam Browser settings of a sitting for staff: made, downloaded, dropped."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath, JSONBody

from api.acts import engine_of, staff_act
from api.staff.rooms import hub_of
from api.staff.sittings import require_sitting
from api.views.safe_browser import SafeBrowserBody, SafeBrowserView
from exam_engine.delivery.model import SittingId
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.safe_browser import MEDIA_TYPE

Request_ = Request[Any, Any, Any]


class SafeBrowserController(Controller):
    """`/api/sittings/{sitting}/safe-browser`."""

    path = "/api/sittings/{sitting_id:uuid}/safe-browser"
    tags = ("sittings",)

    @post("/", summary="Make Safe Exam Browser settings")
    async def make(
        self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[SafeBrowserBody]
    ) -> SafeBrowserView:
        """Make the settings of a sitting, in place of those before; its seats are expected in them from now on."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            made = await invigilation.make_safe_browser(
                act.session,
                context,
                base_url=engine_of(request).settings.base_url,
                quit_password=data.quit_password,
                actor=act.actor,
                now=act.now,
            )
        await hub_of(request).noted(SittingId(sitting_id))
        return SafeBrowserView(sitting_id, made.start_url, made.config_key)

    @get("/file", summary="The .seb file", media_type=MEDIA_TYPE)
    async def file(self, request: Request_, sitting_id: FromPath[UUID]) -> Response[bytes]:
        """Answer the settings as the file that lab machines open."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context = await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            made = await invigilation.require_safe_browser(act.session, context)
        headers = {
            "Content-Disposition": f'attachment; filename="{context.sitting.code}.seb"',
            "Cache-Control": "private, no-store",
        }
        return Response(made.document, media_type=MEDIA_TYPE, headers=headers)

    @delete("/", summary="Expect any browser again", status_code=200)
    async def drop(self, request: Request_, sitting_id: FromPath[UUID]) -> dict[str, bool]:
        """Forget the settings: seats may use any browser."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            await invigilation.drop_safe_browser(act.session, context, actor=act.actor, now=act.now)
        await hub_of(request).noted(SittingId(sitting_id))
        return {"dropped": True}
