"""Refusal of data that cannot be calibrated: each with its place and reason."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.calibration.options import CalibrationOptions, Density
from scoring.errors import CalibrationImpossible, ResponsesUnusable
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]


def require_usable(
    responses: ResponseMatrix,
    counts: Array,
    models: Sequence[Model],
    anchors: ItemBank | None,
    options: CalibrationOptions,
) -> None:
    """Refuse too little or contradictory data.

    Raises
    ------
    ResponsesUnusable
        Too few candidates; an item never answered, answered by too few, with one category only, with a gap in its
        categories, or with a category its model has not.
    CalibrationImpossible
        As many models as items are needed; 1PL items stand alone.
    """
    if len(models) != responses.n_items:
        raise CalibrationImpossible("models", f"{len(models)} are given for {responses.n_items} items")
    if Model.ONE_PL in models and set(models) != {Model.ONE_PL}:
        raise CalibrationImpossible(
            "models", "1PL items share one slope and cannot be mixed with others; use rasch or 2pl"
        )
    if Model.ONE_PL in models and anchors is not None:
        raise CalibrationImpossible("models", "1PL items cannot be calibrated against fixed items; use rasch or 2pl")
    if Model.ONE_PL in models and options.density is not Density.NORMAL:
        raise CalibrationImpossible("models", "1PL items need a normal density; take rasch with a histogram")
    if responses.n_candidates < options.fewest_candidates:
        raise ResponsesUnusable(
            "responses",
            f"{responses.n_candidates:g} candidates are fewer than the {options.fewest_candidates} required",
        )
    fixed = set() if anchors is None else set(anchors.names)
    for name, model, row in zip(responses.item_names, models, counts, strict=True):
        _require_item(name, model, row, options.fewest_candidates, is_fixed=name in fixed)
    if anchors is not None and not fixed & set(responses.item_names):
        raise CalibrationImpossible("fixed items", "none of them is among the items answered")
    if responses.groups is not None:
        present = np.bincount(responses.groups, responses.weights, minlength=len(responses.group_names))
        for name, size in zip(responses.group_names, present, strict=True):
            if size < options.fewest_candidates:
                raise ResponsesUnusable(
                    f"group {name}", f"has {size:g} candidates, fewer than the {options.fewest_candidates} required"
                )


def _require_item(name: str, model: Model, row: Array, fewest: int, *, is_fixed: bool) -> None:
    place = f"item {name}"
    answered = float(row.sum())
    if answered == 0:
        raise ResponsesUnusable(place, "was never answered")
    if is_fixed:
        return
    if answered < fewest:
        raise ResponsesUnusable(place, f"was answered by {answered:g} candidates, fewer than the {fewest} required")
    met = np.flatnonzero(row > 0)
    if met.size == 1:
        raise ResponsesUnusable(place, f"has one category only: all {answered:g} responses are {met[0]}")
    if met.size != met[-1] + 1:
        absent = next(k for k in range(int(met[-1])) if row[k] == 0)
        raise ResponsesUnusable(
            place, f"has no response in category {absent}, below category {met[-1]}: number them without gaps"
        )
    if model in DICHOTOMOUS and met[-1] > 1:
        raise ResponsesUnusable(place, f"has category {met[-1]}, but its model {model} knows 0 and 1")
