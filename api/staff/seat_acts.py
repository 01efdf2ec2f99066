"""What invigilators do to seats while a sitting is open: pause, lock, admit, end, undo; late answers; a later start."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, JSONBody, Parameter

from api.acts import Act, staff_act
from api.staff.room_rights import reach, require_seats
from api.staff.sittings import desk_of, require_sitting
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.service import (
    Acted,
    ActKind,
    Desk,
    FreeSeats,
    LateAcceptance,
    LateAccepted,
    LateView,
    Move,
    Moved,
    Postponed,
    Postponement,
    Scope,
    SeatAct,
)
from exam_engine.delivery.service.moving import MOVE
from exam_engine.delivery.service.postponing import POSTPONE
from exam_engine.delivery.store import SittingContext, StoredAct
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Permission

Request_ = Request[Any, Any, Any]
RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SeatsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which seats, and why: attempts, a room, or (neither) everybody."""

    request_id: RequestId
    reason: Reason
    room: UUID | None = None
    attempts: Annotated[list[UUID], msgspec.Meta(max_length=500)] = []


class NamedSeatsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which seats by name, and why; what ends or locks a paper is never done to a room by one click."""

    request_id: RequestId
    reason: Reason
    attempts: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=500)]


class AdmitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Give a waiting seat the lease; `credit` gives back the time since the old seat's last sign of life."""

    request_id: RequestId
    credit: bool
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    request_id: RequestId
    reason: Reason


class PostponeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many minutes the sitting, or one room of it, begins later."""

    request_id: RequestId
    reason: Reason
    minutes: Annotated[int, msgspec.Meta(ge=1, le=720)]
    room: UUID | None = None


class MoveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To which room and seat a candidate moves, and why."""

    request_id: RequestId
    reason: Reason
    room: UUID
    seat: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class SeatActController(Controller):
    """`/api/sittings/…`: acts on seats."""

    path = "/api/sittings/{sitting_id:uuid}"
    tags = ("sittings",)

    @post("/pause", summary="Let the clock stand", status_code=200)
    async def pause(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[SeatsBody]) -> Acted:
        """Stop the time of seats, a room or everybody; the seats hide the items. Saves under way still count."""
        return await _act(request, sitting_id, ActKind.PAUSE, data, data.room)

    @post("/resume", summary="Let the clock run on", status_code=200)
    async def resume(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[SeatsBody]) -> Acted:
        """Every deadline moves by exactly the time the clock stood."""
        return await _act(request, sitting_id, ActKind.RESUME, data, data.room)

    @post("/lock", summary="Lock seats", status_code=200)
    async def lock(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Take no more answers from seats; time runs on, and what they send is kept as evidence."""
        return await _act(request, sitting_id, ActKind.LOCK, data)

    @post("/unlock", summary="Unlock seats", status_code=200)
    async def unlock(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Take answers again."""
        return await _act(request, sitting_id, ActKind.UNLOCK, data)

    @post("/end", summary="End papers", status_code=200)
    async def end(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Close papers by the invigilator; all that was saved counts."""
        return await _act(request, sitting_id, ActKind.END, data)

    @post("/absent", summary="Mark candidates absent", status_code=200)
    async def absent(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Close papers nobody started."""
        return await _act(request, sitting_id, ActKind.ABSENT, data)

    @post("/malpractice", summary="Close papers for malpractice", status_code=200)
    async def malpractice(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Close papers and say why; the answers stay stored."""
        return await _act(request, sitting_id, ActKind.MALPRACTICE, data)

    @post("/reopen", summary="Reopen papers closed by people", status_code=200)
    async def reopen(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[NamedSeatsBody]) -> Acted:
        """Undo a closing; the time in between is given back."""
        return await _act(request, sitting_id, ActKind.REOPEN, data)

    @post("/attempts/{attempt_id:uuid}/admit", summary="Admit a second seat", status_code=200)
    async def admit(
        self, request: Request_, sitting_id: FromPath[UUID], attempt_id: FromPath[UUID], data: JSONBody[AdmitBody]
    ) -> Acted:
        """Give the lease to the seat that waits; the old one writes no more."""
        scope = Scope(attempt_id=AttemptId(attempt_id))
        async with staff_act(request, Permission.INVIGILATE) as act:
            await require_seats(desk_of(request, act), act, sitting_id, scope, _needed(scope))
            admission = SeatAct(
                kind=ActKind.ADMIT,
                request=data.request_id,
                reason=data.reason,
                scope=scope,
                is_credited=data.credit,
            )
            return await sittings.act_on_seats(desk_of(request, act), SittingId(sitting_id), admission)

    @post("/attempts/{attempt_id:uuid}/refuse", summary="Turn a second seat away", status_code=200)
    async def refuse(
        self, request: Request_, sitting_id: FromPath[UUID], attempt_id: FromPath[UUID], data: JSONBody[ReasonBody]
    ) -> Acted:
        """The seat that writes goes on; the other is told."""
        named = NamedSeatsBody(data.request_id, data.reason, [attempt_id])
        return await _act(request, sitting_id, ActKind.REFUSE, named)

    @post("/attempts/{attempt_id:uuid}/move", summary="Move a candidate to another seat", status_code=200)
    async def move(
        self, request: Request_, sitting_id: FromPath[UUID], attempt_id: FromPath[UUID], data: JSONBody[MoveBody]
    ) -> Moved:
        """Let a candidate sit in another place: the other room's board, invigilators and statement have them then."""
        scope = Scope(attempts=(AttemptId(attempt_id),))
        async with staff_act(request, Permission.INVIGILATE) as act:
            desk = desk_of(request, act)
            await require_seats(desk, act, sitting_id, scope, _needed(scope))
            move = Move(
                attempt_id=AttemptId(attempt_id),
                room_id=data.room,
                seat_number=data.seat,
                request=data.request_id,
                reason=data.reason,
            )
            return await sittings.move_seat(desk, SittingId(sitting_id), move)

    @get("/free-seats", summary="Where a candidate can move")
    async def free_seats(self, request: Request_, sitting_id: FromPath[UUID]) -> list[FreeSeats]:
        """Answer the rooms of the exam and their seats where nobody of the sitting sits."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            found = await reach(act, sitting_id, Permission.INVIGILATE)
            if not (found.is_whole or found.rooms):
                raise PermissionDenied(Permission.INVIGILATE)
            return await sittings.free_seats(act.session, found.context.sitting)

    @get("/acts", summary="What was done to seats")
    async def seat_acts(self, request: Request_, sitting_id: FromPath[UUID]) -> list[StoredAct]:
        """Answer the latest acts, the newest first."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            return await sittings.load_acts(act.session, SittingId(sitting_id))

    @post("/acts/{done:str}/undo", summary="Take an act back", status_code=200)
    async def undo(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        done: FromPath[Annotated[str, Parameter(max_length=64)]],
        data: JSONBody[ReasonBody],
    ) -> Acted:
        """Take an act back for exactly those it changed."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            stored = await sittings.require_act(act.session, SittingId(sitting_id), done)
            desk = desk_of(request, act)
            await _require_undoing(desk, act, sitting_id, stored)
            return await sittings.undo(desk, SittingId(sitting_id), done, data.request_id, data.reason)

    @post("/postpone", summary="Begin later", status_code=200)
    async def postpone(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[PostponeBody]) -> Postponed:
        """Let the sitting, or one of its rooms, begin and end later; nobody there may have started."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            context = await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            postponement = Postponement(
                seconds=60 * data.minutes,
                request=data.request_id,
                reason=data.reason,
                room_code=await _room_code(act, context, data.room),
                room_id=data.room,
            )
            return await sittings.postpone(desk_of(request, act), SittingId(sitting_id), postponement)

    @get("/late", summary="Answers that came too late")
    async def late(self, request: Request_, sitting_id: FromPath[UUID]) -> LateView:
        """Answer which refused answers are kept as evidence, and what was decided; never what stands in them."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            return await sittings.load_late(desk_of(request, act), SittingId(sitting_id))

    @post("/attempts/{attempt_id:uuid}/late/accept", summary="Let late answers count", status_code=200)
    async def accept_late(
        self, request: Request_, sitting_id: FromPath[UUID], attempt_id: FromPath[UUID], data: JSONBody[ReasonBody]
    ) -> LateAccepted:
        """The first person proposes, a second one agrees; then what extra time covers counts."""
        async with staff_act(request, Permission.EXTEND_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.EXTEND_SITTINGS)
            acceptance = LateAcceptance(attempt_id=AttemptId(attempt_id), reason=data.reason)
            return await sittings.accept_late(desk_of(request, act), SittingId(sitting_id), acceptance)


def _needed(scope: Scope) -> Permission:
    """Everybody at once is for who may give extra time to everybody."""
    return Permission.INVIGILATE if scope.wanted or scope.room_id else Permission.EXTEND_SITTINGS


async def _act(
    request: Request_, sitting_id: UUID, kind: ActKind, data: SeatsBody | NamedSeatsBody, room: UUID | None = None
) -> Acted:
    scope = Scope(room_id=room, attempts=tuple(AttemptId(attempt) for attempt in data.attempts))
    async with staff_act(request, Permission.INVIGILATE) as act:
        await require_seats(desk_of(request, act), act, sitting_id, scope, _needed(scope))
        seat_act = SeatAct(kind=kind, request=data.request_id, reason=data.reason, scope=scope)
        return await sittings.act_on_seats(desk_of(request, act), SittingId(sitting_id), seat_act)


async def _require_undoing(desk: Desk, act: Act, sitting_id: UUID, stored: StoredAct) -> None:
    """It takes the right the act itself took; a move is taken back by the room from which it sent somebody, too."""
    if stored.kind == POSTPONE:
        await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
        return
    attempts = tuple(AttemptId(attempt) for attempt in stored.attempts)
    scope = Scope(room_id=stored.room_id, attempts=attempts)
    if stored.kind == MOVE and stored.room_id is not None:
        found = await reach(act, sitting_id, Permission.INVIGILATE)
        if any(room.id == stored.room_id for room in found.rooms):
            return
    await require_seats(desk, act, sitting_id, scope, _needed(scope))


async def _room_code(act: Act, context: SittingContext, room_id: UUID | None) -> str:
    if room_id is None:
        return ""
    return await sittings.code_of_room(act.session, context.sitting, room_id)
