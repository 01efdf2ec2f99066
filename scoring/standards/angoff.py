"""The Angoff method: judges say how a candidate who just reaches the level would do on each item."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from scoring.errors import RatingsUnusable
from scoring.irt.bank import ItemBank, expected_scores
from scoring.standards.panel import Recommendation, recommendation

Array = NDArray[np.float64]
_FARTHEST_THETA = 12.0


class AngoffSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Ratings of a panel, summed up.

    Attributes
    ----------
    cut : Recommendation
        Of the sum score, points: each judge's cut is the sum of the ratings.
    maximum : float
        Most that the items give.
    item_mean, item_sd : ndarray, shape (n_items,)
        Of the ratings; a wide spread is what the panel should talk about.
    theta : float
        Ability whose expected sum score is the mean cut; NaN without item parameters, or where no ability expects it
        (below the sum of guesses).
    judge_theta : ndarray, shape (n_judges,)
        The same for each judge.
    judge_consistency : ndarray, shape (n_judges,)
        Correlation of a judge's ratings with the expected scores at that judge's theta; NaN without item parameters or
        where either does not vary.
    """

    cut: Recommendation
    maximum: float
    item_mean: Array
    item_sd: Array
    theta: float
    judge_theta: Array
    judge_consistency: Array


def angoff_summary(
    ratings: ArrayLike, *, maximum: ArrayLike | None = None, bank: ItemBank | None = None, judges: Sequence[str] = ()
) -> AngoffSummary:
    """Sum up ratings.

    Parameters
    ----------
    ratings : array_like, shape (n_judges, n_items)
        Expected points of the candidate who just reaches the level: for a right-or-wrong item the chance, 0 to 1.
    maximum : array_like, shape (n_items,), optional
        Points each item gives; the bank's categories less one, or 1, unless given.
    bank : ItemBank, optional
        Parameters of the same items, in the same order; a category counts as its number of points.
    judges : sequence of str, optional
        Names for refusals.

    Raises
    ------
    RatingsUnusable
        A rating is missing or outside 0 … maximum, or the items are not those of the bank.

    References
    ----------
    Angoff (1971), in Thorndike, Educational Measurement, 508-600; Hambleton & Plake (1995), Applied Measurement in
    Education 8, 41-55, for items with more than one point; van der Linden (1982), Journal of Educational Measurement
    19, 295-308, for the consistency of judges with item parameters.
    """
    given = np.asarray(ratings, dtype=np.float64)
    if given.ndim != 2 or 0 in given.shape:
        raise RatingsUnusable("ratings", f"need judges in rows and items in columns, not shape {given.shape}")
    if bank is not None and bank.n_items != given.shape[1]:
        raise RatingsUnusable("ratings", f"have {given.shape[1]} items, but the parameters {bank.n_items}")
    most = _maximum(given.shape[1], maximum, bank)
    wrong = np.argwhere(~((given >= 0) & (given <= most)))
    if wrong.size:
        judge, item = wrong[0]
        name = judges[judge] if judge < len(judges) else str(judge + 1)
        label = bank.names[item] if bank is not None else str(item + 1)
        raise RatingsUnusable(
            f"judge {name}, item {label}", f"rating {given[judge, item]:g} is not between 0 and {most[item]:g}"
        )
    cut = recommendation(given.sum(axis=1))
    judge_theta = np.full(given.shape[0], np.nan)
    consistency = np.full(given.shape[0], np.nan)
    theta = float("nan")
    if bank is not None:
        theta = theta_of_score(bank, cut.mean)
        judge_theta = np.array([theta_of_score(bank, score) for score in cut.judges])
        consistency = np.array([_consistency(bank, row, at) for row, at in zip(given, judge_theta, strict=True)])
    return AngoffSummary(
        cut=cut,
        maximum=float(most.sum()),
        item_mean=given.mean(axis=0),
        item_sd=given.std(axis=0, ddof=1) if given.shape[0] > 1 else np.full(given.shape[1], np.nan),
        theta=theta,
        judge_theta=judge_theta,
        judge_consistency=consistency,
    )


def theta_of_score(bank: ItemBank, score: float) -> float:
    """Ability whose expected sum score is `score`, on the test characteristic curve; NaN where none is."""

    def excess(theta: float) -> float:
        return float(expected_scores(bank, theta).sum()) - score

    if not excess(-_FARTHEST_THETA) < 0.0 < excess(_FARTHEST_THETA):
        return float("nan")
    return float(brentq(excess, -_FARTHEST_THETA, _FARTHEST_THETA, xtol=1e-10))


def _maximum(n_items: int, maximum: ArrayLike | None, bank: ItemBank | None) -> Array:
    if maximum is not None:
        most = np.broadcast_to(np.asarray(maximum, dtype=np.float64), n_items)
        if not (np.isfinite(most) & (most > 0)).all():
            raise RatingsUnusable("maximum", "needs a number above 0 for each item")
        return most
    return np.ones(n_items) if bank is None else bank.n_categories.astype(np.float64) - 1.0


def _consistency(bank: ItemBank, ratings: Array, theta: float) -> float:
    if not np.isfinite(theta) or ratings.std() == 0:
        return float("nan")
    expected = expected_scores(bank, theta)[0]
    return float(np.corrcoef(ratings, expected)[0, 1]) if expected.std() > 0 else float("nan")
