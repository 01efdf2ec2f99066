"""Use cases of banks: adding one, finding it, who may do what with it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.authoring import store
from exam_engine.authoring.errors import (
    BankExists,
    BankUnknown,
)
from exam_engine.authoring.model import (
    Bank,
    BankId,
    BankSummary,
)
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person, UnitId
from exam_engine.identity.permissions import Permission
from item_bank.model.taxonomy import Topic


class NewBank(msgspec.Struct, frozen=True, kw_only=True):
    """What a new bank needs."""

    code: str
    name: str
    subject_code: str
    grade: int
    unit_id: UnitId
    language: str = "vi"


async def create_bank(session: AsyncSession, new: NewBank, *, actor: str, now: datetime) -> Bank:
    """Add an empty bank.

    Raises
    ------
    BankExists, UnitUnknown
        Nothing was written.
    """
    unit = await identity.load_unit(session, new.unit_id)
    bank = Bank(id=BankId(uuid4()), **msgspec.structs.asdict(new))
    if not await store.insert_bank(session, bank):
        raise BankExists(new.code)
    facts = {"name": bank.name, "unit": unit.code, "subject": bank.subject_code, "grade": bank.grade}
    await audit.append(session, actor=actor, action="bank.create", subject=f"bank:{bank.code}", facts=facts, now=now)
    return bank


async def bank_by_code(session: AsyncSession, code: str) -> Bank:
    """Return a bank by its code.

    Raises
    ------
    BankUnknown
        There is none.
    """
    bank = await store.find_bank(session, code=code)
    if bank is None:
        raise BankUnknown(code)
    return bank


async def load_bank(session: AsyncSession, bank_id: BankId) -> Bank:
    """Return a bank by its id, as `bank_by_code` does."""
    bank = await store.find_bank(session, bank_id=bank_id)
    if bank is None:
        raise BankUnknown(bank_id)
    return bank


async def list_banks(session: AsyncSession, *, actor: Person) -> Sequence[BankSummary]:
    """Return the banks whose items a person may read."""
    units = await identity.permitted_units(session, actor.id, Permission.READ_ITEMS, on=actor.acts_on)
    return await store.load_banks(session, units)


async def load_topics(session: AsyncSession, bank_id: BankId) -> Sequence[Topic]:
    """Return the taxonomy of a bank in its order."""
    return await store.load_topics(session, bank_id)


async def require(session: AsyncSession, permission: Permission, bank: Bank, *, actor: Person) -> None:
    """Check that a person may do something with a bank.

    Raises
    ------
    PermissionDenied
        They may not.
    """
    await identity.require(session, actor.id, permission, bank.unit_id, on=actor.acts_on)
