"""A wrong file, number, wish, slot or code: a clear refusal that names the place, and nothing is changed."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from sqlalchemy import text

from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import transaction
from exam_engine.infra.settings import environment_of
from tests.api.conftest import House

KEPT = (
    *("item", "item_version", "stimulus", "stimulus_version", "topic", "media", "candidate", "candidate_subject"),
    *("room", "seat", "subject_mark", "programme", "aspiration", "exam", "exam_subject", "audit_entry"),
)

CONTENT = "select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t"


async def digest(house: House) -> dict[str, str]:
    """The whole content of every table an import could touch."""
    async with transaction(house.engine.sessions) as session:
        return {table: str(await session.scalar(text(CONTENT.format(table=table)))) for table in KEPT}


@asynccontextmanager
async def nothing_changes(house: House) -> AsyncIterator[None]:
    before = await digest(house)
    yield
    assert await digest(house) == before


async def command(house: House, *words: str) -> tuple[int, str, str]:
    """Run a command of the product on the servers of the tests: exit code, stdout, stderr."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith("EXAM_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exam_engine.cli.main", *words),
        env=rest | environment_of(house.settings) | {"COLUMNS": "400"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def workbook(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("candidates")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


async def upload(client: httpx.AsyncClient, path: str, name: str, content: bytes) -> httpx.Response:
    return await client.post(path, files={"file": (name, content, "application/octet-stream")})


def refusal_of(answer: httpx.Response, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 422, answer.text
    assert body["code"] == code
    return body


HEADER = ["candidate_number", "full_name", "date_of_birth", "school", "subjects"]


async def test_a_broken_excel_row_is_named_by_row_and_column(house: House, tmp_path: Path) -> None:
    rows = [
        HEADER,
        ["900001", "Trần Thị Ánh", "05/09/2010", "THPT-A", "LQ"],
        ["900002", "Lê Văn Bê", "31/02/2010", "THPT-A", "LQ"],
    ]
    book = workbook(tmp_path / "candidates.xlsx", rows)
    async with house.staff("board") as board, nothing_changes(house):
        answer = await upload(board, "/api/exams/lam-quen-2027/candidates", book.name, book.read_bytes())
        body = refusal_of(answer, "file-refused")
        assert [error["place"] for error in body["errors"]] == ["dòng 3, cột date_of_birth"]
        assert "31/02/2010" in body["errors"][0]["reason"]
        code, out, err = await command(house, "candidate", "import", str(book), "--exam", "lam-quen-2027")
        assert (code, out) == (1, "")
        assert "row 3" in err
        assert "date_of_birth" in err
        assert "Traceback" not in err


async def test_a_file_that_is_no_workbook_is_refused(house: House) -> None:
    async with house.staff("board") as board, nothing_changes(house):
        for content in (b"", b"PK\x03\x04broken", b"\x00" * 50):
            answer = await upload(board, "/api/exams/lam-quen-2027/candidates", "candidates.xlsx", content)
            refusal_of(answer, "file-refused")


async def test_a_duplicate_candidate_number_is_named_with_its_row(house: House) -> None:
    lines = [",".join(HEADER), "900007,Trần Thị Ánh,05/09/2010,THPT-A,LQ", "900007,Lê Văn Bê,06/09/2010,THPT-A,LQ"]
    async with house.staff("board") as board, nothing_changes(house):
        answer = await upload(board, "/api/exams/lam-quen-2027/candidates", "candidates.csv", "\n".join(lines).encode())
        error = refusal_of(answer, "file-refused")["errors"][0]
        assert error["place"] == "dòng 3, cột candidate_number"
        assert "900007" in error["reason"]


async def test_an_unknown_aspiration_is_named_with_its_row(house: House) -> None:
    number = (await house.candidates("vao-10-2027"))[0].number
    lines = ["candidate_number,rank,programme", f"{number},1,NO-SUCH-SCHOOL"]
    async with house.staff("admission") as officer, nothing_changes(house):
        answer = await upload(
            officer, "/api/exams/vao-10-2027/aspirations", "aspirations.csv", "\n".join(lines).encode()
        )
        error = refusal_of(answer, "file-refused")["errors"][0]
        assert error["place"] == "dòng 2, cột programme"
        assert "NO-SUCH-SCHOOL" in error["reason"]


async def test_a_syntax_error_in_gift_is_named_by_its_line(house: House, tmp_path: Path) -> None:
    gift = tmp_path / "items.gift"
    gift.write_text("::A-1:: Hai cộng hai bằng mấy? {=4 ~5}\n\n::A-2:: Ba cộng ba bằng mấy? {=6 ~7\n", "utf-8")
    async with nothing_changes(house):
        code, out, err = await command(
            house, "item", "import", str(gift), "--bank", "lam-quen", "--as", "author", "--json"
        )
    assert code == 1, out + err
    assert "3" in out + err
    assert "items.gift" in out + err
    assert "Traceback" not in err


async def test_an_answer_for_a_slot_the_paper_has_not_saves_nothing(house: House) -> None:
    async with house.seat("lam-quen-2027", 19) as seat:
        attempt = (await seat.get("/api/candidate/attempts")).json()["attempts"][0]["attempt_id"]
        started = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "slots"})).json()
        known, unknown = (
            {"slot": slot, "sequence": 1, "value": "A", "client_time_ms": 0}
            for slot in (1, len(started["ordering"]) + 1)
        )
        body = {"lease": started["lease"], "responses": [known, unknown]}
        refused = refusal_of(await seat.post(f"/api/attempts/{attempt}/responses", json=body), "unknown-slot")
        assert refused["slot"] == unknown["slot"]
        assert str(unknown["slot"]) in refused["detail"]
        again = (await seat.post(f"/api/attempts/{attempt}/start", json={"client_id": "slots"})).json()
        assert again["responses"] == []
        async with transaction(house.engine.sessions) as session:
            assert not await session.scalar(
                text("select count(*) from response where attempt_id = :id"), {"id": attempt}
            )


@pytest.mark.usefixtures("fresh_limits")
async def test_an_expired_code_says_until_when_it_was_valid(house: House, visitor: httpx.AsyncClient) -> None:
    card = await house.card("vao-10-2027", 0)
    now = house.engine.clock()
    exam = await house.exam("vao-10-2027")

    async def valid_until(moment: Any) -> None:
        async with transaction(house.engine.sessions) as session:
            await enrolment.set_codes_valid_until(session, exam, moment, actor="system:test", now=now)

    await valid_until(now - timedelta(days=1))
    try:
        async with nothing_changes(house):
            for path, code in (
                ("/api/candidate/sign-in", card.sit_code),
                ("/api/admission/look-up", card.look_up_code),
            ):
                answer = await visitor.post(path, json=card.claim(code))
                assert (answer.status_code, answer.json()["code"]) == (403, "code-expired"), answer.text
                assert answer.json()["valid_until"][:10] == (now - timedelta(days=1)).date().isoformat()
                # Only who holds the right code learns that it has expired.
                wrong = await visitor.post(path, json=card.claim("0000-0000-0000"))
                assert wrong.json()["code"] == "code-refused"
    finally:
        await valid_until(exam.codes_valid_until)


async def test_a_refusal_on_the_command_line_is_json_when_asked(house: House, tmp_path: Path) -> None:
    marks = tmp_path / "marks.csv"
    marks.write_text("candidate_number,VAN\n00000000,7\n", "utf-8")
    async with nothing_changes(house):
        code, out, err = await command(house, "marks", "import", str(marks), "--exam", "thi-thu-tn-2027", "--json")
    assert code == 1
    assert "00000000" in out + err
    if out:
        json.loads(out)
