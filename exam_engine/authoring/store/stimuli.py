"""SQL of stimuli and their versions."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import (
    BankId,
    StimulusId,
    StimulusVersion,
    StimulusVersionId,
)
from exam_engine.authoring.tables import (
    StimulusRow,
    StimulusVersionRow,
)
from item_bank.model.item import Stimulus


async def load_stimuli(session: AsyncSession, bank_id: BankId) -> list[StimulusVersion]:
    """Return the newest version of each stimulus of a bank, in order of code."""
    rows = await session.execute(
        select(StimulusVersionRow)
        .join(StimulusRow, StimulusRow.id == StimulusVersionRow.stimulus_id)
        .where(StimulusRow.bank_id == bank_id)
        .order_by(StimulusRow.code, StimulusVersionRow.number.desc())
        .ext(distinct_on(StimulusRow.code))
    )
    return [_stimulus_version(row) for (row,) in rows]


async def insert_stimulus(session: AsyncSession, bank_id: BankId, stimulus_id: StimulusId, code: str) -> None:
    """Write a stimulus without a version yet."""
    await session.execute(insert(StimulusRow).values(id=stimulus_id, bank_id=bank_id, code=code))


async def insert_stimulus_version(session: AsyncSession, version: StimulusVersion) -> None:
    """Write a new version of a stimulus."""
    await session.execute(
        insert(StimulusVersionRow).values(
            id=version.id,
            stimulus_id=version.stimulus_id,
            number=version.number,
            content=msgspec.to_builtins(version.stimulus),
            hash=version.hash,
            frozen_at=version.frozen_at,
        )
    )


async def freeze_stimuli(session: AsyncSession, ids: Collection[StimulusVersionId], now: Any) -> None:
    """Freeze stimulus versions that a submitted item hangs on."""
    if ids:
        await session.execute(
            update(StimulusVersionRow)
            .where(StimulusVersionRow.id.in_(ids), StimulusVersionRow.frozen_at.is_(None))
            .values(frozen_at=now)
        )


def _stimulus_version(row: StimulusVersionRow) -> StimulusVersion:
    return StimulusVersion(
        id=StimulusVersionId(row.id),
        stimulus_id=StimulusId(row.stimulus_id),
        number=row.number,
        stimulus=msgspec.convert(row.content, Stimulus),
        hash=row.hash,
        frozen_at=row.frozen_at,
    )
