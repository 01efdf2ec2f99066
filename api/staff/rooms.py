"""Rooms for invigilators: the board, one seat's photo, check and record, incidents, the acts done there."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from api.acts import Act, actor_names, delivery_of, staff_act
from api.staff.room_rights import require_room
from api.views.board import RoomBoardView
from api.views.room import ActView, IncidentView, MomentView, acts_in_room
from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.rolls import Roll
from exam_engine.delivery.store import Seat
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.hub import Hub
from exam_engine.invigilation.incidents import IncidentReport
from exam_engine.invigilation.service import IdentityCheck

Request_ = Request[Any, Any, Any]
ACTS_LOOKED_AT = 400


class WithdrawBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an incident is withdrawn."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class RoomController(Controller):
    """`/api/sittings/{sitting}/rooms/{room}`."""

    path = "/api/sittings/{sitting_id:uuid}/rooms/{room_id:uuid}"
    tags = ("sittings",)

    @get("/board", summary="The board of a room")
    async def board(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]
    ) -> Response[RoomBoardView | None]:
        """Answer every seat of a room as it is now, perhaps none; 304 if nothing changed since the `ETag` given."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            _, room = await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            notes = await invigilation.load_notes(act.session, SittingId(sitting_id), room_id)
            needs = await invigilation.find_safe_browser(act.session, SittingId(sitting_id)) is not None
        found = await invigilation.board(
            delivery_of(request),
            SittingId(sitting_id),
            room_id,
            notes=notes,
            needs_safe_browser=needs,
            room_code=room.code,
        )
        view = RoomBoardView.of(found)
        content = msgspec.json.encode((view.sitting, view.room, view.seats))
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(None, status_code=304, headers=headers)
        return Response(view, headers=headers)

    @get("/acts", summary="What was done in a room")
    async def acts(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID], limit: FromQuery[int] = 30
    ) -> list[ActView]:
        """Answer the newest acts of people on the room or its seats, with the act that takes each back."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            query = AuditQuery(subject=f"sitting:{sitting_id}", limit=ACTS_LOOKED_AT)
            entries = await audit.load_entries(act.session, query)
            stored = await sittings.load_acts(act.session, SittingId(sitting_id), ACTS_LOOKED_AT)
            name_of = await actor_names(act)
        roll = await delivery_of(request).roll(SittingId(sitting_id))
        return acts_in_room(entries, stored, roll, room_id, name_of, act.now)[: max(1, min(limit, 100))]

    @get("/attempts/{attempt_id:uuid}/photo", summary="A candidate's photo", media_type="image/jpeg")
    async def photo(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID], attempt_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Answer the photo of who sits there, to the staff of this room alone."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            _, seat = await _seat(request, act, sitting_id, room_id, attempt_id, Permission.WATCH_ROOMS)
            _, content = await invigilation.load_photo(act.session, seat)
        headers = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
        return Response(content, media_type="image/jpeg", headers=headers)

    @post("/attempts/{attempt_id:uuid}/identity", summary="Note the name check", status_code=200)
    async def identity(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        room_id: FromPath[UUID],
        attempt_id: FromPath[UUID],
        data: JSONBody[IdentityCheck],
    ) -> dict[str, str]:
        """Note whether the person matches photo and name; `cleared` takes a verdict back."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            _, seat = await _seat(request, act, sitting_id, room_id, attempt_id, Permission.INVIGILATE)
            await invigilation.check_identity(
                act.session, seat, data, sitting_id=SittingId(sitting_id), actor=act.actor, now=act.now
            )
        await hub_of(request).noted(SittingId(sitting_id))
        return {"identity": data.identity.value}

    @post("/attempts/{attempt_id:uuid}/review", summary="Say what a seat reported was looked at", status_code=200)
    async def review(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID], attempt_id: FromPath[UUID]
    ) -> dict[str, str]:
        """Note that somebody looked: what the seat reported until now no longer asks for help."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            _, seat = await _seat(request, act, sitting_id, room_id, attempt_id, Permission.INVIGILATE)
            await invigilation.mark_reviewed(
                act.session, seat, sitting_id=SittingId(sitting_id), actor=act.actor, now=act.now
            )
        await hub_of(request).noted(SittingId(sitting_id))
        return {"reviewed_at": act.now.isoformat()}

    @get("/attempts/{attempt_id:uuid}/timeline", summary="Everything that happened at a seat")
    async def timeline(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID], attempt_id: FromPath[UUID]
    ) -> list[MomentView]:
        """Answer the record of a seat, newest first: what it reported, what people did, incidents."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            roll, seat = await _seat(request, act, sitting_id, room_id, attempt_id, Permission.WATCH_ROOMS)
            found = await invigilation.load_timeline(act.session, seat, roll.sitting.id)
            name_of = await actor_names(act)
        return [MomentView.of(moment, name_of) for moment in found]

    @get("/incidents", summary="Incidents of a room")
    async def incidents(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]
    ) -> list[IncidentView]:
        """Answer the incidents of a room by number, withdrawn ones marked."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            found = await invigilation.load_incidents(act.session, SittingId(sitting_id), room_id)
        return [IncidentView.of(incident) for incident in found]

    @post("/incidents", summary="Report an incident")
    async def report(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        room_id: FromPath[UUID],
        data: JSONBody[IncidentReport],
    ) -> IncidentView:
        """Store what happened: kind, seats, words, times; the same `request` is stored once."""
        report = msgspec.structs.replace(data, room_id=room_id)
        async with staff_act(request, Permission.INVIGILATE) as act:
            await require_room(act, sitting_id, room_id, Permission.INVIGILATE)
            roll = await delivery_of(request).roll(SittingId(sitting_id))
            stored = await invigilation.report_incident(act.session, roll, report, actor=act.actor, now=act.now)
        await hub_of(request).noted(SittingId(sitting_id))
        return IncidentView.of(stored)

    @post("/incidents/{incident_id:uuid}/withdraw", summary="Withdraw an incident", status_code=200)
    async def withdraw(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        room_id: FromPath[UUID],
        incident_id: FromPath[UUID],
        data: JSONBody[WithdrawBody],
    ) -> IncidentView:
        """Withdraw an incident: it stays readable, with who and why."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            await require_room(act, sitting_id, room_id, Permission.INVIGILATE)
            withdrawn = await invigilation.withdraw_incident(
                act.session,
                SittingId(sitting_id),
                incident_id,
                room_id=room_id,
                reason=data.reason,
                actor=act.actor,
                now=act.now,
            )
        await hub_of(request).noted(SittingId(sitting_id))
        return IncidentView.of(withdrawn)


def hub_of(request: Request_) -> Hub:
    """Return the live boards of this worker."""
    hub: Hub = request.app.state.hub
    return hub


async def _seat(
    request: Request_, act: Act, sitting_id: UUID, room_id: UUID, attempt_id: UUID, permission: Permission
) -> tuple[Roll, Seat]:
    await require_room(act, sitting_id, room_id, permission)
    roll = await delivery_of(request).roll(SittingId(sitting_id))
    return roll, invigilation.require_seat(roll, attempt_id, room_id)
