"""Forms: assembled by one person, sealed by another."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import model, store
from exam_engine.assembly.errors import (
    BlueprintUnknown,
    FormCodeTaken,
    FormNotSealed,
    FormSealed,
    FormUnknown,
    FourEyesNeeded,
)
from exam_engine.assembly.model import (
    FIRST_KEY_VERSION,
    AssemblyOrder,
    Candidature,
    Form,
    FormId,
    FormPlan,
    FormState,
    FormSummary,
    KeyVersion,
    PaperCode,
    PaperCodeId,
    StoredBlueprint,
)
from exam_engine.assembly.planning import plan_form
from exam_engine.audit import service as audit
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import BankId
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, UnitId, actor_of
from exam_engine.identity.permissions import Permission


async def plan(session: AsyncSession, order: AssemblyOrder) -> FormPlan:
    """Plan a form without writing anything: what `assemble` would make just now.

    Raises
    ------
    OrderInvalid, BlueprintUnknown, Shortage, DrawUndecided, PaperCodesImpossible
        Nothing can be planned.
    """
    model.require_possible(order)
    return await _plan(session, await _load_blueprint(session, order), order)


async def assemble(session: AsyncSession, order: AssemblyOrder, *, actor: Person, now: datetime) -> Form:
    """Assemble a draft from the active items of the blueprint's bank: slots, keys, paper codes, the keyless form.

    Raises
    ------
    OrderInvalid, BlueprintUnknown, PermissionDenied, Shortage, DrawUndecided, PaperCodesImpossible, FormCodeTaken
        Nothing was written.
    """
    model.require_possible(order)
    blueprint = await _load_blueprint(session, order)
    bank = await authoring.load_bank(session, blueprint.bank_id)
    await identity.require(session, actor.id, Permission.WRITE_FORMS, bank.unit_id, on=actor.acts_on)
    if await store.find_form(session, code=order.code) is not None:
        raise FormCodeTaken(order.code)
    made = await _plan(session, blueprint, order)
    form_id = FormId(uuid4())
    compiled = await asyncio.to_thread(model.compress, form_id, made.body)
    form = Form(
        id=form_id,
        code=order.code,
        title=made.title,
        blueprint_id=blueprint.id,
        bank_id=blueprint.bank_id,
        unit_id=bank.unit_id,
        seed=order.seed,
        state=FormState.DRAFT,
        created_by=actor.id,
        created_at=now,
        sealed_by=None,
        sealed_at=None,
        seal_hash=None,
        key_version=FIRST_KEY_VERSION,
    )
    if not await store.insert_form(session, form):
        raise FormCodeTaken(order.code)
    await store.insert_slots(session, form_id, made.slots)
    keys = [
        KeyVersion(slot=slot.slot, version=FIRST_KEY_VERSION, key=key, reason="", created_by=actor.id, created_at=now)
        for slot, key in zip(made.slots, made.keys, strict=True)
    ]
    await store.insert_keys(session, form_id, keys)
    codes = [PaperCode(PaperCodeId(uuid4()), *each) for each in made.paper_codes]
    await store.insert_paper_codes(session, form_id, codes)
    await store.insert_compiled(session, compiled)
    await audit.append(
        session,
        actor=actor_of(actor),
        action="form.assemble",
        subject=f"form:{form.code}",
        facts={
            "blueprint": blueprint.code,
            "slots": len(made.slots),
            "paper_codes": [code.code for code in codes],
            "form_hash": compiled.hash,
        },
        now=now,
    )
    return form


async def seal(session: AsyncSession, form_id: FormId, *, actor: Person, now: datetime) -> Form:
    """Seal a draft: from now on only its key may gain versions. Somebody other than the assembler does it.

    Raises
    ------
    FormUnknown, PermissionDenied, FormSealed, FourEyesNeeded
        Nothing was changed.
    """
    form = await _lock_form(session, form_id)
    await identity.require(session, actor.id, Permission.SEAL_FORMS, form.unit_id, on=actor.acts_on)
    if form.state is FormState.SEALED:
        raise FormSealed(form.code)
    if form.created_by == actor.id:
        raise FourEyesNeeded(form.code, "seal")
    seal_hash = await _seal_hash(session, form)
    await store.save_seal(session, form_id, actor.id, now, seal_hash)
    await audit.append(
        session,
        actor=actor_of(actor),
        action="form.seal",
        subject=f"form:{form.code}",
        facts={"seal_hash": seal_hash, "assembled_by": form.created_by, "sealed_by": actor.id},
        now=now,
    )
    return await load_form(session, form_id)


async def seal_holds(session: AsyncSession, form_id: FormId) -> bool:
    """Recompute the hash of a seal: false when anything it covers was altered in the database."""
    form = await load_form(session, form_id)
    return form.seal_hash is not None and form.seal_hash == await _seal_hash(session, form)


async def load_form(session: AsyncSession, form_id: FormId) -> Form:
    """Return a form.

    Raises
    ------
    FormUnknown
        There is none of this id.
    """
    form = await store.find_form(session, id=form_id)
    if form is None:
        raise FormUnknown(form_id)
    return form


async def load_form_coded(session: AsyncSession, code: str) -> Form:
    """Return a form by its code, as `load_form` does."""
    form = await store.find_form(session, code=code) if model.is_code(code) else None
    if form is None:
        raise FormUnknown(code)
    return form


async def require_sealed(session: AsyncSession, form_id: FormId) -> Form:
    """Return a form that candidates may get.

    Raises
    ------
    FormUnknown, FormNotSealed
        There is none, or nobody sealed it yet.
    """
    form = await load_form(session, form_id)
    if form.state is not FormState.SEALED:
        raise FormNotSealed(form.code)
    return form


async def load_forms(
    session: AsyncSession,
    *,
    unit_ids: Collection[UnitId] | None = None,
    bank_id: BankId | None = None,
    state: FormState | None = None,
) -> Sequence[FormSummary]:
    """Return the list of forms, newest first; of the units whose banks the reader may see."""
    return await store.load_summaries(session, unit_ids=unit_ids, bank_id=bank_id, state=state)


async def _load_blueprint(session: AsyncSession, order: AssemblyOrder) -> StoredBlueprint:
    blueprint = await store.find_blueprint(session, id=order.blueprint_id)
    if blueprint is None:
        raise BlueprintUnknown(order.blueprint_id)
    return blueprint


async def _lock_form(session: AsyncSession, form_id: FormId) -> Form:
    form = await store.find_form(session, lock=True, id=form_id)
    if form is None:
        raise FormUnknown(form_id)
    return form


async def _plan(session: AsyncSession, blueprint: StoredBlueprint, order: AssemblyOrder) -> FormPlan:
    versions = await authoring.active_versions(session, blueprint.bank_id)
    exposures = await store.load_exposures(session, [version.item_id for version in versions])
    bank = [
        Candidature(
            item_version_id=version.item_version_id,
            item=version.item,
            stimulus=version.stimulus,
            exposures=exposures.get(version.item_id, 0),
        )
        for version in versions
    ]
    return await asyncio.to_thread(plan_form, blueprint.spec, bank, order)


async def _seal_hash(session: AsyncSession, form: Form) -> str:
    slots = await store.load_slots(session, form.id)
    versions = await authoring.frozen_versions(session, [slot.item_version_id for slot in slots])
    compiled = await store.find_compiled(session, form_id=form.id)
    return model.seal_hash(
        form.code,
        slots,
        {version_id: version.content_hash for version_id, version in versions.items()},
        await store.load_keys(session, form.id, FIRST_KEY_VERSION),
        await store.load_paper_codes(session, form.id),
        "" if compiled is None else compiled.hash,
    )
