"""Pages of marking: how far each sitting is, and one essay at a time with its rubric; never a name."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Template

from api.acts import staff_act
from api.pages.staff_page import done, refusal, staff_page
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_
from exam_engine.marking import service as marking
from scoring.errors import ScoringError

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class MarkingPages(Controller):
    """`/staff/marking`."""

    path = "/staff/marking"
    include_in_schema = False

    @get("/")
    async def queue(self, request: Request[Any, Any, Any]) -> Template:
        """Show how far the marking of each sitting is."""
        async with staff_act(request, Permission.MARK_ESSAYS) as act:
            units = await act.units(Permission.MARK_ESSAYS)
            lines = await marking.load_queue(act.session, marker_id=act.person.id, units=units, now=act.now)
            return staff_page(request, act.person, "staff/marking/queue.html", lines=lines)

    @get("/next")
    async def next_task(self, request: Request[Any, Any, Any], sitting: FromQuery[UUID | None] = None) -> Redirect:
        """Go to the next essay that waits."""
        async with staff_act(request, Permission.MARK_ESSAYS) as act:
            units = await act.units(Permission.MARK_ESSAYS)
            task = await marking.next_task(
                act.session, marker_id=act.person.id, units=units, now=act.now, sitting_id=sitting
            )
        if task is None:
            return done(request, "/staff/marking", N_("Nothing waits any more. Thank you."))
        return Redirect(f"/staff/marking/{task.task_id}")

    @get("/{task_id:uuid}")
    async def task(self, request: Request[Any, Any, Any], task_id: FromPath[UUID]) -> Template:
        """Show one essay with its rubric."""
        return await _task_page(request, task_id)

    @post("/{task_id:uuid}", status_code=200)
    async def mark(self, request: Request[Any, Any, Any], task_id: FromPath[UUID], data: Form) -> Response[Any]:
        """Record marks and go on to the next essay; a refused form keeps what was typed."""
        try:
            async with staff_act(request, Permission.MARK_ESSAYS) as act:
                units = await act.units(Permission.MARK_ESSAYS)
                view = await marking.load_task(act.session, task_id, marker_id=act.person.id, units=units, now=act.now)
                await marking.record_mark(
                    act.session,
                    task_id,
                    marker_id=act.person.id,
                    units=units,
                    criteria=_criteria(data),
                    comment=data.get("comment", ""),
                    actor=act.actor,
                    now=act.now,
                )
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _task_page(request, task_id, typed=data, problem=problem, status_code=status)
        return done(
            request,
            f"/staff/marking/next?sitting={view.sitting_id}",
            N_("The mark of {code} is recorded."),
            code=view.code,
        )


async def _task_page(
    request: Request[Any, Any, Any],
    task_id: UUID,
    *,
    typed: dict[str, str] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.MARK_ESSAYS) as act:
        units = await act.units(Permission.MARK_ESSAYS)
        view = await marking.load_task(act.session, task_id, marker_id=act.person.id, units=units, now=act.now)
        given = view.marks[-1] if view.marks else None
        return staff_page(
            request,
            act.person,
            "staff/marking/task.html",
            status_code=status_code,
            task=view,
            given=given,
            typed=typed or {},
            problem=problem,
        )


def _criteria(data: dict[str, str]) -> dict[str, int]:
    """Read "0,75" and "0.75" as 75; what is no number is left out, and the rubric then names it as missing."""
    marks: dict[str, int] = {}
    for name, text in data.items():
        if not name.startswith("criterion-") or not text.strip():
            continue
        try:
            points = Decimal(text.strip().replace(",", "."))
        except InvalidOperation:
            continue
        if points.is_finite() and points * 100 == int(points * 100):
            marks[name.removeprefix("criterion-")] = int(points * 100)
    return marks
