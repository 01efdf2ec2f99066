"""LD-X²: do two items share more than the ability they measure?"""

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from scoring.fit.population import STANDARD_POPULATION, Population, dense_categories
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]


class PairFit(msgspec.Struct, frozen=True, kw_only=True):
    """LD-X² of every pair, shape (n_items, n_items), NaN on the diagonal and where nobody met both.

    Attributes
    ----------
    x2, df, p : ndarray
    sign : ndarray
        1 where the observed association of the pair is above the expected, -1 below.
    cramers_v : ndarray
        Size, 0 to 1, with the sign.
    standardised : ndarray
        (x2 - df) / sqrt(2 df); above 10 the pair is dependent, 5 to 10 look at it.
    """

    x2: Array
    df: Array
    p: Array
    sign: Array
    cramers_v: Array
    standardised: Array


def ld_x2(responses: ResponseMatrix, bank: ItemBank, population: Population = STANDARD_POPULATION) -> PairFit:
    """Compare the two-way table of each pair with its expectation.

    References
    ----------
    Chen & Thissen (1997), Journal of Educational and Behavioral Statistics 22, 265-289.
    """
    categories = dense_categories(responses, bank)
    widest = int(bank.n_categories.max())
    n = bank.n_items
    curves = category_probabilities(bank, population.points).transpose(1, 2, 0).reshape(n * widest, -1)
    share = ((curves * population.weights) @ curves.T).reshape(n, widest, n, widest)
    marks = np.stack([categories == k for k in range(widest)], axis=2).reshape(responses.n_rows, -1).astype(np.float64)
    observed = ((marks * responses.weights[:, None]).T @ marks).reshape(n, widest, n, widest)
    total = observed.sum(axis=(1, 3))
    expected = share * total[:, None, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(expected > 0, (observed - expected) ** 2 / expected, 0.0)
        x2 = terms.sum(axis=(1, 3))
        values = np.arange(float(widest))
        sign = np.sign(_correlation(observed / total[:, None, :, None], values) - _correlation(share, values))
        smaller = np.minimum.outer(bank.n_categories, bank.n_categories) - 1.0
        cramers_v = sign * np.sqrt(x2 / (total * smaller))
    df = np.outer(bank.n_categories - 1.0, bank.n_categories - 1.0)
    unknown = np.eye(n, dtype=bool) | (total == 0)
    for values in (x2, sign, cramers_v):
        values[unknown] = np.nan
    p = np.where(unknown, np.nan, chdtrc(df, np.where(unknown, 0.0, x2)))
    return PairFit(x2=x2, df=df, p=p, sign=sign, cramers_v=cramers_v, standardised=(x2 - df) / np.sqrt(2.0 * df))


def _correlation(share: Array, values: Array) -> Array:
    """Correlation of the scores of each pair from its two-way shares, shape (n_items, n_items)."""
    first = np.einsum("ikjl,k->ij", share, values)
    second = np.einsum("ikjl,l->ij", share, values)
    product = np.einsum("ikjl,k,l->ij", share, values, values)
    spread_first = np.einsum("ikjl,k->ij", share, values**2) - first**2
    spread_second = np.einsum("ikjl,l->ij", share, values**2) - second**2
    result: Array = (product - first * second) / np.sqrt(spread_first * spread_second)
    return result
