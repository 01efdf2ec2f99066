"""Orders never tear a testlet, never move a pinned option, and keys follow them so that no score changes."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_bank.forms.blueprint import Cell, ItemKind, Part, PartOrder
from item_bank.forms.draw import draw
from item_bank.forms.errors import KeyMisfit, OrderingInvalid
from item_bank.forms.keys import key_for_code, key_for_form, require_key_fits, response_for_code, shown_key
from item_bank.forms.ordering import (
    FormSlot,
    OrderedSlot,
    form_slot,
    master_letters,
    master_order,
    option_order,
    paper_ordering,
    require_ordering,
)
from item_bank.model.interactions import Essay, MultipleChoice, ShortNumeric, SingleChoice, TrueFalseCluster
from item_bank.model.item import Level
from scoring.keys.rules import credit
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
from tests.item_bank.forms.samples import interactions_with_keys, one_part, options, pool_item, responses_to

PART = Part(part=1, title="P", kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(1),))
seeds = st.integers(0, 2**32)


@st.composite
def form_slots(draw: st.DrawFn) -> list[FormSlot]:
    slots = []
    for run in range(draw(st.integers(1, 3))):
        shuffle, inside = draw(st.booleans()), draw(st.booleans())
        for unit in range(draw(st.integers(1, 4))):
            size = draw(st.integers(1, 3))
            stimulus = f"P{run}-{unit}" if size > 1 else None
            for _ in range(size):
                letters = draw(st.sampled_from(["", "ABCD", "abcd", "AB", "ABCDE"]))
                pinned = "".join(draw(st.sets(st.sampled_from(letters)))) if letters else ""
                slots.append(
                    FormSlot(
                        slot=len(slots) + 1,
                        run=run,
                        letters=letters,
                        pinned=pinned,
                        stimulus=stimulus,
                        shuffle=shuffle,
                        shuffle_in_testlets=inside,
                    )
                )
    return slots


@given(form_slots(), seeds)
def test_every_drawn_ordering_keeps_parts_testlets_and_pinned_options(slots: list[FormSlot], seed: int) -> None:
    ordering = paper_ordering(slots, np.random.default_rng(seed))
    require_ordering(slots, ordering)
    assert ordering == paper_ordering(slots, np.random.default_rng(seed))


@given(form_slots(), seeds)
def test_what_may_not_be_reordered_stays_in_master_order(slots: list[FormSlot], seed: int) -> None:
    fixed = [msgspec.structs.replace(slot, shuffle=False, shuffle_in_testlets=False) for slot in slots]
    ordering = paper_ordering(fixed, np.random.default_rng(seed))
    assert [entry.slot for entry in ordering] == [slot.slot for slot in slots]


def test_different_seeds_give_different_orderings_of_items_and_options() -> None:
    slots = [FormSlot(slot=n, run=0, letters="ABCD") for n in range(1, 13)]
    orderings = {paper_ordering(slots, np.random.default_rng(seed)) for seed in range(50)}
    assert len(orderings) == 50
    assert {entry.options for ordering in orderings for entry in ordering} >= {"ABCD", "DCBA"}


@pytest.mark.parametrize(
    ("ordering", "words"),
    [
        pytest.param([(1, "ABCD"), (2, "ab")], "exactly once", id="a slot is missing"),
        pytest.param([(1, "ABCD"), (2, "ab"), (2, "ab"), (3, "")], "exactly once", id="a slot twice"),
        pytest.param([(1, "ABC"), (2, "ab"), (3, ""), (4, "")], "its letters are ABCD", id="a letter is missing"),
        pytest.param([(1, "DBCA"), (2, "ab"), (3, ""), (4, "")], "pinned", id="a pinned option moved"),
        pytest.param([(1, "ABCD"), (2, "ab"), (3, ""), (4, "")], "testlet", id="a testlet is torn"),
        pytest.param([(1, "ABCD"), (4, ""), (3, ""), (2, "ab")], "part", id="a part is torn"),
    ],
)
def test_an_ordering_that_is_none_is_refused(ordering: list[tuple[int, str]], words: str) -> None:
    slots = [
        FormSlot(slot=1, run=0, letters="ABCD", pinned="D", stimulus="P"),
        FormSlot(slot=2, run=0, letters="ab"),
        FormSlot(slot=3, run=0, stimulus="P"),
        FormSlot(slot=4, run=1),
    ]
    with pytest.raises(OrderingInvalid, match=words):
        require_ordering(slots, tuple(OrderedSlot(*entry) for entry in ordering))


@given(interactions_with_keys(), seeds)
def test_the_master_order_of_options_is_a_permutation_in_which_pinned_options_keep_their_index(
    case: tuple[object, Key], seed: int
) -> None:
    interaction, _ = case
    order = option_order(interaction, np.random.default_rng(seed))  # type: ignore[arg-type]
    if not isinstance(interaction, SingleChoice | MultipleChoice):
        assert order is None
        return
    assert order is not None
    author = [option.id for option in interaction.options]
    assert sorted(order) == author
    assert all(order[i] == option.id for i, option in enumerate(interaction.options) if option.pinned)


@given(interactions_with_keys(), seeds, st.data())
def test_permuting_options_statements_and_key_together_changes_no_score(
    case: tuple[object, Key], seed: int, data: st.DataObject
) -> None:
    interaction, author_key = case
    if isinstance(interaction, Essay):
        return  # judged by people
    rng = np.random.default_rng(seed)
    order = option_order(interaction, rng)  # type: ignore[arg-type]
    slot = form_slot(interaction, PART, slot=1, run=0, stimulus=None)  # type: ignore[arg-type]
    (entry,) = paper_ordering([slot], rng)
    master_response = data.draw(responses_to(interaction))
    author_response = _author_response(master_response, order)
    master_key = key_for_form(author_key, order)
    expected = credit(author_response, author_key)  # type: ignore[arg-type]
    assert credit(master_response, master_key) == expected  # type: ignore[arg-type]
    displayed = response_for_code(master_response, entry.options)  # type: ignore[arg-type]
    assert credit(displayed, key_for_code(master_key, entry.options)) == expected


def _author_response(response: object, order: str | None) -> object:
    if order is None or response is None:
        return response
    author = dict(zip("ABCDEFGH", order, strict=False))
    return author[response] if isinstance(response, str) else [author[letter] for letter in response]  # type: ignore[union-attr]


def test_a_key_follows_its_option_into_the_master_form_and_onto_the_paper() -> None:
    master = key_for_form(OneOptionKey(("C",)), "CADB")
    assert master == OneOptionKey(("A",))
    assert key_for_code(master, "BDCA") == OneOptionKey(("D",))
    assert key_for_form(OptionSetKey(("A", "C")), "CADB") == OptionSetKey(("A", "B"))
    cluster = ClusterKey({"a": True, "b": False, "c": False, "d": True})
    assert key_for_code(cluster, "cabd").statements == {"a": False, "b": True, "c": False, "d": True}


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        pytest.param(OneOptionKey(("B",)), "B", id="one option"),
        pytest.param(OptionSetKey(("A", "C")), "A, C", id="several options"),
        pytest.param(ClusterKey({"a": True, "b": False, "c": True, "d": False}), "ĐSĐS", id="cluster"),
        pytest.param(ShortAnswerKey(("0,5", "0,50")), "0,5 | 0,50", id="short answer"),
        pytest.param(RubricKey((Criterion("1", "Content", 100),)), "", id="rubric"),
        pytest.param(VoidKey("no right option"), "*", id="void"),
    ],
)
def test_a_key_is_printed_in_the_usual_letters(key: Key, shown: str) -> None:
    assert shown_key(key) == shown


@pytest.mark.parametrize(
    ("interaction", "key"),
    [
        pytest.param(SingleChoice(options(4)), OneOptionKey(("E",)), id="an option the item lacks"),
        pytest.param(SingleChoice(options(4)), OptionSetKey(("A",)), id="the key of another kind"),
        pytest.param(TrueFalseCluster(()), ClusterKey({"a": True}), id="a statement the item lacks"),
        pytest.param(ShortNumeric(4), ShortAnswerKey(("-10,5",)), id="an answer the grid cannot hold"),
    ],
)
def test_a_key_that_does_not_fit_its_item_is_refused(interaction: object, key: Key) -> None:
    with pytest.raises(KeyMisfit):
        require_key_fits(interaction, key)  # type: ignore[arg-type]


def test_a_void_key_fits_every_item() -> None:
    require_key_fits(Essay(), VoidKey("withdrawn"))


def test_the_master_form_rises_by_level_with_testlets_whole_and_last() -> None:
    pool = [pool_item(n, level=list(Level)[n % 3]) for n in range(9)]
    pool += [pool_item(20 + n, level=list(Level)[n % 3], stimulus="P") for n in range(3)]
    blueprint = one_part(Cell(9), testlets=1)
    ordered = master_order(blueprint, draw(blueprint, pool, np.random.default_rng(3)), np.random.default_rng(3))
    lone = [list(Level).index(each.item.level) for each in ordered[:6]]
    assert lone == sorted(lone)
    assert [each.item.id for each in ordered[6:]] == ["i20", "i21", "i22"]


def test_the_master_form_follows_the_cells_when_the_blueprint_says_so() -> None:
    pool = [pool_item(n, f"t{n % 3}", list(Level)[n % 3]) for n in range(9)]
    blueprint = one_part(Cell(2, "t2"), Cell(2, "t0"), Cell(2, "t1"), order=PartOrder.CELLS)
    ordered = master_order(blueprint, draw(blueprint, pool, np.random.default_rng(3)), np.random.default_rng(3))
    assert [each.item.topic for each in ordered] == ["t2", "t2", "t0", "t0", "t1", "t1"]


def test_master_letters_follow_places() -> None:
    assert master_letters(SingleChoice(options(5))) == "ABCDE"
    assert master_letters(ShortNumeric()) == ""
