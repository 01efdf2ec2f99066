"""SQL of room duties."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import SittingId
from exam_engine.identity.tables import PersonRow
from exam_engine.invigilation.duties import Duty, RoomDuty
from exam_engine.invigilation.tables import RoomDutyRow


async def load_duties(session: AsyncSession, sitting_id: SittingId) -> Sequence[RoomDuty]:
    """Return who watches the rooms of a sitting."""
    query = (
        select(RoomDutyRow, PersonRow.user_name, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == RoomDutyRow.person_id)
        .where(RoomDutyRow.sitting_id == sitting_id)
        .order_by(PersonRow.display_name, PersonRow.user_name)
    )
    return [
        RoomDuty(
            room_id=row.room_id,
            person_id=row.person_id,
            user_name=user_name,
            display_name=display_name,
            duty=Duty(row.duty),
            given_by=row.given_by,
            given_at=row.given_at,
        )
        for row, user_name, display_name in await session.execute(query)
    ]


async def load_rooms_of(session: AsyncSession, person_id: UUID) -> frozenset[tuple[UUID, UUID]]:
    """Return sitting and room of every duty of a person."""
    query = select(RoomDutyRow.sitting_id, RoomDutyRow.room_id).where(RoomDutyRow.person_id == person_id)
    return frozenset((row.sitting_id, row.room_id) for row in await session.execute(query))


async def save_duty(
    session: AsyncSession, sitting_id: SittingId, room_id: UUID, person_id: UUID, duty: Duty, *, by: str, at: datetime
) -> None:
    """Give somebody a duty in a room, in place of the one they had there."""
    said = {"duty": duty.value, "given_by": by, "given_at": at}
    statement = upsert(RoomDutyRow).values(sitting_id=sitting_id, room_id=room_id, person_id=person_id, **said)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["sitting_id", "room_id", "person_id"], set_=said)
    )


async def delete_duty(session: AsyncSession, sitting_id: SittingId, room_id: UUID, person_id: UUID) -> bool:
    """Take a duty back; False when there was none."""
    statement = (
        delete(RoomDutyRow)
        .where(
            RoomDutyRow.sitting_id == sitting_id,
            RoomDutyRow.room_id == room_id,
            RoomDutyRow.person_id == person_id,
        )
        .returning(RoomDutyRow.person_id)
    )
    return (await session.execute(statement)).scalar() is not None
