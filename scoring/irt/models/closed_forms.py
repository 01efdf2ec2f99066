"""Response probabilities in a, b, c and in step difficulties, as the textbooks print them. D = 1, not 1.7."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax


class ItemParameters(msgspec.Struct, frozen=True):
    """Parameters of dichotomous items, on the logit scale.

    Attributes
    ----------
    a, b, c : ndarray, shape (n_items,)
        Discrimination (> 0, per logit), difficulty (logits), lower asymptote (0 <= c < 1).
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]


class StepParameters(msgspec.Struct, frozen=True):
    """Parameters of graded items under the generalised partial credit model.

    Attributes
    ----------
    a : ndarray, shape (n_items,)
        Discrimination (> 0, per logit).
    steps : ndarray, shape (n_items, n_categories - 1)
        Difficulty of each step (logits); items with fewer categories end in NaN.
    """

    a: NDArray[np.float64]
    steps: NDArray[np.float64]


def probability_2pl(theta: ArrayLike, items: ItemParameters) -> NDArray[np.float64]:
    """Probability of a correct response under the two-parameter logistic model; `c` is not used.

    Parameters
    ----------
    theta : array_like, shape (n_candidates,)
        Ability, logits.
    items : ItemParameters

    Returns
    -------
    ndarray, shape (n_candidates, n_items)
        Values in [0, 1].

    References
    ----------
    Birnbaum (1968), in Lord & Novick, ch. 17, with D = 1.
    """
    abilities = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    # expit saturates at 0 and 1 instead of overflowing, however far theta is from b.
    probability: NDArray[np.float64] = expit(items.a * (abilities[:, None] - items.b))
    return probability


def probability_3pl(theta: ArrayLike, items: ItemParameters) -> NDArray[np.float64]:
    """Probability of a correct response under the three-parameter logistic model.

    Parameters
    ----------
    theta : array_like, shape (n_candidates,)
        Ability, logits.
    items : ItemParameters

    Returns
    -------
    ndarray, shape (n_candidates, n_items)
        Values in [c, 1].

    References
    ----------
    Birnbaum (1968), in Lord & Novick, ch. 17, with D = 1.
    """
    return items.c + (1.0 - items.c) * probability_2pl(theta, items)


def category_probabilities_gpcm(theta: ArrayLike, items: StepParameters) -> NDArray[np.float64]:
    """Probability of each category under the generalised partial credit model.

    The logit of category k is the sum over steps v <= k of `a * (theta - steps[v])`, 0 for category 0.

    Parameters
    ----------
    theta : array_like, shape (n_candidates,)
        Ability, logits.
    items : StepParameters

    Returns
    -------
    ndarray, shape (n_candidates, n_items, n_categories)
        Values in [0, 1] that sum to 1 over the categories; 0 for categories an item does not have.

    References
    ----------
    Muraki (1992), Applied Psychological Measurement 16, 159-176, with D = 1.
    """
    abilities = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    steps = np.atleast_2d(np.asarray(items.steps, dtype=np.float64))
    moves = items.a[None, :, None] * (abilities[:, None, None] - np.where(np.isnan(steps), 0.0, steps)[None, :, :])
    logits = np.concatenate([np.zeros((*moves.shape[:2], 1)), np.cumsum(moves, axis=2)], axis=2)
    has_category = np.concatenate([np.ones((steps.shape[0], 1), dtype=bool), ~np.isnan(steps)], axis=1)
    # softmax subtracts the largest logit, so nothing overflows; a logit of -inf is probability 0.
    probability: NDArray[np.float64] = softmax(np.where(has_category[None, :, :], logits, -np.inf), axis=2)
    return probability
