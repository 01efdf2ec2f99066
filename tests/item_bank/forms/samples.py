"""Builders and hypothesis strategies of items, pools and blueprints."""

from collections.abc import Sequence

from hypothesis import strategies as st

from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part
from item_bank.forms.draw import PoolItem
from item_bank.forms.keys import require_key_fits
from item_bank.model.interactions import (
    Essay,
    MultipleChoice,
    Option,
    ShortNumeric,
    SingleChoice,
    Statement,
    TrueFalseCluster,
)
from item_bank.model.item import Item, Level, Stimulus
from scoring.keys.values import (
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
)

LETTERS = "ABCDEFGH"


def pool_item(
    number: int,
    topic: str = "t1",
    level: Level = Level.KNOW,
    *,
    kind: ItemKind = ItemKind.SINGLE_CHOICE,
    stimulus: str | None = None,
    exposures: int = 0,
    enemies: Sequence[int] = (),
) -> PoolItem:
    return PoolItem(
        id=f"i{number}",
        kind=kind,
        topic=topic,
        level=level,
        stimulus=stimulus,
        exposures=exposures,
        enemies=frozenset(f"i{enemy}" for enemy in enemies),
    )


def one_part(*cells: Cell, **fields: object) -> Blueprint:
    part = Part(
        **{"part": 1, "title": "Part I", "kind": ItemKind.SINGLE_CHOICE, "points": 25, "cells": cells, **fields}
    )
    return Blueprint(title="Toán", minutes=90, parts=(part,))


def options(count: int, pinned: str = "") -> tuple[Option, ...]:
    return tuple(Option(letter, f"<p>content {letter}</p>", letter in pinned) for letter in LETTERS[:count])


def choice_item(code: str = "T12-001", pinned: str = "", key: str = "B", count: int = 4, **fields: object) -> Item:
    values: dict[str, object] = {
        "code": code,
        "topic": "t1",
        "level": Level.KNOW,
        "stem": f"<p>stem of {code}</p>",
        "interaction": SingleChoice(options(count, pinned)),
        "key": OneOptionKey((key,)),
    }
    return Item(**{**values, **fields})


@st.composite
def interactions_with_keys(draw: st.DrawFn) -> tuple[object, Key]:
    kind = draw(st.sampled_from(ItemKind))
    count = draw(st.integers(2, 8))
    letters = LETTERS[:count]
    pinned = "".join(draw(st.sets(st.sampled_from(letters))))
    match kind:
        case ItemKind.SINGLE_CHOICE:
            accepted = draw(st.sets(st.sampled_from(letters), min_size=1, max_size=2))
            made = SingleChoice(options(count, pinned)), OneOptionKey(tuple(sorted(accepted)))
        case ItemKind.MULTIPLE_CHOICE:
            correct = draw(st.sets(st.sampled_from(letters), min_size=1))
            made = MultipleChoice(options(count, pinned)), OptionSetKey(tuple(sorted(correct)))
        case ItemKind.TRUE_FALSE_CLUSTER:
            truths = draw(st.tuples(*[st.booleans()] * 4))
            statements = tuple(Statement(letter, f"statement {letter}") for letter in "abcd")
            key = ClusterKey(dict(zip("abcd", truths, strict=True)))
            made = TrueFalseCluster(statements, shuffle=draw(st.booleans())), key
        case ItemKind.SHORT_NUMERIC:
            answer = str(draw(st.integers(-999, 9999)))
            made = ShortNumeric(), ShortAnswerKey((answer,), draw(st.sampled_from(Compare)))
        case ItemKind.ESSAY:
            made = Essay(), RubricKey((Criterion("1", "content", 100),))
    require_key_fits(*made)
    return made


@st.composite
def responses_to(draw: st.DrawFn, interaction: object) -> object:
    """A response in the letters of the master form, blank among them."""
    match interaction:
        case SingleChoice(options=offered):
            return draw(st.none() | st.sampled_from(LETTERS[: len(offered)]))
        case MultipleChoice(options=offered):
            return draw(st.none() | st.sets(st.sampled_from(LETTERS[: len(offered)])).map(sorted))
        case TrueFalseCluster():
            return draw(st.none() | st.dictionaries(st.sampled_from("abcd"), st.booleans()))
        case ShortNumeric():
            return draw(st.none() | st.from_regex(r"-?[0-9]{1,3}", fullmatch=True))
    return None


def stimulus(code: str) -> Stimulus:
    return Stimulus(code=code, title=f"Passage {code}", content=f"<p>text of {code}</p>")
