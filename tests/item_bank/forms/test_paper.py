"""The keyless form: canonical, without a trace of a key, and printed as its code displays it."""

import json

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part
from item_bank.forms.ordering import OrderedSlot, option_order
from item_bank.forms.paper import (
    PlacedItem,
    candidate_item,
    compile_form,
    content_hash,
    decode_form,
    encode_form,
    printed_paper,
)
from item_bank.model.interactions import Essay, MultipleChoice, ShortNumeric, Statement, TrueFalseCluster
from item_bank.model.item import Item, Level
from scoring.keys.values import (
    ClusterKey,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
)
from tests.item_bank.forms.samples import choice_item, interactions_with_keys, options, stimulus

BLUEPRINT = Blueprint(
    title="Toán",
    minutes=90,
    parts=(
        Part(
            part=1, title="PHẦN I", instructions="Chọn một.", kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(2),)
        ),
        Part(part=2, title="PHẦN II", kind=ItemKind.TRUE_FALSE_CLUSTER, points=100, cells=(Cell(1),)),
        Part(part=3, title="PHẦN III", kind=ItemKind.SHORT_NUMERIC, points=50, cells=(Cell(1),)),
        Part(part=4, title="PHẦN IV", kind=ItemKind.ESSAY, points=200, cells=(Cell(1),)),
        Part(part=4, kind=ItemKind.MULTIPLE_CHOICE, points=400, cells=(Cell(1),)),
    ),
)


def item_of(interaction: object, key: Key, code: str = "X") -> Item:
    return choice_item(code, interaction=interaction, key=key)


def placed() -> list[PlacedItem]:
    cluster = TrueFalseCluster(tuple(Statement(letter, f"S{letter}") for letter in "abcd"))
    items: list[tuple[int, Item, str | None]] = [
        (1, choice_item("T12-001", stimulus="BANK-7"), "CADB"),
        (1, choice_item("T12-002", stimulus="BANK-7"), "ABCD"),
        (2, item_of(cluster, ClusterKey(dict.fromkeys("abcd", True))), None),
        (3, item_of(ShortNumeric(), ShortAnswerKey(("-0,5",))), None),
        (4, item_of(Essay(200), RubricKey((Criterion("1", "Content of the rubric", 100),))), None),
        (4, item_of(MultipleChoice(options(3), maximum=2), OptionSetKey(("A",))), "BCA"),
    ]
    return [
        PlacedItem(
            slot=slot,
            part=part,
            item=item,
            option_order=order,
            stimulus=stimulus("BANK-7") if item.stimulus else None,
        )
        for slot, (part, item, order) in enumerate(items, start=1)
    ]


def test_the_keyless_form_has_exactly_the_shape_browsers_expect() -> None:
    form = json.loads(encode_form(compile_form(BLUEPRINT, placed())))
    assert list(form) == ["title", "language", "minutes", "parts", "stimuli", "items"]
    assert form["parts"] == [
        {"part": 1, "title": "PHẦN I", "instructions": "Chọn một.", "points_note": "0,25"},
        {"part": 2, "title": "PHẦN II", "instructions": "", "points_note": "1,0"},
        {"part": 3, "title": "PHẦN III", "instructions": "", "points_note": "0,5"},
        {"part": 4, "title": "PHẦN IV", "instructions": "", "points_note": "2,0 – 4,0"},
    ]
    assert form["stimuli"] == [{"id": "S1", "title": "Passage BANK-7", "content": "<p>text of BANK-7</p>"}]
    first, second, cluster, short, essay, several = form["items"]
    assert first == {
        "kind": "single_choice",
        "slot": 1,
        "part": 1,
        "stimulus": "S1",
        "stem": "<p>stem of T12-001</p>",
        "options": [
            {"id": "A", "content": "<p>content C</p>"},
            {"id": "B", "content": "<p>content A</p>"},
            {"id": "C", "content": "<p>content D</p>"},
            {"id": "D", "content": "<p>content B</p>"},
        ],
    }
    assert second["options"][0] == {"id": "A", "content": "<p>content A</p>"}
    assert [statement["id"] for statement in cluster["statements"]] == ["a", "b", "c", "d"]
    assert short["max_characters"] == 4
    assert essay["max_words"] == 200
    assert several["maximum"] == 2
    assert [option["content"][11] for option in several["options"]] == ["B", "C", "A"]


@given(interactions_with_keys(), interactions_with_keys(), st.integers(0, 2**32))
def test_no_byte_of_the_keyless_form_depends_on_a_key(
    case: tuple[object, Key], other: tuple[object, Key], seed: int
) -> None:
    interaction, key = case
    secret = item_of(interaction, key)
    without = msgspec.structs.replace(
        secret, key=VoidKey("none"), explanation="", code="Y", topic="t9", level=Level.APPLY
    )
    order = option_order(interaction, np.random.default_rng(seed))  # type: ignore[arg-type]
    bodies = {
        encode_form(compile_form(BLUEPRINT, [PlacedItem(slot=1, part=1, item=item, option_order=order)]))
        for item in (msgspec.structs.replace(secret, explanation="because of the key"), without)
    }
    assert len(bodies) == 1
    assert b"because" not in bodies.pop()


@given(interactions_with_keys(), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bytes(case: tuple[object, Key], seed: int) -> None:
    item = item_of(*case)

    def body() -> bytes:
        order = option_order(item.interaction, np.random.default_rng(seed))
        return encode_form(compile_form(BLUEPRINT, [PlacedItem(slot=1, part=1, item=item, option_order=order)]))

    assert body() == body()
    assert content_hash(body()) == content_hash(body())
    assert encode_form(decode_form(body())) == body()


def test_a_preview_without_an_order_shows_the_authors_options() -> None:
    shown = candidate_item(choice_item(), 1, 1)
    assert [option.content for option in shown.options] == [  # type: ignore[union-attr]
        f"<p>content {letter}</p>" for letter in "ABCD"
    ]


def test_a_printed_paper_numbers_each_part_anew_and_shows_the_letters_of_its_code() -> None:
    form = compile_form(BLUEPRINT, placed())
    ordering = (
        OrderedSlot(2, "DCBA"),
        OrderedSlot(1, "BACD"),
        OrderedSlot(3, "badc"),
        OrderedSlot(4),
        OrderedSlot(6, "CAB"),
        OrderedSlot(5),
    )
    paper = printed_paper(form, "0102", ordering)
    assert [[(each.number, each.item.slot) for each in part.items] for part in paper.parts] == [
        [(1, 2), (2, 1)],
        [(1, 3)],
        [(1, 4)],
        [(1, 6), (2, 5)],
    ]
    first = paper.parts[0].items[1].item
    assert [(option.id, option.content[11]) for option in first.options] == [  # type: ignore[union-attr]
        ("A", "A"),
        ("B", "C"),
        ("C", "D"),
        ("D", "B"),
    ]
    cluster = paper.parts[1].items[0].item
    assert [(s.id, s.content) for s in cluster.statements] == [  # type: ignore[union-attr]
        ("a", "Sb"),
        ("b", "Sa"),
        ("c", "Sd"),
        ("d", "Sc"),
    ]


def test_english_papers_write_points_with_a_point() -> None:
    english = msgspec.structs.replace(BLUEPRINT, language="en")
    assert compile_form(english, []).parts[0].points_note == "0.25"


def test_an_accepted_option_is_no_part_of_a_candidate_item() -> None:
    names = {
        field for item in [candidate_item(each.item, 1, 1) for each in placed()] for field in item.__struct_fields__
    }
    assert names == {
        "slot",
        "part",
        "stimulus",
        "stem",
        "options",
        "statements",
        "max_characters",
        "max_words",
        "maximum",
    }
    assert OneOptionKey(("B",)) == choice_item().key
