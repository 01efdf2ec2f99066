"""Keys of forms: read by version, changed by adding a version. Nothing is ever overwritten."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import store
from exam_engine.assembly.errors import (
    FormNotSealed,
    FormUnknown,
    FourEyesNeeded,
    KeyUnchanged,
    KeyVersionUnknown,
    ReasonMissing,
    SlotUnknown,
)
from exam_engine.assembly.model import FIRST_KEY_VERSION, Form, FormId, FormState, KeyVersion
from exam_engine.assembly.service.forms import load_form
from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission
from item_bank.forms.errors import KeyMisfit
from item_bank.forms.keys import require_key_fits
from scoring.keys.validity import require_valid_key
from scoring.keys.values import Key
from scoring.totals import FormKey, SlotKey


async def load_form_key(session: AsyncSession, form_id: FormId, version: int | None = None) -> FormKey:
    """Return the whole key of a form in master letters, as it stands or as it stood at a version.

    Raises
    ------
    FormUnknown, KeyVersionUnknown
        There is no such key.
    """
    form = await load_form(session, form_id)
    if version is not None and not FIRST_KEY_VERSION <= version <= form.key_version:
        raise KeyVersionUnknown(form.code, version)
    newest = {key.slot: key.key for key in await store.load_keys(session, form_id, version)}
    return FormKey(
        tuple(
            SlotKey(slot=slot.slot, part=slot.part, points=slot.points, key=newest[slot.slot], track=slot.track)
            for slot in await store.load_slots(session, form_id)
        )
    )


async def load_key_history(session: AsyncSession, form_id: FormId) -> Sequence[KeyVersion]:
    """Return what was changed after the first version, in order of version."""
    keys = await store.load_keys(session, form_id)
    return sorted((key for key in keys if key.version > FIRST_KEY_VERSION), key=lambda key: key.version)


async def change_key(
    session: AsyncSession, form_id: FormId, slot: int, key: Key, reason: str, *, actor: Person, now: datetime
) -> int:
    """Give one slot another key, in master letters, and return the new version of the form's key.

    The form must be sealed, and the person another than its assembler. Scores follow by a new score run.

    Raises
    ------
    FormUnknown, PermissionDenied, FormNotSealed, FourEyesNeeded, ReasonMissing
    SlotUnknown, KeyInvalid, KeyMisfit, KeyUnchanged
        Nothing was changed.
    """
    form = await store.find_form(session, lock=True, id=form_id)
    if form is None:
        raise FormUnknown(form_id)
    await identity.require(session, actor.id, Permission.CHANGE_KEYS, form.unit_id, on=actor.acts_on)
    _require_changeable(form, actor, reason)
    slots = {each.slot: each for each in await store.load_slots(session, form_id)}
    if slot not in slots:
        raise SlotUnknown(form.code, slot)
    version_id = slots[slot].item_version_id
    items = await authoring.frozen_versions(session, [version_id])
    _require_keepable(key, reason)
    require_valid_key(key)
    require_key_fits(items[version_id].item.interaction, key)
    history = [each for each in await store.load_keys(session, form_id) if each.slot == slot]
    if history[-1].key == key:
        raise KeyUnchanged(form.code, slot)
    version = form.key_version + 1
    changed = KeyVersion(
        slot=slot, version=version, key=key, reason=reason.strip(), created_by=actor.id, created_at=now
    )
    await store.insert_keys(session, form_id, [changed])
    await store.save_key_version(session, form_id, version)
    await audit.append(
        session,
        actor=actor_of(actor),
        action="form.change_key",
        subject=f"form:{form.code}",
        facts={
            "slot": slot,
            "key_version": version,
            "reason": changed.reason,
            "assembled_by": form.created_by,
            "sealed_by": form.sealed_by,
            "changed_by": actor.id,
        },
        now=now,
    )
    return version


def _require_keepable(key: Key, reason: str) -> None:
    # PostgreSQL holds no NUL character, neither in text nor in JSON.
    if b"\\u0000" in msgspec.json.encode([key, reason]):
        raise KeyMisfit("key", "it holds a character that cannot be kept")


def _require_changeable(form: Form, actor: Person, reason: str) -> None:
    if form.state is not FormState.SEALED:
        raise FormNotSealed(form.code)
    if form.created_by == actor.id:
        raise FourEyesNeeded(form.code, "change the key of")
    if not reason.strip():
        raise ReasonMissing
