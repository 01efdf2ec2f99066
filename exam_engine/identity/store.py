"""SQL of identity. Reach over units follows parents, and successors of units that have ended."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Date, String, Uuid

from exam_engine.identity.model import Failures, GrantId, OrgUnit, Person, PersonId, RoleGrant, UnitId
from exam_engine.identity.permissions import Role
from exam_engine.identity.tables import OrgUnitRow, PersonRow, RoleGrantRow, SignInFailureRow

# A grant on U holds on V when U can be reached from V: by parents; from an ended unit to its successor (who
# takes over its records); from a unit to those it succeeded (whose people go on).
_HOLDS = text("""
    with recursive reach(id) as (
        select :unit_id
        union
        select step.id
        from reach
        join org_unit here on here.id = reach.id
        cross join lateral (
            select here.parent_id as id
            union all
            select here.successor_id where here.valid_to <= :day
            union all
            select before.id from org_unit before where before.successor_id = here.id and before.valid_to <= :day
        ) step
        where step.id is not null
    )
    select exists (
        select from role_grant g
        join person p on p.id = g.person_id and p.is_active
        where g.person_id = :person_id
          and g.role = any(:roles)
          and g.unit_id in (select id from reach)
          and g.valid_from <= :day and (g.valid_to is null or g.valid_to > :day)
    )
""").bindparams(
    bindparam("unit_id", type_=Uuid()),
    bindparam("person_id", type_=Uuid()),
    bindparam("day", type_=Date()),
    bindparam("roles", type_=ARRAY(String())),
)

# The same steps, the other way round.
_REACHED = text("""
    with recursive reach(id) as (
        select g.unit_id
        from role_grant g
        join person p on p.id = g.person_id and p.is_active
        where g.person_id = :person_id
          and g.role = any(:roles)
          and g.valid_from <= :day and (g.valid_to is null or g.valid_to > :day)
        union
        select step.id
        from reach
        join org_unit here on here.id = reach.id
        cross join lateral (
            select below.id from org_unit below where below.parent_id = here.id
            union all
            select before.id from org_unit before where before.successor_id = here.id and before.valid_to <= :day
            union all
            select here.successor_id where here.valid_to <= :day
        ) step
        where step.id is not null
    )
    select id from reach
""").bindparams(
    bindparam("person_id", type_=Uuid()),
    bindparam("day", type_=Date()),
    bindparam("roles", type_=ARRAY(String())),
)


async def holds_role(
    session: AsyncSession, person_id: PersonId, roles: Collection[Role], unit_id: UnitId, day: date
) -> bool:
    """Tell whether an active person holds one of the roles on a unit on a day."""
    found = await session.scalar(
        _HOLDS, {"unit_id": unit_id, "person_id": person_id, "day": day, "roles": [str(role) for role in roles]}
    )
    return bool(found)


async def load_reached_units(
    session: AsyncSession, person_id: PersonId, roles: Collection[Role], day: date
) -> frozenset[UnitId]:
    """Return every unit on which an active person holds one of the roles on a day."""
    found = await session.scalars(
        _REACHED, {"person_id": person_id, "day": day, "roles": [str(role) for role in roles]}
    )
    return frozenset(UnitId(unit_id if isinstance(unit_id, UUID) else UUID(str(unit_id))) for unit_id in found)


async def load_units(session: AsyncSession, codes: Collection[str] | None = None) -> Sequence[OrgUnit]:
    """Return all units, or those with the given codes, in order of code."""
    statement = select(OrgUnitRow).order_by(OrgUnitRow.code)
    if codes is not None:
        statement = statement.where(OrgUnitRow.code.in_(codes))
    return [_unit(row) for row in await session.scalars(statement)]


async def find_unit(session: AsyncSession, unit_id: UnitId) -> OrgUnit | None:
    """Return a unit by its id."""
    row = await session.get(OrgUnitRow, unit_id)
    return None if row is None else _unit(row)


async def lock_units(session: AsyncSession) -> None:
    """Let one import at a time rebuild the tree."""
    await session.execute(text("lock table org_unit in share row exclusive mode"))


async def save_units(session: AsyncSession, units: Sequence[OrgUnit]) -> None:
    """Insert or replace units by id; links may point to units later in the list."""
    if not units:
        return
    rows = [msgspec.structs.asdict(unit) for unit in units]
    bare = insert(OrgUnitRow).on_conflict_do_nothing()
    await session.execute(bare, [{**row, "parent_id": None, "successor_id": None} for row in rows])
    await session.execute(update(OrgUnitRow), rows)
    session.expire_all()


async def find_person(session: AsyncSession, day: date, *, where: Mapping[str, Any]) -> Person | None:
    """Return a person by `id` or `user_name`, with the grants that hold on a day."""
    statement = select(PersonRow).where(*(getattr(PersonRow, name) == value for name, value in where.items()))
    row = await session.scalar(statement)
    if row is None:
        return None
    grants = await load_grants(session, [PersonId(row.id)], day)
    return _person(row, day, grants.get(PersonId(row.id), ()))


async def load_people(session: AsyncSession, day: date) -> Sequence[Person]:
    """Return everybody, in order of user name, with the grants that hold on a day."""
    rows = (await session.scalars(select(PersonRow).order_by(PersonRow.user_name))).all()
    grants = await load_grants(session, [PersonId(row.id) for row in rows], day)
    return [_person(row, day, grants.get(PersonId(row.id), ())) for row in rows]


async def load_grants(
    session: AsyncSession, person_ids: Collection[PersonId], day: date
) -> Mapping[PersonId, tuple[RoleGrant, ...]]:
    """Return the grants of people that hold on a day."""
    found = await session.execute(
        select(RoleGrantRow, OrgUnitRow.code, OrgUnitRow.name)
        .join(OrgUnitRow, OrgUnitRow.id == RoleGrantRow.unit_id)
        .where(
            RoleGrantRow.person_id.in_(person_ids),
            RoleGrantRow.valid_from <= day,
            (RoleGrantRow.valid_to.is_(None)) | (RoleGrantRow.valid_to > day),
        )
        .order_by(RoleGrantRow.role, OrgUnitRow.code)
    )
    grants: dict[PersonId, list[RoleGrant]] = {}
    for row, code, name in found:
        grants.setdefault(PersonId(row.person_id), []).append(_grant(row, code, name))
    return {person_id: tuple(held) for person_id, held in grants.items()}


async def find_credentials(session: AsyncSession, user_name: str) -> Row[UUID, str | None] | None:
    """Return id and password hash of an active person."""
    found = await session.execute(
        select(PersonRow.id, PersonRow.password_hash).where(PersonRow.user_name == user_name, PersonRow.is_active)
    )
    return found.one_or_none()


async def insert_person(session: AsyncSession, person: Person, password_hash: str | None, now: datetime) -> bool:
    """Write a new person; tell whether the user name was free."""
    inserted = await session.scalar(
        insert(PersonRow)
        .values(
            id=person.id,
            user_name=person.user_name,
            display_name=person.display_name,
            password_hash=password_hash,
            is_active=person.is_active,
            language=person.language,
            credential_version=person.credential_version,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["user_name"])
        .returning(PersonRow.id)
    )
    return inserted is not None


async def update_person(session: AsyncSession, person_id: PersonId, **values: Any) -> None:
    """Change columns of a person."""
    await session.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))


async def insert_grant(session: AsyncSession, person_id: PersonId, grant: RoleGrant) -> None:
    """Write a grant."""
    await session.execute(
        insert(RoleGrantRow).values(
            id=grant.id,
            person_id=person_id,
            role=str(grant.role),
            unit_id=grant.unit_id,
            valid_from=grant.valid_from,
            valid_to=grant.valid_to,
        )
    )


async def end_grant(session: AsyncSession, grant_id: GrantId, day: date) -> Row[UUID, str, UUID] | None:
    """End a running grant: it holds no longer from that day on. One that began that day or later goes altogether."""
    running = (RoleGrantRow.id == grant_id, (RoleGrantRow.valid_to.is_(None)) | (RoleGrantRow.valid_to > day))
    returned = (RoleGrantRow.person_id, RoleGrantRow.role, RoleGrantRow.unit_id)
    gone = await session.execute(
        delete(RoleGrantRow).where(*running, RoleGrantRow.valid_from >= day).returning(*returned)
    )
    ended = gone.one_or_none()
    if ended is not None:
        return ended
    updated = await session.execute(update(RoleGrantRow).where(*running).values(valid_to=day).returning(*returned))
    return updated.one_or_none()


async def lock_failures(session: AsyncSession, name_hash: bytes, now: datetime) -> Failures:
    """Return the failures with a name and let nobody else try it until this transaction ends."""
    found = await session.execute(
        insert(SignInFailureRow)
        .values(name_hash=name_hash, failures=0, last_at=now)
        .on_conflict_do_update(index_elements=["name_hash"], set_={"failures": SignInFailureRow.failures})
        .returning(SignInFailureRow.failures, SignInFailureRow.last_at, SignInFailureRow.locked_until)
    )
    row = found.one()
    return Failures(row.failures, row.last_at, row.locked_until)


async def save_failures(
    session: AsyncSession, name_hash: bytes, failures: Failures, *, forget_before: datetime
) -> None:
    """Keep the failures with a name; drop those of others that are old."""
    await session.execute(
        update(SignInFailureRow)
        .where(SignInFailureRow.name_hash == name_hash)
        .values(failures=failures.count, last_at=failures.last_at, locked_until=failures.locked_until)
    )
    old = select(SignInFailureRow.name_hash).where(SignInFailureRow.last_at < forget_before)
    await session.execute(
        delete(SignInFailureRow).where(SignInFailureRow.name_hash.in_(old.limit(100).with_for_update(skip_locked=True)))
    )


async def forget_failures(session: AsyncSession, name_hash: bytes) -> None:
    """Forget the failures with a name after a success."""
    await session.execute(delete(SignInFailureRow).where(SignInFailureRow.name_hash == name_hash))


def _unit(row: OrgUnitRow) -> OrgUnit:
    return OrgUnit(
        id=UnitId(row.id),
        code=row.code,
        name=row.name,
        kind=row.kind,
        parent_id=None if row.parent_id is None else UnitId(row.parent_id),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        successor_id=None if row.successor_id is None else UnitId(row.successor_id),
    )


def _person(row: PersonRow, day: date, grants: tuple[RoleGrant, ...]) -> Person:
    return Person(
        id=PersonId(row.id),
        user_name=row.user_name,
        display_name=row.display_name,
        is_active=row.is_active,
        language=row.language,
        credential_version=row.credential_version,
        acts_on=day,
        grants=grants,
    )


def _grant(row: RoleGrantRow, unit_code: str, unit_name: str) -> RoleGrant:
    return RoleGrant(
        id=GrantId(row.id),
        role=Role(row.role),
        unit_id=UnitId(row.unit_id),
        unit_code=unit_code,
        unit_name=unit_name,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
