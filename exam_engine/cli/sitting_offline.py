"""`exam-engine sitting release-code` and `restore`: rooms whose network is out, and files their seats leave behind."""

from pathlib import Path
from typing import Annotated

import typer

from exam_engine.cli import console
from exam_engine.cli.sitting_desk import AsOption, DryRunOption, JsonOption, SittingArgument, desk_of, note_dry
from exam_engine.delivery import hand_over, service
from exam_engine.delivery.hand_over import HandOverFile, Restored
from exam_engine.delivery.hot_path import open_delivery
from exam_engine.delivery.service import Desk
from exam_engine.delivery.service.release import ReleaseCode
from exam_engine.delivery.service.release import release_code as tell_code
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.database import transaction
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.secrets import load_master_secret


def release_code(
    sitting: SittingArgument,
    as_user: AsOption,
    room: Annotated[str, typer.Option(help="Code of the room; left out: those who sit anywhere.")] = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the code with which a room without a network opens the papers it has fetched; not before the start.

    Example: exam-engine sitting release-code CA-1 --room P01 --as board
    """

    async def act() -> ReleaseCode:
        async with desk_of(sitting, as_user, Permission.INVIGILATE) as (desk, context):
            secret = load_master_secret(console.settings_from_environment())
            told = await tell_code(desk, context.sitting.id, room, secret)
            if dry_run:
                await desk.session.rollback()
            return told

    told = console.run(act())
    console.emit(told, as_json=as_json, text=lambda found: found.code)
    note_dry(dry_run)


def restore(
    file: Annotated[Path, typer.Argument(help="Hand-over file a seat has saved.")],
    as_user: AsOption,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take the answers of a hand-over file in, by the rules of every save; the same file again changes nothing.

    Example: exam-engine sitting restore ban-giao-31000123.exam.json --as board --dry-run
    """
    restored = console.run(_restore(file, as_user, is_dry=dry_run))
    console.emit(restored, as_json=as_json, text=_told)
    note_dry(dry_run)
    if restored.late:
        raise typer.Exit(console.REFUSED)


async def _restore(path: Path, user_name: str, *, is_dry: bool) -> Restored:
    file = _read(path)
    async with (
        console.engine() as engine,
        open_delivery(
            clock=engine.clock, sessions=engine.sessions, redis=engine.redis, master_secret=engine.master_secret
        ) as delivery,
        transaction(engine.sessions) as session,
    ):
        now = engine.clock()
        person = await identity.load_person_named(session, user_name, on=engine.local_day(now))
        context = await service.load_sitting(session, file.sitting_id)
        unit = UnitId(context.exam_unit_id)
        await identity.require(session, person.id, Permission.INVIGILATE, unit, on=engine.local_day(now))
        desk = Desk(session=session, register=delivery.register, actor=actor_of(person), now=now)
        return await hand_over.restore_file(delivery, desk, context.sitting.id, file, dry_run=is_dry)


def _read(path: Path) -> HandOverFile:
    try:
        return hand_over.read_file(path.read_bytes())
    except OSError as error:
        raise FileRefused(path.name, [RowError(path.name, error.strerror or "cannot be read")]) from error


def _told(found: Restored) -> str:
    late = f", {found.late} came too late and are kept as evidence" if found.late else ""
    return (
        f"{found.candidate_number} {found.candidate_name}: {found.taken} answers taken in, "
        f"{found.known} were known already{late}"
    )
