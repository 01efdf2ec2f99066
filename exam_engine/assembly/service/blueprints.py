"""Blueprints: kept under a code, changeable until a form was made by them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import store
from exam_engine.assembly.errors import BlueprintInUse, BlueprintUnknown, OrderInvalid
from exam_engine.assembly.model import BlueprintId, StoredBlueprint, is_code
from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import BankId
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, actor_of
from exam_engine.identity.permissions import Permission
from item_bank.forms.blueprint import Blueprint, require_valid


async def save_blueprint(
    session: AsyncSession, *, bank_id: BankId, code: str, name: str, spec: Blueprint, actor: Person, now: datetime
) -> StoredBlueprint:
    """Keep a blueprint; one that is already kept as it is stays untouched.

    Raises
    ------
    OrderInvalid, BankUnknown, PermissionDenied, BlueprintInvalid, BlueprintInUse
        Nothing was written.
    """
    for field, is_possible in {"code": is_code(code), "name": "\x00" not in name}.items():
        if not is_possible:
            raise OrderInvalid(field)
    bank = await authoring.load_bank(session, bank_id)
    await identity.require(session, actor.id, Permission.WRITE_FORMS, bank.unit_id, on=actor.acts_on)
    require_valid(spec)
    known = await store.find_blueprint(session, code=code)
    if known is not None and (known.bank_id, known.name, known.spec) == (bank_id, name, spec):
        return known
    if known is not None:
        forms = await store.count_forms(session, known.id)
        if forms:
            raise BlueprintInUse(code, forms)
    blueprint = StoredBlueprint(
        id=BlueprintId(uuid4()) if known is None else known.id,
        code=code,
        name=name,
        bank_id=bank_id,
        spec=spec,
        created_by=actor.id,
        created_at=now,
    )
    await store.save_blueprint(session, blueprint)
    await audit.append(
        session,
        actor=actor_of(actor),
        action="blueprint.save",
        subject=f"blueprint:{code}",
        facts={"name": name, "items": spec.count, "minutes": spec.minutes, "is_new": known is None},
        now=now,
    )
    return blueprint


async def load_blueprint(session: AsyncSession, blueprint_id: BlueprintId) -> StoredBlueprint:
    """Return a blueprint.

    Raises
    ------
    BlueprintUnknown
        There is none of this id.
    """
    found = await store.find_blueprint(session, id=blueprint_id)
    if found is None:
        raise BlueprintUnknown(blueprint_id)
    return found


async def load_blueprint_coded(session: AsyncSession, code: str) -> StoredBlueprint:
    """Return a blueprint by its code, as `load_blueprint` does."""
    found = await store.find_blueprint(session, code=code) if is_code(code) else None
    if found is None:
        raise BlueprintUnknown(code)
    return found


async def load_blueprints(
    session: AsyncSession, *, bank_ids: Collection[BankId] | None = None
) -> Sequence[StoredBlueprint]:
    """Return blueprints in order of code, of some banks or of all."""
    return await store.load_blueprints(session, bank_ids)
