"""Calibration with a histogram for the density of ability: a free weight at every quadrature point.

The weights are estimated together with the items by EM. Where slopes or steps fix no unit, the reference group's
histogram is held at mean 0 and variance 1 (Rasch: mean 0), by the weights nearest to them.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from scoring.calibration.climb import climb
from scoring.calibration.layout import Layout
from scoring.calibration.objective import Evaluation, Problem, em_step, evaluate, is_feasible
from scoring.calibration.optimise import Ascent, Progress
from scoring.calibration.options import CalibrationOptions, Precision
from scoring.irt.quadrature import log_normal_weights
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_TOLERANCE = {Precision.DEFAULT: 1e-2, Precision.TIGHT: 1e-4}
_LEAST_WEIGHT = 1e-12
# How far one extrapolation may move a log-weight.
_LONGEST_LEAP = 2.0


class Constraint(NamedTuple):
    """What the histogram of a group is held at."""

    has_mean: bool
    has_variance: bool

    def functions(self, points: Array) -> Array:
        """Functions of ability whose mean must be 0, shape (n_constraints, n_points)."""
        rows = ([points] if self.has_mean else []) + ([points**2 - 1.0] if self.has_variance else [])
        return np.array(rows).reshape(len(rows), points.size)


def constraints_of(layout: Layout, *, has_anchors: bool) -> tuple[Constraint, ...]:
    """Hold the reference group's mean, and its variance unless models need it free; nothing where items are fixed."""
    is_variance_free = any(group == 0 and name == "log_variance" for group, name in layout.latent)
    reference = Constraint(has_mean=not has_anchors, has_variance=not (has_anchors or is_variance_free))
    return (reference, *[Constraint(has_mean=False, has_variance=False)] * (layout.n_groups - 1))


def climb_with_histogram(
    layout: Layout,
    data: ResponseMatrix,
    options: CalibrationOptions,
    constraints: tuple[Constraint, ...],
    progress: Progress | None,
) -> tuple[Ascent, Problem, bool]:
    """Start at the maximum under a normal density and climb on with free weights; never downhill.

    A histogram of many points is never determined closely by the responses: the climb stops when a cycle gains
    next to nothing, which says more of the likelihood than of single weights.

    References
    ----------
    Bock & Aitkin (1981), Psychometrika 46, 443-459, sec. 4; Mislevy (1984), Psychometrika 49, 359-381.
    """
    normal, under_normal, _ = climb(layout, data, options, progress)
    points = options.quadrature.points
    means, variances = layout.latent_moments(normal.at.x)
    log_weights = np.stack([log_normal_weights(points, m, v) for m, v in zip(means, variances, strict=True)])
    free = msgspec.structs.replace(layout, latent=())
    problem = msgspec.structs.replace(under_normal, layout=free, log_density=log_weights)
    x = normal.at.x[: free.n_item_parameters]
    ascent = Ascent(evaluate(problem, x), normal.n_iterations, normal.n_evaluations + 1, progress=progress)
    functions = [constraint.functions(points) for constraint in constraints]
    tolerance = _TOLERANCE[options.precision]
    while ascent.n_iterations < options.most_iterations:
        before = ascent.at.value
        problem, reached = _cycle(problem, ascent, functions)
        ascent.move(reached)
        ascent.remaining = reached.value - before
        if ascent.remaining < tolerance:
            return ascent, problem, True
    return ascent, problem, False


def held_weights(counts: Array, functions: Array) -> Array:
    """Weights nearest to the counts at the points under which every function has mean 0: tilted exponentially.

    counts_q exp(lambda . f_q) up to a factor, the multipliers found by Newton's method on the convex log-sum. Items
    with free slopes can take up any shift and stretch, so that at the maximum next to nothing is tilted.
    """
    log_counts = np.log(np.maximum(counts, _LEAST_WEIGHT * counts.sum()))
    multipliers = np.zeros(functions.shape[0])
    weights: Array = softmax(log_counts)
    for _ in range(100):
        gradient = functions @ weights
        if np.abs(gradient).max(initial=0.0) < 1e-13:
            break
        bend = (functions * weights) @ functions.T - np.outer(gradient, gradient)
        step = -np.linalg.solve(bend + 1e-12 * np.eye(gradient.size), gradient)
        height = logsumexp(log_counts + multipliers @ functions)
        for _ in range(40):
            if logsumexp(log_counts + (multipliers + step) @ functions) <= height:
                break
            step *= 0.5
        else:
            break
        multipliers = multipliers + step
        weights = softmax(log_counts + multipliers @ functions)
    return weights


def _cycle(problem: Problem, ascent: Ascent, functions: list[Array]) -> tuple[Problem, Evaluation]:
    """Two EM steps and one extrapolation of parameters and log-weights (SQUAREM, scheme S3)."""
    start = ascent.at
    n = start.x.size
    first_problem, once = _em(problem, start, functions, ascent)
    second_problem, twice = _em(first_problem, once, functions, ascent)
    places = [np.concatenate([at.x, _density(of).ravel()]) for of, at in (
        (problem, start), (first_problem, once), (second_problem, twice),
    )]  # fmt: skip
    first, second = places[1] - places[0], places[2] - 2.0 * places[1] + places[0]
    bend = float(np.linalg.norm(second))
    length = float(np.linalg.norm(first)) / bend if bend > 0 else 1.0
    if length > 1.0:
        lowest, highest = problem.layout.bounds()
        leap = places[0] + 2.0 * length * first + length**2 * second
        x = np.clip(leap[:n], lowest, highest)
        reached_weights = _density(second_problem)
        raw = np.clip(leap[n:].reshape(reached_weights.shape) - reached_weights, -_LONGEST_LEAP, _LONGEST_LEAP)
        weights = np.exp(reached_weights + raw)
        tried = _with_weights(problem, [held_weights(w, f) for w, f in zip(weights, functions, strict=True)])
        if is_feasible(problem.layout, x):
            reached = evaluate(tried, x)
            ascent.n_evaluations += 1
            if np.isfinite(reached.value) and reached.value >= twice.value:
                return tried, reached
    return second_problem, twice


def _em(problem: Problem, at: Evaluation, functions: list[Array], ascent: Ascent) -> tuple[Problem, Evaluation]:
    weights = [held_weights(at.counts[g], f) for g, f in enumerate(functions)]
    moved = _with_weights(problem, weights)
    ascent.n_evaluations += 1
    reached = evaluate(moved, em_step(problem, at))
    return (moved, reached) if reached.value >= at.value else (problem, at)


def _with_weights(problem: Problem, weights: list[Array]) -> Problem:
    return msgspec.structs.replace(problem, log_density=np.log(np.maximum(np.stack(weights), _LEAST_WEIGHT)))


def _density(problem: Problem) -> Array:
    if problem.log_density is None:
        raise TypeError("a histogram has weights")
    return problem.log_density
