"""Which items a run can calibrate, with which model and categories: unusable ones are left out by name. Pure."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.authoring.parameters import ItemParameters
from exam_engine.calibration.banks import recoded
from exam_engine.calibration.choices import FEWEST_ANSWERS, FEWEST_ITEMS, Blank, ModelFamily, RunSettings
from exam_engine.calibration.errors import TooFewItems
from exam_engine.calibration.findings import Excluded
from exam_engine.calibration.gathering import MISSING, Gathered
from exam_engine.infra.i18n import N_
from item_bank.messages import Message
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix

FEWEST_IN_CATEGORY = 5
"""A category that fewer gave is merged with its neighbour: no step can be placed by so few."""

VOID = N_("The item was voided: everybody has full credit.")
RARELY_ANSWERED = N_("Only {count} candidates answered it; {needed} are needed.")
ALL_ALIKE = N_("All {count} candidates who met it scored the same.")
ONE_CATEGORY = N_("Nearly all of {count} candidates scored the same; too few differ to place it.")


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the estimation.

    Attributes
    ----------
    columns : ndarray of int, shape (n_items,)
        Columns of the gathered table that are calibrated.
    responses : ResponseMatrix
        Calibrated categories, -1 where missing.
    models : tuple of Model
    maps : tuple
        For each item the calibrated category of each raw one.
    excluded : tuple of Excluded
    """

    columns: NDArray[np.int64]
    responses: ResponseMatrix
    models: tuple[Model, ...]
    maps: tuple[tuple[int, ...], ...]
    excluded: tuple[Excluded, ...]


def prepare(
    gathered: Gathered, settings: RunSettings, family: ModelFamily, anchors: Mapping[str, ItemParameters]
) -> Prepared:
    """Choose items, categories and models.

    Parameters
    ----------
    anchors : mapping
        Item name to parameters that stay, or that the run is linked to: they keep their categories.

    Raises
    ------
    TooFewItems
        Fewer than three items are left.
    """
    raw = with_blanks(gathered, settings)
    columns: list[int] = []
    maps: list[tuple[int, ...]] = []
    excluded: list[Excluded] = []
    for column, item in enumerate(gathered.items):
        given = raw[:, column][raw[:, column] != MISSING]
        anchor = anchors.get(item.name)
        reason = _unusable(given, is_void=bool(gathered.is_void[column]))
        if reason is not None:
            excluded.append(Excluded(item.name, *reason))
            continue
        categories = merged_categories(given, gathered.n_categories[column])
        if anchor is not None and len(anchor.categories) == gathered.n_categories[column]:
            categories = anchor.categories
        if max(categories) == 0:
            excluded.append(Excluded(item.name, ONE_CATEGORY, {"count": str(given.size)}))
            continue
        columns.append(column)
        maps.append(categories)
    if len(columns) < FEWEST_ITEMS:
        raise TooFewItems(len(columns), FEWEST_ITEMS, [Message(each.message, each.facts) for each in excluded])
    table = np.column_stack([recoded(raw[:, column], map_) for column, map_ in zip(columns, maps, strict=True)])
    names = tuple(gathered.items[column].name for column in columns)
    return Prepared(
        columns=np.array(columns, dtype=np.int64),
        responses=ResponseMatrix(categories=table, item_names=names),
        models=tuple(
            _model(family, max(map_) + 1, gathered.items[column].kind)
            for column, map_ in zip(columns, maps, strict=True)
        ),
        maps=tuple(maps),
        excluded=tuple(excluded),
    )


def with_blanks(gathered: Gathered, settings: RunSettings) -> NDArray[np.int8]:
    """Return raw categories in which blanks count as the settings say."""
    raw = gathered.categories.copy()
    if settings.omitted is Blank.MISSING:
        raw[gathered.is_omitted] = MISSING
    if settings.not_reached is Blank.MISSING:
        raw[gathered.is_not_reached] = MISSING
    return raw


def merged_categories(given: NDArray[np.int8], n_raw: int) -> tuple[int, ...]:
    """Merge categories hardly anybody gave into a neighbour; (0, 0, 1, 2, 3) merged the lowest two.

    Right and wrong are never merged for being rare: `FEWEST_ANSWERS` guards them.
    """
    counts = np.bincount(given, minlength=n_raw)[:n_raw]
    fewest = 1 if n_raw == 2 else FEWEST_IN_CATEGORY
    groups: list[list[int]] = []
    waiting: list[int] = []
    for category in range(n_raw):
        waiting.append(category)
        if counts[waiting].sum() >= fewest:
            groups.append(waiting)
            waiting = []
    if waiting:
        if groups:
            groups[-1] += waiting
        else:
            groups.append(waiting)
    place = {category: number for number, group in enumerate(groups) for category in group}
    return tuple(place[category] for category in range(n_raw))


def _unusable(given: NDArray[np.int8], *, is_void: bool) -> tuple[str, dict[str, str]] | None:
    if is_void:
        return VOID, {}
    if given.size < FEWEST_ANSWERS:
        return RARELY_ANSWERED, {"count": str(given.size), "needed": str(FEWEST_ANSWERS)}
    if np.unique(given).size == 1:
        return ALL_ALIKE, {"count": str(given.size)}
    return None


def _model(family: ModelFamily, n_categories: int, kind: str) -> Model:
    if family is ModelFamily.RASCH:
        return Model.RASCH if n_categories == 2 else Model.PCM
    if n_categories > 2:
        return Model.GPCM
    can_be_guessed = kind == "single_choice"
    return Model.THREE_PL if family is ModelFamily.THREE_PL and can_be_guessed else Model.TWO_PL
