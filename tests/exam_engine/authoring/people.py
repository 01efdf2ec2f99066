"""A bank with its people: an author, a second author and a reviewer on one unit."""

from datetime import date, datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import service
from exam_engine.authoring.model import Bank
from exam_engine.authoring.service import NewBank
from exam_engine.identity import service as identity
from exam_engine.identity import store as identity_store
from exam_engine.identity.model import OrgUnit, Person, UnitId
from exam_engine.identity.permissions import Role

ACTOR = "system:test"


class Room(msgspec.Struct, frozen=True):
    bank: Bank
    author: Person
    second_author: Person
    reviewer: Person
    stranger: Person


async def person_with(session: AsyncSession, role: Role, unit: OrgUnit, now: datetime) -> Person:
    name = f"{role.value.replace('_', '-')}-{uuid4().hex[:8]}"
    person = await identity.create_person(session, name, name, actor=ACTOR, now=now)
    await identity.grant_role(session, person, role, unit, valid_from=date(2026, 1, 1), actor=ACTOR, now=now)
    return await identity.load_person(session, person.id, on=now.date())


async def furnish(session: AsyncSession, now: datetime, *, language: str = "vi") -> Room:
    units = [
        OrgUnit(
            id=UnitId(uuid4()),
            code=f"U-{uuid4().hex[:8]}",
            name="Đơn vị",
            kind="",
            parent_id=None,
            valid_from=date(2020, 1, 1),
        )
        for _ in range(2)
    ]
    await identity_store.save_units(session, units)
    new = NewBank(
        code=f"bank-{uuid4().hex[:8]}",
        name="Toán 12",
        subject_code="TOAN",
        grade=12,
        unit_id=units[0].id,
        language=language,
    )
    bank = await service.create_bank(session, new, actor=ACTOR, now=now)
    return Room(
        bank,
        author=await person_with(session, Role.AUTHOR, units[0], now),
        second_author=await person_with(session, Role.AUTHOR, units[0], now),
        reviewer=await person_with(session, Role.REVIEWER, units[0], now),
        stranger=await person_with(session, Role.AUTHOR, units[1], now),
    )
