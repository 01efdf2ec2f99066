"""SQL of versioned item parameters."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import BankId, ItemVersionId
from exam_engine.authoring.parameters import (
    ItemParameters,
    ParameterErrors,
    ParameterOrigin,
    ParameterState,
    ParameterVersion,
)
from exam_engine.authoring.tables import ItemParametersRow, ItemRow, ItemVersionRow


async def insert_parameters(session: AsyncSession, versions: Sequence[ParameterVersion]) -> None:
    """Add versions; older ones stay."""
    rows = [
        {
            "item_version_id": version.item_version_id,
            "number": version.number,
            "state": version.state.value,
            "parameters": None if version.parameters is None else msgspec.to_builtins(version.parameters),
            "errors": None if version.errors is None else msgspec.to_builtins(version.errors),
            "origin": None if version.origin is None else msgspec.to_builtins(version.origin),
            "decided_by": version.decided_by,
            "decided_at": version.decided_at,
            "comment": version.comment,
        }
        for version in versions
    ]
    if rows:
        await session.execute(insert(ItemParametersRow), rows)


async def load_newest_parameters(
    session: AsyncSession, ids: Collection[ItemVersionId]
) -> dict[ItemVersionId, ParameterVersion]:
    """Return the newest version of each item version that has any, withdrawn ones too."""
    query = (
        select(ItemParametersRow)
        .where(ItemParametersRow.item_version_id.in_(ids))
        .ext(distinct_on(ItemParametersRow.item_version_id))
        .order_by(ItemParametersRow.item_version_id, ItemParametersRow.number.desc())
    )
    return {ItemVersionId(row.item_version_id): _version(row) for row in await session.scalars(query)}


async def load_parameter_history(session: AsyncSession, item_version_id: ItemVersionId) -> list[ParameterVersion]:
    """Return all versions of an item version, in order of number."""
    query = (
        select(ItemParametersRow)
        .where(ItemParametersRow.item_version_id == item_version_id)
        .order_by(ItemParametersRow.number)
    )
    return [_version(row) for row in await session.scalars(query)]


async def lock_versions(session: AsyncSession, ids: Collection[ItemVersionId]) -> dict[ItemVersionId, BankId]:
    """Lock item versions against another decision, always in the same order; return the bank of each."""
    query = (
        select(ItemVersionRow.id, ItemRow.bank_id)
        .join(ItemRow, ItemRow.id == ItemVersionRow.item_id)
        .where(ItemVersionRow.id.in_(ids))
        .order_by(ItemVersionRow.id)
        .with_for_update(of=ItemVersionRow)
    )
    return {ItemVersionId(version): BankId(bank) for version, bank in await session.execute(query)}


def _version(row: ItemParametersRow) -> ParameterVersion:
    return ParameterVersion(
        item_version_id=ItemVersionId(row.item_version_id),
        number=row.number,
        state=ParameterState(row.state),
        parameters=None if row.parameters is None else msgspec.convert(row.parameters, ItemParameters),
        errors=None if row.errors is None else msgspec.convert(row.errors, ParameterErrors),
        origin=None if row.origin is None else msgspec.convert(row.origin, ParameterOrigin),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        comment=row.comment,
    )
