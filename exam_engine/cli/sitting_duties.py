"""`exam-engine sitting duties|assign|withdraw-duty|import-duties`: who watches which room, one by one or by a table."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from exam_engine.cli import console
from exam_engine.cli.imports import SheetName, read_given_table, show_report
from exam_engine.cli.sitting_desk import (
    AsOption,
    DryRunOption,
    JsonOption,
    SittingArgument,
    StaffAct,
    note_dry,
    staff_act,
)
from exam_engine.delivery import service as sittings
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.invigilation import service
from exam_engine.invigilation.duties import Duty, DutyPlan, RoomDuty, in_several_rooms

RoomCode = Annotated[str, typer.Option("--room", help="Code of a room of the exam.")]
UserName = Annotated[str, typer.Option("--user", help="User name of the person.")]


def duties(sitting: SittingArgument, as_json: JsonOption = False) -> None:
    """List who watches which room; rooms of the plan that nobody watches stand there, too.

    Example: exam-engine sitting duties CA-1
    """

    async def work() -> tuple[dict[str, str], list[RoomDuty], set[str]]:
        async with console.engine() as engine, engine.sessions() as session:
            context = await sittings.load_sitting(session, sitting)
            rooms = {str(room.id): room.code for room in await service.load_rooms(session, context.sitting.id)}
            planned = await enrolment.load_subject_rooms(session, context.sitting.exam_subject_id)
            found = list(await service.load_duties(session, context.sitting.id))
            return rooms, found, {str(room.id) for room in planned}

    rooms, found, planned = console.run(work())
    if as_json:
        shown = [{"room": rooms[str(one.room_id)], **_facts(one)} for one in found]
        watched = {str(one.room_id) for one in found}
        without = sorted(rooms[room] for room in planned - watched)
        console.emit({"duties": shown, "rooms_without": without}, as_json=True)
        return
    console.emit_table(("room", "user", "name", "duty", "given by", "note"), _lines(rooms, found, planned))


def assign(
    sitting: SittingArgument,
    room: RoomCode,
    user: UserName,
    as_user: AsOption,
    deputy: Annotated[bool, typer.Option("--deputy", help="As a deputy, who sees and may do the same.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let somebody watch a room of a sitting, wherever their role was granted; who watches it gets the other duty.

    Example: exam-engine sitting assign CA-1 --room P01 --user nguyen.an --as board
    """
    duty = Duty.DEPUTY if deputy else Duty.INVIGILATOR

    async def work() -> str:
        async with _managing(sitting, as_user, is_dry_run=dry_run) as act:
            found = await service.load_room(act.session, act.context.sitting.id, room)
            plan = DutyPlan(room_id=found.id, user_name=user, duty=duty)
            person = await service.give_duty(
                act.session, act.context.sitting.id, plan, on=act.today, actor=act.actor, now=act.now
            )
            return person.user_name

    result = {"room": room, "user": console.run(work()), "duty": duty.value, "is_dry_run": dry_run}
    console.emit(result, as_json=as_json, text=f"{room}: {result['user']} ({duty.value})")
    note_dry(dry_run)


def withdraw_duty(
    sitting: SittingArgument,
    room: RoomCode,
    user: UserName,
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a duty back; a console that is open ends within a minute unless the person's role opens the room.

    Example: exam-engine sitting withdraw-duty CA-1 --room P01 --user nguyen.an --as board
    """

    async def work() -> str:
        async with _managing(sitting, as_user, is_dry_run=dry_run) as act:
            found = await service.load_room(act.session, act.context.sitting.id, room)
            person = await service.take_duty(
                act.session, act.context.sitting.id, found.id, user, on=act.today, actor=act.actor, now=act.now
            )
            return person.user_name

    result = {"room": room, "user": console.run(work()), "is_dry_run": dry_run}
    console.emit(result, as_json=as_json, text=f"{room}: {result['user']} withdrawn")
    note_dry(dry_run)


def import_duties(
    sitting: SittingArgument,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: room, user, duty (invigilator or deputy).")],
    as_user: AsOption,
    sheet: SheetName = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take duties from a file; a mistake anywhere refuses the whole file, who is not in it keeps theirs.

    Example: exam-engine sitting import-duties CA-1 phan-cong.xlsx --as board --dry-run
    """
    table, _ = read_given_table(file, sheet, None)

    async def work() -> ImportReport:
        async with _managing(sitting, as_user, is_dry_run=dry_run) as act:
            return await service.import_duties(
                act.session,
                act.context.sitting.id,
                table,
                on=act.today,
                is_dry_run=dry_run,
                actor=act.actor,
                now=act.now,
            )

    show_report(console.run(work()), as_json=as_json)
    note_dry(dry_run)


@asynccontextmanager
async def _managing(code: str, user_name: str, *, is_dry_run: bool) -> AsyncIterator[StaffAct]:
    async with console.engine() as engine, staff_act(engine, code, user_name, Permission.MANAGE_SITTINGS) as act:
        yield act
        if is_dry_run:
            await act.session.rollback()


def _facts(one: RoomDuty) -> dict[str, object]:
    return {
        "user": one.user_name,
        "name": one.display_name,
        "duty": one.duty.value,
        "given_by": one.given_by,
        "given_at": one.given_at,
    }


def _lines(rooms: dict[str, str], found: Sequence[RoomDuty], planned: set[str]) -> list[tuple[str, ...]]:
    several = in_several_rooms(found)
    lines = [
        (
            rooms[str(one.room_id)],
            one.user_name,
            one.display_name,
            one.duty.value,
            one.given_by.removeprefix("person:"),
            "in several rooms" if one.duty is Duty.INVIGILATOR and one.person_id in several else "",
        )
        for one in found
    ]
    watched = {str(one.room_id) for one in found}
    lines += [(rooms[room], "", "", "", "", "nobody yet") for room in planned - watched]
    return sorted(lines, key=lambda line: (line[0], line[3] == Duty.DEPUTY, line[2]))
