"""Use cases of authors: writing an item, changing it, handing it in."""

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import edits, store
from exam_engine.authoring.errors import (
    ItemExists,
    ItemNotSound,
    VersionOutdated,
)
from exam_engine.authoring.model import (
    BankId,
    ItemDetails,
    ItemId,
    ItemVersion,
    ItemVersionId,
)
from exam_engine.authoring.service.banks import load_bank, require
from exam_engine.authoring.service.works import (
    Work,
    banks_of,
    details_of,
    findings_of,
    finish,
    load_works,
    lock_works,
    note,
    stimuli_of,
    topic_codes,
)
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Permission
from item_bank.checks import Surroundings, errors_of
from item_bank.model.item import Item


async def create_item(
    session: AsyncSession, bank_id: BankId, item: Item, *, actor: Person, now: datetime
) -> ItemDetails:
    """Write a new item as a draft; a draft may still have errors.

    Raises
    ------
    BankUnknown, ItemExists, PermissionDenied
        Nothing was written.
    """
    bank = await load_bank(session, bank_id)
    await require(session, Permission.WRITE_ITEMS, bank, actor=actor)
    await store.lock_bank(session, bank_id)
    if await store.find_item_id(session, bank_id, item.code) is not None:
        raise ItemExists(item.code)
    stimulus = (await stimuli_of(session, bank_id)).get(item.stimulus or "")
    ids = (ItemId(uuid4()), ItemVersionId(uuid4()))
    version = edits.first_version(item, stimulus, ids, actor.id, now)
    await store.insert_items(session, [edits.item_columns(version, bank_id, now)])
    await store.insert_versions(session, [version])
    await note(session, "item.create", bank, [version], actor=actor, now=now)
    return await details_of(session, Work(bank, [version]))


async def update_item(
    session: AsyncSession, item_id: ItemId, item: Item, *, expected: int, actor: Person, now: datetime
) -> ItemDetails:
    """Write what an author typed: into their own draft, else as a new version; the code never changes.

    Raises
    ------
    VersionOutdated
        `expected` is not the newest version any more.
    ItemUnknown, PermissionDenied
        Nothing was written.
    """
    (work,) = await lock_works(session, [item_id], Permission.WRITE_ITEMS, actor)
    newest = work.versions[0]
    if newest.number != expected:
        raise VersionOutdated(newest.item.code, expected, newest.number)
    item = msgspec.structs.replace(item, code=newest.item.code)
    stimulus = (await stimuli_of(session, work.bank.id)).get(item.stimulus or "")
    edit = edits.edit(newest, item, stimulus, ItemVersionId(uuid4()), actor.id, now)
    if edit is None:
        return await details_of(session, work)
    await store.save_reviews(session, edit.retired)
    if edit.is_new:
        await store.insert_versions(session, [edit.version])
    else:
        await store.save_versions(session, [edit.version])
    await store.update_items(session, [edits.list_columns(edit.version, now)])
    await note(session, "item.update", work.bank, [edit.version], actor=actor, now=now)
    (changed,) = await load_works(session, [item_id], Permission.WRITE_ITEMS, actor)
    return await details_of(session, changed)


async def submit_items(
    session: AsyncSession, item_ids: Collection[ItemId], *, actor: Person, now: datetime
) -> list[ItemVersion]:
    """Hand items in for review: their newest versions are frozen, on the present versions of their stimuli.

    Raises
    ------
    ItemNotSound
        The checks find errors in one.
    IllegalTransition, ItemUnknown, PermissionDenied
        Nothing was written.
    """
    works = await lock_works(session, item_ids, Permission.WRITE_ITEMS, actor)
    submitted: list[ItemVersion] = []
    for bank in banks_of(works):
        stimuli = await stimuli_of(session, bank.id)
        surroundings = Surroundings(await topic_codes(session, bank.id), stimuli.keys())
        for newest in (work.versions[0] for work in works if work.bank.id == bank.id):
            found = errors_of(findings_of(newest, surroundings))
            if found:
                raise ItemNotSound(newest.item.code, found)
            submitted.append(edits.submit(newest, stimuli.get(newest.item.stimulus or ""), actor.id, now))
    stimulus_ids = {version.stimulus_version_id for version in submitted if version.stimulus_version_id}
    await store.freeze_stimuli(session, stimulus_ids, now)
    await store.save_versions(session, submitted)
    await finish(session, "item.submit", works, submitted, actor=actor, now=now)
    return submitted
