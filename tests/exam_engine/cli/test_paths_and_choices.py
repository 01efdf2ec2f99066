"""What a command says about a place it cannot write to, and about a choice it does not have."""

import sys
from pathlib import Path

import pytest

from exam_engine.cli.main import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["exam-engine", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_path_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "missing" / "template.xlsx"
    assert run(monkeypatch, "item", "template", str(target)) == 1
    said = capsys.readouterr()
    assert said.err == f"refused: {target}: No such file or directory\n"
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("item", "template", "template.xlsx", "--language", "fr"),
        ("item", "check", "items.csv", "--language", "fr"),
        ("admission", "export", "vao-10-2027", "--out", "decisions.csv", "--language", "fr"),
        ("admission", "export", "vao-10-2027", "--out", "decisions.pdf"),
    ],
)
def test_a_language_or_format_we_do_not_have_is_misuse(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    assert "Invalid value for" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
