"""Use cases that read: the list, one item, its preview, what forms take, figures."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import store
from exam_engine.authoring.errors import (
    ItemUnknown,
    MediaUnknown,
)
from exam_engine.authoring.model import (
    BankId,
    FrozenItem,
    ItemDetails,
    ItemId,
    ItemPage,
    ItemQuery,
    ItemVersionId,
    Media,
)
from exam_engine.authoring.service.banks import list_banks
from exam_engine.authoring.service.works import (
    details_of,
    load_works,
)
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import Permission
from item_bank.forms.paper import CandidateItem, CandidateStimulus, candidate_item


class Preview(msgspec.Struct, frozen=True):
    """An item exactly as a candidate receives it, alone in a form."""

    item: CandidateItem
    stimulus: CandidateStimulus | None
    language: str


async def list_items(session: AsyncSession, query: ItemQuery, *, actor: Person) -> ItemPage:
    """Return one page of the items that a person may read and a query asks for."""
    banks = [summary.bank.id for summary in await list_banks(session, actor=actor)]
    return await store.load_page(session, query, banks)


async def load_item(session: AsyncSession, item_id: ItemId, *, actor: Person) -> ItemDetails:
    """Return an item with its versions and what the checks say of the newest.

    Raises
    ------
    ItemUnknown, PermissionDenied
        There is none, or it may not be read.
    """
    (work,) = await load_works(session, [item_id], Permission.READ_ITEMS, actor)
    return await details_of(session, work)


async def find_item(session: AsyncSession, bank_id: BankId, code: str) -> ItemId:
    """Return the id of an item by its code.

    Raises
    ------
    ItemUnknown
        There is none.
    """
    found = await store.find_item_id(session, bank_id, code)
    if found is None:
        raise ItemUnknown(code)
    return found


async def preview(session: AsyncSession, item_id: ItemId, number: int | None = None, *, actor: Person) -> Preview:
    """Return an item (its newest or a numbered version) exactly as a candidate receives it: keyless, same code path."""
    (work,) = await load_works(session, [item_id], Permission.READ_ITEMS, actor)
    version = next((v for v in work.versions if number in (None, v.number)), None)
    if version is None:
        raise ItemUnknown(f"{work.versions[0].item.code} ({number})")
    stimulus = version.stimulus
    return Preview(
        candidate_item(version.item, 1, 1, stimulus="S1" if stimulus else None),
        None if stimulus is None else CandidateStimulus("S1", stimulus.title, stimulus.content),
        version.item.language,
    )


async def active_versions(session: AsyncSession, bank_id: BankId) -> Sequence[FrozenItem]:
    """Return the items new forms may take, in order of code: the order of a testlet."""
    return await store.load_frozen(session, bank_id=bank_id)


async def frozen_versions(session: AsyncSession, ids: Collection[ItemVersionId]) -> Mapping[ItemVersionId, FrozenItem]:
    """Return given frozen versions by their ids, whatever became of them since."""
    return {version.item_version_id: version for version in await store.load_frozen(session, ids=ids)}


async def load_media(session: AsyncSession, sha256: str) -> Media:
    """Return a stored figure.

    Raises
    ------
    MediaUnknown
        There is none.
    """
    media = await store.find_media(session, sha256)
    if media is None:
        raise MediaUnknown(sha256)
    return media
