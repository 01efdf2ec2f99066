"""One act of a signed-in member of staff: a transaction, the person with today's grants, the present time.

The edge commits: leaving the block without an exception commits once, any exception rolls everything back.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import NotAuthorizedException

from api.security import SESSION_CREDENTIAL, person_id_of
from exam_engine.delivery.hot_path import Delivery
from exam_engine.identity import service as identity
from exam_engine.identity.errors import PermissionDenied, PersonUnknown
from exam_engine.identity.model import Person, PersonId, UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.database import transaction
from exam_engine.wiring import Engine


class Act(msgspec.Struct, frozen=True):
    """What a use case of staff needs."""

    session: Any  # the open database session; services take it as it is
    person: Person
    now: datetime
    today: date

    @property
    def actor(self) -> str:
        """The person as the audit log names them."""
        return actor_of(self.person)

    async def require(self, permission: Permission, unit_id: UnitId) -> None:
        """Refuse unless the person holds the permission on the unit or above it."""
        await identity.require(self.session, self.person.id, permission, unit_id, on=self.today)

    async def units(self, permission: Permission) -> frozenset[UnitId]:
        """Return the units on which the person holds a permission: the filter of lists."""
        return await identity.permitted_units(self.session, self.person.id, permission, on=self.today)


@asynccontextmanager
async def staff_act(request: Request[Any, Any, Any], permission: Permission | None = None) -> AsyncIterator[Act]:
    """Open an act; with a permission, the person must hold it on some unit (the service or the list narrows it).

    Raises
    ------
    NotAuthorizedException
        Nobody is signed in, or the session ended with a new password.
    PermissionDenied
        The person holds the permission nowhere.
    """
    engine = engine_of(request)
    person_id = PersonId(person_id_of(request))
    now = engine.clock()
    today = engine.local_day(now)
    async with transaction(engine.sessions) as session:
        try:
            person = await identity.load_person(session, person_id, on=today)
        except PersonUnknown as error:
            raise NotAuthorizedException from error
        if not person.is_active or request.session.get(SESSION_CREDENTIAL) != person.credential_version:
            raise NotAuthorizedException
        if permission is not None and not person.may_somewhere(permission):
            raise PermissionDenied(permission)
        yield Act(session=session, person=person, now=now, today=today)


async def actor_names(act: Act) -> Callable[[str], str]:
    """Return what turns an actor of the audit log into the name people know."""
    people = await identity.load_people(act.session, on=act.today)
    names = {actor_of(person): person.display_name for person in people}
    return lambda actor: names.get(actor, actor)


def engine_of(request: Request[Any, Any, Any]) -> Engine:
    """Return the engine this process opened at its start."""
    engine: Engine = request.app.state.engine
    return engine


def delivery_of(request: Request[Any, Any, Any]) -> Delivery:
    """Return the seats' side of open sittings, opened by this process at its start."""
    delivery: Delivery = request.app.state.delivery
    return delivery
