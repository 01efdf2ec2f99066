"""Abilities from the posterior distribution: EAP and plausible values."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import ResponsesUnusable
from scoring.irt.ability.answers import answers_of
from scoring.irt.bank import ItemBank
from scoring.irt.one_thread import one_thread
from scoring.irt.quadrature import STANDARD_QUADRATURE, Quadrature, log_normal_weights
from scoring.irt.responses import ResponseMatrix, SparseCategories, deduplicate

Array = NDArray[np.float64]
_LEAST_WEIGHT = 1e-30
_CHUNK_CELLS, _CHUNK_SPARSE_CELLS = 1 << 17, 1 << 21


class Abilities(msgspec.Struct, frozen=True):
    """Estimates, one for each row of the responses.

    Attributes
    ----------
    theta : ndarray, shape (n_rows,)
        Logits; infinite where the maximum of the likelihood is.
    se : ndarray, shape (n_rows,)
        Standard error (posterior standard deviation for EAP); NaN where theta is infinite.
    """

    theta: Array
    se: Array


def eap_estimates(
    responses: ResponseMatrix,
    bank: ItemBank,
    *,
    means: ArrayLike = 0.0,
    variances: ArrayLike = 1.0,
    quadrature: Quadrature = STANDARD_QUADRATURE,
    density: ArrayLike | None = None,
) -> Abilities:
    """Posterior mean and standard deviation of ability.

    Parameters
    ----------
    responses : ResponseMatrix
        Its items are those of `bank`, in that order.
    means, variances : float or array_like, shape (n_groups,)
        Moments of the normal prior of each group.
    density : array_like, shape (n_groups, n_points), optional
        Weights at the quadrature points in place of a normal prior: the histogram of a calibration.

    References
    ----------
    Bock & Mislevy (1982), Applied Psychological Measurement 6, 431-444.
    """
    merged = deduplicate(responses)
    if merged is not None:
        few = eap_estimates(
            merged.responses, bank, means=means, variances=variances, quadrature=quadrature, density=density
        )
        return Abilities(few.theta[merged.index], few.se[merged.index])
    theta, se = np.empty(responses.n_rows), np.empty(responses.n_rows)
    points = quadrature.points
    moments = np.stack([np.ones_like(points), points, points * points])
    prior = _log_prior(responses, means, variances, quadrature, density)
    with one_thread():
        for place, weight in _posterior_weights(responses, bank, prior, quadrature):
            mass, first, second = moments @ weight
            mean = first / mass
            theta[place] = mean
            se[place] = np.sqrt(np.maximum(second / mass - mean * mean, 0.0))
    return Abilities(theta, se)


def plausible_values(
    responses: ResponseMatrix,
    bank: ItemBank,
    n_values: int,
    rng: np.random.Generator,
    *,
    means: ArrayLike = 0.0,
    variances: ArrayLike = 1.0,
    quadrature: Quadrature = STANDARD_QUADRATURE,
    density: ArrayLike | None = None,
) -> Array:
    """Draw abilities from each row's posterior, shape (n_rows, n_values).

    Drawn from the posterior on the quadrature points, each spread evenly over its interval.

    References
    ----------
    Mislevy (1991), Psychometrika 56, 177-196.
    """
    prior = _log_prior(responses, means, variances, quadrature, density)
    result = np.empty((responses.n_rows, n_values))
    points = quadrature.points
    width = points[1] - points[0]
    for place, weight in _posterior_weights(responses, bank, prior, quadrature):
        cumulative = np.cumsum(weight, axis=0)
        cumulative /= cumulative[-1]
        for draw in range(n_values):
            chance = rng.random(weight.shape[1])
            at = np.minimum((cumulative < chance).sum(axis=0), points.size - 1)
            result[place, draw] = points[at] + width * (rng.random(weight.shape[1]) - 0.5)
    return result


def require_same_items(responses: ResponseMatrix, bank: ItemBank) -> None:
    """Refuse responses whose items or categories are not those of the bank."""
    if responses.item_names != bank.names:
        raise ResponsesUnusable("responses", "their items are not those of the item parameters, in the same order")
    for name, highest, k in zip(bank.names, responses.highest_categories(), bank.n_categories, strict=True):
        if highest >= k:
            raise ResponsesUnusable(f"item {name}", f"has category {highest}, but its parameters know 0 to {k - 1}")


def _log_prior(
    responses: ResponseMatrix,
    means: ArrayLike,
    variances: ArrayLike,
    quadrature: Quadrature,
    density: ArrayLike | None,
) -> Array:
    """Logarithm of each group's prior at the points, shape (n_points, n_groups)."""
    n_groups, points = len(responses.group_names), quadrature.points
    if density is not None:
        weights = np.asarray(density, dtype=np.float64)
        if weights.shape != (n_groups, points.size) or not (weights >= 0).all() or not (weights.sum(axis=1) > 0).all():
            raise ResponsesUnusable("density", f"needs {n_groups} × {points.size} weights that are not negative")
        return np.log(np.maximum(weights, _LEAST_WEIGHT)).T
    group_means = np.broadcast_to(np.asarray(means, dtype=np.float64), n_groups)
    group_variances = np.broadcast_to(np.asarray(variances, dtype=np.float64), n_groups)
    return np.stack(
        [log_normal_weights(points, m, v) for m, v in zip(group_means, group_variances, strict=True)], axis=1
    )


def _posterior_weights(
    responses: ResponseMatrix, bank: ItemBank, prior: Array, quadrature: Quadrature
) -> Iterator[tuple[slice, Array]]:
    """Yield runs of rows with their posterior, up to a factor each, shape (n_points, run)."""
    require_same_items(responses, bank)
    categories = responses.categories
    points = quadrature.points
    n_groups = prior.shape[1]
    if isinstance(categories, SparseCategories):
        yield from _sparse_weights(responses, bank, points, prior)
        return
    has_missing = bool((categories.min(axis=0) < 0).any())
    layers, base = _category_terms(bank, points, has_missing=has_missing)
    prior = prior + base[:, None]
    size = min(max(256, _CHUNK_CELLS // points.size), responses.n_rows)
    # Buffers are kept from run to run: fresh pages would cost more than the products.
    marks_buffer = np.empty((responses.n_items, size))
    joint_buffer = np.empty((points.size, size))
    for start in range(0, responses.n_rows, size):
        place = slice(start, min(start + size, responses.n_rows))
        part = np.ascontiguousarray(categories[place].T)
        joint = joint_buffer if part.shape[1] == size else joint_buffer[:, : part.shape[1]]
        joint[...] = prior if n_groups == 1 or responses.groups is None else prior[:, responses.groups[place]]
        for k, (items, terms) in layers.items():
            marks = marks_buffer[: items.size, : part.shape[1]]
            np.equal(part if items.size == part.shape[0] else part[items], k, out=marks, casting="unsafe")
            joint += terms @ marks
        joint -= joint.max(axis=0)
        np.exp(joint, out=joint)
        yield place, joint


def _sparse_weights(
    responses: ResponseMatrix, bank: ItemBank, points: Array, prior: Array
) -> Iterator[tuple[slice, Array]]:
    size = max(1024, _CHUNK_SPARSE_CELLS // points.size)
    for start in range(0, responses.n_rows, size):
        place = slice(start, min(start + size, responses.n_rows))
        joint = answers_of(responses.rows(np.arange(place.start, place.stop)), bank).log_likelihood(points)
        joint += prior if responses.groups is None else prior[:, responses.groups[place]]
        joint -= joint.max(axis=0)
        np.exp(joint, out=joint)
        yield place, joint


def _category_terms(
    bank: ItemBank, points: Array, *, has_missing: bool
) -> tuple[dict[int, tuple[NDArray[np.int64], Array]], Array]:
    """Items that have each category, with what it adds to the log-likelihood, (n_points, items); what all rows share.

    Without missing responses category 0 is what all share, and the others add their difference from it.
    """
    widest = int(bank.n_categories.max())
    log_p = np.zeros((points.size, bank.n_items, widest))
    for group in bank.groups():
        terms = group.family.log_probabilities(group.x, points)
        log_p[:, group.items, : group.n_categories] = terms.transpose(2, 0, 1)
    base = np.zeros(points.size)
    lowest = 0
    if not has_missing:
        base = log_p[:, :, 0].sum(axis=1)
        log_p = log_p - log_p[:, :, :1]
        lowest = 1
    layers = {}
    for k in range(lowest, widest):
        items = np.flatnonzero(bank.n_categories > k)
        layers[k] = (items, np.ascontiguousarray(log_p[:, items, k]))
    return layers, base
