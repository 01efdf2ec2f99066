"""Use cases of reviewers: approving, returning, retiring."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import edits, store
from exam_engine.authoring.model import (
    ItemDetails,
    ItemId,
    ItemVersion,
)
from exam_engine.authoring.service.reading import load_item
from exam_engine.authoring.service.works import (
    finish,
    lock_works,
)
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Permission
from item_bank.model.content import normalised


async def approve_items(
    session: AsyncSession, item_ids: Collection[ItemId], *, actor: Person, now: datetime
) -> list[ItemVersion]:
    """Make the newest versions of items active: the decision of a second person; what they replace is retired.

    Raises
    ------
    FourEyes
        The person wrote or submitted one of them.
    IllegalTransition, ItemUnknown, PermissionDenied
        Nothing was written.
    """
    works = await lock_works(session, item_ids, Permission.REVIEW_ITEMS, actor)
    steps = [edits.approve(work.versions[0], work.active, actor.id, now) for work in works]
    approved = [version for version, _ in steps]
    # The replaced version first: the database lets one version of an item be active.
    await store.save_reviews(session, [old for _, replaced in steps for old in replaced])
    await store.save_reviews(session, approved)
    await finish(session, "item.approve", works, approved, actor=actor, now=now)
    return approved


async def return_item(
    session: AsyncSession, item_id: ItemId, comment: str, *, actor: Person, now: datetime
) -> ItemDetails:
    """Send an item back to its author with a reason; the repair will be a new version.

    Raises
    ------
    IllegalTransition, ItemUnknown, PermissionDenied
        Nothing was written.
    """
    (work,) = await lock_works(session, [item_id], Permission.REVIEW_ITEMS, actor)
    returned = edits.send_back(work.versions[0], normalised(comment))
    await store.save_reviews(session, [returned])
    await finish(session, "item.return", [work], [returned], actor=actor, now=now)
    return await load_item(session, item_id, actor=actor)


async def retire_item(session: AsyncSession, item_id: ItemId, *, actor: Person, now: datetime) -> ItemDetails:
    """Take an item out of use for new forms: its newest and its active version; forms that hold it keep it.

    Raises
    ------
    IllegalTransition, ItemUnknown, PermissionDenied
        Nothing was written.
    """
    (work,) = await lock_works(session, [item_id], Permission.REVIEW_ITEMS, actor)
    newest = edits.retire(work.versions[0])
    older = [edits.retire(version) for version in work.active if version.id != newest.id]
    await store.save_reviews(session, [newest, *older])
    await finish(session, "item.retire", [work], [newest], actor=actor, now=now)
    return await load_item(session, item_id, actor=actor)
