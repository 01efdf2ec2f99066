"""Where each parameter of a calibration stands: blocks of like items, then the latent means and variances."""

from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.irt.bank import ItemBank, ItemGroup
from scoring.irt.models import Family, Model, family_of

Array = NDArray[np.float64]

# An estimate that reaches one of these has left the data behind; it is reported as being at its bound.
LOWEST = {
    "a": -200.0,
    "s": -400.0,
    "d": -1000.0,
    "logit_c": -12.0,
    "logit_u": -5.0,
    "mean": -10.0,
    "log_variance": -9.0,
}
HIGHEST = {"a": 200.0, "s": 400.0, "d": 1000.0, "logit_c": 5.0, "logit_u": 12.0, "mean": 10.0, "log_variance": 6.0}


class Block(NamedTuple):
    """Items of one model and number of categories, all answered by everybody or none so, all free or all fixed.

    `first_row` is their place among the rows of the features, `first` their place in the parameter vector.
    """

    model: Model
    n_categories: int
    items: NDArray[np.int64]
    is_complete: bool
    is_free: bool
    fixed: Array
    first_row: int
    first: int

    @property
    def family(self) -> Family:
        """The formulas."""
        return family_of(self.model)

    @property
    def names(self) -> tuple[str, ...]:
        """Working parameters of one item."""
        return _names(self.model, self.n_categories)

    @property
    def n_rows(self) -> int:
        """Rows of the features: categories above the lowest, and the lowest too where responses are missing."""
        return self.items.size * (self.n_categories - self.is_complete)

    @property
    def n_parameters(self) -> int:
        """Free parameters of the block."""
        return int(self.fixed.size) if self.is_free else 0

    @property
    def rows(self) -> slice:
        """Its rows of the features."""
        return slice(self.first_row, self.first_row + self.n_rows)

    @property
    def place(self) -> slice:
        """Its part of the parameter vector."""
        return slice(self.first, self.first + self.n_parameters)


class LatentParameter(NamedTuple):
    """A free mean or log-variance of a group."""

    group: int
    name: str


class Layout(msgspec.Struct, frozen=True):
    """The parameter vector and the rows of the features.

    Rows 0 … n_groups - 1 of the features mark the groups, the others the categories of items, block by block.
    """

    item_names: tuple[str, ...]
    blocks: tuple[Block, ...]
    group_names: tuple[str, ...]
    latent: tuple[LatentParameter, ...]
    start_means: Array
    start_variances: Array

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.group_names)

    @property
    def n_rows(self) -> int:
        """Rows of the features."""
        return self.n_groups + sum(block.n_rows for block in self.blocks)

    @property
    def n_item_parameters(self) -> int:
        """Free item parameters."""
        return sum(block.n_parameters for block in self.blocks)

    @property
    def n_parameters(self) -> int:
        """Length of the parameter vector."""
        return self.n_item_parameters + len(self.latent)

    def block_parameters(self, block: Block, x: Array) -> Array:
        """Working parameters of a block, shape (n_items, n_parameters)."""
        return x[block.place].reshape(block.fixed.shape) if block.is_free else block.fixed

    def latent_moments(self, x: Array) -> tuple[Array, Array]:
        """Means and variances of the groups."""
        means, variances = self.start_means.copy(), self.start_variances.copy()
        for value, (group, name) in zip(x[self.n_item_parameters :], self.latent, strict=True):
            if name == "mean":
                means[group] = value
            else:
                variances[group] = np.exp(value)
        return means, variances

    def parameter_labels(self) -> list[tuple[str, str]]:
        """(item or group, parameter) of each element of the vector."""
        labels = [
            (self.item_names[item], name)
            for block in self.blocks
            if block.is_free
            for item in block.items
            for name in block.names
        ]
        return labels + [(self.group_names[group], name) for group, name in self.latent]

    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest value of each element of the vector."""
        kinds = [_kind(name) for _, name in self.parameter_labels()]
        return np.array([LOWEST[kind] for kind in kinds]), np.array([HIGHEST[kind] for kind in kinds])

    def longest_moves(self, x: Array) -> Array:
        """How far one step may take each element of the vector from `x`.

        Longer moves of slopes may leap from the nearest maximum to that of a runaway slope.
        """
        is_logit = np.array([name.startswith("logit") for _, name in self.parameter_labels()])
        return np.where(is_logit, 2.5, 0.75 * np.maximum(1.0, np.abs(x) / 3.0))

    def start(self) -> Array:
        """Vector of the starting values."""
        parts = [block.fixed.ravel() for block in self.blocks if block.is_free]
        tail = [
            self.start_means[group] if name == "mean" else np.log(self.start_variances[group])
            for group, name in self.latent
        ]
        return np.concatenate([*parts, np.array(tail)])

    def item_groups(self, x: Array) -> list[ItemGroup]:
        """Return the blocks with their parameters, as `bank.from_working` takes them."""
        return [
            ItemGroup(block.model, block.n_categories, block.items, self.block_parameters(block, x))
            for block in self.blocks
        ]


def layout_of(
    start: ItemBank,
    is_complete: NDArray[np.bool_],
    is_fixed: NDArray[np.bool_],
    group_names: tuple[str, ...],
    latent: tuple[LatentParameter, ...],
    means: Array,
    variances: Array,
) -> Layout:
    """Lay out items by model, categories, completeness and freedom."""
    blocks: list[Block] = []
    first_row, first = len(group_names), 0
    for group in start.groups():
        for complete in (True, False):
            for fixed in (False, True):
                chosen = (is_complete[group.items] == complete) & (is_fixed[group.items] == fixed)
                if chosen.any():
                    block = Block(
                        group.model, group.n_categories, group.items[chosen], complete, not fixed, group.x[chosen],
                        first_row, first,
                    )  # fmt: skip
                    blocks.append(block)
                    first_row += block.n_rows
                    first += block.n_parameters
    return Layout(start.names, tuple(blocks), group_names, latent, means, variances)


@cache
def _names(model: Model, n_categories: int) -> tuple[str, ...]:
    return family_of(model).names(n_categories)


def _kind(name: str) -> str:
    return name.rstrip("0123456789") if name[0] in "sd" else name
