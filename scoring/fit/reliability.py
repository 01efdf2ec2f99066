"""Precision of a test: information, conditional standard error of measurement, marginal and empirical reliability."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import FitUndefined
from scoring.fit.population import STANDARD_POPULATION, Population
from scoring.irt.bank import ItemBank, category_probabilities, expected_scores, information

Array = NDArray[np.float64]


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """Precision at each ability.

    Attributes
    ----------
    theta, information, se : ndarray, shape (n_theta,)
        Test information, and the standard error of theta, 1 / sqrt(information).
    score, score_sem : ndarray, shape (n_theta,)
        Expected sum score and its standard deviation given ability.
    """

    theta: Array
    information: Array
    se: Array
    score: Array
    score_sem: Array


def precision_at(bank: ItemBank, theta: ArrayLike) -> Precision:
    """Return information and conditional standard errors at the abilities.

    References
    ----------
    Lord (1980), Applications of Item Response Theory, ch. 5; Kolen, Zeng & Hanson (1996), Journal of Educational
    Measurement 33, 129-140, for the score metric.
    """
    at = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    total = information(bank, at).sum(axis=1)
    values = np.arange(float(bank.n_categories.max()))
    mean = expected_scores(bank, at)
    variance = category_probabilities(bank, at) @ values**2 - mean**2
    with np.errstate(divide="ignore"):
        se = 1.0 / np.sqrt(total)
    sem = np.sqrt(np.maximum(variance, 0.0).sum(axis=1))
    return Precision(theta=at, information=total, se=se, score=mean.sum(axis=1), score_sem=sem)


def marginal_reliability(bank: ItemBank, population: Population = STANDARD_POPULATION) -> float:
    """Expected reliability of ability, 0 to 1: the mean over the population of I / (I + 1 / variance).

    References
    ----------
    Where the variance v is not 1, mirt 1.47 computes I / (I + v) over a standard normal population; v = 1 agrees.

    Green, Bock, Humphreys, Linn & Reckase (1984), Journal of Educational Measurement 21, 347-360.
    """
    total = information(bank, population.points).sum(axis=1)
    return float((total / (total + 1.0 / population.variance)) @ population.weights)


def empirical_reliability(theta: ArrayLike, se: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Reliability of estimates (EAP): their variance over it plus the mean squared error; infinite ones are left out.

    Raises
    ------
    FitUndefined
        Fewer than two candidates have an estimate.

    References
    ----------
    Bock & Mislevy (1982), Applied Psychological Measurement 6, 431-444.
    """
    abilities, errors = np.asarray(theta, dtype=np.float64), np.asarray(se, dtype=np.float64)
    counts = np.ones(abilities.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    is_known = np.isfinite(abilities) & np.isfinite(errors)
    abilities, errors, counts = abilities[is_known], errors[is_known], counts[is_known]
    n = counts.sum()
    if n < 2:
        raise FitUndefined("theta", "fewer than two candidates have an estimate")
    mean = counts @ abilities / n
    variance = counts @ (abilities - mean) ** 2 / (n - 1.0)
    return float(variance / (variance + counts @ errors**2 / n))
