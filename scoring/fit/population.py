"""The population a measure of fit is integrated over, and the dense responses it needs."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.errors import FitUndefined
from scoring.irt.bank import ItemBank
from scoring.irt.quadrature import Quadrature, log_normal_weights
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A normal population of abilities on quadrature points.

    Attributes
    ----------
    mean, variance : float
        Logits, squared logits.
    quadrature : Quadrature
    is_mean_free, is_variance_free : bool
        Whether calibration estimated them, as it does the variance of a Rasch test: degrees of freedom count them.
    """

    mean: float = 0.0
    variance: float = 1.0
    quadrature: Quadrature = Quadrature()
    is_mean_free: bool = False
    is_variance_free: bool = False

    @property
    def points(self) -> Array:
        """Abilities, shape (n_points,)."""
        return self.quadrature.points

    @property
    def weights(self) -> Array:
        """Share of the population at each point; sums to 1."""
        result: Array = np.exp(log_normal_weights(self.points, self.mean, self.variance))
        return result

    @property
    def n_free(self) -> int:
        """Number of moments that calibration estimated."""
        return int(self.is_mean_free) + int(self.is_variance_free)


STANDARD_POPULATION = Population()
"""Mean 0, variance 1, 61 points on [-6, 6]."""


def dense_categories(responses: ResponseMatrix, bank: ItemBank) -> NDArray[np.int8]:
    """Return the responses as an array, -1 where missing.

    Raises
    ------
    FitUndefined
        The items are not those of the bank, a category is unknown to it, or the responses are sparse.
    """
    if responses.item_names != bank.names:
        raise FitUndefined("responses", "their items are not those of the item parameters, in the same order")
    if isinstance(responses.categories, SparseCategories):
        raise FitUndefined("responses", "fit is measured on dense responses; take the items of one form at a time")
    highest = responses.categories.max(axis=0, initial=-1)
    for name, top, k in zip(bank.names, highest, bank.n_categories, strict=True):
        if top >= k:
            raise FitUndefined(f"item {name}", f"has category {top}, but its parameters know 0 to {k - 1}")
    return responses.categories


def complete_rows(responses: ResponseMatrix) -> ResponseMatrix:
    """Return the rows without a missing response."""
    if isinstance(responses.categories, SparseCategories):
        raise FitUndefined("responses", "sparse responses have no complete rows; take the items of one form at a time")
    return responses.rows(np.flatnonzero((responses.categories >= 0).all(axis=1)))
