"""What a panel of judges recommends: the spread of their cut scores and its standard error."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import RatingsUnusable

Array = NDArray[np.float64]


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """Cut scores of judges, summed up.

    Attributes
    ----------
    judges : ndarray, shape (n_judges,)
        Each judge's cut.
    mean, median, sd : float
        Of the judges; `sd` is NaN for one judge.
    se : float
        Standard error of the mean over panels of such judges: sd / sqrt(n_judges).
    lowest, highest : float
    """

    judges: Array
    mean: float
    median: float
    sd: float
    se: float
    lowest: float
    highest: float


def recommendation(cuts: ArrayLike) -> Recommendation:
    """Sum up the cut scores of judges.

    Raises
    ------
    RatingsUnusable
        There is no judge, or a cut is not a number.
    """
    judges = np.asarray(cuts, dtype=np.float64).ravel()
    if judges.size == 0:
        raise RatingsUnusable("judges", "there are none")
    if not np.isfinite(judges).all():
        raise RatingsUnusable(f"judge {int(np.flatnonzero(~np.isfinite(judges))[0]) + 1}", "gives no cut score")
    sd = float(judges.std(ddof=1)) if judges.size > 1 else float("nan")
    return Recommendation(
        judges=judges,
        mean=float(judges.mean()),
        median=float(np.median(judges)),
        sd=sd,
        se=sd / float(np.sqrt(judges.size)),
        lowest=float(judges.min()),
        highest=float(judges.max()),
    )
