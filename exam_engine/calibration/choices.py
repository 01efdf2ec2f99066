"""What somebody asks a calibration for, and which model a sample can carry."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from exam_engine.calibration.errors import SampleTooSmall

FEWEST_ITEMS = 3
FEWEST_ANSWERS = 30
"""An item answered by fewer is left out of the run, by name."""


class ModelFamily(StrEnum):
    """What is fitted: right/wrong items by this model, items of several categories by its relative."""

    AUTO = "auto"  # what the sample can carry
    RASCH = "rasch"  # Rasch and partial credit
    TWO_PL = "2pl"  # 2PL and generalised partial credit, weak priors
    THREE_PL = "3pl"  # 3PL where options can be guessed, else as 2PL; weak priors


NAMES: Mapping[ModelFamily, str] = {
    ModelFamily.RASCH: "Rasch",
    ModelFamily.TWO_PL: "2PL",
    ModelFamily.THREE_PL: "3PL",
}
"""As people write them, in every language."""

FEWEST_CANDIDATES: Mapping[ModelFamily, int] = {
    ModelFamily.RASCH: 50,
    ModelFamily.TWO_PL: 150,
    ModelFamily.THREE_PL: 500,
}
"""Refused below. Linacre (1994), Rasch Measurement Transactions 7:4, 328 (50: difficulties within a logit); de Ayala
(2009), The Theory and Practice of IRT, ch. 5-6; priors let 2PL and 3PL stand somewhat below his figures."""

SUITABLE_CANDIDATES: Mapping[ModelFamily, int] = {
    ModelFamily.RASCH: 50,
    ModelFamily.TWO_PL: 150,
    ModelFamily.THREE_PL: 1000,
}
"""From here on the automatic choice takes the model; a 3PL of fewer candidates is fitted only when asked for."""


class Blank(StrEnum):
    """How a blank counts."""

    WRONG = "wrong"
    MISSING = "missing"


class AnchorUse(StrEnum):
    """What puts the run on the scale of earlier accepted items."""

    NONE = "none"
    FIXED = "fixed"  # their parameters stay, the others are calibrated beside them
    LINKED = "linked"  # calibrated freely, then moved by Stocking and Lord's method


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks a run for."""

    sitting_ids: tuple[UUID, ...]
    family: ModelFamily = ModelFamily.AUTO
    omitted: Blank = Blank.WRONG
    not_reached: Blank = Blank.MISSING
    anchors: AnchorUse = AnchorUse.NONE
    anchor_items: tuple[str, ...] = ()  # codes; none: every item with accepted parameters
    groups_by: str = ""  # an attribute of candidates, or "school": compared for differential item functioning


def suggested_family(n_candidates: int) -> ModelFamily | None:
    """Return the richest model the sample can carry; none if even Rasch cannot be."""
    rich_first = (ModelFamily.THREE_PL, ModelFamily.TWO_PL, ModelFamily.RASCH)
    return next((family for family in rich_first if n_candidates >= SUITABLE_CANDIDATES[family]), None)


def family_for(wanted: ModelFamily, n_candidates: int) -> ModelFamily:
    """Return the model to fit.

    Raises
    ------
    SampleTooSmall
        The sample cannot carry the model asked for; one that suits it is named.
    """
    suggested = suggested_family(n_candidates)
    family = wanted
    if wanted is ModelFamily.AUTO:
        family = suggested or ModelFamily.RASCH
    needed = FEWEST_CANDIDATES[family]
    if n_candidates < needed:
        raise SampleTooSmall(NAMES[family], n_candidates, needed, suggested and NAMES[suggested])
    return family
