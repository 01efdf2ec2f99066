"""Each rule of the checks, by one item that breaks it, and that sound items pass."""

import pytest

from exam_engine.infra.i18n import translator
from item_bank.checks import Place, Severity, Surroundings, check_items, check_stimulus
from item_bank.interchange.instructions import EXAMPLE_ITEMS
from item_bank.interchange.rows import read_items
from item_bank.model.item import Stimulus

CHOICE = {"kind": "single_choice", "option_a": "1", "option_b": "2", "option_c": "3", "key": "A"}
SHORT = {"kind": "short_numeric", "key": "5"}
CLUSTER = {
    "kind": "true_false_cluster",
    "option_a": "1",
    "option_b": "2",
    "option_c": "3",
    "option_d": "4",
    "key": "ĐSĐS",
}
ESSAY = {"kind": "essay", "key": "Nội dung: 1"}
ELSEWHERE = Surroundings({"1"}, {"S"})


def codes(*rows: dict[str, str], surroundings: Surroundings = ELSEWHERE) -> list[tuple[str, str]]:
    base = {"topic": "1", "level": "know", "stem": "Tính"}
    numbered = [(n, {"code": f"X-{n}", **base, **row}) for n, row in enumerate(rows, start=2)]
    read = read_items(numbered, figures={"a.svg": "/media/" + "a" * 64 + ".svg"})
    found = [*read.findings, *check_items(read.items, surroundings, read.places)]
    return [(finding.severity.value, finding.code) for finding in found]


@pytest.mark.parametrize("row", [CHOICE, SHORT, CLUSTER, ESSAY], ids=lambda row: row["kind"])
def test_a_sound_item_has_no_finding(row: dict[str, str]) -> None:
    assert codes(row) == []


def test_the_examples_of_the_template_have_no_finding() -> None:
    read = read_items(enumerate(EXAMPLE_ITEMS, start=2))
    topics = {"1.1", "2.1", "3.1"}
    assert [*read.findings, *check_items(read.items, Surroundings(topics, {"NL-01"}), read.places)] == []


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        pytest.param({**CHOICE, "key": ""}, ("error", "key-missing"), id="no key"),
        pytest.param({**CHOICE, "key": "D"}, ("error", "key-unknown-option"), id="key names no option"),
        pytest.param({**CHOICE, "key": "A,B"}, ("error", "key-unreadable"), id="two keys of a single choice"),
        pytest.param({**CHOICE, "option_c": "1"}, ("error", "options-duplicate"), id="two options alike"),
        pytest.param({**CHOICE, "option_b": "", "option_c": ""}, ("error", "options-too-few"), id="one option"),
        pytest.param({**CHOICE, "option_b": ""}, ("error", "option-empty"), id="a gap among the options"),
        pytest.param({**CHOICE, "stem": " "}, ("error", "stem-empty"), id="empty stem"),
        pytest.param(
            {**CHOICE, "option_c": "Tất cả các phương án trên"}, ("error", "all-of-above-unpinned"), id="all of above"
        ),
        pytest.param({**CHOICE, "option_c": "Cả A và B đều đúng"}, ("error", "all-of-above-unpinned"), id="both"),
        pytest.param({**CHOICE, "option_c": "None of the above"}, ("error", "all-of-above-unpinned"), id="none"),
        pytest.param({**CHOICE, "pinned": "E"}, ("error", "pinned-unknown"), id="pin without option"),
        pytest.param(
            {**CHOICE, "option_a": "một lời giải thích rất dài và cặn kẽ"}, ("warning", "length-cue"), id="cue"
        ),
        pytest.param({**SHORT, "key": "12345"}, ("error", "short-key-too-long"), id="key beyond the grid"),
        pytest.param({**SHORT, "key": "abc"}, ("error", "short-key-not-numeric"), id="key in letters"),
        pytest.param({**SHORT, "key": "1/2"}, ("error", "short-key-fraction"), id="fraction"),
        pytest.param({**SHORT, "key": "0,5"}, ("warning", "rounding-missing"), id="decimals without rounding"),
        pytest.param({**SHORT, "key": "5|5"}, ("warning", "short-key-twice"), id="accepted twice"),
        pytest.param({**CHOICE, "figure": "a.svg"}, ("error", "image-without-alt"), id="figure without words"),
        pytest.param({**CHOICE, "figure": "b.svg"}, ("error", "figure-unknown"), id="figure that is not there"),
        pytest.param({**CHOICE, "stem": "giá $5"}, ("error", "content-invalid"), id="a lone dollar"),
        pytest.param({**CHOICE, "topic": "9"}, ("error", "unknown-topic"), id="unknown topic"),
        pytest.param({**CHOICE, "level": "khó"}, ("error", "unknown-level"), id="unknown level"),
        pytest.param({**CHOICE, "kind": "điền từ"}, ("error", "unknown-kind"), id="unknown kind"),
        pytest.param({**CHOICE, "stimulus": "T"}, ("error", "unknown-stimulus"), id="unknown stimulus"),
        pytest.param({**CLUSTER, "option_d": "", "key": "ĐSĐ"}, ("warning", "cluster-size"), id="three statements"),
        pytest.param({**CLUSTER, "key": "ĐSĐ"}, ("error", "key-length"), id="key shorter than the cluster"),
        pytest.param({**CLUSTER, "key": "ĐSXS"}, ("error", "key-unreadable"), id="neither true nor false"),
        pytest.param({**CLUSTER, "steps": "0; 1"}, ("error", "steps-unfit"), id="too few steps"),
        pytest.param({**ESSAY, "key": ""}, ("error", "key-missing"), id="no rubric"),
        pytest.param({**ESSAY, "key": "Nội dung"}, ("error", "key-unreadable"), id="criterion without points"),
        pytest.param({**ESSAY, "key": "Nội dung: 0"}, ("error", "rubric-points"), id="criterion worth nothing"),
        pytest.param({**CHOICE, "stem": "a\ufffdb"}, ("error", "text-broken"), id="a lost character"),
        pytest.param({**CHOICE, "code": ""}, ("error", "cell-empty"), id="no code"),
        pytest.param({**CHOICE, "code": "T 1"}, ("error", "code-invalid"), id="a code with a space"),
        pytest.param({**CHOICE, "code": "T" * 61}, ("error", "code-invalid"), id="a code too long to keep"),
        pytest.param({**CHOICE, "stem": "<script>x</script>Tính"}, ("warning", "markup-removed"), id="markup"),
    ],
)
def test_a_rule_finds_what_it_is_for(row: dict[str, str], finding: tuple[str, str]) -> None:
    assert finding in codes(row)


def test_options_that_speak_of_others_are_fine_when_pinned() -> None:
    assert codes({**CHOICE, "option_c": "Tất cả đều đúng", "pinned": "C"}) == []


def test_the_same_question_twice_is_told() -> None:
    turned = {**CHOICE, "option_a": "2", "option_b": "1", "key": "B"}
    assert codes(CHOICE, turned) == [("warning", "identical-item")]
    assert codes(CHOICE, {**CHOICE, "option_c": "4"}) == []


def test_a_code_twice_is_an_error_of_the_later_row() -> None:
    assert codes({**CHOICE, "code": "A"}, {**SHORT, "code": "A"}) == [("error", "code-twice")]


def test_without_a_bank_topics_and_stimuli_are_not_judged() -> None:
    assert codes({**CHOICE, "topic": "9", "stimulus": "T"}, surroundings=Surroundings()) == []


def test_an_empty_stimulus_is_an_error() -> None:
    (finding,) = check_stimulus(Stimulus(code="S", content=" "))
    assert (finding.code, finding.severity) == ("stimulus-empty", Severity.ERROR)


def test_a_place_is_said_in_words_of_the_reader() -> None:
    place = Place(file="items.csv", row=17, item="T-1", field="key")
    assert place.described() == "items.csv, row 17, item T-1, column key"

    assert place.described(translator("vi")) == "items.csv, dòng 17, câu T-1, cột key"
