"""Calibrate the items of a test by marginal maximum likelihood: the use case; the mathematics is in its neighbours.

Large data are met in two stages: a sample of the candidates is taken to the maximum, and its information drives a few
passes over all of them.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.calibration.checks import require_usable
from scoring.calibration.features import SparseFeatures, features_of
from scoring.calibration.layout import LatentParameter, Layout, layout_of
from scoring.calibration.objective import Problem, evaluate
from scoring.calibration.observed_information import cross_product_information, observed_information
from scoring.calibration.optimise import Ascent, Progress, climb_by_em, climb_by_quasi_newton, inverse_information
from scoring.calibration.options import DEFAULT_OPTIONS, CalibrationOptions, Precision, StandardErrors
from scoring.calibration.result import AtBound, Calibration, ParameterErrors
from scoring.calibration.standard_errors import covariance_of, parameter_errors
from scoring.calibration.starting_values import starting_bank
from scoring.irt.bank import ItemBank, from_working, item_bank
from scoring.irt.models import Model
from scoring.irt.models.families import WITHOUT_SLOPE
from scoring.irt.one_thread import one_thread
from scoring.irt.responses import ResponseMatrix, SparseCategories, deduplicate

Array = NDArray[np.float64]
_SAMPLE = 4096
_SAMPLE_STREAM = 20250601
# Beyond this many free parameters their full information matrix costs more than it saves.
_MOST_FOR_NEWTON = 1200
_TOLERANCE = {Precision.DEFAULT: 1e-4, Precision.TIGHT: 1e-11}
_GRADIENT_TOLERANCE = {Precision.DEFAULT: np.inf, Precision.TIGHT: 1e-3}


def calibrate(
    responses: ResponseMatrix,
    models: Sequence[Model | str] | Model | str,
    options: CalibrationOptions = DEFAULT_OPTIONS,
    *,
    anchors: ItemBank | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Estimate item parameters, and latent means and variances where they are free.

    Parameters
    ----------
    responses : ResponseMatrix
        With groups, the first has mean 0 and variance 1 (free for Rasch models) and the others' moments are free.
    models : Model, or one for each item
    options : CalibrationOptions
    anchors : ItemBank, optional
        Items, known by name, whose parameters stay as they are; the others are calibrated on their scale.
    progress : callable, optional
        Called with the number of steps and the log-likelihood after each step; on a sample during the first stage.

    Returns
    -------
    Calibration
        Read `converged` and `warnings`: a fit that stopped early says so.

    Raises
    ------
    ResponsesUnusable, CalibrationImpossible
        The data cannot be calibrated; place and reason say why.

    References
    ----------
    Bock & Aitkin (1981), Psychometrika 46, 443-459.
    """
    with one_thread():
        kinds = [Model(models)] * responses.n_items if isinstance(models, str) else [Model(model) for model in models]
        counts = responses.category_counts()
        require_usable(responses, counts, kinds, anchors, options)
        layout = _layout(responses, kinds, counts, anchors, options)
        data = responses
        merged = deduplicate(responses)
        if merged is not None:
            data = merged.responses
        ascent, problem, is_converged = _climb(layout, data, options, progress)
        return _report(problem, ascent, options, kinds, responses.n_candidates, is_converged=is_converged)


def _layout(
    responses: ResponseMatrix, kinds: list[Model], counts: Array, anchors: ItemBank | None, options: CalibrationOptions
) -> Layout:
    # A 1PL test is a Rasch test whose ability has a free variance; `_report` moves the spread into the slope.
    estimated: list[Model] = [Model.RASCH if kind is Model.ONE_PL else kind for kind in kinds]
    names = responses.item_names
    is_fixed = np.zeros(len(names), dtype=bool)
    if anchors is not None:
        place = {name: i for i, name in enumerate(anchors.names)}
        is_fixed = np.array([name in place for name in names])
        for i in np.flatnonzero(is_fixed).tolist():
            estimated[i] = anchors.models[place[names[i]]]
    start = starting_bank(responses, estimated, counts, options.priors)
    if anchors is not None:
        start = _with_anchors(start, anchors, is_fixed)
    weights = responses.n_candidates
    answered = np.array([row.sum() for row in counts])
    is_complete = np.abs(answered - weights) < 1e-9 * weights
    if isinstance(responses.categories, SparseCategories):
        is_complete[:] = False
    latent: list[LatentParameter] = []
    has_slope = any(kind not in WITHOUT_SLOPE for kind in estimated)
    for group in range(len(responses.group_names)):
        is_reference = group == 0
        default = not is_reference or anchors is not None or not has_slope
        is_free = default if options.is_latent_free is None or not is_reference else options.is_latent_free
        if is_free:
            if not is_reference or anchors is not None:
                latent.append(LatentParameter(group, "mean"))
            latent.append(LatentParameter(group, "log_variance"))
    n_groups = len(responses.group_names)
    return layout_of(
        start, is_complete, is_fixed, responses.group_names, tuple(latent), np.zeros(n_groups), np.ones(n_groups)
    )


def _with_anchors(start: ItemBank, anchors: ItemBank, is_fixed: NDArray[np.bool_]) -> ItemBank:
    place = {name: i for i, name in enumerate(anchors.names)}
    widest = max(start.d.shape[1], anchors.d.shape[1])
    d = np.full((start.n_items, widest), np.nan)
    d[:, : start.d.shape[1]] = start.d
    a, c, u = start.a.copy(), start.c.copy(), start.u.copy()
    ak = np.tile(np.arange(widest + 1.0), (start.n_items, 1))
    for i in np.flatnonzero(is_fixed):
        of = place[start.names[i]]
        a[i], c[i], u[i] = anchors.a[of], anchors.c[of], anchors.u[of]
        d[i] = np.nan
        d[i, : anchors.d.shape[1]] = anchors.d[of]
        ak[i, : anchors.ak.shape[1]] = anchors.ak[of]
    return item_bank(start.names, start.models, a=a, d=d, c=c, u=u, ak=ak)


def _climb(
    layout: Layout, data: ResponseMatrix, options: CalibrationOptions, progress: Progress | None
) -> tuple[Ascent, Problem, bool]:
    is_sampled = data.n_rows > 2 * _SAMPLE * (10 if isinstance(data.categories, SparseCategories) else 1)
    x, n_iterations, n_evaluations = layout.start(), 0, 0
    inverse: Array | None = None
    history: list[float] = []
    if is_sampled:
        sample = data.rows(_sampled(data))
        share = sample.n_candidates / data.n_candidates
        problem = Problem(layout, features_of(layout, sample), options.quadrature, options.priors, share)
        ascent = Ascent(evaluate(problem, x, np.float32), progress=progress)
        inverse, _ = _stage(problem, ascent, None, 0.05, np.inf, options.most_iterations)
        x, n_iterations, n_evaluations = ascent.at.x, ascent.n_iterations, ascent.n_evaluations
        history = ascent.history
        if inverse is not None:
            inverse = inverse * share
    problem = Problem(layout, features_of(layout, data), options.quadrature, options.priors)
    ascent = Ascent(evaluate(problem, x), n_iterations, n_evaluations + 1, history=history, progress=progress)
    _, is_converged = _stage(
        problem, ascent, inverse, _TOLERANCE[options.precision], _GRADIENT_TOLERANCE[options.precision],
        options.most_iterations,
    )  # fmt: skip
    return ascent, problem, is_converged


def _stage(
    problem: Problem, ascent: Ascent, inverse: Array | None, tolerance: float, gradient_tolerance: float, most: int
) -> tuple[Array | None, bool]:
    """Climb on one data set; return the inverse information reached and whether the maximum was."""
    if isinstance(problem.features, SparseFeatures) or problem.layout.n_parameters > _MOST_FOR_NEWTON:
        # The gain of a cycle understates what is left by the rate of EM; a tenth covers the usual rates.
        climb_by_em(problem, ascent, tolerance=0.1 * tolerance, most_cycles=most)
        return None, ascent.remaining < 0.1 * tolerance
    far = 2.0 + 0.02 * problem.layout.n_parameters
    if inverse is None:
        climb_by_em(problem, ascent, tolerance=far, most_cycles=min(most, 12))
    for _ in range(8):
        if ascent.n_iterations >= most:
            return inverse, False
        if inverse is None:
            inverse = inverse_information(problem, ascent.at, np.float32)
        ascent.is_stalled = False
        inverse = climb_by_quasi_newton(
            problem, ascent, inverse, tolerance=tolerance, gradient_tolerance=gradient_tolerance, most_steps=25
        )
        is_near = ascent.remaining < tolerance
        # At the limit of rounding no step gains any more: that is the maximum too.
        is_rounded = ascent.is_stalled and ascent.remaining < 1e-12 * abs(ascent.at.value)
        if is_near or is_rounded:
            return inverse, True
        inverse = None
        climb_by_em(problem, ascent, tolerance=tolerance, most_cycles=3)
    return inverse, False


def _sampled(data: ResponseMatrix) -> NDArray[np.int64]:
    """Rows of the sample, in order: a fixed stream, so that the same data give the same estimates."""
    size = _SAMPLE * (10 if isinstance(data.categories, SparseCategories) else 1)
    rng = np.random.default_rng(_SAMPLE_STREAM)
    return np.sort(rng.choice(data.n_rows, size=size, replace=False, shuffle=False))


def _report(
    problem: Problem,
    ascent: Ascent,
    options: CalibrationOptions,
    kinds: list[Model],
    n_candidates: float,
    *,
    is_converged: bool,
) -> Calibration:
    layout, at = problem.layout, ascent.at
    bank = from_working(layout.item_names, layout.item_groups(at.x))
    means, variances = layout.latent_moments(at.x)
    lowest, highest = layout.bounds()
    is_held = (at.x <= lowest) | (at.x >= highest)
    labels = layout.parameter_labels()
    at_bounds = tuple(AtBound(*labels[i], float(at.x[i])) for i in np.flatnonzero(is_held))
    warnings = []
    if not is_converged:
        warnings.append(
            f"stopped after {ascent.n_iterations} steps before the maximum; "
            f"the objective may still gain {ascent.remaining:.2g}"
        )
    warnings += [f"{bound.place}: {bound.parameter} ran to its bound {bound.value:g}" for bound in at_bounds]
    warnings += [
        f"item {name}: the slope is negative; check the key"
        for name, a in zip(bank.names, bank.a, strict=True)
        if a < 0
    ]
    covariance, errors = None, None
    if options.standard_errors != StandardErrors.NONE:
        covariance = covariance_of(_information(problem, ascent, options), is_held)
        if covariance is None:
            warnings.append("the information is not positive definite here, so there are no standard errors")
        else:
            errors = parameter_errors(layout, bank, covariance, variances)
    if set(kinds) == {Model.ONE_PL}:
        bank, variances, errors = _as_one_slope(bank, variances, errors)
    gradient = np.where(is_held, 0.0, at.gradient)
    return Calibration(
        bank=bank,
        group_names=layout.group_names,
        means=means,
        variances=variances,
        errors=errors,
        parameters=at.x,
        parameter_labels=tuple(labels),
        covariance=covariance,
        log_likelihood=at.log_likelihood,
        log_prior=at.log_prior,
        n_candidates=n_candidates,
        n_parameters=layout.n_parameters,
        converged=is_converged,
        n_iterations=ascent.n_iterations,
        n_evaluations=ascent.n_evaluations,
        gradient_norm=float(np.abs(gradient).max(initial=0.0)),
        remaining_gain=ascent.remaining,
        at_bounds=at_bounds,
        warnings=tuple(warnings),
        history=tuple(ascent.history),
    )


def _information(problem: Problem, ascent: Ascent, options: CalibrationOptions) -> Array:
    is_sparse = isinstance(problem.features, SparseFeatures)
    if options.standard_errors == StandardErrors.CROSS_PRODUCT or is_sparse:
        return cross_product_information(problem, ascent.at)
    return observed_information(problem, ascent.at)


def _as_one_slope(
    bank: ItemBank, variances: Array, errors: ParameterErrors | None
) -> tuple[ItemBank, Array, ParameterErrors | None]:
    """Rasch with variance v is 1PL with slope sqrt(v) on the standard scale; intercepts are the same."""
    spread = float(np.sqrt(variances[0]))
    slopes = np.full(bank.n_items, spread)
    moved = item_bank(bank.names, [Model.ONE_PL] * bank.n_items, a=slopes, d=bank.d)
    if errors is not None:
        se_slope = errors.variances[0] / (2.0 * spread)
        errors = msgspec.structs.replace(errors, a=np.full(bank.n_items, se_slope))
    return moved, variances / variances[0], errors
