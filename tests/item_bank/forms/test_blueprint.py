"""What a blueprint may say, and where a wrong one is told."""

import msgspec
import pytest

from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part, parse_blueprint, require_valid
from item_bank.forms.errors import BlueprintInvalid
from item_bank.model.item import Level
from tests.item_bank.forms.samples import one_part


def toan_2025() -> Blueprint:
    return Blueprint(
        title="Toán",
        minutes=90,
        paper_code_prefix="01",
        format="toan_2025",
        parts=(
            Part(part=1, title="PHẦN I", kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(12),)),
            Part(part=2, title="PHẦN II", kind=ItemKind.TRUE_FALSE_CLUSTER, points=100, cells=(Cell(4),)),
            Part(part=3, title="PHẦN III", kind=ItemKind.SHORT_NUMERIC, points=50, cells=(Cell(6),)),
        ),
    )


def test_a_blueprint_survives_its_json() -> None:
    blueprint = toan_2025()
    assert parse_blueprint(msgspec.json.encode(blueprint)) == blueprint


def test_the_mathematics_paper_of_2025_gives_ten_points_for_twenty_two_items() -> None:
    require_valid(toan_2025())
    assert toan_2025().maximum == 1000
    assert toan_2025().count == 22


def test_a_blueprint_that_misses_its_paper_format_says_by_what() -> None:
    parts = toan_2025().parts
    short = msgspec.structs.replace(parts[2], cells=(Cell(5),))
    with pytest.raises(BlueprintInvalid) as refused:
        require_valid(msgspec.structs.replace(toan_2025(), parts=(*parts[:2], short), minutes=60))
    assert [fault.place for fault in refused.value.faults] == ["format toan_2025", "minutes"]
    assert "part 3 lacks 1" in refused.value.faults[0].reason


@pytest.mark.parametrize(
    ("blueprint", "place", "words"),
    [
        pytest.param(
            one_part(Cell(1, "t1"), Cell(2, "t1")), "part 1, cell 2", "stands there twice", id="same cell twice"
        ),
        pytest.param(one_part(Cell(3), testlets=4), "part 1", "4 testlets cannot stand in 3 items", id="testlets"),
        pytest.param(one_part(Cell(1), title=" "), "part 1", "needs a title", id="no title"),
        pytest.param(one_part(Cell(300), Cell(200, "t1")), "parts", "400 is the most", id="too many items"),
    ],
)
def test_a_contradiction_is_named_with_its_place(blueprint: Blueprint, place: str, words: str) -> None:
    with pytest.raises(BlueprintInvalid) as refused:
        require_valid(blueprint)
    (fault,) = refused.value.faults
    assert fault.place == place
    assert words in fault.reason


def test_parts_out_of_order_an_unknown_format_and_a_wrong_prefix_are_told_at_once() -> None:
    parts = toan_2025().parts
    wrong = msgspec.structs.replace(
        toan_2025(), parts=(parts[1], parts[0]), format="toan_1999", paper_code_prefix="A", language="fr"
    )
    with pytest.raises(BlueprintInvalid) as refused:
        require_valid(wrong)
    assert [fault.place for fault in refused.value.faults] == ["part 1", "paper_code_prefix", "language", "format"]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(b"{", "file", id="not JSON"),
        pytest.param(b"\xff", "file", id="not UTF-8"),
        pytest.param(b'{"title": "T", "minutes": 0, "parts": []}', "$.minutes", id="no minutes"),
        pytest.param(
            b'{"title": "T", "minutes": 9, "parts": [{"part": 1, "kind": "oral", "points": 1, "cells": []}]}',
            "$.parts[0].kind",
            id="unknown kind",
        ),
        pytest.param(b'{"title": "T", "minutes": 9, "minuts": 9, "parts": []}', "file", id="unknown field"),
    ],
)
def test_a_file_that_is_no_blueprint_is_refused_with_the_path_inside_it(content: bytes, place: str) -> None:
    with pytest.raises(BlueprintInvalid) as refused:
        parse_blueprint(content)
    assert refused.value.faults[0].place == place


def test_cells_with_wildcards_may_stand_beside_each_other() -> None:
    require_valid(one_part(Cell(1, "t1"), Cell(1, "t1", Level.APPLY), Cell(1, None, Level.APPLY), Cell(1)))
