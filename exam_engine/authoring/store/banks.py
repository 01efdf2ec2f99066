"""SQL of banks and their topics."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import (
    Bank,
    BankId,
    BankSummary,
)
from exam_engine.authoring.tables import (
    BankRow,
    ItemRow,
    TopicRow,
)
from exam_engine.identity.model import UnitId
from item_bank.model.review import ItemState
from item_bank.model.taxonomy import Topic


async def insert_bank(session: AsyncSession, bank: Bank) -> bool:
    """Write a bank; False when its code is taken."""
    statement = (
        upsert(BankRow).values(msgspec.structs.asdict(bank)).on_conflict_do_nothing(constraint="uq_bank_code")
    ).returning(BankRow.id)
    return await session.scalar(statement) is not None


async def find_bank(session: AsyncSession, *, code: str | None = None, bank_id: BankId | None = None) -> Bank | None:
    """Return the bank of a code or id."""
    if code is not None and "\x00" in code:
        return None
    condition = BankRow.id == bank_id if code is None else BankRow.code == code
    row = await session.scalar(select(BankRow).where(condition))
    return None if row is None else _bank(row)


async def load_banks(session: AsyncSession, units: Collection[UnitId]) -> list[BankSummary]:
    """Return the banks of some units, in order of code, with their items counted by state."""
    rows = await session.scalars(select(BankRow).where(BankRow.unit_id.in_(units)).order_by(BankRow.code))
    banks = [_bank(row) for row in rows]
    counts = await session.execute(
        select(ItemRow.bank_id, ItemRow.state, func.count())
        .where(ItemRow.bank_id.in_([bank.id for bank in banks]))
        .group_by(ItemRow.bank_id, ItemRow.state)
    )
    counted: dict[UUID, dict[ItemState, int]] = {}
    for bank_id, state, count in counts:
        counted.setdefault(bank_id, {})[ItemState(state)] = count
    return [BankSummary(bank=bank, items=counted.get(bank.id, {})) for bank in banks]


async def load_topics(session: AsyncSession, bank_id: BankId) -> list[Topic]:
    """Return the taxonomy of a bank in its order."""
    rows = await session.scalars(
        select(TopicRow).where(TopicRow.bank_id == bank_id).order_by(TopicRow.position, TopicRow.code)
    )
    return [Topic(row.code, row.name, row.position) for row in rows]


async def save_topics(session: AsyncSession, bank_id: BankId, topics: Mapping[UUID, Topic]) -> None:
    """Write topics under new ids; a known code keeps its id and takes the new name and position."""
    if not topics:
        return
    values = [{"id": new_id, "bank_id": bank_id, **msgspec.structs.asdict(topic)} for new_id, topic in topics.items()]
    statement = upsert(TopicRow).values(values)
    await session.execute(
        statement.on_conflict_do_update(
            constraint="uq_topic_bank_id_code",
            set_={"name": statement.excluded.name, "position": statement.excluded.position},
        )
    )


async def lock_bank(session: AsyncSession, bank_id: BankId) -> None:
    """Let one writer at a time change the items of a bank by import."""
    await session.execute(select(BankRow.id).where(BankRow.id == bank_id).with_for_update())


def _bank(row: BankRow) -> Bank:
    return Bank(
        id=BankId(row.id),
        code=row.code,
        name=row.name,
        subject_code=row.subject_code,
        grade=row.grade,
        unit_id=UnitId(row.unit_id),
        language=row.language,
    )
