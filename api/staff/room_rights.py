"""Who may watch or act in a room: on the unit of its exam, or on the site where the room is."""

from uuid import UUID

from api.acts import Act
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.service import Desk, Scope
from exam_engine.delivery.service.desk import seats_in
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Room
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation.errors import RoomUnknown


async def require_room(
    act: Act, sitting_id: UUID, room_id: UUID, permission: Permission
) -> tuple[SittingContext, Room]:
    """Return a sitting and one of its exam's rooms, in which the person holds a permission.

    Raises
    ------
    SittingUnknown, RoomUnknown, PermissionDenied
    """
    context = await sittings.load_sitting(act.session, sitting_id)
    rooms = await enrolment.load_rooms(act.session, context.exam_id)
    room = next((room for room in rooms if room.id == room_id), None)
    if not await may_in_room(act, context, room, permission):
        raise PermissionDenied(permission)
    if room is None:
        raise RoomUnknown(room_id)
    return context, room


async def may_in_room(act: Act, context: SittingContext, room: Room | None, permission: Permission) -> bool:
    """Whether the person holds a permission on the exam's unit or on the site of the room."""
    places = {UnitId(context.exam_unit_id)}
    if room is not None and room.site_unit_id is not None:
        places.add(UnitId(room.site_unit_id))
    return bool(places & await act.units(permission))


async def require_seats(
    desk: Desk, act: Act, sitting_id: UUID, scope: Scope, permission: Permission = Permission.INVIGILATE
) -> None:
    """Refuse who may not act on these seats: it takes the exam's unit or, to invigilate, the site where they all are.

    Raises
    ------
    SittingUnknown, AttemptUnknown, PermissionDenied
    """
    context = await sittings.load_sitting(desk.session, sitting_id)
    units = await act.units(permission)
    if UnitId(context.exam_unit_id) in units:
        return
    seats = await seats_in(desk, SittingId(sitting_id), scope)
    rooms = await enrolment.load_rooms(act.session, context.exam_id)
    mine = {room.id for room in rooms if room.site_unit_id is not None and UnitId(room.site_unit_id) in units}
    if permission is not Permission.INVIGILATE or not {seat.room_id for seat in seats} <= mine:
        raise PermissionDenied(permission)
