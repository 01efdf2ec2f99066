"""What some rows answered, as the search for a maximum asks it: sums over each row's items, dense or sparse."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scoring.irt.bank import ItemBank, ItemGroup
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]


class WeightTerms(NamedTuple):
    """Numerator of the correction of a weighted likelihood, and information; summed over the items of each row."""

    numerator: Array
    information: Array


class Answers(ABC):
    """Answers of some rows to the items of a bank; unanswered items count nowhere."""

    n_rows: int

    @abstractmethod
    def rows(self, chosen: NDArray[np.int64]) -> "Answers":
        """Answers of some of the rows."""

    @property
    @abstractmethod
    def has_any(self) -> NDArray[np.bool_]:
        """Which rows answered an item at all, shape (n_rows,)."""

    @abstractmethod
    def log_likelihood(self, grid: Array) -> Array:
        """Log-likelihood at each point, shape (n_points, n_rows)."""

    @abstractmethod
    def derivatives(self, theta: Array) -> tuple[Array, Array]:
        """First and second derivative of the log-likelihood at each row's theta, shape (n_rows,)."""

    @abstractmethod
    def weight_terms(self, theta: Array, *, is_warm: bool) -> WeightTerms:
        """Terms at each row's theta, shape (n_rows,)."""

    @abstractmethod
    def weight_terms_on(self, grid: Array, *, is_warm: bool) -> WeightTerms:
        """Terms at each point, shape (n_points, n_rows)."""


def answers_of(responses: ResponseMatrix, bank: ItemBank) -> Answers:
    """Return the answers in the form of the responses."""
    categories = responses.categories
    return (
        SparseAnswers(categories, bank) if isinstance(categories, SparseCategories) else DenseAnswers(categories, bank)
    )


class DenseAnswers(Answers):
    """Answers of rows that meet most of the items."""

    def __init__(self, categories: NDArray[np.int8], bank: ItemBank) -> None:
        self.categories, self.bank = categories, bank
        self.n_rows = categories.shape[0]
        self.is_answered = (categories >= 0).T

    def rows(self, chosen: NDArray[np.int64]) -> "DenseAnswers":
        """Answers of some of the rows."""
        return DenseAnswers(self.categories[chosen], self.bank)

    @property
    def has_any(self) -> NDArray[np.bool_]:
        """Rows with a response."""
        return np.asarray(self.is_answered.any(axis=0))

    def log_likelihood(self, grid: Array) -> Array:
        """Sum the log-probabilities of the categories given."""
        result = np.zeros((grid.size, self.categories.shape[0]))
        for group in self.bank.groups():
            log_p = group.family.log_probabilities(group.x, grid)
            for k in range(group.n_categories):
                result += log_p[:, k].T @ (self.categories[:, group.items] == k).T.astype(np.float64)
        return result

    def derivatives(self, theta: Array) -> tuple[Array, Array]:
        """Sum the derivatives of the categories given."""
        gradient, slope = np.zeros(theta.size), np.zeros(theta.size)
        for group in self.bank.groups():
            first, second = group.family.theta_derivatives(group.x, theta, self.bank.a[group.items])
            given = self.categories[:, group.items].T
            is_answered = given >= 0
            at = np.maximum(given, 0)[:, None, :].astype(np.int64)
            gradient += (np.take_along_axis(first, at, axis=1)[:, 0] * is_answered).sum(axis=0)
            slope += (np.take_along_axis(second, at, axis=1)[:, 0] * is_answered).sum(axis=0)
        return gradient, slope

    def weight_terms(self, theta: Array, *, is_warm: bool) -> WeightTerms:
        """Sum over the items answered."""
        terms = _item_terms(self.bank, theta, is_warm=is_warm)
        return WeightTerms(*((of * self.is_answered).sum(axis=0) for of in terms))

    def weight_terms_on(self, grid: Array, *, is_warm: bool) -> WeightTerms:
        """Sum over the items answered."""
        is_answered = self.is_answered.astype(np.float64)
        return WeightTerms(*(of.T @ is_answered for of in _item_terms(self.bank, grid, is_warm=is_warm)))


class SparseAnswers(Answers):
    """Answers of rows that meet few of the items: the candidates of one item are computed together."""

    def __init__(self, categories: SparseCategories, bank: ItemBank) -> None:
        self.bank, self.categories = bank, categories
        n_rows, items = categories.starts.size - 1, categories.items
        row = np.repeat(np.arange(n_rows), np.diff(categories.starts))
        order = np.argsort(items, kind="stable")
        self.n_rows, self.row, self.category = n_rows, row[order], categories.categories[order].astype(np.int64)
        self.first = np.searchsorted(items[order], np.arange(bank.n_items + 1))
        shape = (n_rows, bank.n_items)
        self.is_answered = csr_array((np.ones(items.size), items, categories.starts), shape=shape)
        self.widest = int(bank.n_categories.max())
        at = items.astype(np.int64) * self.widest + categories.categories
        self.marks = csr_array((np.ones(items.size), at, categories.starts), shape=(n_rows, shape[1] * self.widest))

    def rows(self, chosen: NDArray[np.int64]) -> "SparseAnswers":
        """Answers of some of the rows."""
        return SparseAnswers(self.categories.rows(chosen), self.bank)

    @property
    def has_any(self) -> NDArray[np.bool_]:
        """Rows with a response."""
        answered: NDArray[np.bool_] = np.diff(self.is_answered.indptr) > 0
        return answered

    def log_likelihood(self, grid: Array) -> Array:
        """Sum the log-probabilities of the categories given."""
        table = np.zeros((self.bank.n_items, self.widest, grid.size))
        for group in self.bank.groups():
            table[group.items, : group.n_categories] = group.family.log_probabilities(group.x, grid)
        return np.ascontiguousarray((self.marks @ table.reshape(-1, grid.size)).T)

    def derivatives(self, theta: Array) -> tuple[Array, Array]:
        """Sum the derivatives of the categories given."""
        first, second = np.empty(self.row.size), np.empty(self.row.size)
        for group, at, place in self._met_items():
            slope = self.bank.a[group.items[at : at + 1]]
            of = group.family.theta_derivatives(group.x[at : at + 1], theta[self.row[place]], slope)
            chosen = (self.category[place], np.arange(place.stop - place.start))
            first[place], second[place] = of[0][0][chosen], of[1][0][chosen]
        return self._summed(first), self._summed(second)

    def weight_terms(self, theta: Array, *, is_warm: bool) -> WeightTerms:
        """Sum over the items answered."""
        numerator, information = np.empty(self.row.size), np.empty(self.row.size)
        for group, at, place in self._met_items():
            one = ItemGroup(group.model, group.n_categories, group.items[at : at + 1], group.x[at : at + 1])
            of = _group_terms(self.bank, one, theta[self.row[place]], is_warm=is_warm)
            numerator[place], information[place] = of.numerator[0], of.information[0]
        return WeightTerms(self._summed(numerator), self._summed(information))

    def weight_terms_on(self, grid: Array, *, is_warm: bool) -> WeightTerms:
        """Sum over the items answered."""
        terms = _item_terms(self.bank, grid, is_warm=is_warm)
        return WeightTerms(*(np.ascontiguousarray((self.is_answered @ of).T) for of in terms))

    def _met_items(self) -> list[tuple[ItemGroup, int, slice]]:
        """Items that anybody here answered: their group, place in it, and run of the answers."""
        return [
            (group, at, slice(int(self.first[item]), int(self.first[item + 1])))
            for group in self.bank.groups()
            for at, item in enumerate(group.items)
            if self.first[item + 1] > self.first[item]
        ]

    def _summed(self, values: Array) -> Array:
        return np.asarray(np.bincount(self.row, values, minlength=self.n_rows), dtype=np.float64)


def _item_terms(bank: ItemBank, theta: Array, *, is_warm: bool) -> WeightTerms:
    """Terms of every item at every theta, shape (n_items, n_theta)."""
    result = WeightTerms(np.zeros((bank.n_items, theta.size)), np.zeros((bank.n_items, theta.size)))
    for group in bank.groups():
        result.numerator[group.items], result.information[group.items] = _group_terms(
            bank, group, theta, is_warm=is_warm
        )
    return result


def _group_terms(bank: ItemBank, group: ItemGroup, theta: Array, *, is_warm: bool) -> WeightTerms:
    """The numerator is the derivative of the information, or Warm's sum of P' P'' / P."""
    p = np.exp(group.family.log_probabilities(group.x, theta))
    first, second = group.family.theta_derivatives(group.x, theta, bank.a[group.items])
    inner = second + first * first if is_warm else 2.0 * second + first * first
    return WeightTerms((p * first * inner).sum(axis=1), (p * first * first).sum(axis=1))
