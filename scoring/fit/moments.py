"""First- and second-order moments of a test under its model: values, asymptotic covariance, derivatives.

What M2*, C2 and their baseline are made of. Each statistic is a function of one item, or the product of two scores.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class ItemCurves(NamedTuple):
    """One item at the points of the population: `p` of shape (K, Q); its derivatives of shape (n_parameters, K, Q)."""

    p: Array
    derivatives: Array


class Moments(NamedTuple):
    """`value` of shape (n,), `covariance` (n, n) of one candidate's statistics, `derivatives` (n, n_parameters)."""

    value: Array
    covariance: Array
    derivatives: Array


def first_order_functions(n_categories: list[int], *, is_by_category: bool) -> list[Array]:
    """For each item the first-order statistics as functions of its category, shape (n_functions, K)."""
    if is_by_category:
        return [np.eye(k)[1:] for k in n_categories]
    return [np.arange(float(k))[None, :] for k in n_categories]


def observed_moments(categories: NDArray[np.int8], weights: Array, functions: list[Array]) -> Array:
    """Means of the statistics in the data: first-order item by item, then pairs as `numpy.triu_indices` has them."""
    total = weights.sum()
    first = [function[:, categories[:, item]] @ weights / total for item, function in enumerate(functions)]
    scores = categories.astype(np.float64)
    products = scores.T @ (scores * weights[:, None]) / total
    return np.concatenate([*first, products[np.triu_indices(len(functions), 1)]])


def model_moments(
    curves: list[ItemCurves], weights: Array, weight_derivatives: Array, functions: list[Array]
) -> Moments:
    """Compute the moments under the model.

    Parameters
    ----------
    weights : ndarray, shape (Q,)
        Of the population's points.
    weight_derivatives : ndarray, shape (n_latent, Q)
        Of the weights by the free moments of the population, the last parameters.
    """
    first_item, left, right = _layout(functions)
    means = np.stack([np.arange(float(c.p.shape[0])) @ c.p for c in curves])
    first = np.concatenate([f @ c.p for f, c in zip(functions, curves, strict=True)])
    conditional = np.concatenate([first, means[left] * means[right]])
    value = conditional @ weights
    covariance = (conditional * weights) @ conditional.T - np.outer(value, value)
    for item, (function, curve) in enumerate(zip(functions, curves, strict=True)):
        own = np.flatnonzero(first_item == item)
        pairs = np.flatnonzero((left == item) | (right == item))
        partner = np.where(left[pairs] == item, right[pairs], left[pairs])
        local = np.concatenate([function, np.arange(float(curve.p.shape[0]))[None, :]])
        mean = local @ curve.p
        within = np.einsum("uk,vk,kq->uvq", local, local, curve.p) - mean[:, None] * mean[None, :]
        # Statistics that share this item: which function of it they use, and what multiplies it.
        used = np.concatenate([np.arange(own.size), np.full(pairs.size, own.size)])
        factor = np.concatenate([np.ones((own.size, weights.size)), means[partner]])
        at = np.concatenate([own, first_item.size + pairs])
        for u in range(own.size + 1):
            for v in range(own.size + 1):
                rows, columns = used == u, used == v
                block = (factor[rows] * (within[u, v] * weights)) @ factor[columns].T
                covariance[np.ix_(at[rows], at[columns])] += block
    variance = np.stack([(np.arange(float(c.p.shape[0])) ** 2) @ c.p for c in curves]) - means**2
    pair_places = first_item.size + np.arange(left.size)
    covariance[pair_places, pair_places] += (variance[left] * variance[right]) @ weights
    derivatives = _derivatives(curves, weights, functions, means)
    return Moments(value, covariance, np.concatenate([derivatives, conditional @ weight_derivatives.T], axis=1))


def _layout(functions: list[Array]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Item of each first-order statistic, and the two items of each pair."""
    first_item = np.repeat(np.arange(len(functions)), [f.shape[0] for f in functions])
    left, right = np.triu_indices(len(functions), 1)
    return first_item, left, right


def _derivatives(curves: list[ItemCurves], weights: Array, functions: list[Array], means: Array) -> Array:
    first_item, left, right = _layout(functions)
    columns = []
    for item, (function, curve) in enumerate(zip(functions, curves, strict=True)):
        n = curve.derivatives.shape[0]
        block = np.zeros((first_item.size + left.size, n))
        block[: first_item.size][first_item == item] = np.einsum("uk,pkq,q->up", function, curve.derivatives, weights)
        score = np.einsum("k,pkq->pq", np.arange(float(curve.p.shape[0])), curve.derivatives) * weights
        for own, other in ((left, right), (right, left)):
            at = np.flatnonzero(own == item)
            block[first_item.size + at] = means[other[at]] @ score.T
        columns.append(block)
    return np.concatenate(columns, axis=1)
