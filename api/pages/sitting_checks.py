"""What a check of a sitting found, on a page of its own: plan, paper, rooms, people, versions, clocks, disk."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, get
from litestar.params import FromPath
from litestar.response import Template

from api.acts import engine_of, staff_act
from api.pages.staff_page import staff_page
from api.staff.sittings import require_sitting
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_
from exam_engine.overviews.exam_day import service
from exam_engine.overviews.exam_day.service import Grounds

SEVERITIES = {"blocker": N_("Must be mended"), "warning": N_("Have a look"), "note": N_("Note")}
BADGES = {"blocker": "badge--bad", "warning": "badge--warn", "note": ""}


class SittingCheckPages(Controller):
    """`/staff/sittings/{sitting_id}/check`."""

    path = "/staff/sittings/{sitting_id:uuid}/check"
    include_in_schema = False

    @get("/")
    async def check(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Template:
        """Look at the sitting as it stands now, together with the others of its day."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            engine = engine_of(request)
            grounds = Grounds(
                session=act.session,
                redis=engine.redis,
                data_folder=engine.settings.data_folder,
                clock=engine.clock,
                time_zone=engine.settings.time_zone,
            )
            return staff_page(
                request,
                act.person,
                "staff/sittings/check.html",
                context=context,
                found=await service.check_day(grounds, [context]),
                severities=SEVERITIES,
                badges=BADGES,
            )
