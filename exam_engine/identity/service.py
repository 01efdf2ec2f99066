"""Use cases of identity: signing in, people, passwords, grants, and the one guard `require`."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.identity import model, passwords, store
from exam_engine.identity.errors import (
    GrantUnknown,
    PermissionDenied,
    PersonExists,
    PersonUnknown,
    SignInRefused,
    UnitUnknown,
)
from exam_engine.identity.model import GrantId, OrgUnit, Person, PersonId, RoleGrant, SignIn, UnitId
from exam_engine.identity.permissions import Permission, Role, roles_with


async def require(
    session: AsyncSession, person_id: PersonId, permission: Permission, unit_id: UnitId, *, on: date
) -> None:
    """Check that a person may do something on a unit.

    Raises
    ------
    PermissionDenied
        No role of the person carries the permission there on that day.
    """
    if not await store.holds_role(session, person_id, roles_with(permission), unit_id, on):
        raise PermissionDenied(permission)


async def permitted_units(
    session: AsyncSession, person_id: PersonId, permission: Permission, *, on: date
) -> frozenset[UnitId]:
    """Return every unit on which a person may do something: the filter of lists."""
    return await store.load_reached_units(session, person_id, roles_with(permission), on)


async def sign_in(session: AsyncSession, user_name: str, password: str, now: datetime, *, on: date) -> SignIn:
    """Try to sign in. Commit, then call `require_person` on what this returns: a failure must stay counted.

    An unknown name, one without password and a wrong password cost the same time and give the same answer, and
    repeated failures lock a name whether or not somebody has it. `on` is the local day, for the grants.
    """
    name = model.fold_user_name(user_name)
    name_hash = model.hash_of_name(name)
    failures = await store.lock_failures(session, name_hash, now)
    locked = model.locked_for(failures, now)
    if locked is not None:
        return SignIn(refusal=locked)
    credentials = await store.find_credentials(session, name) if model.is_user_name(name) else None
    check = await passwords.check_password(password, None if credentials is None else credentials.password_hash)
    if credentials is None or not check.is_right:
        return await _count_failure(session, model.count_failure(failures, now), name_hash, now)
    await store.forget_failures(session, name_hash)
    person_id = PersonId(credentials.id)
    if check.new_hash is not None:
        await store.update_person(session, person_id, password_hash=check.new_hash)
    person = await load_person(session, person_id, on=on)
    await audit.append(
        session, actor=model.actor_of(person), action="person.sign_in", subject=_subject(person), facts={}, now=now
    )
    return SignIn(person=person)


async def load_person(session: AsyncSession, person_id: PersonId, *, on: date) -> Person:
    """Return a person with the grants that hold on a day.

    Raises
    ------
    PersonUnknown
        Nobody has this id.
    """
    person = await store.find_person(session, on, where={"id": person_id})
    if person is None:
        raise PersonUnknown(person_id)
    return person


async def load_person_named(session: AsyncSession, user_name: str, *, on: date) -> Person:
    """Return a person by user name, as `load_person` does."""
    name = model.fold_user_name(user_name)
    person = await store.find_person(session, on, where={"user_name": name}) if model.is_user_name(name) else None
    if person is None:
        raise PersonUnknown(user_name)
    return person


async def load_people(session: AsyncSession, *, on: date) -> Sequence[Person]:
    """Return everybody, in order of user name, with the grants that hold on a day."""
    return await store.load_people(session, on)


async def load_units(session: AsyncSession) -> Sequence[OrgUnit]:
    """Return the whole tree, in order of code, ended units among them."""
    return await store.load_units(session)


async def load_unit(session: AsyncSession, unit_id: UnitId) -> OrgUnit:
    """Return a unit.

    Raises
    ------
    UnitUnknown
        No unit has this id.
    """
    unit = await store.find_unit(session, unit_id)
    if unit is None:
        raise UnitUnknown(unit_id)
    return unit


async def load_unit_coded(session: AsyncSession, code: str) -> OrgUnit:
    """Return a unit by its code, as `load_unit` does."""
    units = [] if "\x00" in code else await store.load_units(session, [code])
    if not units:
        raise UnitUnknown(code)
    return units[0]


async def create_person(
    session: AsyncSession,
    user_name: str,
    display_name: str,
    *,
    password: str | None = None,
    language: str = "vi",
    actor: str,
    now: datetime,
) -> Person:
    """Add a person without any role; without a password nobody can sign in as them yet.

    Raises
    ------
    UserNameInvalid, PasswordWeak, PersonExists
        Nothing was written.
    """
    name = model.require_user_name(user_name)
    if password is not None:
        model.require_strong(password, name)
    person = Person(
        id=PersonId(uuid4()),
        user_name=name,
        display_name=display_name.replace("\x00", "").strip() or name,
        is_active=True,
        language=language,
        credential_version=1,
        acts_on=now.date(),  # there are no grants yet for which the day could matter
    )
    password_hash = None if password is None else await passwords.hash_password(password)
    if not await store.insert_person(session, person, password_hash, now):
        raise PersonExists(name)
    await audit.append(
        session,
        actor=actor,
        action="person.create",
        subject=_subject(person),
        facts={"display_name": person.display_name, "has_password": password is not None},
        now=now,
    )
    return person


async def set_password(session: AsyncSession, person: Person, password: str, *, actor: str, now: datetime) -> None:
    """Give a person a new password; sessions begun with the old one end, and failures are forgotten.

    Raises
    ------
    PasswordWeak
        Nothing was changed.
    """
    model.require_strong(password, person.user_name)
    await store.update_person(
        session,
        person.id,
        password_hash=await passwords.hash_password(password),
        credential_version=person.credential_version + 1,
    )
    await store.forget_failures(session, model.hash_of_name(person.user_name))
    await audit.append(session, actor=actor, action="person.set_password", subject=_subject(person), facts={}, now=now)


async def change_password(session: AsyncSession, person: Person, current: str, new: str, *, now: datetime) -> None:
    """Change one's own password.

    Raises
    ------
    SignInRefused, PasswordWeak
        The current one is wrong, or the new one too easily guessed; nothing was changed.
    """
    credentials = await store.find_credentials(session, person.user_name)
    check = await passwords.check_password(current, None if credentials is None else credentials.password_hash)
    if not check.is_right:
        raise SignInRefused
    await set_password(session, person, new, actor=model.actor_of(person), now=now)


async def set_active(session: AsyncSession, person: Person, *, is_active: bool, actor: str, now: datetime) -> None:
    """Let a person in or shut them out; shutting out ends their sessions and all their grants' effect."""
    await store.update_person(session, person.id, is_active=is_active, credential_version=person.credential_version + 1)
    action = "person.activate" if is_active else "person.deactivate"
    await audit.append(session, actor=actor, action=action, subject=_subject(person), facts={}, now=now)


async def grant_role(
    session: AsyncSession,
    person: Person,
    role: Role,
    unit: OrgUnit,
    *,
    valid_from: date,
    valid_to: date | None = None,
    actor: str,
    now: datetime,
) -> RoleGrant:
    """Grant a role on a unit and all below it; one that already holds from then on is returned as it is."""
    for held in person.grants:
        if (held.role, held.unit_id, held.valid_to) == (role, unit.id, valid_to) and held.valid_from <= valid_from:
            return held
    grant = RoleGrant(
        id=GrantId(uuid4()),
        role=role,
        unit_id=unit.id,
        unit_code=unit.code,
        unit_name=unit.name,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    await store.insert_grant(session, person.id, grant)
    await audit.append(
        session,
        actor=actor,
        action="person.grant",
        subject=_subject(person),
        facts={"role": role, "unit": unit.code, "valid_from": valid_from, "valid_to": valid_to},
        now=now,
    )
    return grant


async def end_grant(session: AsyncSession, grant_id: GrantId, *, on: date, actor: str, now: datetime) -> None:
    """End a grant: from that day on it holds no longer.

    Raises
    ------
    GrantUnknown
        There is no such running grant.
    """
    ended = await store.end_grant(session, grant_id, on)
    if ended is None:
        raise GrantUnknown(grant_id)
    person = await load_person(session, PersonId(ended.person_id), on=on)
    unit = await load_unit(session, UnitId(ended.unit_id))
    await audit.append(
        session,
        actor=actor,
        action="person.end_grant",
        subject=_subject(person),
        facts={"role": ended.role, "unit": unit.code, "on": on},
        now=now,
    )


async def _count_failure(session: AsyncSession, failures: model.Failures, name_hash: bytes, now: datetime) -> SignIn:
    await store.save_failures(session, name_hash, failures, forget_before=now - model.FORGET_FAILURES_AFTER)
    if failures.locked_until is not None:
        subject = f"user_name_hash:{name_hash.hex()[:16]}"
        facts = {"failures": failures.count, "locked_until": failures.locked_until}
        await audit.append(session, actor="system:sign-in", action="person.lock", subject=subject, facts=facts, now=now)
    return SignIn(refusal=SignInRefused())


def _subject(person: Person) -> str:
    return f"person:{person.user_name}"
