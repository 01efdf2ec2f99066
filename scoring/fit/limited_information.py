"""M2* and C2: does the model reproduce the means of the items and the products of pairs? With the RMSEA."""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.optimize import brentq
from scipy.special import chdtr, chdtrc, chndtr

from scoring.errors import FitUndefined
from scoring.fit.moments import ItemCurves, first_order_functions, model_moments, observed_moments
from scoring.fit.population import STANDARD_POPULATION, Population, dense_categories
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.quadrature import normal_weight_derivatives
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
# Below this share of the largest, a direction of the moments counts as not moved by the parameters.
_RANK_TOLERANCE = 1e-10


class Statistic(StrEnum):
    """Which moments are compared; for right-or-wrong items the two are one: M2 of Maydeu-Olivares and Joe."""

    M2_STAR = "m2*"  # mean score of each item, and of the product of each pair
    C2 = "c2"  # share of each category of each item, and the mean product of each pair


class GuessingSlopes(StrEnum):
    """How P of an item with an asymptote is differentiated by slope and intercept."""

    EXACT = "exact"  # (u - c) L (1 - L), what P changes by
    MIRT = "mirt"  # P (1 - P), as mirt 1.47 has it: to compare with its figures only


class ModelFit(msgspec.Struct, frozen=True, kw_only=True):
    """Fit of a model to the first- and second-order moments.

    Attributes
    ----------
    statistic : Statistic
    x2 : float
    df : int
    p : float
    rmsea, rmsea_lower, rmsea_upper : float
        Root mean square error of approximation and its 90 % interval.
    srmsr : float
        Root mean squared difference of observed and expected correlations of item scores.
    tli, cfi : float
        Against a baseline of independent items; NaN where a category was never given.
    n_candidates : float
    """

    statistic: Statistic
    x2: float
    df: int
    p: float
    rmsea: float
    rmsea_lower: float
    rmsea_upper: float
    srmsr: float
    tli: float
    cfi: float
    n_candidates: float


def model_fit(
    responses: ResponseMatrix,
    bank: ItemBank,
    population: Population = STANDARD_POPULATION,
    *,
    statistic: Statistic = Statistic.M2_STAR,
    is_fixed: NDArray[np.bool_] | None = None,
    guessing_slopes: GuessingSlopes = GuessingSlopes.EXACT,
) -> ModelFit:
    """Compute M2* or C2 at the parameters of `bank`.

    Parameters
    ----------
    is_fixed : ndarray of bool, shape (n_items,), optional
        Items whose parameters were not estimated; 1PL items share one slope.
    guessing_slopes : GuessingSlopes
        Matters with 3PL and 4PL items only.

    Raises
    ------
    FitUndefined
        A response is missing (see `complete_rows`), there are several groups, or fewer moments than parameters.

    References
    ----------
    In 3PL items mirt 1.47 differentiates by slope and intercept as if P were logistic, P (1 - P), and so is some 1 %
    lower; we take (1 - c) L (1 - L), which a difference quotient confirms, unless `guessing_slopes` asks for mirt's.
    Without guessing the two agree.

    Maydeu-Olivares & Joe (2006), Psychometrika 71, 713-732; Cai & Hansen (2013), British Journal of Mathematical and
    Statistical Psychology 66, 245-276 (M2*); Cai & Monroe (2014), CRESST Report 839 (C2).
    """
    categories = dense_categories(responses, bank)
    if (categories < 0).any():
        raise FitUndefined("responses", "some are missing; the moments need complete rows")
    if len(responses.group_names) > 1:
        raise FitUndefined("responses", f"come from {len(responses.group_names)} groups; take one at a time")
    weights, n = responses.weights, responses.n_candidates
    if n < 2:
        raise FitUndefined("responses", "fewer than two candidates")
    functions = first_order_functions(bank.n_categories.tolist(), is_by_category=statistic is Statistic.C2)
    observed = observed_moments(categories, weights, functions)
    curves = _curves(bank, population.points, guessing_slopes)
    expected = model_moments(curves, population.weights, _latent(population), functions)
    derivatives = _free_columns(bank, curves, expected.derivatives, is_fixed)
    x2, df = _quadratic_form(n, observed - expected.value, expected.covariance, derivatives)
    if df <= 0:
        raise FitUndefined("responses", f"give {observed.size} moments for {derivatives.shape[1]} parameters")
    null_x2, null_df = _baseline(categories, weights, functions, observed)
    lower, upper = rmsea_interval(x2, df, n)
    return ModelFit(
        statistic=statistic,
        x2=x2,
        df=df,
        p=float(chdtrc(df, x2)),
        rmsea=float(np.sqrt(max(x2 - df, 0.0) / (df * (n - 1.0)))),
        rmsea_lower=lower,
        rmsea_upper=upper,
        srmsr=_srmsr(categories, weights, curves, population.weights),
        tli=(null_x2 / null_df - x2 / df) / (null_x2 / null_df - 1.0) if null_df > 0 else np.nan,
        cfi=float(np.clip(1.0 - (x2 - df) / (null_x2 - null_df), 0.0, 1.0)) if null_df > 0 else np.nan,
        n_candidates=n,
    )


def rmsea_interval(x2: float, df: int, n_candidates: float, coverage: float = 0.90) -> tuple[float, float]:
    """Interval of the RMSEA from the non-central chi-square distribution.

    References
    ----------
    Browne & Cudeck (1993), in Bollen & Long, Testing structural equation models, 136-162.
    """

    def bound(share: float) -> float:
        if chdtr(df, x2) <= share:
            return 0.0
        highest = max(4.0 * x2, 100.0)
        return float(brentq(lambda noncentrality: chndtr(x2, df, noncentrality) - share, 0.0, highest, xtol=1e-10))

    low, high = bound(0.5 + coverage / 2.0), bound(0.5 - coverage / 2.0)
    return float(np.sqrt(low / (df * n_candidates))), float(np.sqrt(high / (df * n_candidates)))


def _curves(bank: ItemBank, points: Array, guessing_slopes: GuessingSlopes) -> list[ItemCurves]:
    curves: dict[int, ItemCurves] = {}
    for group in bank.groups():
        p = np.exp(group.family.log_probabilities(group.x, points))
        slopes = group.family.scores(group.x, points) * p[:, :, None]
        if guessing_slopes is GuessingSlopes.MIRT and group.model in (Model.THREE_PL, Model.FOUR_PL):
            steep = p[:, 0] * p[:, 1]
            slopes[:, 1, 0], slopes[:, 1, 1] = steep * points, steep
            slopes[:, 0, :2] = -slopes[:, 1, :2]
        for place, item in enumerate(group.items):
            curves[int(item)] = ItemCurves(p[place], slopes[place].transpose(1, 0, 2))
    return [curves[item] for item in range(bank.n_items)]


def _latent(population: Population) -> Array:
    first, _ = normal_weight_derivatives(population.points, population.mean, population.variance)
    is_free = [population.is_mean_free, population.is_variance_free]
    result: Array = first[is_free] * population.weights
    return result


def _free_columns(
    bank: ItemBank, curves: list[ItemCurves], derivatives: Array, is_fixed: NDArray[np.bool_] | None
) -> Array:
    """Columns of the estimated parameters; the slopes of 1PL items are one parameter."""
    columns, start = [], 0
    common = np.zeros(derivatives.shape[0])
    for item, curve in enumerate(curves):
        own = derivatives[:, start : start + curve.derivatives.shape[0]]
        start += own.shape[1]
        if is_fixed is not None and is_fixed[item]:
            continue
        if bank.models[item] is Model.ONE_PL:
            common += own[:, 0]
            own = own[:, 1:]
        columns.append(own)
    if Model.ONE_PL in bank.models:
        columns.append(common[:, None])
    return np.concatenate([*columns, derivatives[:, start:]], axis=1)


def _quadratic_form(n: float, residual: Array, covariance: Array, derivatives: Array) -> tuple[float, int]:
    """N e' C e with C the weight that the parameters cannot move, and its degrees of freedom."""
    size = np.linalg.norm(derivatives, axis=0)
    unit = derivatives / np.where(size > 0, size, 1.0)
    if derivatives.shape[1] == 0:
        complement = np.eye(residual.size)
    else:
        q, r, _ = qr(unit, mode="full", pivoting=True)
        diagonal = np.abs(np.diag(r))
        rank = int((diagonal > _RANK_TOLERANCE * diagonal[0]).sum())
        complement = q[:, rank:]
    if complement.shape[1] == 0:
        return 0.0, 0
    moved = complement.T @ residual
    try:
        factor = cho_factor(complement.T @ covariance @ complement)
    except np.linalg.LinAlgError as error:
        raise FitUndefined(
            "responses", "the moments determine each other; an item may have but one category"
        ) from error
    return float(n * moved @ cho_solve(factor, moved)), int(complement.shape[1])


def _baseline(
    categories: NDArray[np.int8], weights: Array, functions: list[Array], observed: Array
) -> tuple[float, int]:
    """The statistic of independent items with their observed shares; NaN where a category was never given."""
    counts = [
        np.bincount(column, weights, minlength=f.shape[1]) for column, f in zip(categories.T, functions, strict=True)
    ]
    if any((count == 0).any() for count in counts):
        return np.nan, 0
    curves = []
    for count in counts:
        k, share = count.size, count / weights.sum()
        moves = np.eye(k)[1:] - np.eye(k)[0]
        curves.append(ItemCurves(share[:, None], moves[:, :, None]))
    expected = model_moments(curves, np.ones(1), np.zeros((0, 1)), functions)
    return _quadratic_form(float(weights.sum()), observed - expected.value, expected.covariance, expected.derivatives)


def _srmsr(categories: NDArray[np.int8], weights: Array, curves: list[ItemCurves], shares: Array) -> float:
    scores = categories.astype(np.float64)
    mean = scores.T @ weights / weights.sum()
    observed = (scores * weights[:, None]).T @ scores / weights.sum() - np.outer(mean, mean)
    values = [np.arange(float(c.p.shape[0])) for c in curves]
    conditional = np.stack([v @ c.p for v, c in zip(values, curves, strict=True)])
    squares = np.array([(v * v) @ c.p @ shares for v, c in zip(values, curves, strict=True)])
    expected = (conditional * shares) @ conditional.T
    np.fill_diagonal(expected, squares)
    model_mean = conditional @ shares
    expected = expected - np.outer(model_mean, model_mean)
    difference = _correlations(observed) - _correlations(expected)
    pairs = difference[np.triu_indices(len(curves), 1)]
    known = pairs[np.isfinite(pairs)]  # an item that all answered alike correlates with nothing
    return float(np.sqrt(np.mean(known**2))) if known.size else np.nan


def _correlations(covariance: Array) -> Array:
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = covariance / np.outer(spread, spread)
    return result
