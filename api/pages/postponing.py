"""The page on which a sitting, or one room of it, begins later: typed, looked at, agreed to; and taken back."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import Act, actor_names, engine_of, staff_act
from api.language import language_of
from api.pages.staff_page import done, refusal, staff_page
from api.staff.sittings import desk_of, require_sitting
from exam_engine.delivery import service as sittings
from exam_engine.delivery.errors import ActNotUndoable
from exam_engine.delivery.model import Sitting, SittingId
from exam_engine.delivery.service import Foreseen, Obstacle, Postponement, RoomStart
from exam_engine.delivery.service.postponing import POSTPONE
from exam_engine.identity.permissions import Permission
from exam_engine.infra.clock import from_milliseconds, to_milliseconds
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, format_datetime, translator
from exam_engine.invigilation.errors import RoomUnknown

Request_ = Request[Any, Any, Any]
UrlEncoded = Body(media_type=RequestEncodingType.URL_ENCODED)
RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
MINUTES, LONGEST_MINUTES, LONGEST_REASON = 15, 720, 500
OBSTACLES = {
    Obstacle.CLOSED: N_("The sitting is closed."),
    Obstacle.STARTED: N_("Somebody there has started already."),
    Obstacle.PASSED: N_("The earlier start has passed: nobody could be told in time."),
}


class Step(StrEnum):
    """Where a form stands: what it means is looked at, agreed to, or changed again."""

    CHECK = "check"
    CONFIRM = "confirm"
    CHANGE = "change"


class PostponeForm(msgspec.Struct, frozen=True, kw_only=True):
    """By how much what begins later, and why, as it is typed."""

    request_id: RequestId
    minutes: Annotated[str, msgspec.Meta(max_length=20)] = ""
    room: Annotated[str, msgspec.Meta(max_length=40)] = ""  # none: the whole sitting
    reason: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    seen_starts_ms: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,15}$")] = ""
    step: Step = Step.CHECK


class TakeBackForm(msgspec.Struct, frozen=True, kw_only=True):
    """Which postponement is taken back, and why."""

    act: RequestId
    request_id: RequestId
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_REASON, pattern=r"\S")]


class PostponingPages(Controller):
    """`/staff/sittings/{sitting}/postpone`."""

    path = "/staff/sittings/{sitting_id:uuid}/postpone"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request_, sitting_id: FromPath[UUID]) -> Template:
        """Show the form, and what was postponed before."""
        return await _page(request, sitting_id)

    @post("/", status_code=200)
    async def postpone(
        self, request: Request_, sitting_id: FromPath[UUID], data: Annotated[PostponeForm, UrlEncoded]
    ) -> Response[Any]:
        """Say what it would mean or, once that was agreed to, do it; a refused form keeps what was typed."""
        if data.step is Step.CHANGE:
            return await _page(request, sitting_id, typed=data)
        errors = _errors(request, data)
        if errors:
            return await _page(request, sitting_id, typed=data, errors=errors, status_code=422)
        foreseen = None
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                wanted = await _wanted(act, context.sitting, data)
                if data.step is Step.CONFIRM:
                    postponed = await sittings.postpone(desk_of(request, act), SittingId(sitting_id), wanted)
                else:
                    foreseen = await sittings.foresee(desk_of(request, act), SittingId(sitting_id), wanted)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, sitting_id, typed=data, problem=problem, status_code=status)
        if foreseen is not None:
            if foreseen.is_done:  # somebody went back in the browser: what they want now is something new
                data = msgspec.structs.replace(data, request_id=uuid4().hex)
            return await _page(request, sitting_id, typed=data, foreseen=foreseen, room_code=wanted.room_code)
        said = N_("Room {room} begins on {moment}.") if wanted.room_code else N_("The sitting begins on {moment}.")
        moment = format_datetime(
            from_milliseconds(postponed.starts_at_ms), language_of(request), engine_of(request).settings.time_zone
        )
        return done(request, _href(sitting_id), said, room=wanted.room_code, moment=moment)

    @post("/take-back", status_code=200)
    async def take_back(
        self, request: Request_, sitting_id: FromPath[UUID], data: Annotated[TakeBackForm, UrlEncoded]
    ) -> Response[Any]:
        """Take a postponement back, while its earlier start lies ahead and nobody there has begun."""
        try:
            async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
                await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
                stored = await sittings.require_act(act.session, SittingId(sitting_id), data.act)
                if stored.kind != POSTPONE:
                    raise ActNotUndoable(stored.kind, stored.request)
                desk = desk_of(request, act)
                await sittings.undo(desk, SittingId(sitting_id), data.act, data.request_id, data.reason.strip())
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, sitting_id, taking=data, problem=problem, status_code=status)
        return done(request, _href(sitting_id), N_("The later start is taken back."))


def _href(sitting_id: UUID) -> str:
    return f"/staff/sittings/{sitting_id}/postpone"


def _errors(request: Request_, data: PostponeForm) -> dict[str, str]:
    """Say what of the form cannot be understood, by field."""
    _ = translator(language_of(request))
    errors = {}
    minutes = data.minutes.strip()
    if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes) <= LONGEST_MINUTES):
        errors["minutes"] = _(N_("A whole number from 1 to {maximum}."), maximum=LONGEST_MINUTES)
    if not data.reason.strip():
        errors["reason"] = _(N_("Say why; it stands in the audit record."))
    elif len(data.reason.strip()) > LONGEST_REASON:
        errors["reason"] = _(N_("At most {maximum} characters."), maximum=LONGEST_REASON)
    return errors


async def _wanted(act: Act, sitting: Sitting, data: PostponeForm) -> Postponement:
    room = await _room(act, sitting, data.room) if data.room else None
    return Postponement(
        seconds=60 * int(data.minutes),
        request=data.request_id,
        reason=data.reason.strip(),
        room_code=room.code if room else "",
        room_id=room.room_id if room else None,
        seen_starts_ms=int(data.seen_starts_ms) if data.step is Step.CONFIRM and data.seen_starts_ms else None,
    )


async def _room(act: Act, sitting: Sitting, room_id: str) -> RoomStart:
    for room in await sittings.room_starts(act.session, sitting):
        if room.room_id is not None and str(room.room_id) == room_id:
            return room
    raise RoomUnknown(room_id)


async def _page(
    request: Request_,
    sitting_id: UUID,
    *,
    typed: PostponeForm | None = None,
    taking: TakeBackForm | None = None,
    errors: dict[str, str] | None = None,
    foreseen: Foreseen | None = None,
    room_code: str = "",
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
        context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
        rooms = await sittings.room_starts(act.session, context.sitting)
        return staff_page(
            request,
            act.person,
            "staff/sittings/postpone.html",
            status_code=status_code,
            context=context,
            rooms=rooms,
            seats=sum(room.seats for room in rooms),
            started=sum(room.started for room in rooms),
            may_postpone=await sittings.may_postpone(act.session, context.sitting),
            past=await sittings.load_postponements(act.session, context.sitting, act.now),
            actor_name=await actor_names(act),
            typed=typed or PostponeForm(request_id=uuid4().hex, minutes=str(MINUTES)),
            taking=taking,
            new_request=lambda: uuid4().hex,
            longest_minutes=LONGEST_MINUTES,
            longest_reason=LONGEST_REASON,
            errors=errors or {},
            foreseen=foreseen,
            seen_ms=to_milliseconds(foreseen.starts_before) if foreseen else None,
            room_code=room_code,
            obstacles=OBSTACLES,
            problem=problem,
        )
