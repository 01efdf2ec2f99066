"""Where the commands on a sitting act from: who asks, with which right, on which seats; and their common options."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
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
from exam_engine.wiring import Engine

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsOption = Annotated[str, typer.Option("--as", help="User name of the person who does it.")]
SittingArgument = Annotated[str, typer.Argument(help="Code of the sitting.")]
RoomOption = Annotated[str | None, typer.Option(help="Code of one room only.")]
CandidateOption = Annotated[str | None, typer.Option(help="Number of one candidate only.")]


class StaffAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act of somebody on a sitting: the transaction, who does it, and when."""

    session: Any  # the open database session; services take it as it is
    context: SittingContext
    actor: str
    now: datetime
    today: date


@asynccontextmanager
async def desk_of(code: str, user_name: str, permission: Permission) -> AsyncIterator[tuple[Desk, SittingContext]]:
    """Open a desk on a sitting for somebody who holds a permission on its exam's unit; commits at the end."""
    async with console.engine() as engine:
        register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
        try:
            async with staff_act(engine, code, user_name, permission) as act:
                yield Desk(session=act.session, register=register, actor=act.actor, now=act.now), act.context
        finally:
            await register.close()


@asynccontextmanager
async def staff_act(engine: Engine, code: str, user_name: str, permission: Permission) -> AsyncIterator[StaffAct]:
    """Act on a sitting without touching its seats, for somebody as `desk_of` has them; commits at the end."""
    async with transaction(engine.sessions) as session:
        now = engine.clock()
        today = engine.local_day(now)
        person = await identity.load_person_named(session, user_name, on=today)
        context = await service.load_sitting(session, code)
        await identity.require(session, person.id, permission, UnitId(context.exam_unit_id), on=today)
        yield StaffAct(session=session, context=context, actor=actor_of(person), now=now, today=today)


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
