"""`admission allocate` on files, without a server."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exam_engine.cli.main import app
from exam_engine.infra.sheets import workbook_bytes

APPLICANTS = "SBD;Điểm;Năm 9\na;27,00;8,5\nb;26;9\nc;26;8\n"
ASPIRATIONS = "SBD;NV;Trường\na;NV1;P\na;NV2;Q\nb;1;P\nb;2;Q\nc;1;Q\n"
PROGRAMMES = "Mã;Tên;Chỉ tiêu;Điểm sàn\nP;Trường P;1;\nQ;Trường Q;1;\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["admission", "allocate", *arguments])


def tables(
    folder: Path, applicants: str = APPLICANTS, aspirations: str = ASPIRATIONS, programmes: str = PROGRAMMES
) -> list[str]:
    paths = []
    for name, text in (("applicants", applicants), ("aspirations", aspirations), ("programmes", programmes)):
        path = folder / f"{name}.csv"
        path.write_text(text, "utf-8")
        paths.append(str(path))
    return paths


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"a": "P", "b": None, "c": None}),
        (["--ties", "none"], {"a": "P", "b": None, "c": None}),
        (["--ties", "admit_all"], {"a": "P", "b": "Q", "c": "Q"}),
        (["--ties", "all"], {"a": "P", "b": "Q", "c": "Q"}),
        (["--ties", "aspiration_rank_then_admit_all"], {"a": "P", "b": None, "c": "Q"}),
        (["--ties", "criteria", "--criteria", "Năm 9"], {"a": "P", "b": "Q", "c": None}),
        (["--ties", "criteria", "--criteria", "-nam_9"], {"a": "P", "b": None, "c": "Q"}),
        (["--ties", "criteria", "--criteria", "aspiration_rank,Năm 9"], {"a": "P", "b": None, "c": "Q"}),
        (["--offset", "0,0.5"], {"a": "P", "b": None, "c": "Q"}),
        (["--percent", "0,10"], {"a": "P", "b": None, "c": "Q"}),
    ],
)
def test_tables_are_allocated_by_every_rule(
    tmp_path: Path, options: list[str], expected: dict[str, str | None]
) -> None:
    result = run(*tables(tmp_path), *options, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["assignment"] == expected


def test_the_result_is_written_with_a_reason_for_everybody(tmp_path: Path) -> None:
    out, cut_offs = tmp_path / "result.csv", tmp_path / "cut_offs.xlsx"
    result = run(*tables(tmp_path), "--out", str(out), "--cut-offs", str(cut_offs), "--language", "en")
    assert result.exit_code == 0, result.stderr
    rows = {row["candidate_number"]: row for row in csv.DictReader(io.StringIO(out.read_text("utf-8-sig")))}
    assert rows["a"]["programme"] == "P"
    assert rows["a"]["explanation"].splitlines() == [
        "1. P: Admitted with 27.00; 27.00 was needed at this rank",
        "2. Q: Not needed: aspiration 1 was granted",
    ]
    assert "2 applicants stood level at 26.00, more than the free places (1)" in rows["c"]["explanation"]
    assert cut_offs.read_bytes()[:2] == b"PK"
    assert result.stdout.splitlines()[2].split() == ["Q", "1", "0", "26.01"]


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "result.csv"
    assert run(*tables(tmp_path), "--out", str(out), "--dry-run").exit_code == 0
    assert not out.exists()


def test_workbooks_are_read_too(tmp_path: Path) -> None:
    paths = tables(tmp_path)
    workbook = tmp_path / "programmes.xlsx"
    workbook.write_bytes(workbook_bytes({"1": (["Mã", "Chỉ tiêu"], [["P", 1], ["Q", 2]])}))
    result = run(paths[0], paths[1], str(workbook), "--json")
    assert json.loads(result.stdout)["assignment"] == {"a": "P", "b": "Q", "c": "Q"}


def test_aspirations_may_bring_scores_of_their_own(tmp_path: Path) -> None:
    aspirations = "SBD,NV,Trường,Điểm\na,1,P,20\nb,1,P,21\nc,1,Q,\n"
    result = run(*tables(tmp_path, aspirations=aspirations), "--json")
    assert json.loads(result.stdout)["assignment"] == {"a": None, "b": "P", "c": "Q"}


def test_floors_apply_before_ranking(tmp_path: Path) -> None:
    programmes = 'Mã,Chỉ tiêu,Điểm sàn\nP,2,"26,5"\nQ,5,"26"\n'
    document = json.loads(run(*tables(tmp_path, programmes=programmes), "--json").stdout)
    assert document["assignment"] == {"a": "P", "b": "Q", "c": "Q"}
    assert document["reasons"]["b"][0]["code"] == "below_floor"
    assert document["cutoff_score"] == {"P": None, "Q": None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aspirations": "SBD,NV,Trường\na,1,P\na,1,Q\n"}, "row 3, column NV: applicant a has rank 1 in row 2 already"),
        ({"aspirations": "SBD,NV,Trường\na,1,P\na,3,Q\n"}, "row 3, column NV: applicant a has rank 3 but no rank 2"),
        ({"aspirations": "SBD,NV,Trường\na,1,P\na,2,P\n"}, "row 3, column Trường: applicant a chooses P in row 2"),
        ({"aspirations": "SBD,NV,Trường\na,1,X\n"}, "row 2, column Trường: there is no programme X"),
        ({"aspirations": "SBD,NV,Trường\nz,1,P\n"}, "row 2, column SBD: there is no applicant z"),
        ({"aspirations": "SBD,NV,Trường\na,first,P\n"}, "row 2, column NV"),
        ({"applicants": "SBD,Điểm\na,27\nb,26\nc,\n"}, "row 6, column score: there is no score"),
        ({"applicants": "SBD,Điểm\na,27\na,26\n"}, "row 3, column SBD: the applicant a already stands in row 2"),
        ({"applicants": "SBD,Điểm\na,27.123\nb,26\nc,1\n"}, "row 2, column Điểm"),
        ({"programmes": "Mã,Chỉ tiêu\nP,1\nP,2\nQ,1\n"}, "row 3, column Mã: programme P already stands in row 2"),
        ({"programmes": "Mã,Chỉ tiêu\nP,-1\nQ,x\n"}, "row 2, column Chỉ tiêu"),
        ({"programmes": "Mã\nP\n"}, "column quota is missing"),
        ({"programmes": "code,quota,flor\nP,1,20\nQ,1,\n"}, "column flor is not known"),
        ({"aspirations": "SBD,NV,Trường,Điẻmm\na,1,P,2\n"}, "is not known"),
        ({"applicants": "SBD,Điểm\na,-5\nb,26\nc,26\n"}, "row 2, column Điểm: a score is never below 0"),
        ({"applicants": "SBD,Điểm\na,27,5\nb,26\nc,26\n"}, "row 2: “5” stands under no column title"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    out = tmp_path / "result.csv"
    result = run(*tables(tmp_path, **changes), "--out", str(out))
    assert result.exit_code == 1
    assert words in result.stderr
    assert not out.exists()


def test_a_missing_sub_criterion_is_refused(tmp_path: Path) -> None:
    missing = run(*tables(tmp_path), "--ties", "criteria", "--criteria", "conduct")
    assert missing.exit_code == 1
    assert "conduct" in missing.stderr
    unnamed = run(*tables(tmp_path), "--ties", "criteria")
    assert unnamed.exit_code == 1
    assert "--criteria" in unnamed.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--language", "fr"],
        ["--out", "result.pdf"],
        ["--cut-offs", "limits.json"],
        ["--ties", "lottery"],
        ["--offset", "0,x"],
        ["--offset", "0,0.005"],
        ["--criteria", "a"],
        ["--then", "x"],
    ],
)
def test_misuse_is_told_from_refusal(tmp_path: Path, options: list[str]) -> None:
    assert run(*tables(tmp_path), *options).exit_code == 2


SCORED = {
    "name": "small",
    "quotas": {"P": 1, "Q": 1},
    "applicants": {
        "a": {"choices": ["P", "Q"], "score": 2700, "tie": 0},
        "b": {"choices": ["P", "Q"], "score": {"P": 2600, "Q": 2600}, "tie": 2},
        "c": {"choices": ["Q"], "score": {"Q": 2600}, "tie": 1},
    },
    "aspiration_penalty": None,
}


def write(folder: Path, document: object) -> str:
    path = folder / "instance.json"
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("ties", "penalty", "expected"),
    [
        ("key", None, {"a": "P", "b": "Q", "c": None}),
        ("all", None, {"a": "P", "b": "Q", "c": "Q"}),
        ("none", None, {"a": "P", "b": None, "c": None}),
        ("none", [0, 100], {"a": "P", "b": None, "c": "Q"}),
    ],
)
def test_the_json_form_is_allocated(
    tmp_path: Path, ties: str, penalty: list[int] | None, expected: dict[str, str | None]
) -> None:
    result = run(write(tmp_path, {**SCORED, "aspiration_penalty": penalty}), "--ties", ties, "--json")
    assert json.loads(result.stdout)["assignment"] == expected


def test_a_list_of_instances_gives_a_list_of_results(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    result = run(write(tmp_path, [SCORED, SCORED]), "--out", str(out), "--no-reasons")
    assert result.exit_code == 0, result.stderr
    assert [entry["name"] for entry in json.loads(out.read_text("utf-8"))] == ["small", "small"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "no valid JSON"),
        ("[1]", "none of the forms"),
        ('{"quotas": {"P": -1}, "applicants": {}}', "$.quotas"),
        ('{"quotas": {"P": 1}, "applicants": {"a": {"choices": ["P"], "score": 1.5}}}', "$.applicants"),
        ('{"quotas": {"P": 1}, "applicants": {"a": {"choices": ["P"], "score": {}}}}', "applicant a: no score"),
        ('{"quotas": {"P": 1}, "applicants": {"a": {"choices": ["X"], "score": 1}}}', "no programme X"),
        ('{"quotas": {"P": 1}, "applicants": {"a": {"choices": ["P", "P"], "score": 1}}}', "chosen twice"),
        ('{"quotas": {"P": 1, "P": 2}, "applicants": {}}', '"P" stands twice'),
    ],
)
def test_a_broken_document_is_refused_with_its_place(tmp_path: Path, document: str, words: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(document, "utf-8")
    result = run(str(path))
    assert result.exit_code == 1
    assert words in result.stderr


def test_both_files_are_written_or_none(tmp_path: Path) -> None:
    out, nowhere = tmp_path / "result.csv", tmp_path / "missing" / "limits.csv"
    result = run(*tables(tmp_path), "--out", str(out), "--cut-offs", str(nowhere))
    assert result.exit_code == 1
    assert f"{nowhere}: No such file" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["applicants.csv", "aspirations.csv", "programmes.csv"]


def test_fields_of_a_document_that_nobody_reads_are_named(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    path.write_text('{"quotas": {"P": 1}, "penalty": [0, 100], "applicants": {"a": {"choices": ["P"], "score": 5}}}')
    result = run(str(path), "--json")
    assert result.exit_code == 0
    assert "not read: penalty" in result.stderr
    assert json.loads(result.stdout)["assignment"] == {"a": "P"}
