"""The stratified draw: exact, fair, whole testlets, and a shortage told cell by cell."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from item_bank.forms.blueprint import Blueprint, Cell, ItemKind, Part
from item_bank.forms.draw import DrawnItem, PoolItem, draw
from item_bank.forms.errors import Shortage
from item_bank.model.item import Level
from tests.item_bank.forms.samples import one_part, pool_item

TOPICS = ("t1", "t2", "t3")


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn_ids(drawn: tuple[DrawnItem, ...]) -> set[str]:
    return {each.item.id for each in drawn}


def test_a_cell_gets_exactly_its_count_of_its_topic_and_level() -> None:
    pool = [pool_item(n, topic, level) for n, (topic, level, _) in enumerate(product(TOPICS, Level, range(5)))]
    blueprint = one_part(Cell(2, "t1", Level.KNOW), Cell(3, "t2"), Cell(1, None, Level.APPLY))
    drawn = draw(blueprint, pool, generator())
    by_cell = Counter(each.cell_index for each in drawn)
    assert by_cell == {0: 2, 1: 3, 2: 1}
    for each in drawn:
        cell = blueprint.parts[0].cells[each.cell_index]
        assert cell.topic in (None, each.item.topic)
        assert cell.level in (None, each.item.level)


def test_overlapping_wildcard_cells_are_filled_whenever_they_can_be() -> None:
    # The greedy way would spend the only "apply" of t1 on the wildcard and then fail.
    pool = [pool_item(1, "t1", Level.APPLY), pool_item(2, "t1"), pool_item(3, "t2")]
    blueprint = one_part(Cell(1), Cell(1, "t1"), Cell(1, None, Level.APPLY))
    for seed in range(20):
        assert drawn_ids(draw(blueprint, pool, generator(seed))) == {"i1", "i2", "i3"}


def test_the_least_used_items_are_taken_first() -> None:
    pool = [pool_item(n, exposures=n % 3) for n in range(12)]
    drawn = draw(one_part(Cell(5)), pool, generator())
    assert Counter(each.item.exposures for each in drawn) == {0: 4, 1: 1}


def test_among_equally_used_items_every_one_is_drawn_equally_often() -> None:
    pool = [pool_item(n) for n in range(8)]
    times = Counter(drawn for seed in range(400) for drawn in drawn_ids(draw(one_part(Cell(2)), pool, generator(seed))))
    assert set(times) == {item.id for item in pool}
    expected = 100
    chi_square = sum((count - expected) ** 2 / expected for count in times.values())
    assert chi_square < 24.3  # 7 degrees of freedom, one chance in a thousand


def test_the_same_seed_draws_the_same_items_and_another_seed_others() -> None:
    pool = [pool_item(n) for n in range(100)]
    blueprint = one_part(Cell(10))
    assert draw(blueprint, pool, generator(7)) == draw(blueprint, pool, generator(7))
    assert draw(blueprint, pool, generator(7)) != draw(blueprint, pool, generator(8))


def test_a_testlet_is_drawn_whole_or_not_at_all() -> None:
    passages = [pool_item(10 * p + n, "read", list(Level)[n % 3], stimulus=f"P{p}") for p in range(4) for n in range(5)]
    lone = [pool_item(100 + n, "read") for n in range(3)]
    for seed in range(10):
        drawn = draw(one_part(Cell(11, "read")), [*passages, *lone], generator(seed))
        by_passage = Counter(each.item.stimulus for each in drawn)
        assert by_passage.pop(None) == 1
        assert set(by_passage.values()) == {5}


def test_a_testlet_may_spread_over_cells_of_its_part_and_never_over_parts() -> None:
    pool = [
        pool_item(1, "read", Level.KNOW, stimulus="P"),
        pool_item(2, "read", Level.APPLY, stimulus="P"),
        pool_item(3, "read", Level.KNOW),
        pool_item(4, "read", Level.APPLY),
    ]
    spread = one_part(Cell(1, "read", Level.KNOW), Cell(1, "read", Level.APPLY), testlets=1)
    assert drawn_ids(draw(spread, pool, generator())) == {"i1", "i2"}
    parts = tuple(
        Part(part=n, title="P", kind=ItemKind.SINGLE_CHOICE, points=25, cells=(Cell(1, "read", level),))
        for n, level in ((1, Level.KNOW), (2, Level.APPLY))
    )
    apart = Blueprint(title="T", minutes=9, parts=parts)
    assert drawn_ids(draw(apart, pool, generator())) == {"i3", "i4"}


def test_a_part_gets_exactly_its_number_of_testlets() -> None:
    pool = [pool_item(10 * p + n, stimulus=f"P{p}") for p in range(6) for n in range(2)]
    pool += [pool_item(100 + n) for n in range(20)]
    for testlets in (0, 1, 3):
        drawn = draw(one_part(Cell(10), testlets=testlets), pool, generator())
        assert len({each.item.stimulus for each in drawn} - {None}) == testlets


def test_enemies_never_meet_whichever_of_them_names_the_other() -> None:
    pool = [pool_item(n, enemies=[n + 1] if n % 2 == 0 else []) for n in range(8)]
    for seed in range(10):
        ids = drawn_ids(draw(one_part(Cell(4)), pool, generator(seed)))
        assert all(not {f"i{n}", f"i{n + 1}"} <= ids for n in range(0, 8, 2))
    with pytest.raises(Shortage):
        draw(one_part(Cell(5)), pool, generator())


def test_an_item_of_another_kind_never_fills_a_cell() -> None:
    pool = [pool_item(1, kind=ItemKind.ESSAY), pool_item(2, kind=ItemKind.SINGLE_CHOICE)]
    assert drawn_ids(draw(one_part(Cell(1), kind=ItemKind.ESSAY), pool, generator())) == {"i1"}


def test_a_shortage_names_every_short_cell_and_by_how_many() -> None:
    pool = [pool_item(1, "t1"), pool_item(2, "t1"), pool_item(3, "t2", Level.APPLY)]
    blueprint = one_part(Cell(4, "t1"), Cell(1, "t2"), Cell(2, "t3", Level.APPLY))
    with pytest.raises(Shortage) as refused:
        draw(blueprint, pool, generator())
    found = [(s.part, s.topic, s.level, s.wanted, s.available, s.lacking) for s in refused.value.shortfalls]
    assert found == [(1, "t1", None, 4, 2, 2), (1, "t3", "apply", 2, 0, 2)]
    assert "topic t3, level apply: 2 items wanted, 0 available, 2 short" in str(refused.value)


def test_a_shortage_through_sharing_is_told_although_each_cell_alone_has_enough() -> None:
    pool = [pool_item(1, "t1", Level.APPLY), pool_item(2, "t1", Level.APPLY)]
    with pytest.raises(Shortage) as refused:
        draw(one_part(Cell(2, "t1"), Cell(1, None, Level.APPLY)), pool, generator())
    assert sum(shortfall.lacking for shortfall in refused.value.shortfalls) == 1


def test_missing_testlets_are_told_as_testlets() -> None:
    pool = [pool_item(n, stimulus="P") for n in range(2)] + [pool_item(10 + n) for n in range(5)]
    with pytest.raises(Shortage) as refused:
        draw(one_part(Cell(4), testlets=2), pool, generator())
    (shortfall,) = refused.value.shortfalls
    assert (shortfall.of, shortfall.wanted, shortfall.available) == ("testlets", 2, 1)


def test_an_empty_bank_lacks_everything() -> None:
    with pytest.raises(Shortage) as refused:
        draw(one_part(Cell(3, "t1"), Cell(2)), [], generator())
    assert [shortfall.lacking for shortfall in refused.value.shortfalls] == [3, 2]


@st.composite
def small_draws(draw: st.DrawFn) -> tuple[Blueprint, list[PoolItem]]:
    """Blueprints of two or three overlapping cells over few items, some of them in testlets."""
    topic = st.none() | st.sampled_from(TOPICS[:2])
    level = st.none() | st.sampled_from(list(Level)[:2])
    names = draw(st.lists(st.tuples(topic, level), min_size=1, max_size=3, unique=True))
    cells = [Cell(draw(st.integers(1, 3)), *name) for name in names]
    pool = [
        pool_item(
            number,
            draw(st.sampled_from(TOPICS[:2])),
            draw(st.sampled_from(list(Level)[:2])),
            stimulus=draw(st.sampled_from([None, None, "P", "Q"])),
            exposures=draw(st.integers(0, 2)),
        )
        for number in range(draw(st.integers(0, 7)))
    ]
    return one_part(*cells), pool


def selections(blueprint: Blueprint, pool: list[PoolItem]) -> list[frozenset[int]]:
    """Every possible selection, by trying all of them."""
    found = set()
    cells = blueprint.parts[0].cells
    for chosen in product([None, *range(len(cells))], repeat=len(pool)):
        if any(chosen.count(index) != cell.count for index, cell in enumerate(cells)):
            continue
        fits = all(
            place is None or (cells[place].topic in (None, item.topic) and cells[place].level in (None, item.level))
            for place, item in zip(chosen, pool, strict=True)
        )
        taken = {n for n, place in enumerate(chosen) if place is not None}
        whole = all(
            pool[n].stimulus is None
            or all(m in taken for m, other in enumerate(pool) if other.stimulus == pool[n].stimulus)
            for n in taken
        )
        if fits and whole:
            found.add(frozenset(taken))
    return list(found)


@given(small_draws(), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_a_selection_is_found_exactly_when_one_exists_and_it_is_among_the_least_used(
    case: tuple[Blueprint, list[PoolItem]], seed: int
) -> None:
    blueprint, pool = case
    possible = selections(blueprint, pool)
    try:
        drawn = draw(blueprint, pool, generator(seed))
    except Shortage as refused:
        shortfalls = refused.shortfalls
    else:
        shortfalls = None
    if shortfalls is not None:
        assert not possible
        assert shortfalls
        assert all(0 < shortfall.lacking <= shortfall.wanted for shortfall in shortfalls)
        return
    taken = frozenset(each.position for each in drawn)
    assert taken in possible
    assert sum(pool[n].exposures for n in taken) == min(sum(pool[n].exposures for n in one) for one in possible)
