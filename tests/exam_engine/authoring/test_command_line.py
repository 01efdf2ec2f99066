"""`item check` and `item template` on files, without a server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exam_engine.cli.main import app
from tests.exam_engine.authoring.test_imports import FIGURE, HEADER, ROWS, STIMULI, TOPICS

GIFT = "$CATEGORY: 1.1\n\n::G-1::Chọn {~a =b}\n"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["item", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in (STIMULI, TOPICS, FIGURE):
        (tmp_path / file.name).write_bytes(file.content)
    (tmp_path / "items.csv").write_text("\n".join((HEADER, *ROWS)), "utf-8")
    return tmp_path


def check(folder: Path, name: str, *more: str) -> Result:
    files = ["--stimuli", str(folder / "stimuli.csv"), "--topics", str(folder / "topics.csv")]
    return run("check", str(folder / name), *files, *more)


def test_a_sound_file_has_exit_code_0(folder: Path) -> None:
    result = check(folder, "items.csv", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"file": "items.csv", "items": 3, "findings": []}


def test_a_broken_row_has_exit_code_1_and_its_place(folder: Path) -> None:
    (folder / "items.csv").write_text("\n".join((HEADER, ROWS[0].replace(",D,,", ",E,,"))), "utf-8")
    result = check(folder, "items.csv")
    assert result.exit_code == 1
    assert "items.csv, row 2, item I-1, column key: the key names E, which is no option" in result.output


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_excel_saves_is_read(folder: Path, encoding: str) -> None:
    text = (folder / "items.csv").read_text("utf-8")
    (folder / "excel.csv").write_bytes(text.encode(encoding))
    assert check(folder, "excel.csv").exit_code == 0


def test_an_old_vietnamese_encoding_is_named_and_refused(folder: Path) -> None:
    row = "I-1,Trắc nghiệm,1.1,NB,,Ch\xe4n sè lín nhÊt,1,2,3,4,D,,"
    (folder / "tcvn3.csv").write_text(f"{HEADER}\n{row}", "utf-8")
    result = check(folder, "tcvn3.csv")
    assert result.exit_code == 1
    assert "TCVN3" in result.output


def test_a_gift_file_is_checked_by_line(folder: Path) -> None:
    (folder / "sound.gift").write_text(GIFT, "utf-8")
    assert check(folder, "sound.gift").exit_code == 0
    (folder / "broken.gift").write_text(GIFT + "\n::G-2::Chọn {~a =b\n", "utf-8")
    result = check(folder, "broken.gift")
    assert result.exit_code == 1
    assert "broken.gift, line 5, character 13" in result.output


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"<html></html>", b"\xff\xfe\x00\xd8"],
    ids=["empty", "binary", "half a workbook", "a page", "half a character"],
)
def test_what_is_no_table_is_refused_with_a_sentence(folder: Path, content: bytes) -> None:
    (folder / "odd.csv").write_bytes(content)
    result = check(folder, "odd.csv")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "odd.csv" in result.output


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    assert check(folder, "nowhere.csv").exit_code == 1
    assert run("check", str(folder / "no" / "folder.csv")).exit_code == 1
    assert check(folder, "items.csv", "--media-folder", str(folder / "nowhere")).exit_code == 2


def test_the_template_is_written_and_checks_without_a_finding(tmp_path: Path) -> None:
    target = tmp_path / "mau.xlsx"
    assert run("template", str(target)).exit_code == 0
    assert run("template", str(target)).exit_code == 1
    assert run("template", str(target), "--overwrite").exit_code == 0
    result = run("check", str(target), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["items"] == 5
