"""SQL of assembly."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from exam_engine.assembly.model import (
    BlueprintId,
    CompiledForm,
    Form,
    FormId,
    FormState,
    FormSummary,
    KeyVersion,
    PaperCode,
    PaperCodeId,
    SlotOfForm,
    StoredBlueprint,
)
from exam_engine.assembly.tables import (
    BlueprintRow,
    CompiledFormRow,
    FormItemRow,
    FormKeyRow,
    FormRow,
    PaperCodeRow,
)
from exam_engine.authoring.model import BankId, ItemId, ItemVersionId
from exam_engine.authoring.tables import BankRow, ItemVersionRow
from exam_engine.identity.model import PersonId, UnitId
from exam_engine.identity.tables import PersonRow
from item_bank.forms.blueprint import Blueprint
from item_bank.forms.ordering import Ordering
from scoring.keys.values import Key


async def find_blueprint(session: AsyncSession, **where: Any) -> StoredBlueprint | None:
    """Return a blueprint by `id` or `code`."""
    row = await session.scalar(select(BlueprintRow).filter_by(**where))
    return None if row is None else _blueprint(row)


async def load_blueprints(
    session: AsyncSession, bank_ids: Collection[BankId] | None = None
) -> Sequence[StoredBlueprint]:
    """Return blueprints in order of code, of some banks or of all."""
    statement = select(BlueprintRow).order_by(BlueprintRow.code)
    if bank_ids is not None:
        statement = statement.where(BlueprintRow.bank_id.in_(bank_ids))
    return [_blueprint(row) for row in await session.scalars(statement)]


async def save_blueprint(session: AsyncSession, blueprint: StoredBlueprint) -> None:
    """Insert a blueprint, or replace the one of its id."""
    await session.merge(
        BlueprintRow(
            id=blueprint.id,
            code=blueprint.code,
            name=blueprint.name,
            bank_id=blueprint.bank_id,
            spec=msgspec.to_builtins(blueprint.spec),
            created_by=blueprint.created_by,
            created_at=blueprint.created_at,
        )
    )
    await session.flush()


async def count_forms(session: AsyncSession, blueprint_id: BlueprintId) -> int:
    """Count the forms made by a blueprint."""
    return await session.scalar(select(func.count()).where(FormRow.blueprint_id == blueprint_id)) or 0


async def load_exposures(session: AsyncSession, item_ids: Collection[ItemId]) -> Mapping[ItemId, int]:
    """Count the forms in which any version of an item stands; items never used are left out."""
    found = await session.execute(
        select(ItemVersionRow.item_id, func.count(FormItemRow.form_id.distinct()))
        .join(FormItemRow, FormItemRow.item_version_id == ItemVersionRow.id)
        .where(ItemVersionRow.item_id.in_(item_ids))
        .group_by(ItemVersionRow.item_id)
    )
    return {ItemId(row[0]): row[1] for row in found}


async def find_form(session: AsyncSession, *, lock: bool = False, **where: Any) -> Form | None:
    """Return a form by `id` or `code`, locked for a change if wanted."""
    statement = _forms().where(*(getattr(FormRow, name) == value for name, value in where.items()))
    if lock:
        statement = statement.with_for_update(of=FormRow)
    found = (await session.execute(statement.execution_options(populate_existing=True))).one_or_none()
    return None if found is None else _form(*found)


async def load_summaries(
    session: AsyncSession,
    *,
    unit_ids: Collection[UnitId] | None = None,
    bank_id: BankId | None = None,
    state: FormState | None = None,
) -> Sequence[FormSummary]:
    """Return the list of forms, newest first."""
    assembler, sealer = aliased(PersonRow), aliased(PersonRow)
    n_slots = select(func.count()).where(FormItemRow.form_id == FormRow.id).scalar_subquery()
    codes = select(func.array_agg(PaperCodeRow.code)).where(PaperCodeRow.form_id == FormRow.id).scalar_subquery()
    statement = (
        _forms()
        .add_columns(BlueprintRow.code, n_slots, codes, assembler.display_name, sealer.display_name)
        .join(assembler, assembler.id == FormRow.created_by)
        .outerjoin(sealer, sealer.id == FormRow.sealed_by)
        .order_by(FormRow.created_at.desc(), FormRow.code)
    )
    if unit_ids is not None:
        statement = statement.where(BankRow.unit_id.in_(unit_ids))
    if bank_id is not None:
        statement = statement.where(BlueprintRow.bank_id == bank_id)
    if state is not None:
        statement = statement.where(FormRow.state == str(state))
    return [
        FormSummary(
            form=_form(row, found_bank, unit_id),
            blueprint_code=blueprint_code,
            slots=slots,
            paper_codes=tuple(sorted(names or ())),
            created_by_name=created_by,
            sealed_by_name=sealed_by,
        )
        for row, found_bank, unit_id, blueprint_code, slots, names, created_by, sealed_by in await session.execute(
            statement
        )
    ]


async def insert_form(session: AsyncSession, form: Form) -> bool:
    """Write a new form; tell whether its code was free."""
    values = {name: value for name, value in msgspec.structs.asdict(form).items() if name in FormRow.__table__.columns}
    inserted = await session.scalar(
        insert(FormRow)
        .values({**values, "state": str(form.state)})
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(FormRow.id)
    )
    return inserted is not None


async def insert_slots(session: AsyncSession, form_id: FormId, slots: Sequence[SlotOfForm]) -> None:
    """Write the slots of a new form."""
    rows = [{"form_id": form_id, **msgspec.structs.asdict(slot)} for slot in slots]
    await session.execute(insert(FormItemRow), rows)


async def insert_keys(session: AsyncSession, form_id: FormId, keys: Sequence[KeyVersion]) -> None:
    """Add key versions; older ones stay."""
    rows = [{"form_id": form_id, **msgspec.structs.asdict(key), "key": msgspec.to_builtins(key.key)} for key in keys]
    await session.execute(insert(FormKeyRow), rows)


async def insert_paper_codes(session: AsyncSession, form_id: FormId, codes: Sequence[PaperCode]) -> None:
    """Write the paper codes of a new form."""
    rows = [
        {
            "id": code.id,
            "form_id": form_id,
            "code": code.code,
            "seed": code.seed,
            "ordering": msgspec.to_builtins(code.ordering),
        }
        for code in codes
    ]
    await session.execute(insert(PaperCodeRow), rows)


async def insert_compiled(session: AsyncSession, compiled: CompiledForm) -> None:
    """Write the keyless form."""
    await session.execute(insert(CompiledFormRow).values(msgspec.structs.asdict(compiled)))


async def save_seal(session: AsyncSession, form_id: FormId, sealed_by: PersonId, now: datetime, seal: str) -> None:
    """Turn a draft into a sealed form."""
    await session.execute(
        update(FormRow)
        .where(FormRow.id == form_id)
        .values(state=str(FormState.SEALED), sealed_by=sealed_by, sealed_at=now, seal_hash=seal)
    )


async def save_key_version(session: AsyncSession, form_id: FormId, version: int) -> None:
    """Make a key version the present one."""
    await session.execute(update(FormRow).where(FormRow.id == form_id).values(key_version=version))


async def load_slots(session: AsyncSession, form_id: FormId) -> tuple[SlotOfForm, ...]:
    """Return the slots of a form, in master order."""
    rows = await session.scalars(select(FormItemRow).where(FormItemRow.form_id == form_id).order_by(FormItemRow.slot))
    return tuple(
        SlotOfForm(
            slot=row.slot,
            part=row.part,
            item_version_id=ItemVersionId(row.item_version_id),
            option_order=row.option_order,
            points=row.points,
            track=row.track,
        )
        for row in rows
    )


async def load_keys(session: AsyncSession, form_id: FormId, version: int | None = None) -> tuple[KeyVersion, ...]:
    """Return all key versions of a form up to one, by slot and version."""
    statement = select(FormKeyRow).where(FormKeyRow.form_id == form_id).order_by(FormKeyRow.slot, FormKeyRow.version)
    if version is not None:
        statement = statement.where(FormKeyRow.version <= version)
    return tuple(
        KeyVersion(
            slot=row.slot,
            version=row.version,
            key=msgspec.convert(row.key, Key),
            reason=row.reason,
            created_by=PersonId(row.created_by),
            created_at=row.created_at,
        )
        for row in await session.scalars(statement)
    )


async def load_paper_codes(session: AsyncSession, form_id: FormId) -> tuple[PaperCode, ...]:
    """Return the paper codes of a form, in order of code."""
    rows = await session.scalars(
        select(PaperCodeRow).where(PaperCodeRow.form_id == form_id).order_by(PaperCodeRow.code)
    )
    return tuple(_paper_code(row) for row in rows)


async def find_paper_code(session: AsyncSession, paper_code_id: PaperCodeId) -> PaperCode | None:
    """Return a paper code by its id."""
    row = await session.get(PaperCodeRow, paper_code_id)
    return None if row is None else _paper_code(row)


async def find_compiled(session: AsyncSession, **where: Any) -> CompiledForm | None:
    """Return a keyless form by `hash` or `form_id`; forms of one hash have the same bytes."""
    row = await session.scalar(select(CompiledFormRow).filter_by(**where).order_by(CompiledFormRow.form_id).limit(1))
    if row is None:
        return None
    return CompiledForm(FormId(row.form_id), row.hash, row.body, row.brotli, row.gzip)


def _forms() -> Select[FormRow, UUID, UUID]:
    return (
        select(FormRow, BlueprintRow.bank_id, BankRow.unit_id)
        .join(BlueprintRow, BlueprintRow.id == FormRow.blueprint_id)
        .join(BankRow, BankRow.id == BlueprintRow.bank_id)
    )


def _blueprint(row: BlueprintRow) -> StoredBlueprint:
    return StoredBlueprint(
        id=BlueprintId(row.id),
        code=row.code,
        name=row.name,
        bank_id=BankId(row.bank_id),
        spec=msgspec.convert(row.spec, Blueprint),
        created_by=PersonId(row.created_by),
        created_at=row.created_at,
    )


def _form(row: FormRow, bank_id: UUID, unit_id: UUID) -> Form:
    return Form(
        id=FormId(row.id),
        code=row.code,
        title=row.title,
        blueprint_id=BlueprintId(row.blueprint_id),
        bank_id=BankId(bank_id),
        unit_id=UnitId(unit_id),
        seed=row.seed,
        state=FormState(row.state),
        created_by=PersonId(row.created_by),
        created_at=row.created_at,
        sealed_by=None if row.sealed_by is None else PersonId(row.sealed_by),
        sealed_at=row.sealed_at,
        seal_hash=row.seal_hash,
        key_version=row.key_version,
    )


def _paper_code(row: PaperCodeRow) -> PaperCode:
    return PaperCode(PaperCodeId(row.id), row.code, row.seed, msgspec.convert(row.ordering, Ordering))
