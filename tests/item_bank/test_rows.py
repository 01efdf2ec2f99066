"""The template: what authors write in its cells, and that what is written out reads back equal."""

import pytest
from hypothesis import HealthCheck, given, settings

from exam_engine.infra.files import read_table
from exam_engine.infra.sheets import csv_bytes
from item_bank.interchange.columns import EXTRA_COLUMNS, ITEM_COLUMNS
from item_bank.interchange.excel import template_bytes, workbook_bytes
from item_bank.interchange.export import item_rows, lines_of, stimulus_rows, titles_of, topic_rows
from item_bank.interchange.keys import KeyUnreadable, read_key, write_key
from item_bank.interchange.rows import ReadItems, read_items, read_stimuli, read_topics
from item_bank.model.item import Item, Level, Stimulus
from item_bank.model.taxonomy import Topic, find_level
from scoring.keys.values import (
    CLUSTER_STEPS_2025,
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
)
from tests.item_bank.items_strategy import FIGURE, items

FIGURES = {FIGURE.removeprefix("/media/"): FIGURE}


@pytest.mark.parametrize(
    ("kind", "cell", "key"),
    [
        pytest.param("single_choice", "b", OneOptionKey(("B",)), id="one letter"),
        pytest.param("single_choice", "A|C", OneOptionKey(("A", "C")), id="either of two"),
        pytest.param("multiple_choice", "C,A", OptionSetKey(("A", "C")), id="a set"),
        pytest.param("multiple_choice", "AC", OptionSetKey(("A", "C")), id="a set without commas"),
        pytest.param(
            "true_false_cluster",
            "ĐSĐS",
            ClusterKey({"a": True, "b": False, "c": True, "d": False}, CLUSTER_STEPS_2025),
            id="Vietnamese signs",
        ),
        pytest.param(
            "true_false_cluster",
            "T, F, T, F",
            ClusterKey({"a": True, "b": False, "c": True, "d": False}, CLUSTER_STEPS_2025),
            id="English signs",
        ),
        pytest.param(
            "true_false_cluster",
            "Đúng Sai Đúng Sai",
            ClusterKey({"a": True, "b": False, "c": True, "d": False}, CLUSTER_STEPS_2025),
            id="words",
        ),
        pytest.param("short_numeric", "0.5|0,50", ShortAnswerKey(("0,5", "0,50")), id="several answers"),
        pytest.param("short_numeric", "−3", ShortAnswerKey(("-3",)), id="typographic minus"),
        pytest.param(
            "essay",
            "Nội dung: 1,0 [đủ ý | thiếu ý]; Ngôn ngữ: 0.25",
            RubricKey((Criterion("c1", "Nội dung", 100, ("đủ ý", "thiếu ý")), Criterion("c2", "Ngôn ngữ", 25))),
            id="rubric",
        ),
        pytest.param("single_choice", "void: đề sai", VoidKey("đề sai"), id="void"),
    ],
)
def test_a_key_is_read_as_authors_write_it(kind: str, cell: str, key: Key) -> None:
    assert read_key(kind, cell) == key
    assert read_key(kind, write_key(key)) == key


@pytest.mark.parametrize(
    ("kind", "cell"),
    [("single_choice", "AB"), ("multiple_choice", "A,A"), ("true_false_cluster", "ĐX"), ("essay", "Nội dung 1")],
)
def test_a_key_nobody_can_read_is_refused(kind: str, cell: str) -> None:
    with pytest.raises(KeyUnreadable):
        read_key(kind, cell)


@pytest.mark.parametrize(
    ("word", "level"),
    [("Nhận biết", Level.KNOW), ("TH", Level.UNDERSTAND), ("vận  dụng", Level.APPLY), ("apply", Level.APPLY)],
)
def test_levels_are_read_in_the_words_of_authors(word: str, level: Level) -> None:
    assert find_level(word) is level


def read_back(cells: list[dict[str, str]], language: str) -> ReadItems:
    return read_items(enumerate(cells, start=2), figures=FIGURES, language=language)


@given(items())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_an_item_written_as_a_row_reads_back_equal(item: Item) -> None:
    for language in ("vi", "en"):
        read = read_back([dict(row) for row in item_rows([item], language=language)], language)
        assert read.findings == ()
        assert read.items == (item,)


@given(items())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
def test_an_item_written_into_a_file_reads_back_equal(item: Item) -> None:
    rows = item_rows([item])
    titles = titles_of(rows, ITEM_COLUMNS, EXTRA_COLUMNS)
    workbook = workbook_bytes({"items": rows}, {"items": titles})
    table = read_table(workbook, "a.xlsx", sheet="items")
    assert read_back([row.cells for row in table.rows], "vi").items == (item,)
    comma = read_table(csv_bytes(titles, lines_of(rows, titles)), "a.csv")
    cells = [{name: cell.removeprefix("'") for name, cell in row.cells.items()} for row in comma.rows]
    assert read_back(cells, "vi").items == (item,)


def test_stimuli_and_topics_read_back_equal() -> None:
    stimulus = Stimulus(code="NL-1", title="Đọc", content="<p>Một</p><p>Hai</p>")
    topic = Topic("1.1", "Khảo sát", 3)
    assert read_stimuli(enumerate(stimulus_rows([stimulus]))).stimuli == (stimulus,)
    assert read_topics(enumerate(topic_rows([topic]))).topics == (topic,)


def test_every_mistake_of_a_row_is_named_with_its_row_and_column() -> None:
    row = {"code": "X", "kind": "?", "topic": "", "level": "?", "stem": "$", "key": "", "max_words": "viel"}
    found = [(f.place.row, f.place.field, f.code) for f in read_items([(7, row)], file="items.csv").findings]
    assert found == [
        (7, "kind", "unknown-kind"),
        (7, "level", "unknown-level"),
        (7, "topic", "cell-empty"),
        (7, "stem", "content-invalid"),
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_template_is_a_workbook_with_examples_and_instructions(language: str) -> None:
    workbook = template_bytes(language)
    assert workbook == template_bytes(language)
    table = read_table(workbook, "mau.xlsx", sheet="items")
    assert table.columns == ITEM_COLUMNS
    read = read_items((row.number, row.cells) for row in table.rows)
    assert {item.interaction.__struct_config__.tag for item in read.items} == {
        "single_choice",
        "multiple_choice",
        "true_false_cluster",
        "short_numeric",
        "essay",
    }
    assert read_table(workbook, "mau.xlsx", sheet="instructions").rows


def test_comparing_character_by_character_is_said_in_its_column() -> None:
    cells = {"code": "X", "kind": "tln", "topic": "1", "level": "NB", "stem": "?", "key": "0803", "compare": "ký tự"}
    (item,) = read_items([(2, cells)]).items
    assert item.key == ShortAnswerKey(("0803",), Compare.LITERAL)
