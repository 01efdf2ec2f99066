"""`exam-engine sitting statement`: the signed statements of a closed sitting, as text, JSON or PDF."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from exam_engine.cli import console
from exam_engine.delivery import service
from exam_engine.delivery.documents import StatementIssue, statement_document
from exam_engine.delivery.register import Register
from exam_engine.delivery.service import StatementCheck, StatementMaking
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.statements import Difference, SignedStatement
from exam_engine.delivery.store import SittingContext
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId, actor_of
from exam_engine.identity.permissions import Permission
from exam_engine.infra.database import transaction
from exam_engine.infra.redis_client import ScriptRunner, require_durable


class RoomLine(msgspec.Struct, frozen=True, kw_only=True):
    """A statement for printing."""

    room: str
    number: int
    made_at: datetime
    attempts: int
    stored: int
    events: int
    gaps: int
    root: str
    hash: str

    @classmethod
    def of(cls, signed: SignedStatement) -> "RoomLine":
        """Show a statement."""
        statement = signed.statement
        return cls(
            room=statement.room,
            number=statement.number,
            made_at=statement.made_at,
            attempts=len(statement.attempts),
            stored=sum(line.stored for line in statement.attempts),
            events=sum(line.events for line in statement.attempts),
            gaps=len(statement.gaps),
            root=statement.root,
            hash=signed.hash,
        )


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """Statements of a sitting beside what is in PostgreSQL now."""

    sitting: str
    unchanged: bool
    rooms: tuple[RoomLine, ...]
    differences: tuple[Difference, ...]


def statement(
    sitting: Annotated[str, typer.Argument(help="Code of the sitting.")],
    as_user: Annotated[str, typer.Option("--as", help="User name of the person who asks.")],
    room: Annotated[str | None, typer.Option(help="Code of one room only.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the statements here: .pdf to sign, .json to keep.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Make them again; the earlier ones are kept and named.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what each room of a closed sitting held, and compare PostgreSQL with it; exit code 1 if anything differs.

    Example: exam-engine sitting statement CA-1 --as board --out statements.pdf
    """
    console.require_ending(out, (".pdf", ".json"), "--out")
    issue, signed, check = console.run(_state(sitting, as_user, is_anew=anew, is_dry=dry_run))
    shown = [one for one in signed if room is None or one.statement.room == room]
    if not shown:
        console.refuse(f"sitting {sitting} has no statement of room {room}")
    if out is not None and not dry_run:
        _write(out, shown, issue)
    view = Stated(
        sitting=sitting,
        unchanged=check.is_unchanged,
        rooms=tuple(map(RoomLine.of, shown)),
        differences=tuple(one for one in check.differences if room in (None, one.room)),
    )
    console.emit(view, as_json=as_json, text=_text)
    if not check.is_unchanged or any(one.statement.gaps for one in shown):
        raise typer.Exit(console.REFUSED)


def difference_line(one: Difference) -> str:
    """Say in one line where something differs."""
    who = " ".join(part for part in (one.candidate_number, f"({one.room})" if one.room else "") if part)
    place = "".join(
        (
            one.table,
            f", slot {one.slot}" if one.slot is not None else "",
            f", entry {one.stream_id}" if one.stream_id else "",
            f", column {one.column}" if one.column else "",
        )
    )
    hashes = f": stated {one.stated or '–'}, now {one.found or '–'}" if one.stated or one.found else ""
    return f"{who or 'all'}: {place} {one.kind.value}{hashes}"


async def _state(
    code: str, user_name: str, *, is_anew: bool, is_dry: bool
) -> tuple[StatementIssue, list[SignedStatement], StatementCheck]:
    async with console.engine() as engine:
        register = Register(ScriptRunner(engine.redis, await require_durable(engine.redis)))
        key = SigningKey(engine.master_secret)
        try:
            async with transaction(engine.sessions) as session:
                now = engine.clock()
                person = await identity.load_person_named(session, user_name, on=engine.local_day(now))
                context: SittingContext = await service.load_sitting(session, code)
                unit = UnitId(context.exam_unit_id)
                await identity.require(session, person.id, Permission.MANAGE_SITTINGS, unit, on=engine.local_day(now))
                making = StatementMaking(session=session, register=register, key=key, actor=actor_of(person), now=now)
                signed = await service.make_statements(making, context.sitting.id, is_anew=is_anew)
                check = await service.check_statements(session, context.sitting.id, key)
                if is_dry:
                    await session.rollback()
        finally:
            await register.close()
        settings = engine.settings
        issue = StatementIssue(time_zone=settings.time_zone, language=settings.default_language)
        return issue, signed, check


def _write(out: Path, signed: list[SignedStatement], issue: StatementIssue) -> None:
    try:
        if out.suffix == ".pdf":
            out.write_bytes(statement_document(signed, issue))
        else:
            out.write_bytes(msgspec.json.encode([_kept(one) for one in signed]))
    except OSError as error:
        console.refuse(f"{out}: {error.strerror}")


def _kept(signed: SignedStatement) -> dict[str, Any]:
    # The body goes along as text, byte for byte, because the signature is over these very bytes.
    return {
        "statement": signed.body.decode(),
        "signature": signed.signature.hex(),
        "public_key": signed.public_key.hex(),
    }


def _text(view: Stated) -> str:
    lines = [
        f"{line.room or '–':<8} no. {line.number}  attempts {line.attempts:>5}  answers {line.stored:>7}  "
        f"raw events {line.events:>7}  gaps {line.gaps:>3}  root {line.root[:16]}…"
        for line in view.rooms
    ]
    lines.append("unchanged since: yes" if view.unchanged else f"unchanged since: no, {len(view.differences)} places")
    return "\n".join([*lines, *(f"  {difference_line(one)}" for one in view.differences)])
