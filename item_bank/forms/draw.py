"""Stratified draw: which items of a bank fill the cells of a blueprint.

Exact: cells may overlap, testlets come whole or not at all, enemies never meet, and a selection is found whenever one
exists. Among all selections the least used items are taken, then chance decides, from the generator given.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from item_bank.forms.blueprint import Blueprint, ItemKind
from item_bank.forms.errors import Shortage, Shortfall
from item_bank.model.item import Level

TIME_LIMIT_SECONDS = 30

_SOLVED, _OUT_OF_TIME, _INFEASIBLE = 0, 1, 2


class PoolItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the draw needs to know of an item; the order of the pool is the order inside a testlet."""

    id: str
    kind: ItemKind
    topic: str
    level: Level
    stimulus: str | None = None  # items of one stimulus are one testlet
    exposures: int = 0  # forms it stood in so far
    enemies: frozenset[str] = frozenset()  # ids that must not stand in the same form


class DrawnItem(msgspec.Struct, frozen=True):
    """An item of the selection and the cell it fills, both counted from 0."""

    item: PoolItem
    part_index: int
    cell_index: int


def draw(blueprint: Blueprint, pool: Sequence[PoolItem], rng: np.random.Generator) -> tuple[DrawnItem, ...]:
    """Select items for every cell of a blueprint.

    Parameters
    ----------
    blueprint : Blueprint
    pool : sequence of PoolItem
        All items that may be used. A testlet is what of one stimulus stands here.
    rng : numpy.random.Generator
        Decides between selections of equally used items; the same state gives the same selection.

    Returns
    -------
    tuple of DrawnItem
        In order of part and cell, inside a cell in order of the pool.

    Raises
    ------
    Shortage
        No selection exists. The cells named lack the fewest items that have to be lacking.
    DrawUndecided
        The solver ran out of time.
    """
    chance = rng.random(len(pool))
    problem = _Problem(blueprint, pool)
    taken = problem.solve(_costs(pool, chance, blueprint.count))
    if taken is None:
        raise Shortage(problem.shortfalls())
    drawn = [DrawnItem(pool[item], *problem.places[place]) for item, place in taken]
    return tuple(sorted(drawn, key=lambda each: (each.part_index, each.cell_index)))


def _costs(pool: Sequence[PoolItem], chance: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Exposures first; the chances of a whole form add up to less than one exposure."""
    exposures = np.array([item.exposures for item in pool], dtype=float)
    return exposures - exposures.min(initial=0.0) + chance / (count + 1)


class _Problem:
    """The draw as a program in binary variables.

    x[i, c] = 1: item i fills cell c. y[t, p] = 1: testlet t stands in part p, and then each of its items fills one of
    the part's cells. The rows: every cell is full, every lone item stands at most once, testlets are whole, a part has
    its number of testlets, enemies do not meet.
    """

    def __init__(self, blueprint: Blueprint, pool: Sequence[PoolItem]) -> None:
        self.blueprint = blueprint
        self.pool = pool
        self.places = [
            (part_index, cell_index)
            for part_index, part in enumerate(blueprint.parts)
            for cell_index in range(len(part.cells))
        ]
        self.wanted = [blueprint.parts[part].cells[cell].count for part, cell in self.places]
        self.fillings: list[tuple[int, int]] = []  # (item, place) of each x, in order of the variables
        self.testlets: list[tuple[str, int]] = []  # (stimulus, part) of each y, following them
        self._list_variables()
        self.n_variables = len(self.fillings) + len(self.testlets)
        self._rows = _Rows()
        self._state_rows()

    def solve(self, costs: NDArray[np.float64]) -> list[tuple[int, int]] | None:
        """Return the cheapest selection as (item, place), or none when there is none."""
        objective = np.zeros(self.n_variables)
        objective[: len(self.fillings)] = costs[[item for item, _ in self.fillings]]
        values = self._run(objective, self._rows)
        if values is None:
            return None
        return [filling for filling, value in zip(self.fillings, values, strict=False) if value > 0.5]

    def shortfalls(self) -> tuple[Shortfall, ...]:
        """Fill as much as can be filled and say what stays empty."""
        loose = self._rows.copy()
        slack_of_cell = [self.n_variables + place for place in range(len(self.places))]
        n_columns = self.n_variables + len(self.places)
        for place, column in enumerate(slack_of_cell):
            loose.add_to(("cell", place), column, 1.0)
        slack_of_testlets: dict[int, int] = {}
        for index, part in enumerate(self.blueprint.parts):
            if part.testlets is not None:
                slack_of_testlets[index] = n_columns
                loose.add_to(("testlets", index), n_columns, 1.0)
                n_columns += 1
        objective = np.zeros(n_columns)
        objective[self.n_variables :] = 1.0
        values = self._run(objective, loose, n_slacks=n_columns - self.n_variables)
        if values is None:
            # Only too many testlets of too few items can still contradict each other.
            return tuple(self._shortfall_of_testlets(index, 0) for index in slack_of_testlets)
        lacking = [round(values[column]) for column in slack_of_cell]
        cells = [self._shortfall(place, lack) for place, lack in enumerate(lacking) if lack]
        testlets = [
            self._shortfall_of_testlets(index, self.blueprint.parts[index].testlets - round(values[column]))
            for index, column in slack_of_testlets.items()
            if round(values[column])
        ]
        return (*cells, *testlets)
