"""`exam-engine audit`: verify and read the hash-chained record of acts."""

from typing import Annotated

import msgspec
import typer

from exam_engine.audit import AuditEntry, AuditQuery, Head, Verification, service
from exam_engine.cli import console
from exam_engine.infra.database import transaction

app = typer.Typer(help="The hash-chained audit log.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class VerificationView(msgspec.Struct):
    """Outcome of a verification, for printing."""

    intact: bool
    entries: int
    head: str  # "sequence:hash": note it down, and give it to --noted another day
    broken_sequence: int | None
    reason: str


@app.command()
def verify(
    noted: Annotated[
        str | None, typer.Option(help="A head noted down earlier (sequence:hash); it must still stand there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute the whole chain; exit code 1 when an entry was changed, removed or inserted.

    Example: exam-engine audit verify --json
    """
    found = console.run(_verify(None if noted is None else _head(noted)))
    view = VerificationView(
        intact=found.is_intact,
        entries=found.count,
        head=str(found.head),
        broken_sequence=found.broken_sequence,
        reason=found.reason,
    )
    console.emit(view, as_json=as_json, text=_sentence(found))
    if not found.is_intact:
        raise typer.Exit(console.REFUSED)


@app.command("list")
def list_entries(
    actor: Annotated[str | None, typer.Option(help="Who, as in person:an.")] = None,
    action: Annotated[str | None, typer.Option(help="What: form.seal, or form. for all acts on forms.")] = None,
    subject: Annotated[str | None, typer.Option(help="On which thing.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List acts, newest first.

    Example: exam-engine audit list --action form. --limit 20
    """
    entries = console.run(_entries(AuditQuery(actor=actor, action=action, subject=subject, limit=limit)))
    if as_json:
        console.emit([_plain(entry) for entry in entries], as_json=True)
        return
    console.emit_table(
        ("sequence", "at", "actor", "action", "subject", "facts"),
        [
            (e.sequence, e.at.isoformat(), e.actor, e.action, e.subject, msgspec.json.encode(e.facts).decode())
            for e in entries
        ],
    )


async def _verify(noted: Head | None) -> Verification:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        with console.progress("Verifying") as advance:
            checked = 0

            def tell(count: int) -> None:
                nonlocal checked
                advance(count - checked)
                checked = count

            return await service.verify(session, noted=noted, progress=tell)


async def _entries(query: AuditQuery) -> list[AuditEntry]:
    async with console.engine() as engine, transaction(engine.sessions) as session:
        return list(await service.load_entries(session, query))


def _head(text: str) -> Head:
    sequence, _, digest = text.partition(":")
    try:
        return Head(int(sequence), bytes.fromhex(digest))
    except ValueError:
        raise typer.BadParameter("a head is written sequence:hash, as this command prints it") from None


def _sentence(found: Verification) -> str:
    if found.is_intact:
        return f"intact: {found.count} entries, head {found.head}"
    return f"BROKEN at entry {found.broken_sequence}: {found.reason} ({found.count} entries before it hold)"


def _facts_text(entry: AuditEntry) -> str:
    return msgspec.json.encode(entry.facts).decode()


def _plain(entry: AuditEntry) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(entry),
        "previous_hash": entry.previous_hash.hex(),
        "hash": entry.hash.hex(),
    }
