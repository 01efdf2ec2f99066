"""People, units and grants as plain values; user names, password rules, waiting times after failures."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NewType
from uuid import UUID

import msgspec

from exam_engine.identity.errors import (
    IdentityError,
    PasswordWeak,
    SignInLocked,
    SignInRefused,
    UnitsCircular,
    UserNameInvalid,
)
from exam_engine.identity.permissions import Permission, Role, permits

UnitId = NewType("UnitId", UUID)
PersonId = NewType("PersonId", UUID)
GrantId = NewType("GrantId", UUID)

MINIMUM_PASSWORD_CHARACTERS = 8  # OWASP ASVS 5.0, 6.2.1: length counts, not kinds of characters
MAXIMUM_PASSWORD_CHARACTERS = 256
FREE_FAILURES = 4
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGET_FAILURES_AFTER = timedelta(days=1)


class OrgUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the dated tree."""

    id: UnitId
    code: str
    name: str
    kind: str
    parent_id: UnitId | None
    valid_from: date
    valid_to: date | None = None
    successor_id: UnitId | None = None

    def exists_on(self, day: date) -> bool:
        """Whether the unit exists on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class RoleGrant(msgspec.Struct, frozen=True, kw_only=True):
    """One role on one unit, holding for everything below it."""

    id: GrantId
    role: Role
    unit_id: UnitId
    unit_code: str
    unit_name: str
    valid_from: date
    valid_to: date | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works here, with the grants that hold on the day asked for."""

    id: PersonId
    user_name: str
    display_name: str
    is_active: bool
    language: str
    credential_version: int  # a session begun under another one is over
    acts_on: date  # the day by which the grants were chosen: the installation's own day, not that in UTC
    grants: tuple[RoleGrant, ...] = ()

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held on any unit."""
        return frozenset(grant.role for grant in self.grants)

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether some unit exists on which the person may do this: for menus, never as the guard itself."""
        return self.is_active and any(permits(role, permission) for role in self.roles)


class Failures(msgspec.Struct, frozen=True):
    """Failed sign-ins in a row with one typed name."""

    count: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None


class SignIn(msgspec.Struct, frozen=True):
    """What came of one attempt to sign in. Commit first, then ask: a failure must stay counted."""

    person: Person | None = None
    refusal: IdentityError | None = None

    def require_person(self) -> Person:
        """Return who signed in.

        Raises
        ------
        SignInRefused, SignInLocked
            Nobody did.
        """
        if self.person is None:
            raise self.refusal or SignInRefused()
        return self.person


def actor_of(person: Person) -> str:
    """Name a person in the audit record."""
    return f"person:{person.user_name}"


def fold_user_name(text: str) -> str:
    """Return the one spelling of a typed user name: no spaces around, lower case, composed."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def is_user_name(name: str) -> bool:
    """Whether a folded name may be a user name."""
    return re.fullmatch(r"[a-z0-9][a-z0-9._@+-]{1,63}", name) is not None


def require_user_name(text: str) -> str:
    """Fold a user name.

    Raises
    ------
    UserNameInvalid
        It has characters it may not have.
    """
    name = fold_user_name(text)
    if not is_user_name(name):
        raise UserNameInvalid(text[:80])
    return name


def hash_of_name(name: str) -> bytes:
    """Hash a typed user name; people type their password there by mistake."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def require_strong(password: str, user_name: str) -> None:
    """Check a new password: long enough, not a common one, not the user name.

    Raises
    ------
    PasswordWeak
        It is none of these.
    """
    folded = unicodedata.normalize("NFC", password).casefold()
    fits = MINIMUM_PASSWORD_CHARACTERS <= len(password) <= MAXIMUM_PASSWORD_CHARACTERS
    varied = len(set(folded)) > 2
    if not fits or not varied or folded in _COMMON_PASSWORDS or folded == user_name:
        raise PasswordWeak(MINIMUM_PASSWORD_CHARACTERS)


def count_failure(failures: Failures, now: datetime) -> Failures:
    """Add a failure; from the fifth in a row on, each doubles the wait, up to a quarter of an hour."""
    is_old = failures.last_at is not None and now - failures.last_at >= FORGET_FAILURES_AFTER
    count = 1 if is_old else failures.count + 1
    if count <= FREE_FAILURES:
        return Failures(count, now)
    doublings = min(count - FREE_FAILURES - 1, 10)
    return Failures(count, now, now + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT))


def locked_for(failures: Failures, now: datetime) -> SignInLocked | None:
    """Return the refusal while a name is locked."""
    if failures.locked_until is None or failures.locked_until <= now:
        return None
    return SignInLocked(max(1, round((failures.locked_until - now).total_seconds())))


def require_no_circle(next_of: Mapping[str, str | None]) -> None:
    """Check that following parents (or successors) always comes to an end.

    Raises
    ------
    UnitsCircular
        Names the units of the first circle found.
    """
    finished: set[str] = set()
    for start in next_of:
        path: list[str] = []
        code: str | None = start
        while code is not None and code not in finished:
            if code in path:
                raise UnitsCircular([*path[path.index(code) :], code])
            path.append(code)
            code = next_of.get(code)
        finished.update(path)


_COMMON_PASSWORDS = frozenset(
    """
    12345678 123456789 1234567890 0123456789 987654321 11223344 12344321 88888888 66668888 password password1
    passw0rd qwertyui qwerty123 1q2w3e4r 1qaz2wsx asdfghjk iloveyou admin123 administrator welcome1 letmein1 abcd1234
    abc12345 matkhau1 matkhau123 matkhau12345 anhyeuem anhyeuem123 emyeuanh vietnam1 vietnam123 hanoi123 saigon123
    giaovien giaovien123 hocsinh1 hocsinh123 truonghoc thaygiao cogiao123 khongbiet khongco1 toilatoi
    """.split()  # noqa: SIM905 (words read better than a column of literals)
)
