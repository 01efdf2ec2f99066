"""Units and people for tests; codes are fresh, because other tests share the database."""

from datetime import UTC, date, datetime
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.identity import service, store
from exam_engine.identity.model import OrgUnit, Person, UnitId
from exam_engine.identity.permissions import Role

NOW = datetime(2027, 6, 10, 0, 30, tzinfo=UTC)
TODAY = date(2027, 6, 10)


def unit(parent: OrgUnit | None = None, **fields: object) -> OrgUnit:
    values: dict[str, object] = {
        "id": UnitId(uuid4()),
        "code": f"U-{uuid4().hex[:8]}",
        "name": "A unit",
        "kind": "any",
        "parent_id": None if parent is None else parent.id,
        "valid_from": date(2020, 1, 1),
    }
    return OrgUnit(**{**values, **fields})  # type: ignore[arg-type]


async def saved(session: AsyncSession, *units: OrgUnit) -> None:
    await store.save_units(session, units)


async def person(
    session: AsyncSession, *grants: tuple[Role, OrgUnit], password: str | None = None, name: str = "p"
) -> Person:
    made = await service.create_person(
        session, f"{name}-{uuid4().hex[:8]}", "Somebody", password=password, actor="system:test", now=NOW
    )
    for role, on in grants:
        grant = await service.grant_role(
            session, made, role, on, valid_from=date(2020, 1, 1), actor="system:test", now=NOW
        )
        made = msgspec.structs.replace(made, grants=(*made.grants, grant))
    return made
