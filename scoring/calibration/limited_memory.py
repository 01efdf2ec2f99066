"""Quasi-Newton ascent with a limited memory, for more parameters than one wants a matrix of.

The complete-data information, block by block, says where the first step goes; pairs of steps and gradients teach the
rest. One pass over the data a step, where an EM cycle takes two or three.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from scoring.calibration.objective import Evaluation, Problem, complete_information
from scoring.calibration.optimise import Ascent, held_at_bounds, line_search

Array = NDArray[np.float64]
_MEMORY = 12


def climb_by_limited_memory(
    problem: Problem, ascent: Ascent, *, tolerance: float, gradient_tolerance: float, most_steps: int
) -> None:
    """Run L-BFGS until the gain it still promises is below `tolerance`; stop as stalled when no step gains.

    References
    ----------
    Nocedal (1980), Mathematics of Computation 35, 773-782; Lange (1995), Statistica Sinica 5, 1-18, for the
    complete-data information as its start.
    """
    blocks = _inverse_blocks(problem, ascent.at)
    pairs: deque[tuple[Array, Array, float]] = deque(maxlen=_MEMORY)
    for _ in range(most_steps):
        at = ascent.at
        is_held = held_at_bounds(problem.layout, at)
        gradient = np.where(is_held, 0.0, at.gradient)
        direction = np.where(is_held, 0.0, _direction(gradient, blocks, pairs))
        ascent.remaining = 0.5 * float(gradient @ direction)
        if ascent.remaining < tolerance and float(np.abs(gradient).max(initial=0.0)) < gradient_tolerance:
            return
        reached = line_search(problem, ascent, direction)
        if reached is None:
            ascent.is_stalled = True
            return
        step, bend = reached.x - at.x, at.gradient - reached.gradient
        curvature = float(step @ bend)
        if curvature > 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(bend)):
            pairs.append((step, bend, curvature))
        ascent.move(reached)


def _direction(gradient: Array, blocks: list[tuple[slice, Array]], pairs: deque[tuple[Array, Array, float]]) -> Array:
    """Multiply the gradient by the inverse information that blocks and pairs stand for, by the two loops."""
    result = gradient.copy()
    shares = []
    for step, bend, curvature in reversed(pairs):
        share = float(step @ result) / curvature
        shares.append(share)
        result -= share * bend
    result = _product(blocks, result)
    if pairs:
        _, bend, curvature = pairs[-1]
        # Complete data know more than the observed ones: their inverse information is too short.
        result *= curvature / float(bend @ _product(blocks, bend))
    for (step, bend, curvature), share in zip(pairs, reversed(shares), strict=True):
        result += (share - float(bend @ result) / curvature) * step
    return result


def _inverse_blocks(problem: Problem, at: Evaluation) -> list[tuple[slice, Array]]:
    inverted = []
    for place, information in complete_information(problem, at, is_expected=True):
        size = information.shape[1]
        ridge = 1e-9 * np.trace(information, axis1=1, axis2=2) / size + 1e-10
        inverted.append((place, np.linalg.inv(information + ridge[:, None, None] * np.eye(size))))
    return inverted


def _product(blocks: list[tuple[slice, Array]], vector: Array) -> Array:
    result = np.empty_like(vector)
    for place, inverse in blocks:
        n, size, _ = inverse.shape
        result[place] = np.einsum("nij,nj->ni", inverse, vector[place].reshape(n, size)).ravel()
    return result
