"""`exam-engine sitting seb`: the Safe Exam Browser file of a sitting."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from exam_engine.cli import console


class SafeBrowserFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    file: str
    start_url: str
    config_key: str
    is_dry_run: bool


def seb(
    sitting: Annotated[str, typer.Argument(help="Code of the sitting.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write, ending in .seb.")],
    as_user: Annotated[str, typer.Option("--as", help="User name of the person who does it.")],
    quit_password: Annotated[str, typer.Option(help="What the invigilator types to leave early.")] = "",
    anew: Annotated[bool, typer.Option("--anew", help="Make new settings though there are some.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the Safe Exam Browser file of a sitting, made now if there was none; its seats are expected in it.

    Example: exam-engine sitting seb CA-1 --out ca-1.seb --quit-password 4711 --as board
    """
    from exam_engine.delivery import service as sittings
    from exam_engine.identity import service as identity
    from exam_engine.identity.model import UnitId, actor_of
    from exam_engine.identity.permissions import Permission
    from exam_engine.infra.database import transaction
    from exam_engine.invigilation import service as invigilation
    from exam_engine.invigilation.safe_browser import SafeBrowser

    console.require_ending(out, [".seb"], "--out")

    async def work() -> SafeBrowser:
        async with console.engine() as engine, transaction(engine.sessions) as session:
            now = engine.clock()
            person = await identity.load_person_named(session, as_user, on=engine.local_day(now))
            context = await sittings.load_sitting(session, sitting)
            unit = UnitId(context.exam_unit_id)
            await identity.require(session, person.id, Permission.MANAGE_SITTINGS, unit, on=engine.local_day(now))
            made = None if anew else await invigilation.find_safe_browser(session, context.sitting.id)
            if made is None:
                made = await invigilation.make_safe_browser(
                    session,
                    context,
                    base_url=engine.settings.base_url,
                    quit_password=quit_password,
                    actor=actor_of(person),
                    now=now,
                )
            if dry_run:
                await session.rollback()
            return made

    made = console.run(work())
    if not dry_run:
        try:
            out.write_bytes(made.document)
        except OSError as error:
            console.refuse(f"{out}: {error.strerror}")
    result = SafeBrowserFile(file=str(out), start_url=made.start_url, config_key=made.config_key, is_dry_run=dry_run)
    console.emit(result, as_json=as_json, text=f"{out}: opens {made.start_url}; config key {made.config_key}")
