"""The page of a room: the live board, and what is printed for its door and its desk."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath
from litestar.response import Template

from api.acts import Act, engine_of, staff_act
from api.language import language_of
from api.pages.staff_page import staff_page
from api.staff.room_rights import may_in_room, require_room
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.birth_dates import show_birth_date
from exam_engine.enrolment.model import Room
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import format_datetime
from exam_engine.invigilation import documents
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.documents import RoomSheet, SeatLine

Request_ = Request[Any, Any, Any]


class RoomPages(Controller):
    """`/staff/sittings/{sitting}/rooms/{room}`."""

    path = "/staff/sittings/{sitting_id:uuid}/rooms/{room_id:uuid}"
    include_in_schema = False

    @get("/")
    async def room(self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]) -> Template:
        """Show the live board of a room."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context, room = await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            return staff_page(
                request,
                act.person,
                "staff/sittings/room.html",
                context=context,
                room=room,
                may_act=await may_in_room(act, context, room, Permission.INVIGILATE),
                may_extend_room=UnitId(context.exam_unit_id) in await act.units(Permission.EXTEND_SITTINGS),
            )

    @get("/list.pdf")
    async def room_list(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Print the list that hangs at the door and is signed."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context, room = await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            seats = await _seats(act, context, room)
        return _pdf(documents.room_list(_sheet(request, context, room), seats), f"{room.code}-list")

    @get("/seats.pdf")
    async def seat_map(self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]) -> Response[bytes]:
        """Print the seats by rows."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context, room = await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            seats = await _seats(act, context, room)
        return _pdf(documents.seat_map(_sheet(request, context, room), seats), f"{room.code}-seats")

    @get("/incidents.pdf")
    async def incidents(
        self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Print the minutes of incidents."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context, room = await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
            found = await invigilation.load_incidents(act.session, SittingId(sitting_id), room_id)
        return _pdf(documents.incident_minutes(_sheet(request, context, room), found), f"{room.code}-incidents")


def _sheet(request: Request_, context: SittingContext, room: Room) -> RoomSheet:
    language, zone = language_of(request), engine_of(request).settings.time_zone
    return RoomSheet(
        exam=context.exam_name,
        subject=context.subject_name,
        room=room.code,
        starts=format_datetime(context.sitting.starts_at, language, zone),
        time_zone=zone,
        columns=context.sitting.settings.columns,
        language=language,
    )


async def _seats(act: Act, context: SittingContext, room: Room) -> list[SeatLine]:
    born = {
        candidate.id: show_birth_date(candidate.date_of_birth)
        for candidate in await enrolment.load_candidates(act.session, context.exam_id)
    }
    everybody = await enrolment.load_subject_candidates(act.session, context.sitting.exam_subject_id)
    people = [one for one in everybody if one.room_id == room.id]
    photos = await enrolment.load_photos(act.session, [one.candidate_id for one in people])
    lines = [
        SeatLine(
            one.seat_number,
            one.number or "",
            one.full_name,
            born.get(one.candidate_id) or "",
            photos.get(one.candidate_id, b""),
        )
        for one in people
    ]
    return sorted(lines, key=lambda line: (line.seat is None, line.seat or 0, line.number))


def _pdf(content: bytes, name: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "private, no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
