"""Graduation scores and scores of files: what the documented formats promise, and mistakes named by their place."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exam_engine.cli.main import app
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.sheets import workbook_bytes
from exam_engine.results.graduation_files import compute_file
from exam_engine.results.response_files import read_keys, score_file
from scoring.graduation import load_rules

RULES = load_rules("grad_2025")
HEADER = "sbd,TOAN,VAN,LI,HOA,NN,TB10,TB11,TB12,Khuyến khích,Diện ưu tiên,Miễn thi\n"
RECORDS = HEADER + (
    '31000001,"6,75","5,25","7,00","6,25",,"7,15","7,42","7,88",,,\n'
    "31000002,6.75,5.25,7.00,6.25,,7.15,7.42,7.88,2.0,2,\n"
    "31000003,6.75,5.25,7.00,,,7.15,7.42,7.88,,,NN\n"
    "31000004,V,5.25,7.00,6.25,,7.15,7.42,7.88,,,\n"
)
KEYS = {
    "title": "Toán",
    "slots": [
        {"slot": 1, "part": 1, "points": "0.25", "key": {"rule": "one_option", "accepted": ["B"]}},
        {"slot": 2, "part": 1, "points": 0.25, "key": {"rule": "option_set", "correct": ["A", "C"]}},
        {
            "slot": 3,
            "part": 2,
            "points": 1,
            "key": {"rule": "cluster", "statements": {"a": True, "b": False, "c": True, "d": False}},
        },
        {"slot": 4, "part": 3, "points": "0.5", "key": {"rule": "short_answer", "accepted": ["0,5"]}},
        {
            "slot": 5,
            "part": 4,
            "points": "2",
            "key": {"rule": "rubric", "criteria": [{"id": "c1", "title": "Content", "maximum": 200}]},
        },
    ],
    "paper_codes": {
        "0101": [
            {"slot": 2, "options": "DCBA"},
            {"slot": 1, "options": "BADC"},
            {"slot": 3, "options": "dcba"},
            {"slot": 4},
            {"slot": 5},
        ]
    },
}


def computed(text: str, name: str = "records.csv", **options: int) -> dict[str, str | None]:
    """Candidate number to score."""
    found = compute_file(text.encode(), name, RULES, **options)  # type: ignore[arg-type]
    return {r.candidate_number: None if r.outcome.score is None else f"{r.outcome.score / 100:.2f}" for r in found}


def refusals(text: str, name: str = "records.csv") -> list[tuple[str, str]]:
    with pytest.raises(FileRefused) as refused:
        compute_file(text.encode(), name, RULES)
    return [(error.place, error.reason) for error in refused.value.errors]


def scored(text: str, keys: object = KEYS) -> dict[str, int | None]:
    return {
        entry.candidate_number: entry.score.total
        for entry in score_file(text.encode(), "responses.csv", read_keys(json.dumps(keys).encode(), "keys.json"))
    }


def test_a_table_with_vietnamese_titles_is_computed() -> None:
    assert computed(RECORDS) == {"31000001": "6.96", "31000002": "7.46", "31000003": "6.97", "31000004": None}


def test_json_numbers_are_read_digit_by_digit() -> None:
    cells = {"toan": 4.95, "van": 4.95, "su": 4.95, "dia": 4.95, "year10": 5, "year11": 5.0, "year12": "5"}
    assert computed(json.dumps([cells]), "records.json") == {"": "4.98"}


def test_json_records_may_group_marks_and_years() -> None:
    record = {
        "candidate_number": "1",
        "marks": {"TOAN": 6.75, "VAN": 5.25, "LI": 7.0, "HOA": None},
        "years": {"10": 7.15, "11": 7.42, "12": 7.88},
        "conserved": {"HOA": "6.25"},
        "encouragement": ["2.0", 1.5],
        "cancelled": False,
    }
    assert computed(json.dumps({"records": [record]}), "records.json") == {"1": "7.21"}


@pytest.mark.parametrize(
    ("rows", "place", "reason"),
    [
        pytest.param("1,11,5,5,5,,5,5,5,,,\n", "row 2, column toan", "11 is outside 0 to 10", id="a mark above ten"),
        pytest.param(
            "1,5,5,5,5,,5,5,5,,,\n1,6,5,5,5,,5,5,5,,,\n",
            "row 3, column candidate_number",
            "candidate number 1 stands there twice",
            id="a number twice",
        ),
        pytest.param(
            "1,5,5,5,5,,5,5,5,,7,\n", "row 2, column priority_group", "there is no priority group 7", id="group"
        ),
    ],
)
def test_a_mistake_refuses_the_file_with_its_place(rows: str, place: str, reason: str) -> None:
    ((found_place, found_reason),) = refusals(HEADER + rows)
    assert found_place == place
    assert reason in found_reason


def test_an_unknown_column_is_told_once() -> None:
    assert refusals("sbd,TOAN,latin\n1,5,5\n2,5,5\n") == [
        ("header, column latin", "the column latin is not known"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [("{", "file"), ('{"x": 1}', "file"), ("[1]", "record 1"), ('[{"toan": {"a": 1}}]', "record 1")],
    ids=["no JSON", "no records", "a number", "an object for a mark"],
)
def test_json_of_another_shape_is_refused(text: str, place: str) -> None:
    assert refusals(text, "records.json")[0][0] == place


def test_a_year_for_the_whole_file_is_checked_against_the_rules() -> None:
    assert computed(RECORDS, exam_year=2027)["31000001"] == "6.96"
    with pytest.raises(FileRefused, match="2025 on, not of 2024"):
        computed(RECORDS, exam_year=2024)


def test_responses_are_scored_in_master_letters() -> None:
    text = 'so_bao_danh,1,2,3,4,5\n001,B,"A,C",ĐSĐS,"0,50",1.75\n002,B,AC,TF-*,.5,\n003,AB,A,FTFT,,\n004,-,,,,\n'
    assert scored(text) == {"001": 375, "002": 75, "003": 0, "004": 0}


def test_a_paper_code_turns_places_and_letters_into_the_masters() -> None:
    # Place 1 shows slot 2 as D C B A: displayed B and D are master C and A. Place 2 shows slot 1 as B A D C.
    # Place 3 shows the statements as d c b a: FTFT there is TFTF in the master form.
    assert scored("sbd,ma_de,1,2,3,4,5\n001,0101,BD,A,FTFT,0.5,2\n") == {"001": 400}


def test_statements_may_have_a_column_each() -> None:
    assert scored("sbd,3a,3b,3c,3d\n001,Đ,S,Đ,S\n002,1,0,,\n") == {"001": 100, "002": 25}
    assert scored("sbd,3a,3b,3c,3d\n001,TRUE,false,Đúng,Sai\n") == {"001": 100}


def test_a_truth_value_of_excel_judges_a_statement_but_is_no_mark() -> None:
    statements = workbook_bytes({"s": (["sbd", "3a", "3b", "3c", "3d"], [["001", True, False, True, False]])})
    assert [
        r.score.total for r in score_file(statements, "r.xlsx", read_keys(json.dumps(KEYS).encode(), "k.json"))
    ] == [100]
    marks = workbook_bytes({"s": (["sbd", "TOAN"], [["1", True]])})
    with pytest.raises(FileRefused) as refused:
        compute_file(marks, "records.xlsx", RULES)
    assert refused.value.errors[0].place == "row 2, column toan"


def test_a_key_twice_in_a_json_record_is_refused() -> None:
    ((place, reason),) = refusals('[{"candidate_number": "1", "marks": {"TOAN": 5, "TOAN": 6}}]', "records.json")
    assert place == "file"
    assert "“TOAN” stands there twice" in reason


def test_an_unquoted_decimal_comma_shifts_no_marks() -> None:
    ((place, reason),) = refusals("sbd,TOAN,VAN,LI,HOA\n1,6,5,5,5,6,5,5,5\n")
    assert place == "row 2"
    assert "no column title" in reason


@pytest.mark.parametrize(
    ("ordering", "reason"),
    [
        pytest.param({"slot": 1, "options": "BBDC"}, "each of ABCD once", id="a letter twice"),
        pytest.param({"slot": 1, "options": "XYZW"}, "each of ABCD once", id="letters that are none"),
        pytest.param({"slot": 1, "options": "A"}, "does not show B", id="the key is not among them"),
        pytest.param({"slot": 3, "options": "ba"}, "does not show A B C D", id="statements left out"),
        pytest.param({"slot": 4, "options": "AB"}, "no options", id="options of a short answer"),
    ],
)
def test_a_paper_code_must_show_the_options_of_its_slots(ordering: dict[str, object], reason: str) -> None:
    places = [place if place["slot"] != ordering["slot"] else ordering for place in KEYS["paper_codes"]["0101"]]  # type: ignore[index, call-overload]
    with pytest.raises(FileRefused) as refused:
        read_keys(json.dumps({**KEYS, "paper_codes": {"0101": places}}).encode(), "keys.json")
    assert refused.value.errors[0].place == f"paper code 0101, slot {ordering['slot']}"
    assert reason in refused.value.errors[0].reason


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        pytest.param("sbd,9\n1,A\n", "header, column 9", "no such slot", id="a slot the form has not"),
        pytest.param("sbd,1\n1,7\n", "row 2, column 1", "is not a letter", id="a number for a letter"),
        pytest.param("sbd,3\n1,TF\n", "row 2, column 3", "does not judge 4 statements", id="two of four statements"),
        pytest.param("sbd,3\n1,TFXX\n", "row 2, column 3", "neither true nor false", id="an unknown sign"),
        pytest.param("sbd,ma_de,1\n1,0199,A\n", "row 2, column paper_code", "known: 0101", id="an unknown paper code"),
        pytest.param(
            "sbd,5\n1,2.5\n", "row 2, column 5", "more than the rubric gives, 2", id="a mark above its rubric"
        ),
        pytest.param("sbd,5\n1,good\n", "row 2, column 5", "is not a mark", id="a word for a mark"),
        pytest.param("sbd,1\n1,A\n1,B\n", "row 3, column candidate_number", "twice", id="a number twice"),
        pytest.param("sbd,1,cau_1\n1,A,B\n", "header, column cau_1", "same responses", id="a slot in two columns"),
        pytest.param("sbd,3,3a\n1,TFTF,F\n", "header, column 3a", "same responses", id="a statement in two columns"),
        pytest.param("sbd,1a\n1,T\n", "row 2, column 1a", "no statements", id="statements of a choice"),
    ],
)
def test_a_response_that_cannot_be_read_refuses_the_file(text: str, place: str, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        scored(text)
    assert refused.value.errors[0].place == place
    assert reason in refused.value.errors[0].reason


@pytest.mark.parametrize(
    ("slots", "place"),
    [
        pytest.param([], "slots", id="none"),
        pytest.param([KEYS["slots"][0], KEYS["slots"][0]], "slot 1", id="a slot twice"),  # type: ignore[index]
        pytest.param(
            [{"slot": 1, "points": "0", "key": {"rule": "one_option", "accepted": ["A"]}}], "slot 1, points", id="0"
        ),
        pytest.param(
            [{"slot": 1, "points": "0.125", "key": {"rule": "one_option", "accepted": ["A"]}}],
            "slot 1, points",
            id="three decimals",
        ),
        pytest.param(
            [{"slot": 1, "points": "1", "key": {"rule": "one_option", "accepted": []}}], "slot 1, accepted", id="no key"
        ),
        pytest.param(
            [{"slot": 1, "points": "1e9", "key": {"rule": "one_option", "accepted": ["A"]}}],
            "slot 1, points",
            id="too many points",
        ),
        pytest.param(
            [{"slot": 1, "points": "1", "key": {"rule": "one_option", "accepted": ["AB"]}}],
            "slot 1, accepted",
            id="two letters in one",
        ),
        pytest.param(
            [{"slot": 1, "points": "1", "key": {"rule": "one_option", "accepted": ["Z"]}}],
            "slot 1, accepted",
            id="a letter no item has",
        ),
        pytest.param(
            [{"slot": 1, "points": "1", "key": {"rule": "option_set", "correct": ["a"]}}],
            "slot 1, correct",
            id="a small letter",
        ),
        pytest.param([{"slot": 1, "points": "1", "key": {"rule": "guess"}}], "file", id="an unknown rule"),
    ],
)
def test_keys_that_make_no_sense_are_refused(slots: list[object], place: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_keys(json.dumps({"slots": slots}).encode(), "keys.json")
    assert refused.value.errors[0].place == place


def test_a_missing_file_is_the_one_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text(RECORDS, encoding="utf-8")
    arguments = ["graduation", "compute", str(tmp_path / "records.csv"), "--rules", str(tmp_path / "rules.json")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "rules.json: No such file" in result.stderr


def test_the_commands_compute_and_score_files(tmp_path: Path) -> None:
    run = CliRunner().invoke
    (tmp_path / "records.csv").write_text(RECORDS, encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    (tmp_path / "responses.csv").write_text("sbd,1\n001,B\n", encoding="utf-8")
    records, responses = str(tmp_path / "records.csv"), str(tmp_path / "responses.csv")
    graduated = run(app, ["graduation", "compute", records, "--rules", "grad_2025", "--json", "--trace"])
    assert graduated.exit_code == 0
    assert [entry["score"] for entry in json.loads(graduated.stdout)] == ["6.96", "7.46", "6.97", None]
    assert json.loads(graduated.stdout)[0]["lines"][-1] == {
        "label": "Result",
        "formula": "",
        "value": "passed",
        "note": "",
    }
    shown = run(app, ["graduation", "compute", records, "--rules", "grad_2025", "--trace", "--language", "vi"])
    assert "(7,15 × 1 + 7,42 × 2 + 7,88 × 3) / 6 = 7,605 → 7,61" in shown.stdout
    points = run(app, ["item", "score", responses, "--keys", str(tmp_path / "keys.json")])
    assert points.stdout.splitlines()[1].startswith("001,0.25,0.25")
    assert run(app, ["graduation", "rules"]).stdout.count("grad_20") == 2


def test_a_refused_file_ends_the_command_with_code_one(tmp_path: Path) -> None:
    file = tmp_path / "records.csv"
    file.write_text(HEADER + "1,11,5,5,5,,5,5,5,,,\n", encoding="utf-8")
    refused = CliRunner().invoke(app, ["graduation", "compute", str(file), "--rules", "grad_2025"])
    assert refused.exit_code == 1
    assert "row 2, column toan: 11 is outside 0 to 10" in refused.stderr
    assert refused.stdout == ""
    missing = CliRunner().invoke(app, ["graduation", "compute", str(tmp_path / "none.csv"), "--rules", "grad_2025"])
    assert missing.exit_code == 1
