"""Mantel-Haenszel: do candidates of equal score but of different groups answer an item alike? With the ETS classes."""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from scoring.dif.groups import Compared, cell_counts, compared
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_DELTA = -2.35  # ETS delta for each unit of the log odds ratio


class EtsClass(StrEnum):
    """How much an item favours a group: negligible, moderate, large."""

    A = "A"
    B = "B"
    C = "C"


class CommonOdds(msgspec.Struct, frozen=True, kw_only=True):
    """Common odds ratio of 2 × 2 tables and the test that it is 1.

    Attributes
    ----------
    odds_ratio : float
        Above 1 it favours the first row for the second column.
    log_se : float
        Standard error of its logarithm.
    x2, p : float
        One degree of freedom.
    """

    odds_ratio: float
    log_se: float
    x2: float
    p: float


class MantelHaenszel(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison of every item, arrays of shape (n_items,).

    Attributes
    ----------
    odds_ratio : ndarray
        Of the reference group against the focal group; NaN for items of more than two categories.
    delta, delta_se : ndarray
        -2.35 log odds ratio: negative favours the reference group. NaN for items of more than two categories.
    x2, p : ndarray
        Mantel-Haenszel with continuity correction; Mantel's test of means for more categories.
    mean_difference : ndarray
        Focal less reference mean score as the focal group is spread over the scores, divided by the item's range.
    standardised_difference : ndarray
        The same, not divided by the range but by the standard deviation of the item.
    ets_class : tuple of EtsClass
    is_anchor : ndarray of bool
        Whether the item stayed in the matching score.
    """

    odds_ratio: Array
    delta: Array
    delta_se: Array
    x2: Array
    p: Array
    mean_difference: Array
    standardised_difference: Array
    ets_class: tuple[EtsClass, ...]
    is_anchor: NDArray[np.bool_]


def common_odds(tables: NDArray[np.float64], *, is_corrected: bool = True) -> CommonOdds:
    """Combine 2 × 2 tables.

    Parameters
    ----------
    tables : ndarray, shape (n_tables, 2, 2)
        Counts by stratum, group and outcome.
    is_corrected : bool
        Take half a candidate off the difference (never beyond 0), as ETS and R do.

    References
    ----------
    Mantel & Haenszel (1959), Journal of the National Cancer Institute 22, 719-748; standard error: Robins, Breslow &
    Greenland (1986), Biometrics 42, 311-323.
    """
    n = tables.sum(axis=(1, 2))
    used = tables[n > 1]
    n = n[n > 1]
    row, column = used[:, 0].sum(axis=1), used[:, :, 0].sum(axis=1)
    expected = row * column / n
    variance = (row * (n - row) * column * (n - column) / (n**2 * (n - 1.0))).sum()
    apart = abs((used[:, 0, 0] - expected).sum())
    correction = min(0.5, apart) if is_corrected else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        x2 = float((apart - correction) ** 2 / variance)
        for_first, for_second = used[:, 0, 0] * used[:, 1, 1] / n, used[:, 0, 1] * used[:, 1, 0] / n
        alike, unlike = (used[:, 0, 0] + used[:, 1, 1]) / n, (used[:, 0, 1] + used[:, 1, 0]) / n
        r, s = for_first.sum(), for_second.sum()
        spread = (alike @ for_first) / (2 * r**2) + (unlike @ for_second) / (2 * s**2)
        spread += (alike @ for_second + unlike @ for_first) / (2 * r * s)
        return CommonOdds(
            odds_ratio=float(r / s),
            log_se=float(np.sqrt(spread)),
            x2=x2,
            p=float(chdtrc(1, x2)) if variance else np.nan,
        )


def mantel_haenszel(responses: ResponseMatrix, focal: str, *, is_purified: bool = True) -> MantelHaenszel:
    """Compare a focal group with the reference group (the first one), item by item.

    Parameters
    ----------
    is_purified : bool
        Compute twice, the second time with the items of class C left out of the matching score of the others.

    Raises
    ------
    GroupsUnusable
        One of the groups is missing.

    References
    ----------
    Holland & Thayer (1988), in Wainer & Braun, Test Validity, 129-145; classes: Zieky (1993), in Holland & Wainer,
    Differential Item Functioning, 337-347; more than two categories: Mantel (1963), Journal of the American Statistical
    Association 58, 690-700, classed by the standardised mean difference as in Zwick, Thayer & Mazzeo (1997).
    """
    data = compared(responses, focal)
    anchors = np.ones(responses.n_items, dtype=bool)
    result = _all_items(data, anchors)
    if is_purified:
        anchors = np.array([ets is not EtsClass.C for ets in result.ets_class])
        if not anchors.all() and anchors.sum() >= 2:
            result = _all_items(data, anchors)
    return result


def _all_items(data: Compared, anchors: NDArray[np.bool_]) -> MantelHaenszel:
    n_items = data.categories.shape[1]
    columns = np.full((7, n_items), np.nan)
    classes = []
    for item in range(n_items):
        counts = cell_counts(data, item, anchors)
        columns[5:, item] = difference = _mean_differences(counts)
        if counts.shape[2] == 2:
            odds = common_odds(counts[:, :, ::-1])
            with np.errstate(divide="ignore"):
                delta = _DELTA * np.log(odds.odds_ratio)
            columns[:5, item] = odds.odds_ratio, delta, abs(_DELTA) * odds.log_se, odds.x2, odds.p
            classes.append(_class_of_delta(delta, abs(_DELTA) * odds.log_se, odds.p))
        else:
            columns[3:5, item] = _mantel(counts)
            classes.append(_class_of_difference(float(difference[1]), columns[4, item]))
    odds_ratio, delta, delta_se, x2, p, mean, standardised = columns
    return MantelHaenszel(
        odds_ratio=odds_ratio,
        delta=delta,
        delta_se=delta_se,
        x2=x2,
        p=p,
        mean_difference=mean,
        standardised_difference=standardised,
        ets_class=tuple(classes),
        is_anchor=anchors,
    )


def _class_of_delta(delta: float, se: float, p: float) -> EtsClass:
    size = abs(delta)
    if not (np.isfinite(p) and p < 0.05) or size < 1.0:
        return EtsClass.A
    # Large: significantly beyond 1, one-sided.
    is_beyond = np.isfinite(se) and size - float(ndtri(0.95)) * se > 1.0
    return EtsClass.C if size >= 1.5 and is_beyond else EtsClass.B


def _class_of_difference(standardised: float, p: float) -> EtsClass:
    if not (np.isfinite(p) and p < 0.05) or abs(standardised) <= 0.17:
        return EtsClass.A
    return EtsClass.C if abs(standardised) > 0.25 else EtsClass.B


def _mantel(counts: Array) -> tuple[float, float]:
    values = np.arange(float(counts.shape[2]))
    n = counts.sum(axis=(1, 2))
    used, n = counts[n > 1], n[n > 1]
    both = used.sum(axis=1)
    focal = used[:, 1].sum(axis=1)
    total = both @ values
    variance = (n - focal) * focal / (n**2 * (n - 1.0)) * (n * (both @ values**2) - total**2)
    if variance.sum() <= 0:
        return np.nan, np.nan
    x2 = float((used[:, 1] @ values - focal * total / n).sum() ** 2 / variance.sum())
    return x2, float(chdtrc(1, x2))


def _mean_differences(counts: Array) -> Array:
    """Focal less reference mean at equal scores: as a share of the item's range, and in its standard deviations."""
    values = np.arange(float(counts.shape[2]))
    n = counts.sum(axis=2)
    is_met = (n > 0).all(axis=1)
    if not is_met.any():
        return np.full(2, np.nan)
    means = counts[is_met] @ values / n[is_met]
    difference = float(n[is_met, 1] @ (means[:, 1] - means[:, 0]) / n[is_met, 1].sum())
    share = counts.sum(axis=(0, 1)) / counts.sum()
    sd = np.sqrt(share @ values**2 - (share @ values) ** 2)
    return np.array([difference / max(values[-1], 1.0), difference / sd if sd > 0 else np.nan])
