"""Information in the marginal likelihood: observed (Louis) and cross-product.

Observed information = complete-data information - posterior covariance of the complete-data score, summed over
candidates. The second term needs, at each quadrature point, one weighted cross-product of the features.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from scoring.calibration.expectation import exponentiate_in_place, posterior_of, posteriors
from scoring.calibration.features import DenseFeatures
from scoring.calibration.layout import Block, Layout
from scoring.calibration.objective import Evaluation, Problem, complete_information, log_terms
from scoring.calibration.priors import prior_terms
from scoring.irt.quadrature import normal_weight_derivatives

Array = NDArray[np.float64]
_RUN = 4096
_SHORT_RUN = 512


class Scores(NamedTuple):
    """Complete-data scores: what a 1 in each row of the features adds to the gradient.

    `pattern`, shape (n_parameters, rows), says where they are not 0; `values`, (n_entries, n_points), what they are.
    """

    pattern: csr_array
    values: Array


def observed_information(problem: Problem, at: Evaluation, dtype: type[np.floating] = np.float64) -> Array:
    """Minus the second derivative of the marginal objective (priors included), shape (n_parameters, n_parameters).

    References
    ----------
    Louis (1982), Journal of the Royal Statistical Society B 44, 226-233.
    """
    result = assembled(problem.layout, complete_information(problem, at, is_expected=False))
    features = problem.features
    if not isinstance(features, DenseFeatures):
        raise TypeError("observed information needs dense features")
    scores = score_terms(problem, at.x)
    terms = log_terms(problem, at.x)
    n_points = terms.shape[1]
    for start in range(0, features.n_columns, _RUN):
        stop = min(start + _RUN, features.n_columns)
        part = np.asarray(features.matrix[:, start:stop], dtype=dtype)
        run = _Run(part, None if features.weights is None else features.weights[start:stop])
        posterior = run.posterior(terms, dtype)
        root = np.sqrt(posterior if run.weights is None else posterior * run.weights.astype(dtype))
        for q in range(n_points):
            scaled = part * root[q]
            square = np.asarray(scaled @ scaled.T, dtype=np.float64)
            # One sparse matrix refilled: building it anew would cost more than the products of a small test.
            scores.pattern.data[:] = scores.values[:, q]
            half = scores.pattern @ square
            result -= (scores.pattern @ half.T).T
        mean_score = _mean_scores(problem.layout, scores, part, posterior)
        if run.weights is not None:
            mean_score *= np.sqrt(run.weights).astype(dtype)
        result += mean_score @ mean_score.T
    return 0.5 * (result + result.T)


def cross_product_information(problem: Problem, at: Evaluation) -> Array:
    """Sum over candidates of the squared marginal score, shape (n_parameters, n_parameters); priors' information added.

    Cheaper than the observed information and the only one for sparse responses; agrees with it in large samples
    when the model holds.
    """
    layout = problem.layout
    scores = score_terms(problem, at.x)
    terms = log_terms(problem, at.x)
    result = np.zeros((layout.n_parameters, layout.n_parameters))
    for mean in _mean_score_runs(problem, scores, terms):
        _add_product(mean, result)
    for block in layout.blocks:
        if block.is_free:
            _add_prior(problem, block, at.x, result)
    return result


def assembled(layout: Layout, parts: list[tuple[slice, Array]]) -> Array:
    """Return the block-diagonal matrix of `complete_information`."""
    result = np.zeros((layout.n_parameters, layout.n_parameters))
    for place, blocks in parts:
        n, p, _ = blocks.shape
        at = place.start + np.arange(n)[:, None] * p + np.arange(p)
        result[at[:, :, None], at[:, None, :]] = blocks
    return result


def score_terms(problem: Problem, x: Array) -> Scores:
    """Compute the complete-data scores by row of the features, at each quadrature point."""
    layout, points = problem.layout, problem.quadrature.points
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    values: list[Array] = []

    def add(parameter: NDArray[np.int64], row: NDArray[np.int64], value: Array) -> None:
        at = np.broadcast_arrays(parameter, row)
        rows.append(at[0].ravel())
        columns.append(at[1].ravel())
        values.append(np.broadcast_to(value, (*at[0].shape, points.size)).reshape(-1, points.size))

    for block in layout.blocks:
        if not block.is_free:
            continue
        score = block.family.scores(layout.block_parameters(block, x), points).transpose(0, 2, 1, 3)
        n_items, p, k, _ = score.shape
        parameter = block.first + np.arange(n_items)[:, None, None] * p + np.arange(p)[None, :, None]
        kept = k - block.is_complete
        row = block.first_row + np.arange(n_items)[:, None, None] * kept + np.arange(kept)
        if block.is_complete:
            for group in range(layout.n_groups):
                add(parameter, np.array(group), score[:, :, :1])
            score = score[:, :, 1:] - score[:, :, :1]
        add(parameter, row, score)
    means, variances = layout.latent_moments(x)
    for i, (group, name) in enumerate(layout.latent):
        first, _ = normal_weight_derivatives(points, means[group], variances[group])
        which = first[0 if name == "mean" else 1]
        add(np.array([layout.n_item_parameters + i]), np.array([group]), which[None])
    at_row, at_column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    order = np.lexsort((at_column, at_row))
    starts = np.searchsorted(at_row[order], np.arange(layout.n_parameters + 1))
    shape = (layout.n_parameters, layout.n_rows)
    pattern = csr_array((np.ones(order.size), at_column[order], starts), shape=shape)
    return Scores(pattern, np.ascontiguousarray(value[order]))


def _mean_score_runs(problem: Problem, scores: Scores, terms: Array) -> Iterator[NDArray[np.float64] | csr_array]:
    """Yield the weighted marginal scores of runs of candidates, shape (n_parameters, run)."""
    features = problem.features
    if isinstance(features, DenseFeatures):
        runs = posteriors(features, terms)
        for (place, matrix), run in zip(features.chunks(terms.shape[1], np.float64), runs, strict=True):
            mean = _mean_scores(problem.layout, scores, np.asarray(matrix), np.asarray(run.posterior))
            yield mean if features.weights is None else mean * np.sqrt(features.weights[place])
        return
    by_row = _ScoresByRow(scores)
    for place, part, groups in features.chunks(terms.shape[1], np.float64):
        posterior = posterior_of(part, groups, terms)
        marks = csr_array((np.ones(groups.size), (np.arange(groups.size), groups)), shape=part.shape)
        mean = by_row.mean_scores(csr_array(part + marks), posterior)
        yield mean if features.weights is None else csr_array(mean * np.sqrt(features.weights[place]))


def _add_product(mean: NDArray[np.float64] | csr_array, result: Array) -> None:
    """Add the squares of a run's scores to `result`, in place."""
    product = mean @ mean.T
    if isinstance(product, np.ndarray):
        result += product
        return
    # Row by row: a dense copy of the whole would double the memory, and most runs meet most pairs of parameters.
    starts = product.indptr
    for row in range(product.shape[0]):
        entries = slice(starts[row], starts[row + 1])
        result[row, product.indices[entries]] += product.data[entries]


class _Run(NamedTuple):
    """A run of candidates."""

    matrix: NDArray[np.floating]
    weights: Array | None

    def posterior(self, terms: Array, dtype: type[np.floating]) -> NDArray[np.floating]:
        joint: NDArray[np.floating] = np.ascontiguousarray(terms.T, dtype=dtype) @ self.matrix
        joint -= joint.max(axis=0)
        exponentiate_in_place(joint)
        joint /= joint.sum(axis=0)
        return joint


def _mean_scores(
    layout: Layout, scores: Scores, matrix: NDArray[np.floating], posterior: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Posterior mean of the complete-data score of each candidate, shape (n_parameters, run)."""
    # One pattern for all points: entry e of parameter p and row r adds matrix[r] * (value[e] @ posterior).
    pattern = scores.pattern
    parameter = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    values = scores.values.astype(posterior.dtype)
    result = np.zeros((layout.n_parameters, matrix.shape[1]), dtype=posterior.dtype)
    # The e-th entry of every parameter at once, so that no row is added to twice.
    rank = np.arange(parameter.size) - pattern.indptr[parameter]
    for e in range(int(rank.max(initial=-1)) + 1):
        chosen = np.flatnonzero(rank == e)
        at, row, value = parameter[chosen], pattern.indices[chosen], values[chosen]
        # Short runs, whose intermediate arrays stay in the cache.
        for start in range(0, matrix.shape[1], _SHORT_RUN):
            place = slice(start, start + _SHORT_RUN)
            added = value @ posterior[:, place]
            added *= matrix[row, place]
            result[at, place] += added
    return result


class _ScoresByRow:
    """The same scores by row of the features, for candidates who meet few of the rows."""

    def __init__(self, scores: Scores) -> None:
        order = csr_array(
            (np.arange(scores.pattern.data.size), scores.pattern.indices, scores.pattern.indptr),
            shape=scores.pattern.shape,
        ).T.tocsr()
        self.starts, self.parameters = order.indptr, order.indices
        self.values = np.ascontiguousarray(scores.values[order.data])
        self.n_parameters = scores.pattern.shape[0]

    def mean_scores(self, part: csr_array, posterior: Array) -> csr_array:
        """Posterior means of the scores, shape (n_parameters, run); `posterior` has shape (run, n_points)."""
        candidates = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        n_entries = np.diff(self.starts)[part.indices]
        owners = np.repeat(candidates, n_entries)
        ends = np.cumsum(n_entries)
        entries = np.repeat(self.starts[part.indices] - (ends - n_entries), n_entries) + np.arange(n_entries.sum())
        weighted = np.empty(entries.size)
        # Short stretches: what is gathered for them stays in the cache.
        for start in range(0, entries.size, _SHORT_RUN):
            at = slice(start, start + _SHORT_RUN)
            weighted[at] = np.einsum("eq,eq->e", self.values[entries[at]], posterior[owners[at]])
        shape = (self.n_parameters, part.shape[0])
        return csr_array(coo_array((weighted, (self.parameters[entries], owners)), shape=shape))


def _add_prior(problem: Problem, block: Block, x: Array, result: Array) -> None:
    terms = prior_terms(problem.priors, block.model, block.names, problem.layout.block_parameters(block, x))
    if terms is not None:
        result += problem.prior_weight * assembled(problem.layout, [(block.place, terms.information)])
