"""Finding the maximum: EM with SQUAREM far from it, quasi-Newton with Louis' information near it; never downhill."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.calibration.features import DenseFeatures
from scoring.calibration.layout import Layout
from scoring.calibration.objective import (
    Evaluation,
    Problem,
    complete_information,
    em_step,
    evaluate,
    is_feasible,
)
from scoring.calibration.observed_information import assembled, observed_information

Array = NDArray[np.float64]
Progress = Callable[[int, float], None]
# Smallest share of the complete-data information a direction is taken to keep.
_LEAST_SHARE = 1e-3


class Ascent(msgspec.Struct):
    """Where an ascent stands, and its trail.

    `remaining` is the gain in the objective that the local quadratic model still promises.
    """

    at: Evaluation
    n_iterations: int = 0
    n_evaluations: int = 0
    remaining: float = np.inf
    is_stalled: bool = False
    history: list[float] = msgspec.field(default_factory=list)
    progress: Progress | None = None

    def move(self, to: Evaluation) -> None:
        """Go to a point and note its value."""
        self.at = to
        self.n_iterations += 1
        self.history.append(to.value)
        if self.progress is not None:
            self.progress(self.n_iterations, to.log_likelihood)


def climb_by_em(
    problem: Problem, ascent: Ascent, *, tolerance: float, most_cycles: int, dtype: type[np.floating] = np.float64
) -> None:
    """Run EM cycles, two steps and one extrapolation each, until a cycle gains less than `tolerance`.

    References
    ----------
    Varadhan & Roland (2008), Scandinavian Journal of Statistics 35, 335-353, scheme S3.
    """
    lowest, highest = problem.layout.bounds()
    for _ in range(most_cycles):
        start = ascent.at
        once = _try(problem, ascent, em_step(problem, start), dtype)
        if once is None or once.value < start.value - _slack(start.value, dtype):
            ascent.is_stalled = True
            return
        twice = em_step(problem, once)
        first = once.x - start.x
        second = (twice - once.x) - first
        curvature = float(np.sqrt(second @ second))
        length = float(np.sqrt(first @ first)) / curvature if curvature > 0 else 1.0
        chosen = twice
        if length > 1.0:
            chosen = np.clip(start.x + 2.0 * length * first + length * length * second, lowest, highest)
        reached = _try(problem, ascent, chosen, dtype)
        if (reached is None or reached.value < once.value) and chosen is not twice:
            reached = _try(problem, ascent, twice, dtype)
        if reached is None or reached.value < once.value - _slack(once.value, dtype):
            reached = once
        ascent.move(reached)
        # What a cycle gained bounds what comes next when cycles contract.
        ascent.remaining = reached.value - start.value
        if ascent.remaining < tolerance:
            return


def climb_by_quasi_newton(
    problem: Problem,
    ascent: Ascent,
    inverse: Array,
    *,
    tolerance: float,
    gradient_tolerance: float,
    most_steps: int,
    dtype: type[np.floating] = np.float64,
) -> Array:
    """Run BFGS from an approximate inverse information until the promised gain is below `tolerance`.

    Returns the updated inverse. Stops as stalled when no step along a direction gains.
    """
    inverse = inverse.copy()
    for _ in range(most_steps):
        at = ascent.at
        is_held = held_at_bounds(problem.layout, at)
        gradient = np.where(is_held, 0.0, at.gradient)
        direction = np.where(is_held, 0.0, inverse @ gradient)
        ascent.remaining = 0.5 * float(gradient @ direction)
        if ascent.remaining < tolerance and float(np.abs(gradient).max(initial=0.0)) < gradient_tolerance:
            return inverse
        reached = line_search(problem, ascent, direction, dtype)
        if reached is None:
            ascent.is_stalled = True
            return inverse
        step, bend = reached.x - at.x, at.gradient - reached.gradient
        curvature = float(step @ bend)
        if curvature > 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(bend)):
            pushed = inverse @ bend
            inverse += ((1.0 + float(bend @ pushed) / curvature) / curvature) * np.outer(step, step)
            cross = np.outer(pushed, step) / curvature
            inverse -= cross + cross.T
        ascent.move(reached)
    return inverse


def held_at_bounds(layout: Layout, at: Evaluation) -> NDArray[np.bool_]:
    """Parameters at a bound that the gradient would push beyond it."""
    lowest, highest = layout.bounds()
    held: NDArray[np.bool_] = ((at.x <= lowest) & (at.gradient < 0)) | ((at.x >= highest) & (at.gradient > 0))
    return held


def line_search(
    problem: Problem, ascent: Ascent, direction: Array, dtype: type[np.floating] = np.float64
) -> Evaluation | None:
    """Shorten a step until it does not lead down; None when even the shortest does."""
    lowest, highest = problem.layout.bounds()
    at = ascent.at
    length = 1.0 / max(1.0, float((np.abs(direction) / problem.layout.longest_moves(at.x)).max(initial=0.0)))
    for _ in range(7):
        trial = np.clip(at.x + length * direction, lowest, highest)
        reached = _try(problem, ascent, trial, dtype)
        if reached is not None and reached.value >= at.value - _slack(at.value, dtype):
            return reached
        length *= 0.3
    return None


class Curvature(NamedTuple):
    """An inverse information; `is_bent` where the observed one was not positive definite enough to be it."""

    inverse: Array
    is_bent: bool


def inverse_information(problem: Problem, at: Evaluation, dtype: type[np.floating] = np.float64) -> Curvature:
    """Inverse of the observed information, bent where it must be to be positive definite.

    Where it is indefinite, its eigenvalues relative to the complete-data information take their absolute values, none
    less than a small share: the other directions keep their full step (Dauphin et al., 2014, "saddle-free Newton").
    """
    complete = assembled(problem.layout, complete_information(problem, at, is_expected=True))
    complete[np.diag_indices_from(complete)] += 1e-9 * np.trace(complete) / complete.shape[0] + 1e-10
    if not isinstance(problem.features, DenseFeatures):
        return Curvature(_inverse(complete), is_bent=True)
    observed = observed_information(problem, at, dtype)
    root = np.linalg.inv(np.linalg.cholesky(complete))
    try:
        scale = np.diagonal(np.linalg.cholesky(root @ observed @ root.T))
    except np.linalg.LinAlgError:
        scale = np.zeros(1)
    if scale.min() ** 2 > _LEAST_SHARE:
        return Curvature(_inverse(observed), is_bent=False)
    shares, directions = np.linalg.eigh(root @ observed @ root.T)
    spread = root.T @ directions
    return Curvature((spread / np.maximum(np.abs(shares), _LEAST_SHARE)) @ spread.T, is_bent=True)


def _inverse(matrix: Array) -> Array:
    # numpy's, which is kept on one thread, not scipy's, which has a library of its own.
    inverse = np.linalg.inv(matrix)
    result: Array = 0.5 * (inverse + inverse.T)
    return result


def _try(problem: Problem, ascent: Ascent, x: Array, dtype: type[np.floating]) -> Evaluation | None:
    if not np.isfinite(x).all() or not is_feasible(problem.layout, x):
        return None
    ascent.n_evaluations += 1
    reached = evaluate(problem, x, dtype)
    return reached if np.isfinite(reached.value) else None


def _slack(value: float, dtype: type[np.floating]) -> float:
    """How far rounding alone may move the objective."""
    return abs(value) * (2e-7 if dtype is np.float32 else 1e-13)
