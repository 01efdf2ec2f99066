"""Banks, items and their versions as plain values, and what a list of items can be asked."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.identity.model import UnitId
from exam_engine.infra.vietnamese import folded, marked
from item_bank.checks import Finding
from item_bank.checks.items import contents_of
from item_bank.model.item import Item, Level, Stimulus
from item_bank.model.plain_text import to_text
from item_bank.model.review import ItemState, Review
from item_bank.model.taxonomy import Topic

BankId = NewType("BankId", UUID)
ItemId = NewType("ItemId", UUID)
ItemVersionId = NewType("ItemVersionId", UUID)
StimulusId = NewType("StimulusId", UUID)
StimulusVersionId = NewType("StimulusVersionId", UUID)

TITLE_CHARACTERS = 160
PAGE_SIZE = 50
LARGEST_PAGE = 200


class Bank(msgspec.Struct, frozen=True, kw_only=True):
    """One bank of items."""

    id: BankId
    code: str
    name: str
    subject_code: str
    grade: int
    unit_id: UnitId
    language: str = "vi"


class BankSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A bank with how many items stand in each state."""

    bank: Bank
    items: Mapping[ItemState, int]

    @property
    def total(self) -> int:
        """All items, retired ones too."""
        return sum(self.items.values())

    @property
    def active(self) -> int:
        """Items whose newest version is in use."""
        return self.items.get(ItemState.ACTIVE, 0)


class ItemSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of items."""

    id: ItemId
    bank_id: BankId
    bank_code: str
    code: str
    state: ItemState
    kind: str
    topic: str
    topic_name: str | None
    level: Level
    stimulus: str | None
    title: str
    number: int  # of the newest version
    updated_at: datetime
    author: str  # display name


class ItemSort(StrEnum):
    """By what a list of items is sorted."""

    CODE = "code"
    UPDATED = "updated"
    STATE = "state"
    KIND = "kind"
    TOPIC = "topic"
    LEVEL = "level"


class ItemQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of items shows; empty means everything."""

    bank_id: BankId | None = None
    state: ItemState | None = None
    kind: str = ""
    topic: str = ""
    level: Level | None = None
    stimulus: str = ""
    text: str = ""  # words; with diacritics they match exactly, without them every spelling
    sort: ItemSort = ItemSort.CODE
    descending: bool = False
    page: int = 1
    page_size: int = PAGE_SIZE


class ItemPage(msgspec.Struct, frozen=True):
    """One page of a list, and how many items there are in all."""

    items: tuple[ItemSummary, ...]
    total: int
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-self.total // self.page_size))


class ItemVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an item with the stimulus it was written for."""

    id: ItemVersionId
    item_id: ItemId
    number: int
    item: Item
    stimulus: Stimulus | None
    stimulus_version_id: StimulusVersionId | None
    content_hash: str
    created_at: datetime
    review: Review


class ItemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An item with all its versions, newest first, and what the checks say of the newest."""

    id: ItemId
    bank: Bank
    versions: tuple[ItemVersion, ...]
    findings: tuple[Finding, ...]
    people: Mapping[UUID, str]  # display names of everybody its versions name

    @property
    def newest(self) -> ItemVersion:
        """The version that is edited and reviewed now."""
        return self.versions[0]

    @property
    def active(self) -> ItemVersion | None:
        """The version that new forms take."""
        return next((v for v in self.versions if v.review.state is ItemState.ACTIVE), None)


class FrozenItem(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen version as forms use it."""

    item_version_id: ItemVersionId
    item_id: ItemId
    bank_id: BankId
    number: int
    item: Item
    stimulus: Stimulus | None
    stimulus_version_id: StimulusVersionId | None
    content_hash: str


class StimulusVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of a stimulus."""

    id: StimulusVersionId
    stimulus_id: StimulusId
    number: int
    stimulus: Stimulus
    hash: str
    frozen_at: datetime | None


class BankContents(msgspec.Struct, frozen=True):
    """What an import compares with: the taxonomy, stimuli and newest versions of a bank, by code."""

    topics: Mapping[str, Topic]
    stimuli: Mapping[str, StimulusVersion]
    items: Mapping[str, ItemVersion]


class Media(msgspec.Struct, frozen=True):
    """A stored figure."""

    sha256: str
    media_type: str
    content: bytes


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    bank: str
    file: str
    created: tuple[str, ...] = ()  # codes of new items
    changed: tuple[str, ...] = ()  # codes with a new version
    unchanged: tuple[str, ...] = ()
    submitted: int = 0
    approved: int = 0
    topics: int = 0  # new or changed
    stimuli: int = 0
    figures: int = 0  # newly stored
    warnings: tuple[Finding, ...] = ()
    dry_run: bool = False


def search_words(item: Item) -> str:
    """Return all that a search should find an item by, in one line."""
    texts = (to_text(html) for _, html in contents_of(item))
    return " ".join(filter(None, (item.code, item.stimulus or "", *texts)))


def search_texts(item: Item) -> tuple[str, str]:
    """Return the two columns a search looks in: without marks and with them."""
    words = search_words(item)
    return folded(words), marked(words)


def title_of(item: Item) -> str:
    """Return the beginning of the stem as the list shows it."""
    text = to_text(item.stem)
    return text if len(text) <= TITLE_CHARACTERS else text[: TITLE_CHARACTERS - 1].rstrip() + "…"


def kind_of(item: Item) -> str:
    """Return the kind of an item's interaction."""
    return str(item.interaction.__struct_config__.tag)


def needs_new_version(newest: ItemVersion) -> bool:
    """Whether an edit makes a new version: only an unfrozen draft changes in place."""
    return newest.review.is_frozen or newest.review.state is not ItemState.DRAFT
