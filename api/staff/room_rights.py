"""Who may watch or act in a room: on the unit of its exam, or on the site where the room is."""

from uuid import UUID

from api.acts import Act
from exam_engine.delivery import service as sittings
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
    units = await act.units(permission)
    places = {UnitId(context.exam_unit_id)}
    if room is not None and room.site_unit_id is not None:
        places.add(UnitId(room.site_unit_id))
    if not places & units:
        raise PermissionDenied(permission)
    if room is None:
        raise RoomUnknown(room_id)
    return context, room
