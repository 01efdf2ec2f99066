"""Reliability of a sum score: alpha, omega total, standard error of measurement."""

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scoring.classical.score_table import ScoreTable

Array = NDArray[np.float64]


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """Reliability of the sum score.

    Attributes
    ----------
    mean, sd : float
        Of the sum score.
    alpha : float
        Cronbach's; KR-20 if all items are right or wrong. NaN if all sum scores are alike.
    alpha_without : ndarray, shape (n_items,)
        Alpha of the test less each item; NaN for two items.
    omega : float
        McDonald's omega total of one common factor, fitted by least squares.
    sem : float
        Standard error of measurement, points: sd sqrt(1 - alpha).
    """

    mean: float
    sd: float
    alpha: float
    alpha_without: Array
    omega: float
    sem: float


def reliability(table: ScoreTable) -> Reliability:
    """Compute the reliability of the sum score.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334; McDonald (1999), Test Theory, ch. 6; Harman & Jones (1966),
    Psychometrika 31, 351-368, for the least-squares factor.
    """
    n = table.n_candidates
    mean = table.weights @ table.scores / n
    apart = table.scores - mean
    covariance = (apart * table.weights[:, None]).T @ apart / (n - 1.0)
    total = float(covariance.sum())
    alpha = _alpha(np.trace(covariance), total, covariance.shape[0])
    left_out = total - 2.0 * covariance.sum(axis=1) + np.diag(covariance)
    without = _alpha(np.trace(covariance) - np.diag(covariance), left_out, covariance.shape[0] - 1)
    return Reliability(
        mean=float(mean.sum()),
        sd=float(np.sqrt(total)),
        alpha=float(alpha),
        alpha_without=np.asarray(without),
        omega=omega_total(covariance),
        sem=float(np.sqrt(total * max(1.0 - float(alpha), 0.0))),
    )


def omega_total(covariance: Array) -> float:
    """Share of the sum score's variance that one common factor carries, from a covariance matrix.

    The denominator is the variance the factor model implies: squared sum of loadings plus unique variances, which are
    not let below 0.
    """
    variance = np.diag(covariance).copy()
    varies = variance > 0
    if varies.sum() < 2:
        return float("nan")
    spread = np.sqrt(variance[varies])
    correlation = covariance[np.ix_(varies, varies)] / np.outer(spread, spread)
    off = correlation - np.diag(np.diag(correlation))

    def misfit(loading: Array) -> tuple[float, Array]:
        residual = off - np.outer(loading, loading)
        np.fill_diagonal(residual, 0.0)
        return float((residual**2).sum()), -4.0 * residual @ loading

    value, vector = np.linalg.eigh(correlation)
    start = vector[:, -1] * np.sqrt(value[-1]) * 0.8
    bounds = [(-1.0, 1.0)] * start.size
    found = minimize(
        misfit,
        start,
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000},
    )
    loading = found.x * spread
    common = float(loading.sum()) ** 2
    unique = float((spread**2 - loading**2).sum())
    return common / (common + unique)


def _alpha(trace: NDArray[np.float64] | float, total: NDArray[np.float64] | float, n_items: int) -> NDArray[np.float64]:
    if n_items < 2:
        return np.full(np.shape(total), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(trace) / np.asarray(total)
    result: NDArray[np.float64] = np.where(np.isfinite(ratio), n_items / (n_items - 1.0) * (1.0 - ratio), np.nan)
    return result
