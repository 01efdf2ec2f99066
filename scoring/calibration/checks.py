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
        raise CalibrationImpossible(
            "models", "{given} are given for {count} items", given=len(models), count=responses.n_items
        )
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
            "{found} candidates are fewer than the {required} required",
            found=f"{responses.n_candidates:g}",
            required=options.fewest_candidates,
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
                    "group {group}",
                    "has {found} candidates, fewer than the {required} required",
                    group=name,
                    found=f"{size:g}",
                    required=options.fewest_candidates,
                )


def _require_item(name: str, model: Model, row: Array, fewest: int, *, is_fixed: bool) -> None:
    place = "item {item}"
    answered = float(row.sum())
    if answered == 0:
        raise ResponsesUnusable(place, "was never answered", item=name)
    if is_fixed:
        return
    if answered < fewest:
        raise ResponsesUnusable(
            place,
            "was answered by {found} candidates, fewer than the {required} required",
            item=name,
            found=f"{answered:g}",
            required=fewest,
        )
    met = np.flatnonzero(row > 0)
    if met.size == 1:
        raise ResponsesUnusable(
            place,
            "has one category only: all {found} responses are {category}",
            item=name,
            found=f"{answered:g}",
            category=int(met[0]),
        )
    if met.size != met[-1] + 1:
        absent = next(k for k in range(int(met[-1])) if row[k] == 0)
        raise ResponsesUnusable(
            place,
            "has no response in category {absent}, below category {highest}: number them without gaps",
            item=name,
            absent=absent,
            highest=int(met[-1]),
        )
    if model in DICHOTOMOUS and met[-1] > 1:
        raise ResponsesUnusable(
            place,
            "has category {highest}, but its model {model} knows 0 and 1",
            item=name,
            highest=int(met[-1]),
            model=model.value,
        )
