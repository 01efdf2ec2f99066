"""SQL of the public keys that signed receipts and statements."""

from datetime import datetime

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.tables import ReceiptKeyRow


class UsedKey(msgspec.Struct, frozen=True):
    """A public key, and from when to when it was used."""

    public_key: bytes
    used_from: datetime
    used_until: datetime | None  # none: it is used now


async def load_keys(session: AsyncSession) -> list[UsedKey]:
    """Return every key that was ever used, the newest first."""
    query = select(ReceiptKeyRow).order_by(ReceiptKeyRow.used_from.desc(), ReceiptKeyRow.public_key)
    return [UsedKey(row.public_key, row.used_from, row.used_until) for row in await session.scalars(query)]


async def save_key_in_use(session: AsyncSession, public_key: bytes, now: datetime) -> None:
    """Note that a key is used from now on (or again), and that no other is."""
    others = update(ReceiptKeyRow).where(ReceiptKeyRow.public_key != public_key, ReceiptKeyRow.used_until.is_(None))
    await session.execute(others.values(used_until=now))
    statement = upsert(ReceiptKeyRow).values(public_key=public_key, used_from=now, used_until=None)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["public_key"],
            set_={"used_until": None},
            where=ReceiptKeyRow.used_until.is_not(None),
        )
    )
