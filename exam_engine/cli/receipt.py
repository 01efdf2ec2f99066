"""`exam-engine receipt`: check a candidate's receipt without a server, print our public key, write a receipt again."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from exam_engine.cli import console
from exam_engine.delivery import service
from exam_engine.delivery.errors import ReceiptMalformed
from exam_engine.delivery.receipts import GivenAnswer, Receipt, verify_receipt
from exam_engine.delivery.signing import KeyRing, PublishedKeys, SigningKey, key_ring, read_keys
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

    @classmethod
    def of(cls, receipt: Receipt, *, is_compared: bool) -> "ReceiptView":
        """Show a receipt."""
        return cls(
            attempt_id=receipt.attempt_id,
            form_hash=receipt.form_hash,
            paper_code=receipt.paper_code,
            outcome=receipt.outcome,
            finished_at=from_milliseconds(receipt.finished_ms),
            slots=receipt.slots,
            answered=receipt.answered,
            answers_hash=receipt.answers_hash,
            answers_compared=is_compared,
        )


class AnswersFile(msgspec.Struct, frozen=True):
    """The final answers of a paper, as `receipt show --answers` writes them."""

    answers: list[GivenAnswer]


@app.command()
def verify(
    receipt: Annotated[str, typer.Argument(help="The receipt's text, or a file that holds it.")],
    public_key: Annotated[
        str | None,
        typer.Option(help="File with the public key, or the key itself; left out: the key of this installation."),
    ] = None,
    answers: Annotated[Path | None, typer.Option(help="File of final answers it must be the receipt of.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt without any server; exit code 1, and why, when it does not hold.

    Example: exam-engine receipt verify receipt.txt --public-key receipt-keys.json --answers answers.json
    """

    async def act() -> Receipt:
        keys = _own_keys() if public_key is None else read_keys(_content_or_text(public_key))
        given = None if answers is None else _read_answers(answers)
        return verify_receipt(_content_or_text(receipt), keys, given)

    view = ReceiptView.of(console.run(act()), is_compared=answers is not None)
    console.emit(view, as_json=as_json, text=_sentences)


@app.command()
def key(as_json: JsonOption = False) -> None:
    """Print the public key of this installation, by which anybody can check its receipts and statements.

    Example: exam-engine receipt key --json > receipt-keys.json
    """
    own = SigningKey(load_master_secret(console.settings_from_environment())).public.published()
    console.emit(PublishedKeys((own,)), as_json=as_json, text=f"key id: {own.kid}\npublic key: {own.x}")


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
            person = await identity.load_person_named(session, as_user, on=now.date())
            context = await service.load_sitting(session, sitting)
            permission = Permission.MANAGE_SITTINGS if answers is None else Permission.READ_RESULTS
            await identity.require(session, person.id, permission, UnitId(context.exam_unit_id), on=now.date())
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
        f"  {how:<9} {view.finished_at.isoformat(timespec='milliseconds')}",
        f"  answers   {view.answered} of {view.slots} slots, SHA-256 {view.answers_hash}",
    ]
    return "\n".join([*lines, "  These are the answers it was given for."] if view.answers_compared else lines)


def _own_keys() -> KeyRing:
    return key_ring([SigningKey(load_master_secret(console.settings_from_environment())).public])


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
