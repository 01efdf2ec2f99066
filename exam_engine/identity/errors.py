"""Refusals of identity.

IdentityError
├── PermissionDenied     the person holds no role with this permission on this unit
├── SignInRefused        user name and password do not belong together (or nobody has that name: same words)
├── SignInLocked         too many failures with this name: wait
├── PasswordWeak         the new password is too easily guessed
├── PersonUnknown        nobody has this user name or id
├── PersonExists         the user name is taken
├── UserNameInvalid      the user name has characters it may not have
├── UnitUnknown          no unit has this code or id
├── UnitsCircular        a unit would stand above, or follow, itself
└── GrantUnknown         no such grant, or it has ended already
"""

from collections.abc import Sequence
from uuid import UUID

from exam_engine.infra.errors import EngineError


class IdentityError(EngineError):
    """Base of the refusals of identity."""


class PermissionDenied(IdentityError):
    """The person may not do this here; facts name the permission, never what lies behind it."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(f"this needs the permission {permission} on the unit")


class SignInRefused(IdentityError):
    """User name and password do not belong together."""

    def __init__(self) -> None:
        super().__init__("the user name or the password is wrong")


class SignInLocked(IdentityError):
    """Too many failures with this name, known or not."""

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"too many failures; try again in {retry_after_seconds} seconds")


class PasswordWeak(IdentityError):
    """The new password is too easily guessed."""

    def __init__(self, minimum_characters: int) -> None:
        self.minimum_characters = minimum_characters
        super().__init__(
            f"the password needs {minimum_characters} to 256 characters, and not a common word or the user name"
        )


class PersonUnknown(IdentityError):
    """Nobody has this user name or id."""

    def __init__(self, person: str | UUID) -> None:
        self.person = str(person)
        super().__init__(f"there is no person {person}")


class PersonExists(IdentityError):
    """The user name is taken."""

    def __init__(self, user_name: str) -> None:
        self.user_name = user_name
        super().__init__(f"the user name {user_name} is taken")


class UserNameInvalid(IdentityError):
    """The user name has characters it may not have."""

    def __init__(self, user_name: str) -> None:
        self.user_name = user_name
        super().__init__(
            f"“{user_name}” is not a user name: 2 to 64 of a-z, 0-9 and . _ @ + -, a letter or digit first"
        )


class UnitUnknown(IdentityError):
    """No unit has this code or id."""

    def __init__(self, unit: str | UUID) -> None:
        self.unit = str(unit)
        super().__init__(f"there is no unit {unit}")


class UnitsCircular(IdentityError):
    """A unit would stand above, or follow, itself."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        super().__init__("these units stand in a circle: " + " → ".join(self.codes))


class GrantUnknown(IdentityError):
    """No such grant, or it has ended already."""

    def __init__(self, grant_id: UUID) -> None:
        self.grant_id = grant_id
        super().__init__(f"there is no running grant {grant_id}")
