"""`exam-engine person`: staff, their passwords and their roles."""

import sys
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.cli import console
from exam_engine.cli.imports import read_given_table
from exam_engine.identity import imports, service
from exam_engine.identity.model import GrantId, Person, RoleGrant
from exam_engine.identity.permissions import Role
from exam_engine.infra.database import transaction

app = typer.Typer(help="Staff and their roles.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
PasswordOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which it holds.")]

COMMAND_LINE = "system:command-line"

T = TypeVar("T")
Work = Callable[[AsyncSession, datetime, date], Coroutine[Any, Any, T]]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="people.csv or .xlsx: user_name, display_name, role, unit, password.")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add people and their roles; several lines with one user name are several roles. All or nothing.

    Example: exam-engine person import people.csv
    """

    table, _ = read_given_table(file, None, None)

    async def work(session: AsyncSession, now: datetime, today: date) -> imports.PeopleImport:
        return await imports.import_people(session, table, today=today, actor=COMMAND_LINE, now=now)

    done = console.run(_in_transaction(work, is_dry=dry_run))
    text = f"{done.added} people added, {done.known} known before, {done.grants_added} roles granted"
    console.emit(done, as_json=as_json, text=_noting_dry_run(text, is_dry=dry_run))


@app.command()
def create(
    user_name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    display_name: Annotated[str, typer.Argument(help="The name people see.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a person without roles; without a password nobody can sign in as them yet.

    Example: exam-engine person create an.nguyen "Nguyễn Thị An"
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None

    async def work(session: AsyncSession, now: datetime, _: date) -> Person:
        return await service.create_person(
            session, user_name, display_name, password=password, actor=COMMAND_LINE, now=now
        )

    person = console.run(_in_transaction(work, is_dry=dry_run))
    console.emit(person, as_json=as_json, text=_noting_dry_run(f"added {person.user_name}", is_dry=dry_run))


@app.command()
def grant(
    user_name: Annotated[str, typer.Argument(help="Who.")],
    role: Annotated[Role, typer.Argument(help="Which role.")],
    unit: Annotated[str, typer.Argument(help="Code of the unit on which, and below which, it holds.")],
    valid_from: DayOption = None,
    valid_to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which it no longer holds.")
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Grant a role on a unit and all below it.

    Example: exam-engine person grant an.nguyen author 31 --valid-to 2028-08-31
    """

    async def work(session: AsyncSession, now: datetime, today: date) -> RoleGrant:
        return await service.grant_role(
            session,
            await service.load_person_named(session, user_name, on=today),
            role,
            await service.load_unit_coded(session, unit),
            valid_from=valid_from.date() if valid_from else today,
            valid_to=valid_to.date() if valid_to else None,
            actor=COMMAND_LINE,
            now=now,
        )

    held = console.run(_in_transaction(work, is_dry=dry_run))
    text = f"{user_name} is {held.role} on {held.unit_code} from {held.valid_from}"
    console.emit(held, as_json=as_json, text=_noting_dry_run(text, is_dry=dry_run))


@app.command()
def revoke(
    user_name: Annotated[str, typer.Argument(help="Who.")],
    role: Annotated[Role, typer.Argument(help="Which role.")],
    unit: Annotated[str, typer.Argument(help="Code of the unit on which it was granted.")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """End a role from today on.

    Example: exam-engine person revoke an.nguyen author 31
    """

    async def work(session: AsyncSession, now: datetime, today: date) -> list[GrantId]:
        person = await service.load_person_named(session, user_name, on=today)
        ended = [held.id for held in person.grants if (held.role, held.unit_code) == (role, unit)]
        for grant_id in ended:
            await service.end_grant(session, grant_id, on=today, actor=COMMAND_LINE, now=now)
        return ended

    ended = console.run(_in_transaction(work, is_dry=dry_run))
    if not ended:
        console.refuse(f"{user_name} is not {role} on {unit}")
    console.emit(
        ended, as_json=as_json, text=_noting_dry_run(f"{user_name} is no longer {role} on {unit}", is_dry=dry_run)
    )


@app.command("list")
def list_people(as_json: JsonOption = False) -> None:
    """List everybody with the roles that hold today.

    Example: exam-engine person list
    """

    async def work(session: AsyncSession, _: datetime, today: date) -> list[Person]:
        return list(await service.load_people(session, on=today))

    people = console.run(_in_transaction(work))
    if as_json:
        console.emit(people, as_json=True)
        return
    console.emit_table(
        ("user name", "name", "active", "roles"),
        [
            (
                person.user_name,
                person.display_name,
                "yes" if person.is_active else "no",
                ", ".join(f"{held.role} on {held.unit_code}" for held in person.grants),
            )
            for person in people
        ],
    )


@app.command("set-password")
def set_password(
    user_name: Annotated[str, typer.Argument(help="Whose.")],
    password_stdin: PasswordOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give somebody a new password; sessions begun with the old one end.

    Example: exam-engine person set-password an.nguyen
    """
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)

    async def work(session: AsyncSession, now: datetime, today: date) -> Person:
        person = await service.load_person_named(session, user_name, on=today)
        await service.set_password(session, person, password, actor=COMMAND_LINE, now=now)
        return await service.load_person(session, person.id, on=today)

    person = console.run(_in_transaction(work, is_dry=dry_run))
    text = f"the password of {person.user_name} was changed"
    console.emit(person, as_json=as_json, text=_noting_dry_run(text, is_dry=dry_run))


async def _in_transaction(work: "Work[T]", *, is_dry: bool = False) -> T:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        now = engine.clock()
        # The day by which the guards judge grants: what is granted now must hold now.
        result = await work(session, now, engine.local_day(now))
        if is_dry:
            await session.rollback()
        return result


def _noting_dry_run(text: str, *, is_dry: bool) -> str:
    return f"{text} (dry run: nothing was written)" if is_dry else text
