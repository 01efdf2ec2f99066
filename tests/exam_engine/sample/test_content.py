"""The sample banks: enough items, right shapes, keys that follow no pattern, formulas that convert."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from lxml import etree

from exam_engine.sample import data_files
from item_bank.forms.blueprint import ItemKind, parse_blueprint
from item_bank.forms.draw import PoolItem, draw
from item_bank.model.formulas import to_mathml
from item_bank.model.item import Level

ITEMS = {bank: data_files.read_rows(f"{bank}/items.csv") for bank in data_files.BANKS}
ROWS = [(bank, row) for bank, rows in ITEMS.items() for row in rows]
FORMULA = re.compile(r"\$\$?([^$]+)\$\$?")
SVG = "{http://www.w3.org/2000/svg}"


def options_of(row: Mapping[str, str]) -> list[str]:
    return [row[f"option_{letter}"] for letter in "abcdefgh" if row[f"option_{letter}"]]


def kinds(bank: str) -> Counter[str]:
    return Counter(row["kind"] for row in ITEMS[bank])


def test_the_banks_hold_as_many_items_as_promised() -> None:
    assert kinds("toan-12")["single_choice"] >= 40
    assert kinds("toan-12")["true_false_cluster"] >= 14
    assert kinds("toan-12")["short_numeric"] >= 20
    assert kinds("tieng-anh-9")["single_choice"] >= 64
    assert set(kinds("lam-quen")) == {
        "single_choice",
        "multiple_choice",
        "true_false_cluster",
        "short_numeric",
        "essay",
    }


def test_codes_are_unique_over_all_banks() -> None:
    codes = [row["code"] for _, row in ROWS]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("bank", data_files.BANKS)
def test_every_item_names_a_topic_a_level_and_an_existing_stimulus(bank: str) -> None:
    topics = {row["code"] for row in data_files.read_rows(f"{bank}/topics.csv")}
    stimuli = set() if bank == "toan-12" else {row["code"] for row in data_files.read_rows(f"{bank}/stimuli.csv")}
    for row in ITEMS[bank]:
        assert row["topic"] in topics, row["code"]
        assert row["level"] in {level.value for level in Level}, row["code"]
        assert not row["stimulus"] or row["stimulus"] in stimuli, row["code"]
    assert stimuli == {row["stimulus"] for row in ITEMS[bank] if row["stimulus"]}


def test_four_option_items_have_four_different_options_and_one_key() -> None:
    for bank, row in ROWS:
        if row["kind"] == "single_choice":
            options = options_of(row)
            assert len(options) == 4, (bank, row["code"])
            assert len({option.casefold() for option in options}) == 4, (bank, row["code"])
            assert row["key"] in {"A", "B", "C", "D"}, (bank, row["code"])


@pytest.mark.parametrize("bank", ["toan-12", "tieng-anh-9"])
def test_correct_letters_are_balanced(bank: str) -> None:
    letters = Counter(row["key"] for row in ITEMS[bank] if row["kind"] == "single_choice")
    expected = letters.total() / 4
    assert all(0.75 * expected <= letters[letter] <= 1.25 * expected for letter in "ABCD"), letters


def test_clusters_have_four_statements_and_mixed_patterns() -> None:
    clusters = [row for _, row in ROWS if row["kind"] == "true_false_cluster"]
    patterns = [row["key"] for row in clusters]
    assert all(re.fullmatch("[ĐS]{4}", pattern) for pattern in patterns)
    assert all(len(options_of(row)) == 4 for row in clusters)
    assert len(set(patterns)) >= 8
    truths = "".join(patterns).count("Đ") / (4 * len(patterns))
    assert 0.4 <= truths <= 0.65
    assert not {"ĐĐĐĐ", "SSSS"} & set(patterns)


def test_short_answers_fit_the_grid_and_say_how_to_round() -> None:
    for _, row in ROWS:
        if row["kind"] == "short_numeric":
            for key in row["key"].split("|"):
                assert re.fullmatch(r"-?[0-9]+(,[0-9]+)?", key), row["code"]
                assert len(key) <= 4, row["code"]
            if "\\approx" in row["explanation"]:
                assert "làm tròn" in row["stem"], row["code"]


def test_every_text_is_nfc_and_every_formula_converts() -> None:
    for _, row in ROWS:
        for column, text in row.items():
            assert unicodedata.is_normalized("NFC", text), (row["code"], column)
            assert text.count("$") % 2 == 0, (row["code"], column)
            for formula in FORMULA.findall(text):
                assert to_mathml(formula).startswith("<math")


def test_every_item_of_the_banks_has_an_explanation_unless_it_is_an_essay() -> None:
    assert all(row["explanation"] or row["kind"] == "essay" for _, row in ROWS)


def test_figures_are_plain_and_described() -> None:
    used = {(bank, row["figure"]) for bank, row in ROWS if row["figure"]}
    assert len(used) >= 6
    for _, row in ROWS:
        assert bool(row["figure"]) == bool(row["alt_text"]), row["code"]
    for bank, figure in used:
        root = etree.fromstring(data_files.read_bytes(f"{bank}/figures/{figure.rpartition('/')[2]}"))
        assert root.get("viewBox"), figure
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert tags <= {"svg", "title", "rect", "line", "polyline", "polygon", "path", "circle", "text"}, figure
        families = {element.get("font-family") for element in root.iter(f"{SVG}text")}
        assert families <= {"serif", "sans-serif"}, figure


def test_passages_have_a_length_for_the_grade_and_their_items() -> None:
    passages = data_files.read_rows("tieng-anh-9/stimuli.csv")
    held = Counter(row["stimulus"] for row in ITEMS["tieng-anh-9"])
    assert len(passages) >= 4
    for passage in passages:
        words = re.findall(r"[\w’-]+", re.sub("<[^>]+>", "", passage["content"]))
        assert 120 <= len(words) <= 220, passage["code"]
        assert 4 <= held[passage["code"]] <= 6, passage["code"]


def test_the_blanks_of_a_cloze_are_numbered_as_its_items_ask() -> None:
    passages = {row["code"]: row["content"] for row in data_files.read_rows("tieng-anh-9/stimuli.csv")}
    for code, content in passages.items():
        blanks = re.findall(r"\(([1-9])\) ______", content)
        asked = [
            found[1]
            for row in ITEMS["tieng-anh-9"]
            if row["stimulus"] == code and (found := re.search(r"blank \(([1-9])\)", row["stem"]))
        ]
        assert asked == blanks


@pytest.mark.parametrize("bank", data_files.BANKS)
def test_the_blueprint_is_valid_and_worth_ten_points(bank: str) -> None:
    assert parse_blueprint(data_files.read_bytes(f"blueprints/{bank}.json")).maximum == 1000


@pytest.mark.parametrize("bank", ["toan-12", "tieng-anh-9"])
def test_two_forms_without_a_common_item_can_be_drawn(bank: str) -> None:
    blueprint = parse_blueprint(data_files.read_bytes(f"blueprints/{bank}.json"))
    pool = [
        PoolItem(
            id=row["code"],
            kind=ItemKind(row["kind"]),
            topic=row["topic"],
            level=Level(row["level"]),
            stimulus=row["stimulus"] or None,
        )
        for row in ITEMS[bank]
    ]
    first = {each.item.id for each in draw(blueprint, pool, np.random.default_rng(1))}
    rest = [item for item in pool if item.id not in first]
    second = {each.item.id for each in draw(blueprint, rest, np.random.default_rng(2))}
    assert len(first) == len(second) == blueprint.count
    assert not first & second
