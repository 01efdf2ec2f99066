"""The page of a sitting's late answers: what was refused, and two people who may let it count."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import actor_names, staff_act
from api.pages.staff_page import done, refusal, staff_page
from api.staff.sittings import desk_of, require_sitting
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.service import LateAcceptance
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.clock import from_milliseconds
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_

Request_ = Request[Any, Any, Any]
REFUSALS = {
    "time-over": N_("after the time was over"),
    "attempt-closed": N_("after the paper was closed"),
    "attempt-locked": N_("while the seat was locked"),
    "lease-taken": N_("from a machine that no longer held the paper"),
}


class LateForm(msgspec.Struct, frozen=True, kw_only=True):
    """Whose late answers shall count, and why."""

    attempt: UUID
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S")]


class LateAnswerPages(Controller):
    """`/staff/sittings/{sitting_id}/late`."""

    path = "/staff/sittings/{sitting_id:uuid}/late"
    include_in_schema = False

    @get("/")
    async def late(self, request: Request_, sitting_id: FromPath[UUID]) -> Template:
        """Show the refused answers by candidate; never what stands in them."""
        return await _late_page(request, sitting_id)

    @post("/", status_code=200)
    async def accept(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        data: Annotated[LateForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Propose that the late answers of a candidate count or, as a second person, agree."""
        try:
            async with staff_act(request, Permission.EXTEND_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.EXTEND_SITTINGS)
                acceptance = LateAcceptance(attempt_id=AttemptId(data.attempt), reason=data.reason.strip())
                accepted = await sittings.accept_late(desk_of(request, act), SittingId(sitting_id), acceptance)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _late_page(request, sitting_id, problem=problem, status_code=status)
        href = f"/staff/sittings/{sitting_id}/late"
        if accepted.is_accepted:
            said = N_("{counted} of {answers} late answers count now; the others were older than what was held.")
            return done(request, href, said, counted=accepted.counted, answers=accepted.answers)
        return done(
            request, href, N_("Proposed: {count} late answers wait for a second person."), count=accepted.answers
        )


async def _late_page(
    request: Request_, sitting_id: UUID, *, problem: dict[str, Any] | None = None, status_code: int = 200
) -> Template:
    async with staff_act(request, Permission.WATCH_ROOMS) as act:
        context = await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
        deciding = await act.units(Permission.EXTEND_SITTINGS)
        return staff_page(
            request,
            act.person,
            "staff/sittings/late.html",
            status_code=status_code,
            context=context,
            found=await sittings.load_late_attempts(desk_of(request, act), SittingId(sitting_id)),
            may_decide=UnitId(context.exam_unit_id) in deciding,
            me=act.actor,
            actor_name=await actor_names(act),
            at=from_milliseconds,
            refusals=REFUSALS,
            problem=problem,
        )
