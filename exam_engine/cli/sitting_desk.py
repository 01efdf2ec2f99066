"""Where the commands on a sitting act from: who asks, with which right, on which seats; and their common options."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import typer

from exam_engine.cli import console
from exam_engine.delivery import service
from exam_engine.delivery.model import Sitting
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import Desk, Scope
from exam_engine.delivery.store import SittingContext
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import ScriptRunner, require_durable

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsOption = Annotated[str, typer.Option("--as", help="User name of the person who does it.")]
SittingArgument = Annotated[str, typer.Argument(help="Code of the sitting.")]
RoomOption = Annotated[str | None, typer.Option(help="Code of one room only.")]
CandidateOption = Annotated[str | None, typer.Option(help="Number of one candidate only.")]


@asynccontextmanager
async def desk_of(code: str, user_name: str, permission: Permission) -> AsyncIterator[tuple[Desk, SittingContext]]:
    """Open a desk on a sitting for somebody who holds a permission on its exam's unit; commits at the end."""
    async with console.engine() as engine:
        register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
        try:
            async with transaction(engine.sessions) as session:
                now = engine.clock()
                person = await identity.load_person_named(session, user_name, on=engine.local_day(now))
                context = await service.load_sitting(session, code)
                unit = UnitId(context.exam_unit_id)
                await identity.require(session, person.id, permission, unit, on=engine.local_day(now))
                yield Desk(session=session, register=register, actor=actor_of(person), now=now), context
        finally:
            await register.close()


async def scope_of(desk: Desk, sitting: Sitting, room: str | None, candidate: str | None) -> Scope:
    """Return whom a room code or a candidate number names; neither: everybody."""
    if candidate is not None:
        return Scope(attempt_id=await service.attempt_of_number(desk.session, sitting, candidate))
    return Scope(room_id=await room_id_of(desk.session, sitting, room))


async def room_id_of(session: Any, sitting: Sitting, room: str | None) -> UUID | None:
    """Return the room of a code in which somebody sits."""
    return None if room is None else await service.room_of_code(session, sitting, room)


def note_dry(is_dry: bool) -> None:
    """Tell that nothing was written, where that is so."""
    if is_dry:
        console.note("dry run: nothing was written")
