"""Facility, discrimination and omission of each item."""

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from scoring.classical.score_table import ScoreTable

Array = NDArray[np.float64]
# Share of the candidates in each of Kelley's extreme groups.
_EXTREME = 0.27


class ItemStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of items, each of shape (n_items,).

    Attributes
    ----------
    facility : ndarray
        Mean score as a share of the maximum, 0 to 1; blanks count as 0.
    sd : ndarray
        Standard deviation of the score.
    r_pb : ndarray
        Correlation of the item with the sum of the others (item-rest): point-biserial if right or wrong. NaN if all
        scored alike.
    r_bis : ndarray
        The same as if a normal trait lay under the item: biserial, or polyserial if it has more than two scores. May
        pass 1.
    r_total : ndarray
        Correlation with the sum score, the item included.
    discrimination : ndarray
        Facility in the upper less the lower 27 % by sum score, -1 to 1; ties are shared out.
    omitted, not_reached : ndarray
        Shares of the candidates.
    """

    facility: Array
    sd: Array
    r_pb: Array
    r_bis: Array
    r_total: Array
    discrimination: Array
    omitted: Array
    not_reached: Array


def item_statistics(table: ScoreTable) -> ItemStatistics:
    """Compute the statistics of every item.

    References
    ----------
    Lord & Novick (1968), ch. 15, for (point-)biserials; Olsson, Drasgow & Dorans (1982), Psychometrika 47, 337-347, for
    the ad hoc polyserial; Kelley (1939), Journal of Educational Psychology 30, 17-24, for the 27 %.
    """
    weights, n = table.weights, table.n_candidates
    mean = weights @ table.scores / n
    apart = table.scores - mean
    covariance = (apart * weights[:, None]).T @ apart / (n - 1.0)
    variance = np.diag(covariance)
    with_total = covariance.sum(axis=1)
    total_variance = covariance.sum()
    rest_variance = total_variance - 2.0 * with_total + variance
    with np.errstate(divide="ignore", invalid="ignore"):
        r_pb = (with_total - variance) / np.sqrt(variance * np.maximum(rest_variance, 0.0))
        r_total = with_total / np.sqrt(variance * total_variance)
    share = extreme_shares(table, _EXTREME)
    upper, lower = (side @ table.scores / side.sum() / table.maximum for side in share)
    return ItemStatistics(
        facility=mean / table.maximum,
        sd=np.sqrt(variance),
        r_pb=np.where(variance > 0, r_pb, np.nan),
        r_bis=np.where(variance > 0, r_pb, np.nan) * _polyserial_factors(table, variance),
        r_total=np.where(variance > 0, r_total, np.nan),
        discrimination=upper - lower,
        omitted=weights @ table.is_omitted / n,
        not_reached=weights @ table.is_not_reached / n,
    )


def extreme_shares(table: ScoreTable, part: float) -> tuple[Array, Array]:
    """Weights of the rows in the upper and the lower `part` of the sum scores; ties at the border count in part."""
    totals, place = np.unique(table.totals, return_inverse=True)
    counts = np.bincount(place, table.weights, minlength=totals.size)
    wanted = part * table.n_candidates
    below = np.cumsum(counts) - counts
    above = table.n_candidates - below - counts
    taken = [np.clip(wanted - passed, 0.0, counts) / np.maximum(counts, 1e-300) for passed in (above, below)]
    return table.weights * taken[0][place], table.weights * taken[1][place]


def _polyserial_factors(table: ScoreTable, variance: Array) -> Array:
    """What turns a correlation with a score into one with a normal trait: sd over the sum of ordinates times steps."""
    factors = np.full(table.scores.shape[1], np.nan)
    for item in range(factors.size):
        values, place = np.unique(table.scores[:, item], return_inverse=True)
        share = np.cumsum(np.bincount(place, table.weights, minlength=values.size))[:-1] / table.n_candidates
        cut = ndtri(share)
        ordinate = np.exp(-0.5 * cut**2) / np.sqrt(2.0 * np.pi)
        spread = ordinate @ np.diff(values)
        if spread > 0:
            # The population's standard deviation, as the textbook formula sqrt(p q) / ordinate has it.
            factors[item] = np.sqrt(variance[item] * (1.0 - 1.0 / table.n_candidates)) / spread
    return factors
