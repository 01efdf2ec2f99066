"""Likelihood ratio: does an item fit better with parameters of its own in each group?"""

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from scoring.calibration import Calibration, CalibrationOptions, Precision, calibrate
from scoring.errors import GroupsUnusable
from scoring.irt.bank import expected_scores
from scoring.irt.models import Model
from scoring.irt.quadrature import log_normal_weights
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]


class ItemDif(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison of one item.

    Attributes
    ----------
    name : str
    x2, p : float
        Twice the gain in log-likelihood; p as it is, not adjusted for the number of items.
    df : int
    signed_difference, unsigned_difference : float
        Expected score of each further group less that of the reference, as a share of the item's range, averaged over
        that group's abilities; of several groups the largest in size.
    converged : bool
    """

    name: str
    x2: float
    df: int
    p: float
    signed_difference: float
    unsigned_difference: float
    converged: bool


class LikelihoodRatioDif(msgspec.Struct, frozen=True):
    """Items compared, the calibration with all parameters equal, and p adjusted by Benjamini & Hochberg (1995)."""

    items: tuple[ItemDif, ...]
    p_adjusted: Array
    equal: Calibration


def likelihood_ratio_dif(
    responses: ResponseMatrix,
    models: Sequence[Model | str] | Model | str,
    options: CalibrationOptions | None = None,
    *,
    items: Collection[str] | None = None,
) -> LikelihoodRatioDif:
    """Test items one by one, with all others as anchors and every group's mean and variance free but the reference's.

    Parameters
    ----------
    responses : ResponseMatrix
        Of two or more groups; the first is the reference.
    items : collection of str, optional
        Names of the items to test; all, unless given.

    Raises
    ------
    GroupsUnusable
        There is one group only, an item is unknown, or a group never gave one of an item's categories.

    References
    ----------
    Thissen, Steinberg & Wainer (1993), in Holland & Wainer, Differential Item Functioning, 67-113; differences: Meade
    (2010), Journal of Applied Psychology 95, 728-743.
    """
    if responses.groups is None or len(responses.group_names) < 2 or isinstance(responses.categories, SparseCategories):
        raise GroupsUnusable("responses", "need dense responses of at least two groups")
    kinds = [Model(models)] * responses.n_items if isinstance(models, str) else [Model(model) for model in models]
    tested = [name for name in responses.item_names if items is None or name in items]
    unknown = sorted(set(items or ()) - set(responses.item_names))
    if unknown:
        raise GroupsUnusable(f"item {unknown[0]}", "is not among the responses")
    tight = CalibrationOptions(precision=Precision.TIGHT) if options is None else options
    equal = calibrate(responses, kinds, tight)
    found = tuple(_compare(responses, kinds, tight, equal, name) for name in tested)
    return LikelihoodRatioDif(found, adjusted(np.array([item.p for item in found])), equal)


def adjusted(p: Array) -> Array:
    """Adjust p values for their number, so that a limit on them bounds the share of false discoveries.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    order = np.argsort(p)[::-1]
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    result = np.empty_like(p)
    result[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return result


def _compare(
    responses: ResponseMatrix, kinds: list[Model], options: CalibrationOptions, equal: Calibration, name: str
) -> ItemDif:
    item = responses.item_names.index(name)
    split = _split(responses, item)
    n_groups = len(responses.group_names)
    order = [*kinds[:item], *kinds[item + 1 :], *[kinds[item]] * n_groups]
    free = calibrate(split, order, options)
    x2 = max(2.0 * (free.log_likelihood - equal.log_likelihood), 0.0)
    df = free.n_parameters - equal.n_parameters
    own = [responses.n_items - 1 + group for group in range(n_groups)]
    points = options.quadrature.points
    scores = expected_scores(free.bank.select(own), points) / (free.bank.n_categories[own[0]] - 1)
    signed, unsigned = [], []
    for group in range(1, n_groups):
        weights = np.exp(log_normal_weights(points, float(free.means[group]), float(free.variances[group])))
        apart = scores[:, group] - scores[:, 0]
        signed.append(float(weights @ apart))
        unsigned.append(float(weights @ np.abs(apart)))
    return ItemDif(
        name=name,
        x2=float(x2),
        df=df,
        p=float(chdtrc(df, x2)),
        signed_difference=max(signed, key=abs),
        unsigned_difference=max(unsigned),
        converged=free.converged and equal.converged,
    )


def _split(responses: ResponseMatrix, item: int) -> ResponseMatrix:
    """Replace an item by one item for each group, missing by design in the others."""
    categories = np.asarray(responses.categories)
    column, groups = categories[:, item], responses.groups
    met = np.unique(column[column >= 0])
    parts, names = [], []
    for group, group_name in enumerate(responses.group_names):
        own = np.where(groups == group, column, np.int8(-1))
        if not np.isin(met, own).all():
            raise GroupsUnusable(
                f"item {responses.item_names[item]}", f"has a category that nobody in group {group_name} gave"
            )
        parts.append(own)
        names.append(f"{responses.item_names[item]} in {group_name}")
    others = np.delete(categories, item, axis=1)
    other_names = responses.item_names[:item] + responses.item_names[item + 1 :]
    return msgspec.structs.replace(
        responses,
        categories=np.column_stack([others, *parts]).astype(np.int8),
        item_names=(*other_names, *names),
    )
