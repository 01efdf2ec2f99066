"""Pure plans of authoring: what an edit, a submission or an approval does to the versions of an item."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from exam_engine.authoring.model import (
    BankId,
    ItemId,
    ItemVersion,
    ItemVersionId,
    StimulusVersion,
    kind_of,
    search_texts,
    title_of,
)
from item_bank.model import review
from item_bank.model.item import Item
from item_bank.model.review import ItemState, Review


class Edit(msgspec.Struct, frozen=True):
    """What an edit writes: one version, new or in place, and versions it takes out of the way."""

    version: ItemVersion
    is_new: bool
    retired: tuple[ItemVersion, ...] = ()


def first_version(
    item: Item, stimulus: StimulusVersion | None, ids: tuple[ItemId, ItemVersionId], author: UUID, now: datetime
) -> ItemVersion:
    """Return version 1 of a new item."""
    item_id, version_id = ids
    return ItemVersion(
        id=version_id,
        item_id=item_id,
        number=1,
        item=item,
        stimulus=None if stimulus is None else stimulus.stimulus,
        stimulus_version_id=None if stimulus is None else stimulus.id,
        content_hash=review.content_hash(item, None if stimulus is None else stimulus.stimulus),
        created_at=now,
        review=Review(author=author),
    )


def edit(
    newest: ItemVersion,
    item: Item,
    stimulus: StimulusVersion | None,
    new_id: ItemVersionId,
    author: UUID,
    now: datetime,
) -> Edit | None:
    """Return what an edit writes; `None` when nothing changed.

    A draft of one's own changes in place. Anything else stays as it is and gets a successor; a successor of a version
    that was not yet active takes it out of review, for nobody should approve what its author has replaced.
    """
    fresh = first_version(item, stimulus, (newest.item_id, new_id), author, now)
    if fresh.content_hash == newest.content_hash:
        return None
    is_own_draft = (
        newest.review.state is ItemState.DRAFT and not newest.review.is_frozen and newest.review.author == author
    )
    if is_own_draft:
        changed = msgspec.structs.replace(fresh, id=newest.id, number=newest.number, created_at=newest.created_at)
        return Edit(changed, is_new=False)
    successor = msgspec.structs.replace(fresh, number=newest.number + 1)
    if newest.review.state in (ItemState.ACTIVE, ItemState.RETIRED):
        return Edit(successor, is_new=True)
    return Edit(successor, is_new=True, retired=(_with(newest, review.retire(newest.review)),))


def submit(newest: ItemVersion, stimulus: StimulusVersion | None, by: UUID, now: datetime) -> ItemVersion:
    """Freeze the newest version, on the present version of its stimulus."""
    if not newest.review.is_frozen and stimulus is not None:
        newest = msgspec.structs.replace(
            newest,
            stimulus=stimulus.stimulus,
            stimulus_version_id=stimulus.id,
            content_hash=review.content_hash(newest.item, stimulus.stimulus),
        )
    return _with(newest, review.submit(newest.review, by, now))


def approve(
    newest: ItemVersion, active: Sequence[ItemVersion], by: UUID, now: datetime
) -> tuple[ItemVersion, tuple[ItemVersion, ...]]:
    """Make the newest version active; return it and the version it replaces."""
    approved = _with(newest, review.approve(newest.review, by, now))
    replaced = tuple(_with(version, review.retire(version.review)) for version in active if version.id != newest.id)
    return approved, replaced


def send_back(newest: ItemVersion, comment: str) -> ItemVersion:
    """Return the newest version to its author."""
    return _with(newest, review.return_to_draft(newest.review, comment))


def retire(version: ItemVersion) -> ItemVersion:
    """Take a version out of use."""
    return _with(version, review.retire(version.review))


def list_columns(version: ItemVersion, now: datetime) -> dict[str, Any]:
    """Return what the list of items shows of its newest version, as columns of the item."""
    search_text, marked_text = search_texts(version.item)
    return {
        "id": version.item_id,
        "state": version.review.state.value,
        "kind": kind_of(version.item),
        "topic": version.item.topic,
        "level": version.item.level.value,
        "stimulus_code": version.item.stimulus,
        "title": title_of(version.item),
        "search_text": search_text,
        "marked_text": marked_text,
        "updated_at": now,
    }


def item_columns(version: ItemVersion, bank_id: BankId, now: datetime) -> dict[str, Any]:
    """Return all columns of a new item."""
    identity = {"bank_id": bank_id, "code": version.item.code, "created_by": version.review.author}
    return {**list_columns(version, now), **identity}


def state_columns(version: ItemVersion, now: datetime) -> dict[str, Any]:
    """Return the columns of the item that a step of review changes."""
    return {"id": version.item_id, "state": version.review.state.value, "updated_at": now}


def _with(version: ItemVersion, changed: Review) -> ItemVersion:
    return msgspec.structs.replace(version, review=changed)
