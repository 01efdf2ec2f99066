"""The estimation of a run: choose the model, calibrate, put it on the scale of earlier items..

`judging` says afterwards what the numbers mean for each item.
"""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.authoring.parameters import ItemParameters
from exam_engine.calibration.banks import bank_of
from exam_engine.calibration.choices import AnchorUse, ModelFamily, RunSettings, family_for
from exam_engine.calibration.errors import AnchorsUnusable
from exam_engine.calibration.findings import DriftReport, LinkReport
from exam_engine.calibration.gathering import Gathered
from exam_engine.calibration.preparing import Prepared, prepare
from item_bank.messages import message
from scoring.calibration import (
    Calibration,
    CalibrationOptions,
    LogNormalPrior,
    NormalPrior,
    Priors,
    StandardErrors,
    calibrate,
)
from scoring.irt.ability import Abilities, eap_estimates
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.models.families import WITHOUT_SLOPE
from scoring.linking import LinkingMethod, Transformation, link_without_drift
from scoring.linking.drift import AnchorDrift, anchor_drift

Array = NDArray[np.float64]
Tell = Callable[[int, float], None]
"""Called after each cycle with its number and the log-likelihood; what it raises ends the estimation."""

FEWEST_COMMON = 3
CROSS_PRODUCT_FROM = 100_000
"""From so many candidates on standard errors come from cross-products: alike by then, and cheaper."""

PRIORS: Mapping[ModelFamily, Priors] = {
    ModelFamily.RASCH: Priors(),
    ModelFamily.TWO_PL: Priors(slope=LogNormalPrior(0.0, 0.5), difficulty=NormalPrior(0.0, 2.0)),
    ModelFamily.THREE_PL: Priors(
        slope=LogNormalPrior(0.0, 0.5), difficulty=NormalPrior(0.0, 2.0), guess=NormalPrior(-1.4, 0.5)
    ),
}
"""Weak: of a thousand candidates their pull is beyond the second decimal; of two hundred they keep slopes from running
off (Mislevy 1986, Psychometrika 51, 177-195). The guess is about 0.2, as four options suggest."""


class Estimated(msgspec.Struct, frozen=True, kw_only=True):
    """A calibration on its final scale.

    Attributes
    ----------
    bank : ItemBank
    raw : Calibration
        As it was fitted, before any move to another scale.
    transformation : Transformation
        From the fitted scale to the final one.
    theta : Abilities
        EAP of the candidates on the final scale, under the estimated population.
    """

    family: ModelFamily
    prepared: Prepared
    raw: Calibration
    bank: ItemBank
    transformation: Transformation
    mean: float
    variance: float
    theta: Abilities
    is_fixed: NDArray[np.bool_]
    link: LinkReport | None
    drift: Mapping[str, DriftReport]


def estimate(
    gathered: Gathered, settings: RunSettings, accepted: Mapping[str, ItemParameters], tell: Tell
) -> Estimated:
    """Calibrate what was gathered.

    Parameters
    ----------
    accepted : mapping
        Newest accepted parameters by item name; used as the settings say.

    Raises
    ------
    SampleTooSmall, TooFewItems, AnchorsUnusable
        The data cannot carry what was asked for.
    ResponsesUnusable, CalibrationImpossible
        The estimation refuses them.
    """
    family = family_for(settings.family, gathered.n_candidates)
    anchors = _anchors(gathered, settings, accepted)
    fixed = anchors if settings.anchors is AnchorUse.FIXED else {}
    prepared = prepare(gathered, settings, family, fixed)
    fixed = {name: fixed[name] for name in prepared.responses.item_names if name in fixed}
    if settings.anchors is AnchorUse.FIXED and len(fixed) < FEWEST_COMMON:
        raise AnchorsUnusable(
            tuple(fixed), message("at least {count} have to be among the items answered", count=FEWEST_COMMON)
        )
    is_large = gathered.n_candidates >= CROSS_PRODUCT_FROM
    options = CalibrationOptions(
        priors=PRIORS[family],
        standard_errors=StandardErrors.CROSS_PRODUCT if is_large else StandardErrors.OBSERVED,
    )
    raw = calibrate(
        prepared.responses,
        _models(prepared, fixed),
        options,
        anchors=bank_of(tuple(fixed), tuple(fixed.values())) if fixed else None,
        progress=tell,
    )
    placed = _placed(raw, prepared, settings, anchors)
    mean = float(placed.transformation.abilities(raw.means[0]))
    variance = float(raw.variances[0]) * placed.transformation.slope**2
    theta = eap_estimates(prepared.responses, placed.bank, means=mean, variances=variance)
    return Estimated(
        family=family,
        prepared=prepared,
        raw=raw,
        bank=placed.bank,
        transformation=placed.transformation,
        mean=mean,
        variance=variance,
        theta=theta,
        is_fixed=np.array([name in fixed for name in prepared.responses.item_names], dtype=np.bool_),
        link=placed.link,
        drift=placed.drift,
    )


class _Placed(msgspec.Struct, frozen=True):
    bank: ItemBank
    transformation: Transformation
    link: LinkReport | None = None
    drift: dict[str, DriftReport] = {}


def _anchors(
    gathered: Gathered, settings: RunSettings, accepted: Mapping[str, ItemParameters]
) -> dict[str, ItemParameters]:
    """Return the items that carry the scale, in the order of the table."""
    if settings.anchors is AnchorUse.NONE:
        return {}
    names = [item.name for item in gathered.items]
    wanted = settings.anchor_items or tuple(name for name in names if name in accepted)
    unknown = [name for name in wanted if name not in accepted or name not in names]
    if unknown:
        raise AnchorsUnusable(unknown, message("have no accepted parameters, or do not stand in these sittings"))
    if len(wanted) < FEWEST_COMMON:
        raise AnchorsUnusable(
            wanted, message("at least {count} items with accepted parameters are needed", count=FEWEST_COMMON)
        )
    return {name: accepted[name] for name in names if name in set(wanted)}


def _models(prepared: Prepared, fixed: Mapping[str, ItemParameters]) -> list[Model]:
    return [
        Model(fixed[name].model) if name in fixed else model
        for name, model in zip(prepared.responses.item_names, prepared.models, strict=True)
    ]


def _placed(
    raw: Calibration, prepared: Prepared, settings: RunSettings, anchors: Mapping[str, ItemParameters]
) -> _Placed:
    """Leave the fitted scale as it is, or move it to that of the anchors."""
    same = Transformation(1.0, 0.0)
    if settings.anchors is AnchorUse.FIXED:
        used = tuple(name for name in raw.bank.names if name in anchors)
        return _Placed(raw.bank, same, LinkReport(use=AnchorUse.FIXED, anchors=used))
    if settings.anchors is AnchorUse.NONE:
        return _Placed(raw.bank, same)
    maps = dict(zip(raw.bank.names, prepared.maps, strict=True))
    common = [name for name in raw.bank.names if name in anchors and anchors[name].categories == maps[name]]
    if len(common) < FEWEST_COMMON:
        raise AnchorsUnusable(
            common, message("at least {count} with the same categories have to be common", count=FEWEST_COMMON)
        )
    base = bank_of(common, [anchors[name] for name in common])
    purified = link_without_drift(base, raw.bank, LinkingMethod.STOCKING_LORD)
    transformation = purified.linking.transformation
    if all(model in WITHOUT_SLOPE for model in raw.bank.models) and all(m in WITHOUT_SLOPE for m in base.models):
        # A Rasch scale has its unit already: only its origin may move.
        shift = float(np.nanmean(base.difficulties()) - np.nanmean(_difficulties(raw.bank, common)))
        transformation = Transformation(1.0, shift)
    drift = anchor_drift(base, raw.bank, transformation)
    report = LinkReport(
        use=AnchorUse.LINKED,
        anchors=tuple(common),
        dropped=purified.dropped,
        slope=transformation.slope,
        intercept=transformation.intercept,
        criterion=float(purified.linking.criterion) if np.isfinite(purified.linking.criterion) else None,
    )
    return _Placed(transformation.bank(raw.bank), transformation, report, _drifts(drift, purified.dropped))


def _difficulties(bank: ItemBank, names: list[str]) -> Array:
    return bank.difficulties()[[bank.names.index(name) for name in names]]


def _drifts(drift: AnchorDrift, dropped: tuple[str, ...]) -> dict[str, DriftReport]:
    return {
        name: DriftReport(
            difficulty=float(moved) if np.isfinite(moved) else None, rmsd=float(rmsd), is_dropped=name in dropped
        )
        for name, moved, rmsd in zip(drift.names, drift.difficulty, drift.rmsd, strict=True)
    }
