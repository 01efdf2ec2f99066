"""SQL of items and their versions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import (
    BankContents,
    BankId,
    FrozenItem,
    ItemId,
    ItemVersion,
    ItemVersionId,
    StimulusVersionId,
)
from exam_engine.authoring.store.banks import load_topics
from exam_engine.authoring.store.stimuli import load_stimuli
from exam_engine.authoring.tables import (
    ItemRow,
    ItemVersionRow,
    StimulusVersionRow,
)
from exam_engine.identity.tables import PersonRow
from item_bank.model.item import Item, Stimulus
from item_bank.model.review import ItemState, Review

BATCH = 500
VersionSelect = Select[ItemVersionRow, ItemRow, StimulusVersionRow]
VersionRow = Row[ItemVersionRow, ItemRow, StimulusVersionRow]
_REVIEW_COLUMNS = tuple(name for name in Review.__struct_fields__ if name not in ("author", "state"))


async def insert_items(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new items, without their versions."""
    for start in range(0, len(rows), BATCH):
        await session.execute(insert(ItemRow), list(rows[start : start + BATCH]))


async def update_items(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change columns of items, each row with its id."""
    if rows:
        await session.execute(update(ItemRow), list(rows))


async def insert_versions(session: AsyncSession, versions: Sequence[ItemVersion]) -> None:
    """Write new versions."""
    rows = [_version_values(version) for version in versions]
    for start in range(0, len(rows), BATCH):
        await session.execute(insert(ItemVersionRow), rows[start : start + BATCH])


async def save_versions(session: AsyncSession, versions: Sequence[ItemVersion]) -> None:
    """Write the present content and review of versions."""
    if versions:
        await session.execute(update(ItemVersionRow), [_version_values(version) for version in versions])


async def save_reviews(session: AsyncSession, versions: Sequence[ItemVersion]) -> None:
    """Write the review of many versions whose content stays."""
    rows = [{"id": version.id, **_review_values(version.review)} for version in versions]
    if rows:
        await session.execute(update(ItemVersionRow), rows)


async def lock_items(session: AsyncSession, item_ids: Collection[ItemId]) -> None:
    """Lock items against other writers, always in the same order."""
    await session.execute(select(ItemRow.id).where(ItemRow.id.in_(item_ids)).order_by(ItemRow.id).with_for_update())


async def find_item_id(session: AsyncSession, bank_id: BankId, code: str) -> ItemId | None:
    """Return the id of an item by its code."""
    found = await session.scalar(select(ItemRow.id).where(ItemRow.bank_id == bank_id, ItemRow.code == code))
    return None if found is None else ItemId(found)


async def load_versions(
    session: AsyncSession, item_ids: Collection[ItemId]
) -> dict[ItemId, tuple[BankId, list[ItemVersion]]]:
    """Return the bank and all versions, newest first, of each item that exists."""
    rows = await session.execute(
        _versions().where(ItemRow.id.in_(item_ids)).order_by(ItemVersionRow.item_id, ItemVersionRow.number.desc())
    )
    found: dict[ItemId, tuple[BankId, list[ItemVersion]]] = {}
    for row in rows:
        item: ItemRow = row.ItemRow
        found.setdefault(ItemId(item.id), (BankId(item.bank_id), []))[1].append(_version(row))
    return found


async def load_newest(session: AsyncSession, bank_id: BankId) -> list[ItemVersion]:
    """Return the newest version of each item of a bank, in order of code."""
    newest = _newest_versions().where(ItemRow.bank_id == bank_id).order_by(ItemRow.code)
    return [_version(row) for row in await session.execute(newest)]


async def load_frozen(
    session: AsyncSession, *, bank_id: BankId | None = None, ids: Collection[ItemVersionId] | None = None
) -> list[FrozenItem]:
    """Return the active versions of a bank, or given frozen versions; in order of item code."""
    if ids is None:
        condition = and_(ItemRow.bank_id == bank_id, ItemVersionRow.state == ItemState.ACTIVE.value)
    else:
        condition = and_(ItemVersionRow.id.in_(ids), ItemVersionRow.frozen_at.is_not(None))
    return [
        _frozen(row) for row in await session.execute(_versions().where(condition).order_by(ItemRow.code))
    ]  # fmt: skip


async def load_names(session: AsyncSession, people: Collection[UUID]) -> dict[UUID, str]:
    """Return the display names of people."""
    rows = await session.execute(select(PersonRow.id, PersonRow.display_name).where(PersonRow.id.in_(people)))
    return {person_id: name for person_id, name in rows}  # noqa: C416 (rows are no pairs for mypy)


def _versions() -> VersionSelect:
    return (
        select(ItemVersionRow, ItemRow, StimulusVersionRow)
        .join(ItemRow, ItemRow.id == ItemVersionRow.item_id)
        .outerjoin(StimulusVersionRow, StimulusVersionRow.id == ItemVersionRow.stimulus_version_id)
    )


def _newest_versions() -> VersionSelect:
    newest = (
        select(ItemVersionRow.item_id, func.max(ItemVersionRow.number).label("number"))
        .group_by(ItemVersionRow.item_id)
        .subquery()
    )
    same = and_(newest.c.item_id == ItemVersionRow.item_id, newest.c.number == ItemVersionRow.number)
    return _versions().join(newest, same)


def _version(row: VersionRow) -> ItemVersion:
    version: ItemVersionRow = row.ItemVersionRow
    return ItemVersion(
        id=ItemVersionId(version.id),
        item_id=ItemId(version.item_id),
        number=version.number,
        item=msgspec.convert(version.content, Item),
        stimulus=_stimulus(row.StimulusVersionRow),
        stimulus_version_id=_stimulus_id(version),
        content_hash=version.content_hash,
        created_at=version.created_at,
        review=_review(version),
    )


def _review(row: ItemVersionRow) -> Review:
    values = {name: getattr(row, name) for name in _REVIEW_COLUMNS}
    return Review(state=ItemState(row.state), author=row.created_by, **values)


def _frozen(row: VersionRow) -> FrozenItem:
    version: ItemVersionRow = row.ItemVersionRow
    return FrozenItem(
        item_version_id=ItemVersionId(version.id),
        item_id=ItemId(version.item_id),
        bank_id=BankId(row.ItemRow.bank_id),
        number=version.number,
        item=msgspec.convert(version.content, Item),
        stimulus=_stimulus(row.StimulusVersionRow),
        stimulus_version_id=_stimulus_id(version),
        content_hash=version.content_hash,
    )


def _stimulus(row: StimulusVersionRow | None) -> Stimulus | None:
    return None if row is None else msgspec.convert(row.content, Stimulus)


def _stimulus_id(row: ItemVersionRow) -> StimulusVersionId | None:
    return None if row.stimulus_version_id is None else StimulusVersionId(row.stimulus_version_id)


def _version_values(version: ItemVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "item_id": version.item_id,
        "number": version.number,
        "content": msgspec.to_builtins(version.item),
        "stimulus_version_id": version.stimulus_version_id,
        "content_hash": version.content_hash,
        "created_by": version.review.author,
        "created_at": version.created_at,
        **_review_values(version.review),
    }


def _review_values(review: Review) -> dict[str, Any]:
    return {name: getattr(review, name) for name in _REVIEW_COLUMNS} | {"state": review.state.value}


async def load_contents(session: AsyncSession, bank_id: BankId) -> BankContents:
    """Return everything of a bank that an import compares with."""
    topics = {topic.code: topic for topic in await load_topics(session, bank_id)}
    stimuli = {version.stimulus.code: version for version in await load_stimuli(session, bank_id)}
    items = {version.item.code: version for version in await load_newest(session, bank_id)}
    return BankContents(topics, stimuli, items)
