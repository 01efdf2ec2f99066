"""Response files: what is read, and what is refused by line and column."""

from pathlib import Path

import numpy as np
import pytest

from exam_engine.calibration.choices import Blank
from exam_engine.calibration.files.categories import BlankRules, prepare
from exam_engine.calibration.files.item_lists import read_key, read_models
from exam_engine.calibration.files.options import require_keys, scored
from exam_engine.calibration.files.response_files import (
    MISSING,
    NOT_REACHED,
    OMITTED,
    ReadingRules,
    ResponseFile,
    read_options,
    read_responses,
)
from exam_engine.infra.errors import FileRefused
from scoring.irt.models import Model

PLAIN = ReadingRules()


def read_text(text: str, rules: ReadingRules = PLAIN) -> ResponseFile:
    return read_responses(text.encode(), "r.csv", rules)


def refusals_of(text: str, rules: ReadingRules = PLAIN) -> list[tuple[str, str]]:
    with pytest.raises(FileRefused) as refused:
        read_text(text, rules)
    return [(error.place, error.reason) for error in refused.value.errors]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Số báo danh,Câu 1,Câu 2\n001,1,0\n002,0,NA\n".encode(), id="comma"),
        pytest.param("\ufeffSố báo danh;Câu 1;Câu 2\r\n001;1;0\r\n002;0;NA\r\n".encode(), id="semicolon with BOM"),
        pytest.param("Số báo danh\tCâu 1\tCâu 2\n001\t1\t0\n002\t0\tNA\n".encode("utf-16"), id="tab in UTF-16"),
        pytest.param("sep=;\nSố báo danh;Câu 1;Câu 2\n001;1;0\n\n002;0;\n".encode(), id="Excel's own line"),
        pytest.param("Số báo danh,Câu 1,Câu 2,\n001,1,0,\n002,0.0,NaN,\n".encode(), id="delimiter at the end"),
    ],
)
def test_every_usual_form_of_a_table_is_read_alike(content: bytes) -> None:
    found = read_responses(content, "r.csv", PLAIN)
    assert found.item_names == ("Câu 1", "Câu 2")
    assert found.identifiers == ("001", "002")
    assert found.marks.tolist() == [[1, 0], [0, MISSING]]


def test_patterns_groups_and_ignored_columns_are_told_apart() -> None:
    rules = ReadingRules(group="Giới tính", ignored=("Lớp",))
    found = read_text("Lớp,Giới tính,a,b,Freq\n12A,nữ,1,0,3\n12B,nam,0,1,2.5\n", rules)
    assert found.item_names == ("a", "b")
    assert found.groups == ("nữ", "nam")
    assert found.frequencies is not None
    assert found.frequencies.tolist() == [3.0, 2.5]


def test_codes_say_what_was_omitted_and_what_was_not_reached() -> None:
    rules = ReadingRules(omitted_codes=("8",), not_reached_codes=("9",), missing_codes=("x",))
    found = read_text("a,b,c\n8,9,X\n1,0,2\n", rules)
    assert found.marks.tolist() == [[OMITTED, NOT_REACHED, MISSING], [1, 0, 2]]


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        pytest.param("a,b\n1,x\n", "line 2, column b", "“x” is no category", id="a letter among digits"),
        pytest.param("a,b\n1,-1\n", "line 2, column b", "“-1” is no category", id="a negative number"),
        pytest.param("a,b\n1,0.5\n", "line 2, column b", "“0.5” is no category", id="half a category"),
        pytest.param("a,b\n1,100\n", "line 2, column b", "“100” is no category", id="a category too high"),
        pytest.param("a,b\n1," + "9" * 5000 + "\n", "line 2, column b", "no category", id="a number without end"),
        pytest.param("a,b\n1,0\n1\n", "line 3", "1 cells stand here, but the header has 2", id="a short row"),
        pytest.param("a,b\n1,0,1\n", "line 2", "3 cells stand here", id="a long row"),
        pytest.param("a,b,a\n1,0,1\n", "line 1, column a", "stands there twice", id="a column twice"),
        pytest.param("a,,b\n1,0,1\n", "line 1", "the 2. column has no title", id="a column without title"),
        pytest.param("", "file", "the file is empty", id="an empty file"),
        pytest.param("\n\n", "file", "the file is empty", id="blank lines only"),
        pytest.param("a,b\n", "file", "there are no rows", id="a header only"),
        pytest.param("id,freq\n1,2\n", "file", "there is no column with responses", id="no items"),
        pytest.param(
            "a,freq\n1,-2\n", "line 2, column freq", "is not how often a row occurred", id="a wrong frequency"
        ),
        pytest.param("a,group\n1,\n", "line 2, column group", "the cell is empty", id="no group"),
    ],
)
def test_what_cannot_be_read_is_named_by_line_and_column(text: str, place: str, reason: str) -> None:
    found = refusals_of(text)
    assert found[0][0] == place
    assert reason in found[0][1]


def test_every_mistake_is_told_in_one_pass_and_there_is_an_end() -> None:
    assert len(refusals_of("a,b\n1,x\ny,0\n1\n")) == 3
    many = refusals_of("a,b\n" + "x,y\n" * 100)
    assert len(many) == 51
    assert "may be more" in many[-1][1]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="not UTF-8"):
        read_responses(b"a,b\n\xff\xfe\xfd\n", "r.csv", PLAIN)
    with pytest.raises(FileRefused, match="not an Excel workbook"):
        read_responses(b"PK\x03\x04nothing", "r.xlsx", PLAIN)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        pytest.param(["NA"] * 4, "nobody answered this item", id="a column never answered"),
        pytest.param([1, 1, 1, 1], "all 4 responses are 1", id="all alike"),
        pytest.param([0, 1, 2, 0], "2 is no category of the model 2pl", id="a third category of a 2PL"),
    ],
)
def test_a_column_that_cannot_be_calibrated_is_named(column: list[object], reason: str) -> None:
    text = "a,b\n" + "".join(f"{i % 2},{cell}\n" for i, cell in enumerate(column))
    with pytest.raises(FileRefused) as refused:
        prepare(read_text(text), [Model.TWO_PL] * 2)
    (error,) = refused.value.errors
    assert error.column == "b"
    assert reason in error.reason


def test_a_gap_among_categories_is_named() -> None:
    with pytest.raises(FileRefused, match="nobody gave 2, but 3 occurs"):
        prepare(read_text("a,b\n0,0\n1,1\n0,3\n"), [Model.TWO_PL, Model.GPCM])


def test_categories_counted_from_one_become_counted_from_zero_item_by_item() -> None:
    found = prepare(read_text("a,b\n0,4\n1,1\n0,2\n1,3\n"), [Model.TWO_PL, Model.GRADED])
    assert found.first_categories.tolist() == [0, 1]
    assert np.asarray(found.responses.categories).tolist() == [[0, 3], [1, 0], [0, 1], [1, 2]]


def test_blanks_count_as_the_rules_say() -> None:
    text = "a,b,c\n1,,1\n0,1,\n1,0,0\n0,1,1\n"
    by_design = prepare(read_text(text), [Model.TWO_PL] * 3)
    judged = prepare(read_text(text), [Model.TWO_PL] * 3, BlankRules(is_by_position=True))
    strict = BlankRules(is_by_position=True, omitted=Blank.MISSING, not_reached=Blank.WRONG)
    assert np.asarray(by_design.responses.categories)[:2].tolist() == [[1, -1, 1], [0, 1, -1]]
    assert np.asarray(judged.responses.categories)[:2].tolist() == [[1, 0, 1], [0, 1, -1]]
    assert np.asarray(prepare(read_text(text), [Model.TWO_PL] * 3, strict).responses.categories)[:2].tolist() == [
        [1, -1, 1],
        [0, 1, 0],
    ]
    assert judged.omitted.tolist() == [0.0, 0.25, 0.0]
    assert judged.not_reached.tolist() == [0.0, 0.0, 0.25]


def test_options_are_scored_by_their_key_in_either_case() -> None:
    options = read_options(b"a,b\nA,c\nb,\nC,A\n", "o.csv", PLAIN)
    key = read_key("Câu;Đáp án\na;A|B\nb;c\n".encode(), "k.csv")
    require_keys(options, key, "k.csv")
    assert scored(options, key).marks.tolist() == [[1, 1], [1, MISSING], [0, 0]]
    with pytest.raises(FileRefused, match="the item b of the responses has no key"):
        require_keys(options, {"a": frozenset("A")}, "k.csv")


def test_a_column_of_numbers_is_no_column_of_options() -> None:
    rows = "".join(f"A,{i}\n" for i in range(70))
    with pytest.raises(FileRefused) as refused:
        read_options(f"a,b\n{rows}".encode(), "o.csv", PLAIN)
    assert {error.column for error in refused.value.errors} == {"b"}


def test_a_model_file_names_known_models_only() -> None:
    found = read_models(b"item,model,first_category\na,3PL,\nb,graded,1\n", "m.csv")
    assert (found["a"].model, found["b"].model, found["b"].first_category) == (Model.THREE_PL, Model.GRADED, 1)
    with pytest.raises(FileRefused, match="“9pl” is no model; known are rasch, 1pl"):
        read_models(b"item,model\na,9pl\n", "m.csv")


def test_the_key_of_sat12_gives_the_published_scores(reference_dir: Path) -> None:
    folder = reference_dir / "irt"
    rules = ReadingRules(omitted_codes=("8",))
    options = read_options(folder / "SAT12_raw.csv", "raw", rules)
    key = read_key(folder / "SAT12_key.csv", "key")
    ours = prepare(scored(options, key), [Model.THREE_PL] * 32)
    published = read_responses(folder / "SAT12_scored.csv", "scored", PLAIN)
    assert (np.asarray(ours.responses.categories) == published.marks).all()
