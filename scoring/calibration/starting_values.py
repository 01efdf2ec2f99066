"""Where the estimation starts: from the proportions of the categories, and moderate slopes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from scoring.calibration.priors import BetaPrior, NormalPrior, Priors
from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]
# Ratio of a marginal logit to a conditional one, for slope 1 and a standard normal ability.
_STEEPER = 1.16
_SAMPLE = 1500


def starting_bank(responses: ResponseMatrix, models: Sequence[Model], counts: Array, priors: Priors) -> ItemBank:
    """Return a bank whose categories have the proportions `counts` show, shape (n_items, most categories).

    Slopes come from item-rest correlations: a weak item that starts steep may end in a degenerate maximum, its slope
    growing without end.
    """
    names = responses.item_names
    n_items = len(names)
    n_categories = np.array([_n_categories(row) for row in counts])
    d = np.full((n_items, int(n_categories.max()) - 1), np.nan)
    c, u = np.zeros(n_items), np.ones(n_items)
    for i, model in enumerate(models):
        k = int(n_categories[i])
        share = (counts[i, :k] + 0.5) / (counts[i, :k].sum() + 0.5 * k)
        if model in (Model.THREE_PL, Model.FOUR_PL):
            c[i] = min(_asymptote(priors.guess, 0.15), 0.7 * float(share[1]))
            u[i] = (
                max(1.0 - _asymptote(priors.slip, 0.05, is_upper=True), 0.3 + 0.7 * float(share[1]))
                if (model is Model.FOUR_PL)
                else 1.0
            )
            right = (float(share[1]) - c[i]) / (u[i] - c[i])
            d[i, 0] = _STEEPER * logit(np.clip(right, 0.02, 0.98))
        elif model in (Model.GPCM, Model.PCM, Model.NOMINAL):
            d[i, : k - 1] = np.log(share[1:] / share[0]) + _bow(k)
        else:
            d[i, : k - 1] = _STEEPER * logit(np.clip(1.0 - np.cumsum(share)[:-1], 1e-4, 1.0 - 1e-4))
            # Neighbouring boundaries that fell together at the clip are set a little apart.
            d[i, : k - 1] -= 1e-3 * np.arange(k - 1)
    a = _slopes(responses, n_categories)
    for i, model in enumerate(models):
        if model in (Model.GPCM, Model.NOMINAL):
            a[i] /= np.sqrt(n_categories[i] - 1.0)
    return item_bank(names, models, a=a, d=d, c=c, u=u)


def _slopes(responses: ResponseMatrix, n_categories: NDArray[np.int64]) -> Array:
    """Slopes that the item-rest correlations of a sample suggest."""
    if isinstance(responses.categories, SparseCategories):
        return np.full(responses.n_items, 0.8)
    step = max(1, responses.n_rows // _SAMPLE)
    categories = responses.categories[::step].astype(np.float64)
    weights = responses.weights[::step][:, None]
    is_answered = (categories >= 0) * weights
    credit = np.where(categories >= 0, categories / np.maximum(n_categories - 1, 1), 0.0)
    mean = (credit * is_answered).sum(axis=0) / np.maximum(is_answered.sum(axis=0), 1e-9)
    deviation = np.where(categories >= 0, credit - mean, 0.0)
    answered = (categories >= 0).sum(axis=1, keepdims=True)
    rest = (deviation.sum(axis=1, keepdims=True) - deviation) / np.sqrt(np.maximum(answered - 1, 1))
    together = (deviation * rest * is_answered).sum(axis=0)
    spread = np.sqrt((deviation**2 * is_answered).sum(axis=0) * (rest**2 * is_answered).sum(axis=0))
    correlation = np.clip(1.3 * together / np.maximum(spread, 1e-9), 0.1, 0.78)
    slopes: Array = np.asarray(1.7 * correlation / np.sqrt(1.0 - correlation**2), dtype=np.float64)
    return slopes


def _n_categories(row: Array) -> int:
    return int(np.flatnonzero(row > 0).max(initial=0)) + 1


def _bow(k: int) -> Array:
    """Middle categories are chosen near the middle of ability, so that their intercepts stand above their share."""
    above = np.arange(1, k)
    result: Array = np.asarray(0.35 * above * (k - 1 - above), dtype=np.float64)
    return result


def _asymptote(prior: NormalPrior | BetaPrior | None, otherwise: float, *, is_upper: bool = False) -> float:
    match prior:
        case NormalPrior(mean, _):
            value = float(expit(mean))
        case BetaPrior(alpha, beta):
            value = alpha / (alpha + beta)
        case None:
            return otherwise
    return 1.0 - value if is_upper else value
