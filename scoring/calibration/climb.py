"""The way to the maximum: on a sample first where the data are large, then on all of them."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.calibration.features import SparseFeatures, features_of
from scoring.calibration.layout import Layout
from scoring.calibration.limited_memory import climb_by_limited_memory
from scoring.calibration.objective import Evaluation, Problem, evaluate
from scoring.calibration.optimise import (
    Ascent,
    Curvature,
    Progress,
    climb_by_em,
    climb_by_quasi_newton,
    inverse_information,
)
from scoring.calibration.options import CalibrationOptions, Precision
from scoring.calibration.priors import NormalPrior, Priors
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]
# Candidates in the sample; asymptotes need more of them before its information resembles that of all.
_SAMPLE, _SAMPLE_WITH_ASYMPTOTES, _SAMPLE_SPARSE = 4096, 16384, 40960
_SAMPLE_STREAM = 20250601
# Beyond this many free parameters their full information matrix costs more than it saves.
_MOST_FOR_NEWTON = 1200
# Curvature drifts on the way: it is computed anew after so many steps.
_STEPS_PER_CURVATURE = 12
_STEPS_PER_BLOCKS = 40
# Where the information is indefinite, the promise of a quadratic model is worth little: it must be so much smaller.
_ON_A_RIDGE = 1e-3
_SINGLE_PRECISION_PAYS = 4000
_TOLERANCE = {Precision.DEFAULT: 1e-4, Precision.TIGHT: 1e-11}
_GRADIENT_TOLERANCE = {Precision.DEFAULT: np.inf, Precision.TIGHT: 1e-3}


def climb(
    layout: Layout, data: ResponseMatrix, options: CalibrationOptions, progress: Progress | None
) -> tuple[Ascent, Problem, bool]:
    """Go to the maximum from the start of `layout`; say also what problem it is the maximum of, and whether it is."""
    size = _sample_size(layout, data)
    problem = Problem(layout, features_of(layout, data), options.quadrature, options.priors)
    tolerance, gradient_tolerance = _TOLERANCE[options.precision], _GRADIENT_TOLERANCE[options.precision]
    has_ridges = options.precision is Precision.DEFAULT and _has_asymptotes(layout)
    if data.n_rows <= 2 * size:
        ascent = Ascent(evaluate(problem, layout.start()), n_evaluations=1, progress=progress)
        curvature = partial(_curvature, problem, 1.0)
        stage = _Stage(problem, curvature, tolerance, gradient_tolerance, has_ridges)
        _, is_converged = _stage(ascent, stage, options)
        return ascent, problem, is_converged
    sample = data.rows(_sampled(data.n_rows, size))
    share = sample.n_candidates / data.n_candidates
    part = Problem(layout, features_of(layout, sample), options.quadrature, options.priors, share)
    held = msgspec.structs.replace(part, priors=_held_inside(options.priors, share))
    first = Ascent(evaluate(held, layout.start(), np.float32), n_evaluations=1, progress=progress)
    inverse, _ = _stage(first, _Stage(held, partial(_curvature, held, 1.0), 0.05, np.inf), options)
    at = evaluate(problem, first.at.x)
    ascent = Ascent(at, first.n_iterations, first.n_evaluations + 1, history=first.history, progress=progress)
    curvature = partial(_curvature, part, share)
    stage = _Stage(problem, curvature, tolerance, gradient_tolerance, has_ridges)
    _, is_converged = _stage(ascent, stage, options, None if inverse is None else inverse * share)
    return ascent, problem, is_converged


def _held_inside(priors: Priors, share: float) -> Priors:
    """Add weak priors of the asymptotes for the sample alone.

    A sample may send the logit of a guess to minus infinity, where its gradient vanishes: the full data would not find
    the way back.
    """
    # On a sample priors count by its share; narrower by the share's root, these count fully.
    guess = priors.guess if priors.guess is not None else NormalPrior(-1.6, 0.8 * share**0.5)
    slip = priors.slip if priors.slip is not None else NormalPrior(3.0, 0.8 * share**0.5)
    return msgspec.structs.replace(priors, guess=guess, slip=slip)


class _Stage(NamedTuple):
    """A climb on one data set; `curvature` gives an inverse information for it.

    `has_ridges` where asymptotes are estimated: their logits may wander far on nearly flat ground, where the gain that
    a curvature from further back promises is too little. It is then computed anew before the maximum is believed.
    """

    problem: Problem
    curvature: Callable[[Evaluation], Curvature]
    tolerance: float
    gradient_tolerance: float
    has_ridges: bool = False


def _stage(
    ascent: Ascent, stage: _Stage, options: CalibrationOptions, inverse: Array | None = None
) -> tuple[Array | None, bool]:
    """Climb on one data set; return the inverse information reached and whether the maximum was."""
    problem, tolerance, most = stage.problem, stage.tolerance, options.most_iterations
    if isinstance(problem.features, SparseFeatures) or problem.layout.n_parameters > _MOST_FOR_NEWTON:
        return None, _climb_large(ascent, stage, most)
    if inverse is None:
        far = 2.0 + 0.02 * problem.layout.n_parameters
        is_long = problem.features.n_columns > _SINGLE_PRECISION_PAYS
        precision = np.float32 if is_long else np.float64
        climb_by_em(problem, ascent, tolerance=far, most_cycles=min(most, 12), dtype=precision)
        if is_long:
            ascent.at = evaluate(problem, ascent.at.x)
    is_verified = not stage.has_ridges
    while ascent.n_iterations < most:
        if inverse is None:
            inverse, is_bent = stage.curvature(ascent.at)
            tolerance = stage.tolerance * (_ON_A_RIDGE if is_bent and stage.has_ridges and is_verified else 1.0)
        ascent.is_stalled = False
        inverse = climb_by_quasi_newton(
            problem,
            ascent,
            inverse,
            tolerance=tolerance,
            gradient_tolerance=stage.gradient_tolerance,
            most_steps=_STEPS_PER_CURVATURE,
        )
        # At the limit of rounding no step gains any more: that is the maximum too.
        is_rounded = ascent.is_stalled and ascent.remaining < 1e-12 * abs(ascent.at.value)
        is_there = ascent.remaining < tolerance or is_rounded
        if is_there and is_verified:
            return inverse, True
        is_verified |= is_there
        inverse = None
        if is_there:
            continue
        if ascent.is_stalled:
            before = ascent.at.value
            climb_by_em(problem, ascent, tolerance=tolerance, most_cycles=3)
            if ascent.at.value <= before:
                break
    return inverse, False


def _climb_large(ascent: Ascent, stage: _Stage, most: int) -> bool:
    """Climb where the information of all parameters is not kept; return whether the maximum was reached."""
    problem, tolerance = stage.problem, stage.tolerance
    if ascent.n_iterations == 0:
        climb_by_em(problem, ascent, tolerance=2.0 + 0.02 * problem.layout.n_parameters, most_cycles=min(most, 6))
    while ascent.n_iterations < most:
        ascent.is_stalled = False
        # The promised gain is a little short until the pairs have taught the curvature: a tenth covers it.
        climb_by_limited_memory(
            problem,
            ascent,
            tolerance=0.1 * tolerance,
            gradient_tolerance=stage.gradient_tolerance,
            most_steps=min(_STEPS_PER_BLOCKS, most - ascent.n_iterations),
        )
        is_rounded = ascent.is_stalled and ascent.remaining < 1e-12 * abs(ascent.at.value)
        if is_rounded or (not ascent.is_stalled and ascent.remaining < 0.1 * tolerance):
            return True
        if ascent.is_stalled:
            before = ascent.at.value
            climb_by_em(problem, ascent, tolerance=tolerance, most_cycles=3)
            if ascent.at.value <= before:
                break
    return False


def _curvature(problem: Problem, share: float, at: Evaluation) -> Curvature:
    """Inverse information at a point from a sample that holds `share` of the candidates."""
    here = at if share == 1.0 else evaluate(problem, at.x, np.float32)
    found = inverse_information(problem, here, np.float32)
    return Curvature(found.inverse * share, found.is_bent)


def _sample_size(layout: Layout, data: ResponseMatrix) -> int:
    if isinstance(data.categories, SparseCategories):
        return _SAMPLE_SPARSE
    return _SAMPLE_WITH_ASYMPTOTES if _has_asymptotes(layout) else _SAMPLE


def _has_asymptotes(layout: Layout) -> bool:
    return any(block.model in (Model.THREE_PL, Model.FOUR_PL) for block in layout.blocks)


def _sampled(n_rows: int, size: int) -> NDArray[np.int64]:
    """Rows of the sample, in order: a fixed stream, so that the same data give the same estimates."""
    rng = np.random.default_rng(_SAMPLE_STREAM)
    return np.sort(rng.choice(n_rows, size=size, replace=False, shuffle=False))
