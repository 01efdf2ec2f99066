"""Who may watch or act in a room: on the unit of its exam, on the site where it is, or by a duty given in it."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from api.acts import Act
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingId, SittingState
from exam_engine.delivery.service import Desk, Scope
from exam_engine.delivery.service.desk import seats_in
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Room
from exam_engine.identity import service as identity
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.errors import RoomUnknown

BY_DUTY = frozenset({Permission.WATCH_ROOMS, Permission.INVIGILATE})
"""What a duty opens in its room, to who holds the permission anywhere."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as far as somebody may see it: whole, or these rooms alone."""

    context: SittingContext
    rooms: Sequence[Room]
    is_whole: bool


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
    """Whether the person holds a permission on the exam's unit, on the site of the room, or by a duty there."""
    if UnitId(context.exam_unit_id) in await act.units(permission):
        return True
    return room is not None and bool(await _reached(act, context, [room], permission))


async def reach(act: Act, sitting_id: UUID, permission: Permission = Permission.WATCH_ROOMS) -> Reach:
    """Return a sitting as far as the person may see it; perhaps no room at all.

    Raises
    ------
    SittingUnknown
    """
    context = await sittings.load_sitting(act.session, sitting_id)
    planned = await enrolment.load_subject_rooms(act.session, context.sitting.exam_subject_id)
    more = await _rooms_beside_the_plan(act, context.sitting.id)
    rooms = await _in_use(act, context, planned, more.get(context.sitting.id, set()))
    if UnitId(context.exam_unit_id) in await act.units(permission):
        return Reach(context=context, rooms=rooms, is_whole=True)
    return Reach(context=context, rooms=await _reached(act, context, rooms, permission), is_whole=False)


async def reachable_sittings(act: Act, exam_code: str = "") -> list[Reach]:
    """Return the sittings of the person's units whole, and of others those in which they have a room."""
    units = await act.units(Permission.READ_EXAMS)
    rooms_of: dict[UUID, Sequence[Room]] = {}
    more = await _rooms_beside_the_plan(act)
    found = []
    for context in await sittings.load_sittings(act.session):
        if exam_code not in ("", context.exam_code):
            continue
        subject_id = context.sitting.exam_subject_id
        if subject_id not in rooms_of:
            rooms_of[subject_id] = await enrolment.load_subject_rooms(act.session, subject_id)
        rooms = await _in_use(act, context, rooms_of[subject_id], more.get(context.sitting.id, set()))
        if context.exam_unit_id in units:
            found.append(Reach(context=context, rooms=rooms, is_whole=True))
        elif mine := await _reached(act, context, rooms, Permission.WATCH_ROOMS):
            found.append(Reach(context=context, rooms=mine, is_whole=False))
    return found


async def whom_to_ask(act: Act, context: SittingContext | None = None) -> list[str]:
    """Return the names of who gives duties: for one sitting, or for all that are not over."""
    contexts = [context] if context else await sittings.load_sittings(act.session)
    units = {UnitId(c.exam_unit_id) for c in contexts if c.sitting.state is not SittingState.CLOSED}
    names = set()
    for person in await identity.load_people(act.session, on=act.today):
        if person.id != act.person.id and person.may_somewhere(Permission.MANAGE_SITTINGS):
            managed = await identity.permitted_units(act.session, person.id, Permission.MANAGE_SITTINGS, on=act.today)
            if managed & units:
                names.add(person.display_name)
    return sorted(names)


async def require_seats(
    desk: Desk, act: Act, sitting_id: UUID, scope: Scope, permission: Permission = Permission.INVIGILATE
) -> None:
    """Refuse who may not act on these seats: it takes the exam's unit or, to invigilate, a right in all their rooms.

    Raises
    ------
    SittingUnknown, AttemptUnknown, PermissionDenied
    """
    context = await sittings.load_sitting(act.session, sitting_id)
    if UnitId(context.exam_unit_id) in await act.units(permission):
        return
    # Where they sit, which is not always where the plan has them by now.
    sat_in = {seat.room_id for seat in await seats_in(desk, SittingId(sitting_id), scope)}
    rooms = [room for room in await enrolment.load_rooms(act.session, context.exam_id) if room.id in sat_in]
    mine = {room.id for room in await _reached(act, context, rooms, permission)}
    if permission is not Permission.INVIGILATE or not sat_in <= mine:
        raise PermissionDenied(permission)


async def _rooms_beside_the_plan(act: Act, sitting_id: SittingId | None = None) -> dict[SittingId, set[UUID]]:
    """Return the rooms to which candidates were moved, and those where the person has a duty: perhaps nobody sits."""
    found = await sittings.rooms_moved_to(act.session, sitting_id)
    for sitting, room in await invigilation.rooms_on_duty(act.session, act.person.id):
        found.setdefault(SittingId(sitting), set()).add(room)
    return found


async def _in_use(act: Act, context: SittingContext, planned: Sequence[Room], more: Collection[UUID]) -> Sequence[Room]:
    """Return the rooms of a sitting: those of the plan, and those that came to it since."""
    if set(more) <= {room.id for room in planned}:
        return planned
    used = {room.id for room in planned} | set(more)
    return [room for room in await enrolment.load_rooms(act.session, context.exam_id) if room.id in used]


async def _reached(act: Act, context: SittingContext, rooms: Sequence[Room], permission: Permission) -> list[Room]:
    """Return the rooms that a site or a duty opens."""
    units = await act.units(permission)
    duties = frozenset[tuple[UUID, UUID]]()
    if permission in BY_DUTY and act.person.may_somewhere(permission):
        duties = await invigilation.rooms_on_duty(act.session, act.person.id)
    return [
        room
        for room in rooms
        if (room.site_unit_id is not None and UnitId(room.site_unit_id) in units)
        or (context.sitting.id, room.id) in duties
    ]
