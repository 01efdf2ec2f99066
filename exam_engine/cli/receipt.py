"""`exam-engine receipt`: check a candidate's receipt without a server, print our public key, write a receipt again."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from exam_engine.cli import console
from exam_engine.delivery import service
from exam_engine.delivery.errors import ReceiptMalformed
from exam_engine.delivery.receipts import GivenAnswer, Receipt, key_of, verify_receipt
from exam_engine.delivery.signing import PublishedKey, PublishedKeys, SigningKey, read_keys
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.clock import from_milliseconds
from exam_engine.infra.database import transaction
from exam_engine.infra.secrets import load_master_secret

app = typer.Typer(help="Receipts: verify one, print the public key.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that holds, for printing."""

    attempt_id: UUID
    form_hash: str
    paper_code: str
    outcome: str
    finished_at: datetime
    slots: int
    answered: int
    answers_hash: str
    answers_compared: bool
    key_id: str
    key_used_from: datetime | None
    key_used_until: datetime | None
    is_within_key: bool  # it ended while its key was in use, as far as that is known

    @classmethod
    def of(cls, receipt: Receipt, key: PublishedKey, zone: ZoneInfo, *, is_compared: bool) -> "ReceiptView":
        """Show a receipt, its moments by the clock of a place."""
        finished_at = from_milliseconds(receipt.finished_ms).astimezone(zone)
        is_early = key.used_from is not None and finished_at < key.used_from
        is_late = key.used_until is not None and finished_at > key.used_until
        return cls(
            attempt_id=receipt.attempt_id,
            form_hash=receipt.form_hash,
            paper_code=receipt.paper_code,
            outcome=receipt.outcome,
            finished_at=finished_at,
            slots=receipt.slots,
            answered=receipt.answered,
            answers_hash=receipt.answers_hash,
            answers_compared=is_compared,
            key_id=key.kid,
            key_used_from=key.used_from and key.used_from.astimezone(zone),
            key_used_until=key.used_until and key.used_until.astimezone(zone),
            is_within_key=not is_early and not is_late,
        )


class AnswersFile(msgspec.Struct, frozen=True):
    """The final answers of a paper, as `receipt show --answers` writes them."""

    answers: list[GivenAnswer]


@app.command()
def verify(
    receipt: Annotated[str, typer.Argument(help="The receipt's text, or a file that holds it.")],
    public_key: Annotated[
        str | None,
        typer.Option(
            help="File with the public keys (receipt-keys.json, PEM), or a key itself; left out: this installation's."
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="Whose clock to print; left out: that of the keys' file, or of this installation."),
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="File of final answers it must be the receipt of.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt without any server; exit code 1, and why, when it does not hold.

    Example: exam-engine receipt verify receipt.txt --public-key receipt-keys.json --answers answers.json
    """

    async def act() -> ReceiptView:
        keys = _own_keys() if public_key is None else read_keys(_content_or_text(public_key))
        given = None if answers is None else _read_answers(answers)
        text = _content_or_text(receipt)
        found = verify_receipt(text, keys.ring(), given)
        key = keys.named(key_of(text))
        if key is None:  # the ring has verified with it
            raise ReceiptMalformed("it names no key")
        return ReceiptView.of(found, key, _zone(time_zone or keys.time_zone), is_compared=answers is not None)

    console.emit(console.run(act()), as_json=as_json, text=_sentences)


@app.command()
def key(as_json: JsonOption = False) -> None:
    """Print the public key of this installation, by which anybody can check its receipts and statements.

    Example: exam-engine receipt key --json > receipt-keys.json
    """
    own = SigningKey(load_master_secret(console.settings_from_environment())).public.published()
    console.emit(PublishedKeys((own,)), as_json=as_json, text=f"key id: {own.kid}\npublic key: {own.x}")


@app.command()
def keys(as_json: JsonOption = False) -> None:
    """Print every key ever used, with its dates; keep this beside receipts and statements.

    Example: exam-engine receipt keys --json > receipt-keys.json
    """

    async def act() -> PublishedKeys:
        async with console.engine() as engine, transaction(engine.sessions) as session:
            own, zone = SigningKey(engine.master_secret), engine.settings.time_zone
            return await service.published_keys(session, own, time_zone=zone, now=engine.clock())

    found = console.run(act())
    if as_json:
        console.emit(found, as_json=True)
        return
    zone = _zone(found.time_zone)
    rows = [
        (key.kid, _moment(key.used_from, zone), _moment(key.used_until, zone) or "in use", key.x) for key in found.keys
    ]
    console.emit_table(("key", "used from", "until", "public key"), rows)


@app.command()
def show(
    sitting: Annotated[str, typer.Argument(help="Code of the sitting.")],
    candidate: Annotated[str, typer.Argument(help="Number of the candidate.")],
    as_user: Annotated[str, typer.Option("--as", help="User name of the person who asks.")],
    answers: Annotated[Path | None, typer.Option(help="Write the final answers here as well (JSON).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the receipt of a paper of a closed sitting again, from what is stored.

    Example: exam-engine receipt show CA-1 31000001 --as board --answers answers.json
    """

    async def act() -> service.StoredReceipt:
        async with console.engine() as engine, transaction(engine.sessions) as session:
            now = engine.clock()
            today = engine.local_day(now)
            person = await identity.load_person_named(session, as_user, on=today)
            context = await service.load_sitting(session, sitting)
            permission = Permission.MANAGE_SITTINGS if answers is None else Permission.READ_RESULTS
            await identity.require(
                session, person.id, permission, UnitId(context.exam_unit_id), on=engine.local_day(now)
            )
            return await service.stored_receipt(session, context.sitting, candidate, SigningKey(engine.master_secret))

    found = console.run(act())
    if answers is not None:
        try:
            answers.write_bytes(msgspec.json.format(msgspec.json.encode(AnswersFile(found.answers)), indent=1))
        except OSError as error:
            console.refuse(f"{answers}: {error.strerror}")
    console.emit({"receipt": found.text}, as_json=as_json, text=found.text)


def _sentences(view: ReceiptView) -> str:
    how = "handed in" if view.outcome == "submitted" else f"closed ({view.outcome})"
    lines = [
        "The receipt is genuine.",
        f"  paper     attempt {view.attempt_id}, paper code {view.paper_code}, form {view.form_hash[:16]}…",
        f"  {how:<9} {_told(view.finished_at)}",
        f"  answers   {view.answered} of {view.slots} slots, SHA-256 {view.answers_hash}",
    ]
    lines.append(f"  key       {view.key_id}{_period(view)}")
    if not view.is_within_key:
        lines.append("  WARNING   the paper ended at a time when this key was not in use; ask who gave you the keys")
    return "\n".join([*lines, "  These are the answers it was given for."] if view.answers_compared else lines)


def _own_keys() -> PublishedKeys:
    settings = console.settings_from_environment()
    own = SigningKey(load_master_secret(settings)).public.published()
    return PublishedKeys((own,), time_zone=settings.time_zone)


def _zone(name: str) -> ZoneInfo:
    """Return a time zone by name; none named: that of this installation."""
    try:
        return ZoneInfo(name or console.settings_from_environment().time_zone)
    except (ValueError, ZoneInfoNotFoundError):
        raise typer.BadParameter(f"there is no time zone {name[:60]}", param_hint="--time-zone") from None


def _told(moment: datetime) -> str:
    """Tell a moment by the clock of its place, with how far that is from UTC."""
    offset = moment.strftime("%z")
    return f"{moment:%d/%m/%Y %H:%M:%S}.{moment.microsecond // 1000:03d} (UTC{offset[:3]}:{offset[3:5]})"


def _moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else _told(moment.astimezone(zone))


def _period(view: ReceiptView) -> str:
    if view.key_used_from is None:
        return ""
    until = f"until {_told(view.key_used_until)}" if view.key_used_until else "and still in use"
    return f", used from {_told(view.key_used_from)} {until}"


def _content_or_text(argument: str) -> str:
    """Return the content of the file named, or the argument itself where it names none."""
    try:
        path = Path(argument)
        if len(argument) < 4096 and path.is_file():
            return path.read_text("utf-8")
    except (OSError, ValueError):  # too long or impossible for a path: a text
        return argument
    # Receipts and keys hold no stroke and no ending; whoever wrote one meant a file.
    if not argument.lstrip().startswith("{") and ("/" in argument or argument.endswith((".txt", ".json"))):
        console.refuse(f"there is no file {argument}")
    return argument


def _read_answers(path: Path) -> list[GivenAnswer]:
    content = path.read_bytes()
    try:
        if content.lstrip().startswith(b"["):
            return msgspec.json.decode(content, type=list[GivenAnswer])
        return msgspec.json.decode(content, type=AnswersFile).answers
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReceiptMalformed(f"{path}: {error}") from error
