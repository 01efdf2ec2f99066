"""Calibrate the items of a test by marginal maximum likelihood: the use case; the mathematics is in its neighbours.

Large data are met in two stages: a sample of the candidates is taken to the maximum, and its information drives a few
passes over all of them.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.calibration.checks import require_usable
from scoring.calibration.climb import climb
from scoring.calibration.features import SparseFeatures
from scoring.calibration.histogram import climb_with_histogram, constraints_of
from scoring.calibration.layout import LatentParameter, Layout, layout_of
from scoring.calibration.objective import Problem
from scoring.calibration.observed_information import cross_product_information, observed_information
from scoring.calibration.optimise import Ascent, Progress
from scoring.calibration.options import DEFAULT_OPTIONS, CalibrationOptions, Density, StandardErrors
from scoring.calibration.result import AtBound, Calibration, ParameterErrors
from scoring.calibration.standard_errors import covariance_of, parameter_errors
from scoring.calibration.starting_values import starting_bank
from scoring.irt.bank import ItemBank, from_working, item_bank
from scoring.irt.models import Model
from scoring.irt.models.families import WITHOUT_SLOPE
from scoring.irt.one_thread import one_thread
from scoring.irt.responses import ResponseMatrix, SparseCategories, deduplicate

Array = NDArray[np.float64]


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
        if options.density is Density.HISTOGRAM:
            constraints = constraints_of(layout, has_anchors=anchors is not None)
            n_weights = sum(options.quadrature.n_points - 1 - sum(held) for held in constraints)
            ascent, problem, is_converged = climb_with_histogram(layout, data, options, constraints, progress)
        else:
            n_weights = 0
            ascent, problem, is_converged = climb(layout, data, options, progress)
        return _report(problem, ascent, options, kinds, responses.n_candidates, n_weights, is_converged=is_converged)


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


def _report(
    problem: Problem,
    ascent: Ascent,
    options: CalibrationOptions,
    kinds: list[Model],
    n_candidates: float,
    n_weights: int,
    *,
    is_converged: bool,
) -> Calibration:
    layout, at = problem.layout, ascent.at
    bank = from_working(layout.item_names, layout.item_groups(at.x))
    means, variances = layout.latent_moments(at.x)
    density = None
    if problem.log_density is not None:
        density, points = np.exp(problem.log_density), problem.quadrature.points
        means = density @ points
        variances = density @ points**2 - means**2
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
        n_parameters=layout.n_parameters + n_weights,
        converged=is_converged,
        n_iterations=ascent.n_iterations,
        n_evaluations=ascent.n_evaluations,
        gradient_norm=float(np.abs(gradient).max(initial=0.0)),
        remaining_gain=ascent.remaining,
        at_bounds=at_bounds,
        warnings=tuple(warnings),
        history=tuple(ascent.history),
        density=density,
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
