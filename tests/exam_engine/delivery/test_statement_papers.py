"""The statement as people get it: on paper, from the shell, as a file."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import pypdfium2
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from exam_engine.cli.receipt import app as receipt_app
from exam_engine.cli.sitting import app
from exam_engine.delivery.documents import StatementIssue, statement_document
from exam_engine.delivery.signing import SigningKey, VerifyingKey
from exam_engine.delivery.statements import (
    AttemptLine,
    SignedStatement,
    Statement,
    StatementGap,
    root_of,
    signed_content,
    statement_body,
)
from exam_engine.infra.database import transaction
from exam_engine.infra.settings import Settings, environment_of
from tests.exam_engine.delivery.conftest import SECRET
from tests.exam_engine.delivery.halls import START, Hall
from tests.exam_engine.delivery.test_statements import Sessions, sat  # noqa: F401 (a fixture)

KEY = SigningKey(SECRET)


def _line(position: int) -> AttemptLine:
    return AttemptLine(
        attempt_id=uuid4(),
        candidate_number=f"31{position:06d}",
        seat_number=position,
        paper_code="1001",
        facts={"state": "submitted", "close_reason": None},
        at_seat=40,
        in_redis=40,
        stored=40,
        answered=38,
        answers_hash="ab" * 32,
        events=55,
        log_hash="cd" * 32,
        proof_hash="ef" * 32,
    )


def _signed(lines: int, gaps: tuple[StatementGap, ...] = ()) -> SignedStatement:
    attempts = tuple(_line(position) for position in range(1, lines + 1))
    statement = Statement(
        sitting_id=uuid4(),
        sitting="CA-1",
        exam="Kỳ thi thử <2027> & hơn",
        subject="Toán",
        room="P01",
        number=1,
        previous="",
        form_hash="12" * 32,
        starts_at=START,
        ends_at=START,
        made_at=START,
        made_by="person:tester",
        attempts=attempts,
        gaps=gaps,
        root=root_of(attempts),
    )
    body = statement_body(statement)
    signature = KEY.sign(signed_content(body))
    return SignedStatement(id=uuid4(), statement=statement, body=body, signature=signature, public_key=KEY.public.raw)


def _pages(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


@pytest.mark.parametrize(
    ("language", "title", "signer"),
    [("vi", "Biên bản đối chiếu bài làm", "Trưởng điểm thi"), ("en", "Reconciliation statement", "Head of the")],
)
def test_a_room_of_twenty_four_fits_one_page_with_its_signature_lines(language: str, title: str, signer: str) -> None:
    (page,) = _pages(statement_document([_signed(24)], StatementIssue(time_zone="UTC", language=language)))
    assert title in page
    assert signer in page
    assert "31000024" in page


def test_every_gap_is_named_on_paper() -> None:
    gap = StatementGap(
        attempt_id=uuid4(), candidate_number="31000002", slot=12, what="value", in_redis="12ab", stored="34cd"
    )
    (page,) = _pages(statement_document([_signed(2, (gap,))], StatementIssue(time_zone="UTC")))
    assert "31000002 · câu 12 · câu trả lời: máy chủ 12ab, cơ sở dữ liệu 34cd" in page


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_shell_states_prints_compares_and_finds(
    sat: Hall,  # noqa: F811 (the fixture)
    command: Callable[..., Result],
    tmp_path: Path,
) -> None:
    code, out = sat.sitting.code, tmp_path / "statements"
    dry = command("statement", code, "--as", sat.board, "--dry-run", "--out", out.with_suffix(".pdf"))
    assert (dry.exit_code, out.with_suffix(".pdf").exists()) == (0, False)
    told = command("statement", code, "--as", sat.board, "--out", out.with_suffix(".pdf"), "--json")
    assert told.exit_code == 0, told.output
    view = json.loads(told.stdout)
    assert [(room["room"], room["gaps"]) for room in view["rooms"]] == [("P01", 0), ("P02", 0)]
    assert len(_pages(out.with_suffix(".pdf").read_bytes())) == 2
    assert command("statement", code, "--as", sat.board, "--out", out.with_suffix(".json")).exit_code == 0
    for one in msgspec.json.decode(out.with_suffix(".json").read_bytes()):
        key = VerifyingKey(bytes.fromhex(one["public_key"]))
        assert key.accepts(bytes.fromhex(one["signature"]), signed_content(one["statement"].encode()))
    assert command("reconcile", code).exit_code == 0
    assert command("statement", code, "--as", sat.board, "--room", "P99").exit_code == 1
    assert command("statement", code, "--as", sat.board, "--out", "x.txt").exit_code == 2


async def test_the_reconciliation_names_what_was_changed_by_hand(
    sat: Hall,  # noqa: F811 (the fixture)
    command: Callable[..., Result],
    sessions: Sessions,
) -> None:
    import asyncio

    assert (await asyncio.to_thread(command, "statement", sat.sitting.code, "--as", sat.board)).exit_code == 0
    async with transaction(sessions) as session:
        await session.execute(
            text("update response set value = '\"C\"' where attempt_id = :id and slot = 1"), {"id": sat.attempt()}
        )
    found = await asyncio.to_thread(command, "reconcile", sat.sitting.code)
    assert found.exit_code == 1
    assert "31000001 (P01): response, slot 1, column value changed: stated" in found.stdout


def test_a_stored_receipt_is_written_again_and_verifies(
    sat: Hall,  # noqa: F811 (the fixture)
    command: Callable[..., Result],
    tmp_path: Path,
) -> None:
    del command  # only its environment is needed

    def run(*words: object) -> Result:
        return CliRunner().invoke(receipt_app, [str(word) for word in words])

    answers, held = tmp_path / "answers.json", tmp_path / "receipt.txt"
    shown = run("show", sat.sitting.code, "31000001", "--as", sat.board, "--answers", answers)
    assert shown.exit_code == 0, shown.output
    held.write_text(shown.stdout)
    assert run("verify", held, "--answers", answers).exit_code == 0
    absent = run("show", sat.sitting.code, "31000002", "--as", sat.board)
    assert (absent.exit_code, "not started" in absent.stderr) == (1, True)
