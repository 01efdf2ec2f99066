"""What several use cases of items share: loading with a permission, the checks, the record of what was done."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.authoring import edits, store
from exam_engine.authoring.errors import (
    ItemUnknown,
)
from exam_engine.authoring.model import (
    Bank,
    BankId,
    ItemDetails,
    ItemId,
    ItemVersion,
    StimulusVersion,
)
from exam_engine.authoring.service.banks import load_bank, require
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission
from item_bank.checks import Finding, Surroundings, check_item, check_references
from item_bank.model.review import ItemState


class Work(msgspec.Struct, frozen=True):
    """One item that a use case works on: its bank and versions, newest first."""

    bank: Bank
    versions: Sequence[ItemVersion]

    @property
    def active(self) -> list[ItemVersion]:
        """The versions in use: one, or none."""
        return [version for version in self.versions if version.review.state is ItemState.ACTIVE]


async def load_works(
    session: AsyncSession, item_ids: Collection[ItemId], permission: Permission, actor: Person
) -> list[Work]:
    """Load items somebody may do this with, in the order asked.

    Raises
    ------
    ItemUnknown, PermissionDenied
        One does not exist, or may not be touched.
    """
    found = await store.load_versions(session, item_ids)
    works = []
    banks: dict[BankId, Bank] = {}
    for item_id in item_ids:
        if item_id not in found:
            raise ItemUnknown(item_id)
        bank_id, versions = found[item_id]
        if bank_id not in banks:
            banks[bank_id] = await load_bank(session, bank_id)
            await require(session, permission, banks[bank_id], actor=actor)
        works.append(Work(banks[bank_id], versions))
    return works


async def lock_works(
    session: AsyncSession, item_ids: Collection[ItemId], permission: Permission, actor: Person
) -> list[Work]:
    """Load items as `load_works` does, locked against other writers."""
    await store.lock_items(session, item_ids)
    return await load_works(session, item_ids, permission, actor)


async def finish(
    session: AsyncSession,
    action: str,
    works: Sequence[Work],
    versions: Sequence[ItemVersion],
    *,
    actor: Person,
    now: datetime,
) -> None:
    """Show the new state in the list and note it in the audit record, one entry a bank."""
    await store.update_items(session, [edits.state_columns(version, now) for version in versions])
    for bank in banks_of(works):
        own = {work.versions[0].item_id for work in works if work.bank.id == bank.id}
        await note(session, action, bank, [v for v in versions if v.item_id in own], actor=actor, now=now)


async def note(
    session: AsyncSession, action: str, bank: Bank, versions: Sequence[ItemVersion], *, actor: Person, now: datetime
) -> None:
    """Record what was done to versions of items, with their fingerprints."""
    facts = {"items": {v.item.code: {"version": v.number, "hash": v.content_hash} for v in versions}}
    await audit.append(session, actor=actor_of(actor), action=action, subject=f"bank:{bank.code}", facts=facts, now=now)


def banks_of(works: Sequence[Work]) -> list[Bank]:
    """Return the banks of items, each once."""
    return list({work.bank.id: work.bank for work in works}.values())


async def stimuli_of(session: AsyncSession, bank_id: BankId) -> dict[str, StimulusVersion]:
    """Return the newest stimuli of a bank by code."""
    return {version.stimulus.code: version for version in await store.load_stimuli(session, bank_id)}


async def topic_codes(session: AsyncSession, bank_id: BankId) -> frozenset[str]:
    """Return the codes of a bank's topics."""
    return frozenset(topic.code for topic in await store.load_topics(session, bank_id))


def findings_of(version: ItemVersion, surroundings: Surroundings) -> list[Finding]:
    """Return what the checks say of one version in its bank."""
    return [*check_item(version.item), *check_references(version.item, surroundings)]


async def details_of(session: AsyncSession, work: Work) -> ItemDetails:
    """Return an item with its versions, the findings on the newest and the names of its people."""
    surroundings = Surroundings(
        await topic_codes(session, work.bank.id), (await stimuli_of(session, work.bank.id)).keys()
    )
    people: set[UUID] = set()
    for version in work.versions:
        review = version.review
        people |= {p for p in (review.author, review.submitted_by, review.approved_by) if p is not None}
    return ItemDetails(
        id=work.versions[0].item_id,
        bank=work.bank,
        versions=tuple(work.versions),
        findings=tuple(findings_of(work.versions[0], surroundings)),
        people=await store.load_names(session, people),
    )
