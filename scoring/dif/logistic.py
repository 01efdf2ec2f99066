"""Logistic regression: does group, or group by score, predict a right answer beyond the score?"""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit

from scoring.dif.groups import cell_counts, compared
from scoring.errors import GroupsUnusable
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_MOST_STEPS = 50


class EffectSize(StrEnum):
    """Size by the gain in Nagelkerke's R²: Jodoin & Gierl's limits 0.035 and 0.070."""

    NEGLIGIBLE = "negligible"
    MODERATE = "moderate"
    LARGE = "large"


class LogisticDif(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison of every item, arrays of shape (n_items,).

    Attributes
    ----------
    x2_uniform, p_uniform : ndarray
        Likelihood ratio of adding the group, one degree of freedom.
    x2_nonuniform, p_nonuniform : ndarray
        Of adding group by score, one degree of freedom.
    x2, p : ndarray
        Of adding both, two degrees of freedom.
    group : ndarray
        Log odds of the focal group against the reference at equal score, in the model without interaction.
    gain : ndarray
        Gain in Nagelkerke's R² by both, 0 to 1.
    effect : tuple of EffectSize
        Negligible where `p` is not below 0.05.
    """

    x2_uniform: Array
    p_uniform: Array
    x2_nonuniform: Array
    p_nonuniform: Array
    x2: Array
    p: Array
    group: Array
    gain: Array
    effect: tuple[EffectSize, ...]


class LogisticFit(msgspec.Struct, frozen=True):
    """Coefficients and log-likelihood of a regression on grouped data."""

    coefficients: Array
    log_likelihood: float
    converged: bool


def logistic_dif(responses: ResponseMatrix, focal: str) -> LogisticDif:
    """Compare a focal group with the reference group (the first one), item by item, matched by the sum score.

    Raises
    ------
    GroupsUnusable
        A group is missing, or an item has more than two categories (Mantel's test takes those).

    References
    ----------
    Swaminathan & Rogers (1990), Journal of Educational Measurement 27, 361-370; Jodoin & Gierl (2001), Applied
    Measurement in Education 14, 329-349.
    """
    data = compared(responses, focal)
    graded = np.flatnonzero(data.n_categories > 2)
    if graded.size:
        raise GroupsUnusable(
            f"item {responses.item_names[graded[0]]}", "has more than two categories; compare it by Mantel's test"
        )
    columns = np.full((5, responses.n_items), np.nan)
    anchors = np.ones(responses.n_items, dtype=bool)
    for item in np.flatnonzero(data.n_categories == 2):
        columns[:, item] = _one_item(cell_counts(data, int(item), anchors))
    uniform, nonuniform, both, group, gain = columns
    p = chdtrc(2, both)
    return LogisticDif(
        x2_uniform=uniform,
        p_uniform=chdtrc(1, uniform),
        x2_nonuniform=nonuniform,
        p_nonuniform=chdtrc(1, nonuniform),
        x2=both,
        p=p,
        group=group,
        gain=gain,
        effect=tuple(_effect(float(g), float(q)) for g, q in zip(gain, p, strict=True)),
    )


def fit_logistic(design: Array, right: Array, total: Array) -> LogisticFit:
    """Fit a binomial regression by Newton's method with halved steps.

    Parameters
    ----------
    design : ndarray, shape (n_cells, n_predictors)
    right, total : ndarray, shape (n_cells,)
        Successes and trials.
    """
    x = np.zeros(design.shape[1])
    value = _log_likelihood(design @ x, right, total)
    for _ in range(_MOST_STEPS):
        p = expit(design @ x)
        gradient = design.T @ (right - total * p)
        information = (design * (total * p * (1.0 - p))[:, None]).T @ design
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        size = 1.0
        while size > 1e-6 and _log_likelihood(design @ (x + size * step), right, total) < value - 1e-12 * abs(value):
            size /= 2.0
        x = x + size * step
        last, value = value, _log_likelihood(design @ x, right, total)
        if abs(value - last) <= 1e-12 * (1.0 + abs(value)):
            return LogisticFit(x, value, converged=True)
    return LogisticFit(x, value, converged=False)


def _one_item(counts: Array) -> tuple[float, float, float, float, float]:
    score, group = np.indices(counts.shape[:2]).reshape(2, -1).astype(np.float64)
    right, total = counts[:, :, 1].ravel(), counts.sum(axis=2).ravel()
    is_met = total > 0
    score, group, right, total = score[is_met], group[is_met], right[is_met], total[is_met]
    centre = total @ score / total.sum()
    spread = np.sqrt(total @ (score - centre) ** 2 / total.sum())
    # Scores to standard units: the log-likelihoods are the same, the normal equations better conditioned.
    standard = (score - centre) / (spread if spread > 0 else 1.0)
    design = np.stack([np.ones_like(score), standard, group, standard * group], axis=1)
    null, alone, with_group, full = (fit_logistic(design[:, :n], right, total) for n in (1, 2, 3, 4))
    n = total.sum()

    def nagelkerke(fit: LogisticFit) -> float:
        explained = -np.expm1(2.0 / n * (null.log_likelihood - fit.log_likelihood))
        return float(explained / -np.expm1(2.0 / n * null.log_likelihood))

    uniform = 2.0 * (with_group.log_likelihood - alone.log_likelihood)
    nonuniform = 2.0 * (full.log_likelihood - with_group.log_likelihood)
    return (
        max(uniform, 0.0),
        max(nonuniform, 0.0),
        max(uniform + nonuniform, 0.0),
        float(with_group.coefficients[2]),
        nagelkerke(full) - nagelkerke(alone),
    )


def _log_likelihood(eta: Array, right: Array, total: Array) -> float:
    return float(right @ eta - total @ np.logaddexp(0.0, eta))


def _effect(gain: float, p: float) -> EffectSize:
    if not p < 0.05 or gain < 0.035:
        return EffectSize.NEGLIGIBLE
    return EffectSize.LARGE if gain >= 0.070 else EffectSize.MODERATE
