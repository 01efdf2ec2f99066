"""The rooms a sitting may use: those of its exam, whether or not anybody sits there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingId
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Room
from exam_engine.invigilation.errors import RoomUnknown


async def load_rooms(session: AsyncSession, sitting_id: SittingId) -> Sequence[Room]:
    """Return the rooms of a sitting's exam by code.

    Raises
    ------
    SittingUnknown
    """
    context = await sittings.load_sitting(session, sitting_id)
    return await enrolment.load_rooms(session, context.exam_id)


async def load_room(session: AsyncSession, sitting_id: SittingId, reference: UUID | str) -> Room:
    """Return a room of a sitting's exam by id or code.

    Raises
    ------
    SittingUnknown, RoomUnknown
    """
    for room in await load_rooms(session, sitting_id):
        if reference in (room.id, room.code):
            return room
    raise RoomUnknown(reference)
