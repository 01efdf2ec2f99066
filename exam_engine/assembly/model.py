"""Blueprints, forms, keys and paper codes as values; compression and the hash of a seal."""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import brotli
import msgspec

from exam_engine.assembly.errors import OrderInvalid
from exam_engine.authoring.model import BankId, ItemVersionId
from exam_engine.identity.model import PersonId, UnitId
from item_bank.forms.blueprint import Blueprint
from item_bank.forms.ordering import Ordering
from item_bank.forms.paper import content_hash
from item_bank.model.item import Item, Stimulus
from item_bank.model.responses import ResponseShape
from scoring.keys.values import Key

BlueprintId = NewType("BlueprintId", UUID)
FormId = NewType("FormId", UUID)
PaperCodeId = NewType("PaperCodeId", UUID)

FIRST_KEY_VERSION = 1


class FormState(StrEnum):
    """A draft may be thrown away; a sealed form is what candidates get."""

    DRAFT = "draft"
    SEALED = "sealed"


class StoredBlueprint(msgspec.Struct, frozen=True, kw_only=True):
    """A blueprint under its code, with the bank it draws from."""

    id: BlueprintId
    code: str
    name: str
    bank_id: BankId
    spec: Blueprint
    created_by: PersonId
    created_at: datetime


class PaperCode(msgspec.Struct, frozen=True):
    """A named ordering of a form (mã đề)."""

    id: PaperCodeId
    code: str
    seed: int
    ordering: Ordering


class SlotOfForm(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of the master form."""

    slot: int
    part: int
    item_version_id: ItemVersionId
    option_order: str | None
    points: int  # hundredths; 0 in a pretest block
    track: str | None = None

    @property
    def is_scored(self) -> bool:
        """Whether it adds to a score; an item that is only tried out does not."""
        return self.points > 0


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A form as people speak of it; its slots, keys and codes are loaded where they are needed."""

    id: FormId
    code: str
    title: str
    blueprint_id: BlueprintId
    bank_id: BankId
    unit_id: UnitId  # of the bank: where permissions are asked for
    seed: int
    state: FormState
    created_by: PersonId
    created_at: datetime
    sealed_by: PersonId | None
    sealed_at: datetime | None
    seal_hash: str | None
    key_version: int


class FormSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of forms."""

    form: Form
    blueprint_code: str
    slots: int
    paper_codes: tuple[str, ...]
    created_by_name: str
    sealed_by_name: str | None


class CompiledForm(msgspec.Struct, frozen=True):
    """The keyless bytes and their compressions."""

    form_id: FormId
    hash: str
    body: bytes
    brotli: bytes
    gzip: bytes


class FormFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What delivery checks responses against, without a key in it."""

    form_id: FormId
    hash: str
    title: str
    minutes: int
    shapes: dict[int, ResponseShape]  # by slot


class KeyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The key of one slot from one version on."""

    slot: int
    version: int
    key: Key
    reason: str
    created_by: PersonId
    created_at: datetime


class AssemblyOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for when assembling a form."""

    blueprint_id: BlueprintId
    code: str
    seed: int
    paper_codes: int = 1
    first_serial: int = 1
    prefer_unused: bool = True  # False: the draw looks at the seed alone, whatever was used before


class Candidature(msgspec.Struct, frozen=True, kw_only=True):
    """An item version that may be drawn."""

    item_version_id: ItemVersionId
    item: Item
    stimulus: Stimulus | None
    exposures: int  # forms any version of it stood in


class FormPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole form before anything of it is written."""

    title: str
    slots: tuple[SlotOfForm, ...]
    items: tuple[Item, ...]  # by slot
    keys: tuple[Key, ...]  # by slot, in master letters
    paper_codes: tuple[tuple[str, int, Ordering], ...]  # code, seed, ordering
    body: bytes

    @property
    def hash(self) -> str:
        """Name of the keyless form."""
        return content_hash(self.body)


def is_code(text: str) -> bool:
    """Whether a text may be the code of a form or a blueprint."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text) is not None


def require_possible(order: AssemblyOrder) -> None:
    """Check the numbers and the code of an order.

    Raises
    ------
    OrderInvalid
        Names the first that is not possible.
    """
    checks = {
        "code": is_code(order.code),
        "seed": 0 <= order.seed < 2**63,
        "paper_codes": order.paper_codes >= 1,
        "first_serial": order.first_serial >= 0,
    }
    for field, is_possible in checks.items():
        if not is_possible:
            raise OrderInvalid(field)


def compress(form_id: FormId, body: bytes) -> CompiledForm:
    """Compress a keyless form as well as can be; done once, so time does not matter."""
    return CompiledForm(
        form_id=form_id,
        hash=content_hash(body),
        body=body,
        brotli=brotli.compress(body, quality=11),
        gzip=gzip.compress(body, compresslevel=9, mtime=0),
    )


def seal_hash(
    form_code: str,
    slots: Sequence[SlotOfForm],
    content_hashes: Mapping[ItemVersionId, str],
    keys: Sequence[KeyVersion],
    codes: Sequence[PaperCode],
    compiled_hash: str,
) -> str:
    """Hash all that a seal covers: contents, orders, first keys, paper codes, the keyless form."""
    covered = {
        "form": form_code,
        "slots": [[*msgspec.structs.astuple(slot), content_hashes[slot.item_version_id]] for slot in slots],
        "keys": [[key.slot, key.key] for key in keys if key.version == FIRST_KEY_VERSION],
        "codes": [[code.code, code.seed, code.ordering] for code in codes],
        "compiled": compiled_hash,
    }
    return hashlib.sha256(msgspec.json.encode(covered, order="sorted")).hexdigest()
