"""Stratified draw: which items of a bank fill the cells of a blueprint.

Exact: cells may overlap, testlets come whole or not at all, enemies never meet, and a selection is found whenever one
exists. Among all selections the least used items are taken, then chance decides, from the generator given.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from item_bank.forms.blueprint import Blueprint, Cell, ItemKind
from item_bank.forms.errors import DrawUndecided, Shortage, Shortfall
from item_bank.model.item import Level

TIME_LIMIT_SECONDS = 30

_INFEASIBLE = 2  # status of scipy.optimize.milp


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
    """An item of the selection and the cell it fills; the numbers count from 0."""

    item: PoolItem
    position: int  # in the pool
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
        In order of part and cell, inside a cell in the order of the pool.

    Raises
    ------
    Shortage
        No selection exists. The cells named are a smallest set of gaps: with these filled, one would exist.
    DrawUndecided
        The solver ran out of time.
    """
    program = _Program(blueprint, pool)
    filled = _solve(program, _costs(program, rng))
    if filled is None:
        raise Shortage(_shortfalls(program))
    drawn = [
        DrawnItem(pool[item], item, *program.cells[cell])
        for (item, cell), value in zip(program.fillings, filled, strict=False)
        if value > 0.5
    ]
    return tuple(sorted(drawn, key=lambda each: (each.part_index, each.cell_index)))


class _Row(msgspec.Struct):
    """One condition: lower ≤ Σ coefficient × variable ≤ upper."""

    terms: dict[int, float]
    lower: float
    upper: float


class _Program:
    """The draw in binary variables.

    x[i, c] = 1: item i fills cell c. y[t, p] = 1: testlet t stands in part p, and each of its items fills one of the
    cells of that part. The conditions: every cell is full, a lone item stands once at most, a testlet stands in one
    part at most, a part has its number of testlets, enemies do not meet.
    """

    def __init__(self, blueprint: Blueprint, pool: Sequence[PoolItem]) -> None:
        self.blueprint = blueprint
        self.pool = pool
        self.cells = [(p, c) for p, part in enumerate(blueprint.parts) for c in range(len(part.cells))]
        self.fillings: list[tuple[int, int]] = []  # (item, cell) of each x: the first variables
        self.standings: list[tuple[str, int]] = []  # (stimulus, part) of each y: the variables after them
        self._list_variables()
        self.cell_rows = [_Row({}, self.cell(c).count, self.cell(c).count) for c in range(len(self.cells))]
        self.testlet_rows = {
            p: _Row({}, part.testlets, part.testlets)
            for p, part in enumerate(blueprint.parts)
            if part.testlets is not None
        }
        self.other_rows = self._state_conditions()

    @property
    def n_variables(self) -> int:
        """Number of all x and y."""
        return len(self.fillings) + len(self.standings)

    @property
    def rows(self) -> list[_Row]:
        """All conditions."""
        return [*self.cell_rows, *self.testlet_rows.values(), *self.other_rows]

    def cell(self, index: int) -> Cell:
        """Return a cell by its place in `cells`."""
        part, cell = self.cells[index]
        return self.blueprint.parts[part].cells[cell]

    def _list_variables(self) -> None:
        testlets: dict[str, list[int]] = defaultdict(list)
        for index, item in enumerate(self.pool):
            if item.stimulus is not None:
                testlets[item.stimulus].append(index)
        fitting = [[c for c in range(len(self.cells)) if self._fits(item, c)] for item in self.pool]
        parts_of = [{self.cells[c][0] for c in cells} for cells in fitting]
        for stimulus, items in testlets.items():
            whole_in = set.intersection(*(parts_of[index] for index in items))
            self.standings += [(stimulus, part) for part in sorted(whole_in)]
            for index in items:
                fitting[index] = [c for c in fitting[index] if self.cells[c][0] in whole_in]
        self.fillings = [(index, c) for index, cells in enumerate(fitting) for c in cells]

    def _fits(self, item: PoolItem, cell_index: int) -> bool:
        cell = self.cell(cell_index)
        kind = self.blueprint.parts[self.cells[cell_index][0]].kind
        return item.kind is kind and cell.topic in (None, item.topic) and cell.level in (None, item.level)

    def _state_conditions(self) -> list[_Row]:
        of_item: dict[int, _Row] = {}
        inside: dict[tuple[int, int], _Row] = {}  # (item of a testlet, part): its x minus the testlet's y is 0
        for column, (item, cell) in enumerate(self.fillings):
            self.cell_rows[cell].terms[column] = 1.0
            of_item.setdefault(item, _Row({}, 0.0, 1.0)).terms[column] = 1.0
            if self.pool[item].stimulus is not None:
                inside.setdefault((item, self.cells[cell][0]), _Row({}, 0.0, 0.0)).terms[column] = 1.0
        of_testlet: dict[str, _Row] = {}
        column_of: dict[tuple[str, int], int] = {}
        for column, (stimulus, part) in enumerate(self.standings, start=len(self.fillings)):
            column_of[stimulus, part] = column
            of_testlet.setdefault(stimulus, _Row({}, 0.0, 1.0)).terms[column] = 1.0
            if part in self.testlet_rows:
                self.testlet_rows[part].terms[column] = 1.0
        for (item, part), row in inside.items():
            row.terms[column_of[str(self.pool[item].stimulus), part]] = -1.0
        return [*of_item.values(), *inside.values(), *of_testlet.values(), *self._enemy_rows(of_item)]

    def _enemy_rows(self, of_item: Mapping[int, _Row]) -> list[_Row]:
        index_of = {item.id: index for index, item in enumerate(self.pool)}
        pairs = {
            (min(index, index_of[enemy]), max(index, index_of[enemy]))
            for index, item in enumerate(self.pool)
            for enemy in item.enemies
            if enemy in index_of and enemy != item.id
        }
        return [
            _Row({**of_item[first].terms, **of_item[second].terms}, 0.0, 1.0)
            for first, second in sorted(pairs)
            if first in of_item and second in of_item
        ]


def _costs(program: _Program, rng: np.random.Generator) -> NDArray[np.float64]:
    """Exposures first; the chances of a whole form together weigh less than one exposure."""
    exposures = np.array([item.exposures for item in program.pool], dtype=float)
    chance = rng.random(len(program.pool)) / (program.blueprint.count + 1)
    least = exposures.min() if len(exposures) else 0.0
    of_item = exposures - least + chance
    costs = np.zeros(program.n_variables)
    costs[: len(program.fillings)] = of_item[[item for item, _ in program.fillings]]
    return costs


def _shortfalls(program: _Program) -> tuple[Shortfall, ...]:
    """Fill as much as can be filled, and say what stays empty: each cell and testlet count gets a slack variable."""
    slack_rows = [*program.cell_rows, *program.testlet_rows.values()]
    for column, row in enumerate(slack_rows, start=program.n_variables):
        row.terms[column] = 1.0
    wanted = np.array([row.upper for row in slack_rows])
    costs = np.concatenate([np.zeros(program.n_variables), np.ones(len(slack_rows))])
    values = _solve(program, costs, slack_limits=wanted)
    lacking = np.zeros(0) if values is None else np.rint(values[program.n_variables :]).astype(int)
    found = [
        _cell_shortfall(program, index, int(lack))
        for index, lack in enumerate(lacking[: len(program.cell_rows)])
        if lack
    ]
    testlets = zip(program.testlet_rows, lacking[len(program.cell_rows) :], strict=True)
    return (*found, *(_testlet_shortfall(program, part, int(lack)) for part, lack in testlets if lack))


def _cell_shortfall(program: _Program, index: int, lacking: int) -> Shortfall:
    cell, part = program.cell(index), program.blueprint.parts[program.cells[index][0]]
    return Shortfall(
        part=part.part,
        kind=part.kind,
        topic=cell.topic,
        level=cell.level,
        wanted=cell.count,
        available=cell.count - lacking,
    )


def _testlet_shortfall(program: _Program, part_index: int, lacking: int) -> Shortfall:
    part = program.blueprint.parts[part_index]
    wanted = part.testlets or 0
    return Shortfall(
        part=part.part,
        kind=part.kind,
        topic=None,
        level=None,
        wanted=wanted,
        available=wanted - lacking,
        of="testlets",
    )


def _solve(
    program: _Program, costs: NDArray[np.float64], slack_limits: NDArray[np.float64] | None = None
) -> NDArray[np.float64] | None:
    """Return the cheapest values of all variables, or none when the conditions contradict each other."""
    # A second of import that every process of the API would pay at its start and few ever need.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    rows = program.rows
    if any(not row.terms and row.lower > 0 for row in rows):
        return None
    rows = [row for row in rows if row.terms]
    upper = np.ones(len(costs))
    if slack_limits is not None:
        upper[program.n_variables :] = slack_limits
    entries = [(r, column, value) for r, row in enumerate(rows) for column, value in row.terms.items()]
    row_of, column_of, values = zip(*entries, strict=True)
    matrix = coo_array((values, (row_of, column_of)), shape=(len(rows), len(costs))).tocsr()
    result = milp(
        costs,
        integrality=np.ones(len(costs)),
        bounds=Bounds(0.0, upper),
        constraints=LinearConstraint(matrix, [row.lower for row in rows], [row.upper for row in rows]),
        options={"time_limit": TIME_LIMIT_SECONDS, "mip_rel_gap": 0.0},
    )
    if result.status == _INFEASIBLE:
        return None
    if not result.success:
        raise DrawUndecided(TIME_LIMIT_SECONDS)
    return np.asarray(result.x)
