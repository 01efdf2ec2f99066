"""Rooms of the sample, for tests of what invigilators may do there."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from exam_engine.infra.database import transaction
from tests.api.conftest import House


class Room(msgspec.Struct, frozen=True):
    """A room of an open sitting, with its attempts by seat."""

    sitting: UUID
    room: UUID
    seats: tuple[UUID, ...]

    @property
    def path(self) -> str:
        return f"/api/sittings/{self.sitting}/rooms/{self.room}"


async def room_of(house: House, sitting_code: str) -> Room:
    """The first room of an open sitting of the sample."""
    query = """select a.sitting_id, a.room_id, a.id from attempt a join sitting s on s.id = a.sitting_id
        where s.code = :code order by a.room_id, a.seat_number"""
    async with transaction(house.engine.sessions) as session:
        rows = (await session.execute(text(query), {"code": sitting_code})).all()
    return Room(rows[0].sitting_id, rows[0].room_id, tuple(row.id for row in rows))


async def practice_room(house: House) -> Room:
    """The room of the sitting that is open for a year."""
    return await room_of(house, "lam-quen-2027")
