"""Use cases of item parameters: accepted ones become versions, taking them back adds a version, readers get the newest.

Calibration decides; this room keeps. Nothing is overwritten.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import Bank, ItemVersionId
from exam_engine.authoring.parameters import (
    AcceptedParameters,
    ParameterState,
    ParameterVersion,
    version_before,
)
from exam_engine.authoring.service.banks import load_bank
from exam_engine.authoring.store import parameters as store


async def lock_banks(session: AsyncSession, ids: Collection[ItemVersionId]) -> Sequence[Bank]:
    """Lock item versions against another decision and return the banks they belong to: where permissions are asked."""
    banks = set((await store.lock_versions(session, ids)).values())
    return [await load_bank(session, bank_id) for bank_id in sorted(banks)]


async def accept_parameters(
    session: AsyncSession, accepted: Sequence[AcceptedParameters], *, actor: str, now: datetime
) -> list[ParameterVersion]:
    """Make each the newest version of its item; the items are locked by `lock_banks`."""
    newest = await store.load_newest_parameters(session, [each.item_version_id for each in accepted])
    versions = [
        ParameterVersion(
            item_version_id=each.item_version_id,
            number=_next(newest.get(each.item_version_id)),
            state=ParameterState.ACCEPTED,
            parameters=each.parameters,
            errors=each.errors,
            origin=each.origin,
            decided_by=actor,
            decided_at=now,
        )
        for each in accepted
    ]
    await store.insert_parameters(session, versions)
    return versions


async def take_back_parameters(
    session: AsyncSession, accepted: AcceptedParameters, *, reason: str, actor: str, now: datetime
) -> ParameterVersion | None:
    """Undo an acceptance by a new version: what held before comes back, else the item has no parameters.

    None where a later version replaced them already: then nothing of them is in use.
    """
    history = await store.load_parameter_history(session, accepted.item_version_id)
    newest = history[-1] if history else None
    if newest is None or newest.origin is None or newest.origin.run_id != accepted.origin.run_id:
        return None
    before = version_before(history, accepted.origin.run_id)
    version = ParameterVersion(
        item_version_id=accepted.item_version_id,
        number=_next(newest),
        state=ParameterState.WITHDRAWN,
        parameters=None,
        errors=None,
        origin=None,
        decided_by=actor,
        decided_at=now,
        comment=reason,
    )
    if before is not None:
        version = msgspec.structs.replace(
            version,
            state=ParameterState.ACCEPTED,
            parameters=before.parameters,
            errors=before.errors,
            origin=before.origin,
        )
    await store.insert_parameters(session, [version])
    return version


async def accepted_parameters(
    session: AsyncSession, ids: Collection[ItemVersionId]
) -> Mapping[ItemVersionId, ParameterVersion]:
    """Return the newest accepted parameters of item versions; those without, or withdrawn, are left out."""
    newest = await store.load_newest_parameters(session, ids)
    return {version: found for version, found in newest.items() if found.state is ParameterState.ACCEPTED}


async def parameter_history(session: AsyncSession, item_version_id: ItemVersionId) -> Sequence[ParameterVersion]:
    """Return all versions of an item version's parameters, newest first."""
    return list(reversed(await store.load_parameter_history(session, item_version_id)))


def _next(newest: ParameterVersion | None) -> int:
    return 1 if newest is None else newest.number + 1
