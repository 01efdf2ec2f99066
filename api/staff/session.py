"""Signing in and out of staff; one's own account."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import JSONBody

from api.acts import engine_of, staff_act
from api.security import SESSION_CREDENTIAL, SESSION_PERSON
from exam_engine.identity import service as identity
from exam_engine.identity.model import Person
from exam_engine.identity.permissions import PERMISSIONS
from exam_engine.infra.database import transaction


class SignInBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs in."""

    user_name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["bientap.hoa"])]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["mat-khau-rieng-cua-toi"])]


class GrantView(msgspec.Struct, frozen=True):
    """A role on a unit."""

    role: str
    unit: str
    unit_name: str


class PersonView(msgspec.Struct, frozen=True):
    """The person who is signed in, and what they may do somewhere."""

    person_id: UUID
    user_name: str
    display_name: str
    language: str
    grants: list[GrantView]
    permissions: list[str]

    @classmethod
    def of(cls, person: Person) -> "PersonView":
        """Show a person."""
        permissions = {permission.value for role in person.roles for permission in PERMISSIONS[role]}
        return cls(
            person_id=person.id,
            user_name=person.user_name,
            display_name=person.display_name,
            language=person.language,
            grants=[GrantView(grant.role, grant.unit_code, grant.unit_name) for grant in person.grants],
            permissions=sorted(permissions),
        )


async def begin_session(request: Request[Any, Any, Any], user_name: str, password: str) -> Person:
    """Sign a person in and begin a fresh session; used by the JSON route and the page.

    Raises
    ------
    SignInRefused, SignInLocked
        Nothing but the count of failures was kept.
    """
    engine = engine_of(request)
    now = engine.clock()
    async with transaction(engine.sessions) as session:
        outcome = await identity.sign_in(session, user_name, password, now, on=engine.local_day(now))
    person = outcome.require_person()
    request.set_session({SESSION_PERSON: str(person.id), SESSION_CREDENTIAL: person.credential_version})
    return person


class SessionController(Controller):
    """`/api/staff`."""

    path = "/api/staff"
    tags = ("staff",)

    @get("/me", summary="Who am I, and what may I do")
    async def me(self, request: Request[Any, Any, Any]) -> PersonView:
        """Answer the signed-in person; also sets the CSRF cookie on the first visit."""
        async with staff_act(request) as act:
            return PersonView.of(act.person)

    @post("/sign-in", summary="Sign in", status_code=200)
    async def sign_in(self, request: Request[Any, Any, Any], data: JSONBody[SignInBody]) -> PersonView:
        """Begin a session; unknown names and wrong passwords answer alike and cost the same."""
        return PersonView.of(await begin_session(request, data.user_name, data.password))

    @post("/sign-out", summary="Sign out", status_code=204)
    async def sign_out(self, request: Request[Any, Any, Any]) -> None:
        """End the session."""
        request.clear_session()
