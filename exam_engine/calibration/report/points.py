"""Observed scores along the ability scale: what a curve is held against.

Abilities are drawn from each candidate's posterior: grouped by point estimates instead, weak candidates would look too
strong and strong ones too weak, and a true model would seem not to fit.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exam_engine.calibration.findings import CurvePoint
from scoring.irt.ability import plausible_values
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_WIDTH = 0.5
_FARTHEST = 3.5
_FEWEST = 8.0
# Draws in all: enough that their own noise is small beside that of the candidates.
_DRAWS = 20_000
_STREAM = 20250601


def curve_points(
    responses: ResponseMatrix, bank: ItemBank, means: ArrayLike, variances: ArrayLike
) -> tuple[tuple[CurvePoint, ...], ...]:
    """Return for each item the mean scores in ability bands of half a logit, those with few candidates left out.

    References
    ----------
    Mislevy (1991), Psychometrika 56, 177-196, for the drawn abilities.
    """
    n_values = int(np.clip(np.ceil(_DRAWS / responses.n_rows), 1, 200))
    rng = np.random.default_rng(_STREAM)  # the same data give the same picture
    drawn = plausible_values(responses, bank, n_values, rng, means=means, variances=variances)
    edges = np.arange(-_FARTHEST, _FARTHEST + _WIDTH, _WIDTH)
    band = np.clip(np.searchsorted(edges, drawn, side="right") - 1, -1, edges.size - 1)
    categories = np.asarray(responses.categories)
    weights = responses.weights / n_values
    n_bands = edges.size - 1
    count, scores = np.zeros((n_bands, bank.n_items)), np.zeros((n_bands, bank.n_items))
    ability = np.zeros(n_bands)
    met = np.zeros(n_bands)
    is_there, points = (categories >= 0).astype(np.float64), np.maximum(categories, 0).astype(np.float64)
    for draw in range(n_values):
        for at in range(n_bands):
            rows = np.flatnonzero(band[:, draw] == at)
            if rows.size:
                count[at] += weights[rows] @ is_there[rows]
                scores[at] += weights[rows] @ points[rows]
                ability[at] += weights[rows] @ drawn[rows, draw]
                met[at] += weights[rows].sum()
    theta = ability / np.maximum(met, 1e-300)
    spread = _spread(bank, theta)
    return tuple(
        tuple(
            CurvePoint(
                theta=float(theta[at]),
                observed=float(scores[at, item] / count[at, item]),
                se=float(spread[at, item] / np.sqrt(count[at, item])),
                n=round(float(count[at, item])),
            )
            for at in range(n_bands)
            if count[at, item] >= _FEWEST
        )
        for item in range(bank.n_items)
    )


def _spread(bank: ItemBank, theta: Array) -> Array:
    """Standard deviation of each item's score given ability, shape (n_theta, n_items)."""
    p = category_probabilities(bank, theta)
    values = np.arange(float(p.shape[2]))
    mean = p @ values
    result: Array = np.sqrt(np.maximum(p @ values**2 - mean**2, 0.0))
    return result
