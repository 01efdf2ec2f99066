"""Person fit: is a candidate's pattern of responses likely for somebody of this ability?"""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import FitUndefined
from scoring.fit.population import STANDARD_POPULATION, Population, dense_categories
from scoring.irt.bank import ItemBank, information
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_CHUNK_ROWS = 4096
_STEP = 1e-4


class AbilityMethod(StrEnum):
    """How the ability at which a pattern is judged was estimated, which lz* corrects for."""

    ML = "ml"
    MAP = "map"
    WLE = "wle"


class PersonFit(msgspec.Struct, frozen=True):
    """Standardised log-likelihood of each row of the responses; strongly negative where the pattern is odd.

    Attributes
    ----------
    z : ndarray, shape (n_rows,)
        NaN where the ability is not finite or nothing was answered.
    log_likelihood : ndarray, shape (n_rows,)
    """

    z: Array
    log_likelihood: Array


def lz(responses: ResponseMatrix, bank: ItemBank, theta: ArrayLike) -> PersonFit:
    """Standardise the log-likelihood as if the abilities were known: conservative, as they are estimates.

    mirt calls it Zh and takes EAP abilities.

    References
    ----------
    Drasgow, Levine & Williams (1985), British Journal of Mathematical and Statistical Psychology 38, 67-86.
    """
    return _standardised(responses, bank, theta, None)


def lz_star(
    responses: ResponseMatrix,
    bank: ItemBank,
    theta: ArrayLike,
    *,
    method: AbilityMethod = AbilityMethod.ML,
    population: Population = STANDARD_POPULATION,
) -> PersonFit:
    """Standardise the log-likelihood with the correction for estimated abilities, so that it is standard normal.

    Parameters
    ----------
    theta : array_like, shape (n_rows,)
        Estimated by `method`; WLE under Jeffreys' weight, MAP under the population's normal prior.

    References
    ----------
    Snijders (2001), Psychometrika 66, 331-342; for polytomous and mixed tests Sinharay (2016), Psychometrika 81,
    992-1013.
    """
    abilities = np.asarray(theta, dtype=np.float64)
    finite = np.where(np.isfinite(abilities), abilities, 0.0)
    if method is AbilityMethod.MAP:
        pull = (population.mean - finite) / population.variance
        return _standardised(responses, bank, abilities, pull)
    if method is AbilityMethod.WLE:
        is_answered = dense_categories(responses, bank) >= 0
        above, here, below = (
            (information(bank, finite + move) * is_answered).sum(axis=1) for move in (_STEP, 0.0, -_STEP)
        )
        return _standardised(responses, bank, abilities, (above - below) / (4.0 * _STEP * np.maximum(here, 1e-300)))
    return _standardised(responses, bank, abilities, np.zeros_like(finite))


def _standardised(responses: ResponseMatrix, bank: ItemBank, theta: ArrayLike, pull: Array | None) -> PersonFit:
    """Standardise; `pull` is what the estimating equation adds to the score function, None for known abilities."""
    categories = dense_categories(responses, bank)
    abilities = np.asarray(theta, dtype=np.float64)
    if abilities.shape != (responses.n_rows,):
        raise FitUndefined("theta", f"has shape {abilities.shape}, but there are {responses.n_rows} rows")
    is_finite = np.isfinite(abilities)
    z, log_likelihood = np.full(responses.n_rows, np.nan), np.full(responses.n_rows, np.nan)
    for start in range(0, responses.n_rows, _CHUNK_ROWS):
        rows = np.flatnonzero(is_finite[start : start + _CHUNK_ROWS]) + start
        chunk = _Sums(categories[rows], bank, abilities[rows])
        log_likelihood[rows] = chunk.observed
        with np.errstate(divide="ignore", invalid="ignore"):
            if pull is None:
                deviation, variance = chunk.observed - chunk.mean, chunk.variance
            else:
                c = chunk.cross / chunk.information
                deviation = chunk.observed - chunk.mean + c * pull[rows]
                variance = chunk.variance - c * chunk.cross
            z[rows] = deviation / np.sqrt(np.where(variance > 0, variance, np.nan))
    return PersonFit(z, log_likelihood)


class _Sums:
    """Sums over the answered items: log-likelihood, its mean and variance, its covariance with the score function.

    With w = log P and r = P' / P, the weight w - c r that makes the two uncorrelated has c = cov(w, r) / var(r).
    """

    def __init__(self, categories: NDArray[np.int8], bank: ItemBank, theta: Array) -> None:
        n = theta.size
        self.observed, self.mean, self.variance = np.zeros(n), np.zeros(n), np.zeros(n)
        self.cross, self.information = np.zeros(n), np.zeros(n)
        for group in bank.groups():
            log_p = group.family.log_probabilities(group.x, theta)
            p = np.exp(log_p)
            first, _ = group.family.theta_derivatives(group.x, theta, bank.a[group.items])
            given = categories[:, group.items].T
            is_there = (given >= 0).astype(np.float64)
            at = np.maximum(given, 0).astype(np.int64)[:, None, :]
            mean = (p * log_p).sum(axis=1)
            self.observed += (np.take_along_axis(log_p, at, axis=1)[:, 0] * is_there).sum(axis=0)
            self.mean += (mean * is_there).sum(axis=0)
            self.variance += (((p * log_p * log_p).sum(axis=1) - mean**2) * is_there).sum(axis=0)
            self.cross += ((p * log_p * first).sum(axis=1) * is_there).sum(axis=0)
            self.information += ((p * first * first).sum(axis=1) * is_there).sum(axis=0)
