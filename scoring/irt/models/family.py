"""What every family of response models can do; the estimators know no more than this."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class CompleteData(NamedTuple):
    """Derivatives of the expected complete-data log-likelihood, item by item.

    `gradient` has shape (n_items, n_parameters); `information`, minus the second derivative, one dimension more.
    """

    gradient: Array
    information: Array


class Family(ABC):
    """Items of one model with the same number of categories, computed together.

    `x` holds working parameters, shape (n_items, n_parameters), in the order of `names`; `theta` has shape (n_theta,).
    """

    @abstractmethod
    def names(self, n_categories: int) -> tuple[str, ...]:
        """Working parameters in order."""

    @abstractmethod
    def log_probabilities(self, x: Array, theta: Array) -> Array:
        """Logarithm of each category's probability, shape (n_items, n_categories, n_theta); finite everywhere."""

    @abstractmethod
    def scores(self, x: Array, theta: Array) -> Array:
        """First derivatives by the parameters, shape (n_items, n_categories, n_parameters, n_theta)."""

    @abstractmethod
    def complete_data(self, x: Array, theta: Array, counts: Array, *, is_expected: bool = False) -> CompleteData:
        """Gradient and information for `counts` of shape (n_items, n_categories, n_theta).

        `is_expected` takes the expectation of the information over responses, which is never indefinite.
        """

    @abstractmethod
    def theta_derivatives(self, x: Array, theta: Array, slope: Array) -> tuple[Array, Array]:
        """First and second derivatives of the log-probabilities by theta, each (n_items, n_categories, n_theta).

        `slope` of shape (n_items,) is the discrimination, 1 where the model fixes it.
        """
