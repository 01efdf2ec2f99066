"""The objective: marginal log-likelihood plus log-prior, with its gradient and its complete-data information."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.calibration.expectation import expect
from scoring.calibration.features import Features
from scoring.calibration.layout import Block, Layout
from scoring.calibration.priors import Priors, prior_terms
from scoring.irt.models import Model
from scoring.irt.quadrature import Quadrature, log_normal_weights, normal_weight_derivatives

Array = NDArray[np.float64]
_NEWTON_STEPS = 2
_LONGEST_STEP = 1.5


class Evaluation(NamedTuple):
    """The objective at `x`; `counts` are the expected counts an M-step starts from."""

    x: Array
    value: float
    log_likelihood: float
    log_prior: float
    gradient: Array
    counts: Array


class Problem(msgspec.Struct, frozen=True):
    """What is estimated from what.

    Attributes
    ----------
    layout : Layout
    features : Features
    quadrature : Quadrature
    priors : Priors
    prior_weight : float
        Below 1 where the features are a sample of the candidates, so that priors keep their share.
    log_density : ndarray, shape (n_groups, n_points), or None
        Logarithm of each group's density of ability where it is not normal.
    """

    layout: Layout
    features: Features
    quadrature: Quadrature
    priors: Priors
    prior_weight: float = 1.0
    log_density: Array | None = None

    def log_weights(self, x: Array) -> Array:
        """Logarithm of each group's weights at the points, shape (n_groups, n_points)."""
        if self.log_density is not None:
            return self.log_density
        means, variances = self.layout.latent_moments(x)
        points = self.quadrature.points
        return np.stack([log_normal_weights(points, m, v) for m, v in zip(means, variances, strict=True)])


def is_feasible(layout: Layout, x: Array) -> bool:
    """Whether graded intercepts fall."""
    return all(
        bool((np.diff(layout.block_parameters(block, x)[:, 1:], axis=1) < 0).all())
        for block in layout.blocks
        if block.model is Model.GRADED
    )


def log_terms(problem: Problem, x: Array) -> Array:
    """What each row of the features adds to the joint log-probability, shape (rows, n_points)."""
    layout, points = problem.layout, problem.quadrature.points
    terms = np.zeros((layout.n_rows, points.size))
    common = np.zeros(points.size)
    for block in layout.blocks:
        log_p = block.family.log_probabilities(layout.block_parameters(block, x), points)
        if block.is_complete:
            common += log_p[:, 0].sum(axis=0)
            log_p = log_p[:, 1:] - log_p[:, :1]
        terms[block.rows] = log_p.reshape(-1, points.size)
    terms[: layout.n_groups] = common + problem.log_weights(x)
    return terms


def evaluate(problem: Problem, x: Array, dtype: type[np.floating] = np.float64) -> Evaluation:
    """Compute the objective and its gradient by one pass over the data."""
    layout = problem.layout
    expected = expect(problem.features, log_terms(problem, x), dtype)
    gradient = np.zeros(layout.n_parameters)
    log_prior = 0.0
    for block in layout.blocks:
        if block.is_free:
            values = layout.block_parameters(block, x)
            counts = block_counts(layout, block, expected.counts)
            first = block.family.complete_data(values, problem.quadrature.points, counts, is_expected=True).gradient
            terms = prior_terms(problem.priors, block.model, block.names, values)
            if terms is not None:
                first = first + problem.prior_weight * terms.gradient
                log_prior += problem.prior_weight * float(terms.value.sum())
            gradient[block.place] = first.ravel()
    for at, (first_by_latent, _) in enumerate(_latent_terms(problem, x, expected.counts)):
        gradient[layout.n_item_parameters + at] = first_by_latent
    value = expected.log_likelihood + log_prior
    return Evaluation(x, value, expected.log_likelihood, log_prior, gradient, expected.counts)


def block_counts(layout: Layout, block: Block, counts: Array) -> Array:
    """Return the expected counts of a block, shape (n_items, n_categories, n_points)."""
    kept = counts[block.rows].reshape(block.items.size, -1, counts.shape[1])
    if not block.is_complete:
        return kept
    total = counts[: layout.n_groups].sum(axis=0)
    return np.concatenate([(total - kept.sum(axis=1))[:, None], kept], axis=1)


def complete_information(problem: Problem, at: Evaluation, *, is_expected: bool) -> list[tuple[slice, Array]]:
    """Minus the second derivatives of the complete-data objective: blocks on the diagonal, (n, p, p) each.

    The latent parameters make the last block, of shape (1, p, p).
    """
    layout, points = problem.layout, problem.quadrature.points
    parts: list[tuple[slice, Array]] = []
    for block in layout.blocks:
        if block.is_free:
            values = layout.block_parameters(block, at.x)
            counts = block_counts(layout, block, at.counts)
            information = block.family.complete_data(values, points, counts, is_expected=is_expected).information
            terms = prior_terms(problem.priors, block.model, block.names, values)
            if terms is not None:
                bend = terms.information
                if is_expected:
                    bend = bend * (np.diagonal(bend, axis1=1, axis2=2).min(axis=1) > 0)[:, None, None]
                information = information + problem.prior_weight * bend
            parts.append((block.place, information))
    if layout.latent:
        bends = np.zeros((1, len(layout.latent), len(layout.latent)))
        for i, (_, row) in enumerate(_latent_terms(problem, at.x, at.counts)):
            bends[0, i] = row
        parts.append((slice(layout.n_item_parameters, layout.n_parameters), bends))
    return parts


def em_step(problem: Problem, at: Evaluation) -> Array:
    """Maximise the complete-data objective given the expected counts: one EM step from `at`, by Newton's method."""
    layout, points = problem.layout, problem.quadrature.points
    lowest, highest = layout.bounds()
    result = at.x.copy()
    for block in layout.blocks:
        if block.is_free:
            counts = block_counts(layout, block, at.counts)
            result[block.place] = _maximise_block(problem, block, layout.block_parameters(block, at.x), counts).ravel()
    if layout.latent:
        tail = slice(layout.n_item_parameters, layout.n_parameters)
        for _ in range(_NEWTON_STEPS):
            derivatives = list(_latent_terms(problem, result, at.counts))
            gradient = np.array([first for first, _ in derivatives])
            bend = np.stack([row for _, row in derivatives])
            floor = 1e-3 * np.trace(bend) / len(bend)
            values, vectors = np.linalg.eigh(bend)
            step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), max(floor, 1e-8)))
            result[tail] += np.clip(step, -0.5, 0.5)
    del points
    return np.clip(result, lowest, highest)


def _maximise_block(problem: Problem, block: Block, values: Array, counts: Array) -> Array:
    points = problem.quadrature.points
    current = _block_value(problem, block, values, counts)
    for _ in range(_NEWTON_STEPS):
        derivatives = block.family.complete_data(values, points, counts, is_expected=True)
        gradient, information = derivatives
        terms = prior_terms(problem.priors, block.model, block.names, values)
        if terms is not None:
            is_positive = (np.diagonal(terms.information, axis1=1, axis2=2).min(axis=1) >= 0)[:, None, None]
            gradient = gradient + problem.prior_weight * terms.gradient
            information = information + problem.prior_weight * terms.information * is_positive
        ridge = 1e-9 * np.trace(information, axis1=1, axis2=2)[:, None, None] + 1e-12
        step = np.linalg.solve(information + ridge * np.eye(values.shape[1]), gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))
        trial = values + step
        for _ in range(8):
            reached = _block_value(problem, block, trial, counts)
            is_worse = ~(reached >= current - 1e-9 * np.abs(current))
            if not is_worse.any():
                break
            step[is_worse] *= 0.4
            trial = values + step
        better = reached >= current - 1e-9 * np.abs(current)
        values = np.where(better[:, None], trial, values)
        current = np.where(better, reached, current)
    return values


def _block_value(problem: Problem, block: Block, values: Array, counts: Array) -> Array:
    """Complete-data objective of each item; minus infinity outside the parameters' range."""
    log_p = block.family.log_probabilities(values, problem.quadrature.points)
    result: Array = np.einsum("nkt,nkt->n", counts, log_p)
    terms = prior_terms(problem.priors, block.model, block.names, values)
    if terms is not None:
        result = result + problem.prior_weight * terms.value
    if block.model is Model.GRADED and block.n_categories > 2:
        result = np.where((np.diff(values[:, 1:], axis=1) < 0).all(axis=1), result, -np.inf)
    return result


def _latent_terms(problem: Problem, x: Array, counts: Array) -> list[tuple[float, Array]]:
    """Gradient, and row of the information, of each latent parameter."""
    layout = problem.layout
    means, variances = layout.latent_moments(x)
    result: list[tuple[float, Array]] = []
    for group, name in layout.latent:
        first, second = normal_weight_derivatives(problem.quadrature.points, means[group], variances[group])
        at = 0 if name == "mean" else 1
        row = np.zeros(len(layout.latent))
        for i, (other_group, other_name) in enumerate(layout.latent):
            if other_group == group:
                row[i] = -float(second[at, 0 if other_name == "mean" else 1] @ counts[group])
        result.append((float(first[at] @ counts[group]), row))
    return result
