"""Pages of sittings: list, one sitting with its rooms, the live room board."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import Act, delivery_of, engine_of, staff_act
from api.pages.staff_page import done, refusal, staff_page
from api.pages.templating import page
from api.staff.forms import readable_forms
from api.staff.room_rights import reach, reachable_sittings, whom_to_ask
from api.staff.sittings import desk_of, reconciled, require_sitting
from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import FormId
from exam_engine.delivery import service as sittings
from exam_engine.delivery.closing import Awaited, overtime
from exam_engine.delivery.draining import wait_until_stored
from exam_engine.delivery.errors import NotStored, SittingUnknown
from exam_engine.delivery.model import Sitting, SittingId, SittingState
from exam_engine.delivery.service import Reconciliation, SittingPlan
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import SubjectMode
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError, ServiceUnavailable
from exam_engine.infra.i18n import N_
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.duties import by_room

STATES = {"planned": N_("Planned"), "open": N_("Open"), "closed": N_("Closed")}
BADGES = {"planned": "", "open": "badge--accent", "closed": "badge--good"}
ATTEMPT_STATES = {
    "ready": N_("not started"),
    "running": N_("writing"),
    "submitted": N_("handed in"),
    "closed": N_("closed"),
}
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class SittingPages(Controller):
    """`/staff/sittings`."""

    path = "/staff/sittings"
    include_in_schema = False

    @get("/")
    async def sittings(self, request: Request[Any, Any, Any]) -> Template:
        """List sittings, those that run now on top."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            found = await reachable_sittings(act)
            if not found and not act.person.may_somewhere(Permission.MANAGE_SITTINGS):
                return await _no_room(request, act)
            order = {SittingState.OPEN: 0, SittingState.PLANNED: 1, SittingState.CLOSED: 2}
            return staff_page(
                request,
                act.person,
                "staff/sittings/list.html",
                rows=sorted(found, key=lambda r: (order[r.context.sitting.state], r.context.sitting.starts_at)),
                may_manage=act.person.may_somewhere(Permission.MANAGE_SITTINGS),
                states=STATES,
                badges=BADGES,
            )

    @get("/new")
    async def new(self, request: Request[Any, Any, Any]) -> Template:
        """Show the form of a new sitting."""
        return await _plan_page(request, {})

    @post("/new", status_code=200)
    async def plan(self, request: Request[Any, Any, Any], data: Form) -> Response[Any]:
        """Plan a sitting; a refused form keeps what was typed."""
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                subject = await enrolment.require_subject_by_id(act.session, UUID(data.get("subject", "")))
                exam = await enrolment.require_exam_by_id(act.session, subject.exam_id)
                await act.require(Permission.MANAGE_SITTINGS, UnitId(exam.unit_id))
                sitting = await sittings.plan_sitting(
                    act.session,
                    _plan_of(data, subject.id, subject.minutes, engine_of(request).settings.time_zone),
                    actor=act.actor,
                    now=act.now,
                )
        except (EngineError, ValueError) as error:
            status, problem = refusal(request, error) if isinstance(error, EngineError) else (422, _UNREADABLE)
            return await _plan_page(request, data, problem=problem, status_code=status)
        return done(request, f"/staff/sittings/{sitting.id}", N_("Sitting {code} is planned."), code=sitting.code)

    @get("/{sitting_id:uuid}")
    async def sitting(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Template:
        """Show a sitting: its figures, its rooms, the next step."""
        return await _sitting_page(request, sitting_id)

    @get("/{sitting_id:uuid}/reconciliation")
    async def reconciliation(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Template:
        """Compare what Redis and PostgreSQL hold: a part the sitting's page waits for, or without script all."""
        statement, may_manage, status, problem = None, False, 200, None
        try:
            async with staff_act(request, Permission.WATCH_ROOMS) as act:
                reached = await reach(act, sitting_id)
                if not reached.is_whole:
                    raise SittingUnknown(str(sitting_id))
                statement = await reconciled(request, act, SittingId(sitting_id))
                may_manage = UnitId(reached.context.exam_unit_id) in await act.units(Permission.MANAGE_SITTINGS)
        except (NotStored, ServiceUnavailable) as error:
            status, problem = refusal(request, error)
        if request.headers.get("hx-request") is None:
            return await _sitting_page(request, sitting_id, statement=statement, problem=problem, status_code=status)
        return page(
            request,
            "staff/sittings/reconciliation.html",
            statement=statement,
            problem=problem,
            sitting_id=sitting_id,
            may_manage=may_manage,
            attempt_states=ATTEMPT_STATES,
        )

    @post("/{sitting_id:uuid}/open", status_code=200)
    async def open(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Response[Any]:
        """Open a sitting or, when it is open, take in late registrations."""
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                await sittings.open_sitting(desk_of(request, act), SittingId(sitting_id))
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _sitting_page(request, sitting_id, problem=problem, status_code=status)
        return done(request, f"/staff/sittings/{sitting_id}", N_("The sitting is open."))

    @post("/{sitting_id:uuid}/close", status_code=200)
    async def close(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Response[Any]:
        """Close a sitting and wait until every answer is stored."""
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                sitting = await sittings.close_sitting(desk_of(request, act), SittingId(sitting_id))
            await wait_until_stored(engine_of(request).sessions, sitting)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _sitting_page(request, sitting_id, problem=problem, status_code=status)
        said = N_("The sitting is closed and every answer is stored.")
        return done(request, f"/staff/sittings/{sitting_id}", said)


async def _sitting_page(
    request: Request[Any, Any, Any],
    sitting_id: UUID,
    *,
    statement: Reconciliation | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.WATCH_ROOMS) as act:
        reached = await reach(act, sitting_id)
        context = reached.context
        if not reached.rooms and not reached.is_whole:
            return await _no_room(request, act, context)
        may_manage = UnitId(context.exam_unit_id) in await act.units(Permission.MANAGE_SITTINGS)
        return staff_page(
            request,
            act.person,
            "staff/sittings/sitting.html",
            status_code=status_code,
            context=context,
            rooms=reached.rooms,
            is_whole=reached.is_whole,
            duties=by_room(await invigilation.load_duties(act.session, SittingId(sitting_id))),
            form_code=await _form_code(act, context.sitting.form_id),
            sitting_id=sitting_id,
            statement=statement,
            late=await sittings.count_late(act.session, SittingId(sitting_id)),
            waiting=await _overtime(request, context.sitting, act.now),
            may_manage=may_manage,
            starts=_own_starts(context.sitting),
            may_postpone=may_manage and await sittings.may_postpone(act.session, context.sitting),
            states=STATES,
            badges=BADGES,
            attempt_states=ATTEMPT_STATES,
            problem=problem,
        )


async def _overtime(request: Request[Any, Any, Any], sitting: Sitting, now: datetime) -> Awaited:
    """Say who keeps a sitting open beyond its end; a Redis that is away takes no page away."""
    try:
        return await overtime(delivery_of(request).register, sitting, now)
    except ServiceUnavailable:
        return Awaited(0)


def _own_starts(sitting: Sitting) -> dict[str, datetime]:
    """Return when those rooms begin that were postponed apart from the sitting, by code."""
    return {code: sitting.starts_in(code) for code in sitting.settings.room_delays}


async def _no_room(request: Request[Any, Any, Any], act: Act, context: SittingContext | None = None) -> Template:
    """Tell somebody without a room whom to ask, instead of an empty list or a bare refusal."""
    return staff_page(
        request,
        act.person,
        "staff/sittings/no_room.html",
        status_code=200 if context is None else 403,
        context=context,
        ask=await whom_to_ask(act, context),
    )


async def _form_code(act: Act, form_id: UUID) -> str:
    """Name the form, to who may see forms at all."""
    if not act.person.may_somewhere(Permission.READ_FORMS):
        return ""
    return (await assembly.load_form(act.session, FormId(form_id))).code


async def _plan_page(
    request: Request[Any, Any, Any],
    typed: dict[str, str],
    *,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
        units = frozenset(map(UUID, map(str, await act.units(Permission.MANAGE_SITTINGS))))
        subjects = [
            (exam, subject)
            for exam in await enrolment.load_exams(act.session, units)
            for subject in await enrolment.load_subjects(act.session, exam.id)
            if subject.mode is SubjectMode.ONLINE
        ]
        forms = [summary for summary in await readable_forms(act) if summary.form.state.value == "sealed"]
        return staff_page(
            request,
            act.person,
            "staff/sittings/plan.html",
            status_code=status_code,
            subjects=subjects,
            forms=forms,
            typed=typed,
            problem=problem,
        )


_UNREADABLE = {
    "title": "",
    "detail": "",
    "code": "request-invalid",
}


def _plan_of(data: dict[str, str], subject_id: UUID, minutes: int, zone: str) -> SittingPlan:
    starts_at = datetime.fromisoformat(data.get("starts_at", "")).replace(tzinfo=ZoneInfo(zone))
    duration = timedelta(minutes=int(data.get("minutes") or minutes))
    late = timedelta(minutes=int(data.get("late_minutes") or 15))
    return SittingPlan(
        exam_subject_id=subject_id,
        form_id=UUID(data.get("form", "")),
        code=data.get("code", "").strip(),
        name=data.get("name", "").strip() or data.get("code", "").strip(),
        starts_at=starts_at,
        ends_at=starts_at + duration + late,
        duration_seconds=int(duration.total_seconds()),
        late_limit_seconds=int(late.total_seconds()),
    )
