"""Distribution of the sum score and what it says about ability: the recursion of Lord and Wingersky."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.quadrature import STANDARD_QUADRATURE, Quadrature, log_normal_weights

Array = NDArray[np.float64]


class SumScoreTable(msgspec.Struct, frozen=True):
    """For each sum score 0 … maximum.

    Attributes
    ----------
    score : ndarray of int
    theta, se : ndarray
        Mean and standard deviation of ability given the score.
    probability : ndarray
        Share of the population expected at the score; sums to 1.
    """

    score: NDArray[np.int64]
    theta: Array
    se: Array
    probability: Array


def sum_score_distribution(bank: ItemBank, theta: ArrayLike) -> Array:
    """Probability of each sum score given ability, shape (n_theta, maximum + 1).

    References
    ----------
    Lord & Wingersky (1984), Applied Psychological Measurement 8, 453-461; for polytomous items Thissen et al. (1995).
    """
    p = category_probabilities(bank, theta)
    result = np.ones((p.shape[0], 1))
    for item, k in enumerate(bank.n_categories):
        longer = np.zeros((p.shape[0], result.shape[1] + int(k) - 1))
        for category in range(int(k)):
            longer[:, category : category + result.shape[1]] += result * p[:, item, category, None]
        result = longer
    return result


def sum_score_table(
    bank: ItemBank, *, mean: float = 0.0, variance: float = 1.0, quadrature: Quadrature = STANDARD_QUADRATURE
) -> SumScoreTable:
    """EAP and standard error for each sum score, under a normal population.

    A category counts as its number, from 0: where a data file numbers them from 1, its scores are larger by the number
    of items.
    """
    points = quadrature.points
    given_theta = sum_score_distribution(bank, points)
    joint = given_theta * np.exp(log_normal_weights(points, mean, variance))[:, None]
    probability = joint.sum(axis=0)
    safe = np.maximum(probability, 1e-300)
    theta = (points @ joint) / safe
    variance_of = np.maximum(((points * points) @ joint) / safe - theta * theta, 0.0)
    return SumScoreTable(np.arange(probability.size), theta, np.sqrt(variance_of), probability)
