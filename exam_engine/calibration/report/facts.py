"""What a report tells of a calibrated test: fit, reliability, every item with its troubles, the most troubled first."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.authoring.parameters import ItemParameters, ParameterErrors
from exam_engine.calibration.banks import errors_of, number, parameters_of
from exam_engine.calibration.files.categories import Prepared
from exam_engine.calibration.findings import (
    CurvePoint,
    DependentPair,
    DifReport,
    DriftReport,
    FitReport,
    ModelFitReport,
    Remark,
    Trouble,
)
from exam_engine.calibration.report.points import curve_points
from exam_engine.calibration.troubles import troubles_of
from exam_engine.infra.i18n import N_
from scoring.calibration import Calibration
from scoring.classical import ItemStatistics, Reliability, ScoreTable, item_statistics, reliability, verdicts
from scoring.dif import adjusted
from scoring.errors import FitUndefined, ResponsesUnusable
from scoring.fit import (
    Population,
    Statistic,
    complete_rows,
    empirical_reliability,
    lz_star,
    marginal_reliability,
    model_fit,
    q3,
    residual_fit,
    s_x2,
)
from scoring.fit.person_fit import AbilityMethod
from scoring.irt.ability import Abilities, eap_estimates, wle_estimates
from scoring.irt.bank import ItemBank
from scoring.irt.models.families import WITHOUT_SLOPE
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
DEPENDENT_Q3 = 0.2
MOST_PAIRS = 12
ODD_Z = -1.645
MOST_ROWS_LOOKED_AT = 20_000
MOST_ITEMS_FOR_MODEL_FIT = 120
"""Moments of pairs grow with the square of the items, their covariance with the fourth power."""

TOO_MANY_PAIRS = N_("{count} items have too many pairs")
NOBODY_COMPLETE = N_("nobody answered all items")
TOO_FEW_MOMENTS = N_("so few items give fewer comparisons than the model has parameters")


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Latent moments of each group, and which of the first were estimated."""

    means: Array
    variances: Array
    is_mean_free: bool = False
    is_variance_free: bool = False


class GroupFacts(msgspec.Struct, frozen=True):
    """One group of candidates."""

    name: str
    n_candidates: float
    mean: float
    sd: float


class ItemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One item."""

    name: str
    position: int
    is_fixed: bool
    n_answers: float
    facility: float | None
    r_pb: float | None
    omitted: float
    not_reached: float
    parameters: ItemParameters
    errors: ParameterErrors | None
    fit: FitReport
    points: tuple[CurvePoint, ...]
    troubles: tuple[Trouble, ...] = ()
    dif: tuple[DifReport, ...] = ()
    drift: DriftReport | None = None


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Fit of the candidates: lz* at WLE abilities, standard normal where the model holds."""

    share_odd: float | None
    n_judged: float


class ReliabilityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of abilities, and of the sum score where every candidate met every item."""

    marginal: float
    empirical: float | None
    classical: Reliability | None


class TestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report tells."""

    __test__ = False

    n_rows: int
    n_candidates: float
    groups: tuple[GroupFacts, ...]
    bank: ItemBank
    abilities: Abilities
    weights: Array
    model_fit: ModelFitReport | None
    why_no_model_fit: Remark | None
    reliability: ReliabilityFacts
    items: tuple[ItemFacts, ...]
    pairs: tuple[DependentPair, ...]
    persons: PersonFacts


def scale_of(calibration: Calibration) -> Scale:
    """Take the latent moments of a calibration."""
    reference = calibration.group_names[0]
    free = {parameter for place, parameter in calibration.parameter_labels if place == reference}
    return Scale(
        means=calibration.means,
        variances=calibration.variances,
        is_mean_free="mean" in free,
        is_variance_free="log_variance" in free,
    )


def scale_from(means: Sequence[float], variances: Sequence[float], bank: ItemBank) -> Scale:
    """Take the latent moments of a parameter file; a Rasch test's variance was estimated."""
    is_free = all(model in WITHOUT_SLOPE for model in bank.models)
    return Scale(means=np.array(means), variances=np.array(variances), is_variance_free=is_free)


def examine(
    prepared: Prepared,
    bank: ItemBank,
    scale: Scale,
    *,
    calibration: Calibration | None = None,
    is_fixed: NDArray[np.bool_] | None = None,
    statistic: Statistic = Statistic.M2_STAR,
) -> TestFacts:
    """Compute what a report tells.

    Parameters
    ----------
    prepared : Prepared
        Responses to the items of `bank`, in that order.
    calibration : Calibration, optional
        Where the parameters come from: gives standard errors and bounds.
    is_fixed : ndarray of bool, optional
        Items whose parameters were not estimated.
    """
    responses = prepared.responses
    abilities = eap_estimates(responses, bank, means=scale.means, variances=scale.variances)
    first = _first_group(responses)
    population = Population(
        mean=float(scale.means[0]),
        variance=float(scale.variances[0]),
        is_mean_free=scale.is_mean_free,
        is_variance_free=scale.is_variance_free,
    )
    whole, why = _model_fit(first, bank, population, statistic, is_fixed)
    table = _score_table(prepared, bank)
    statistics = None if table is None else item_statistics(table)
    items = _items(prepared, bank, scale, calibration, is_fixed, statistics)
    items = _with_fit(items, responses, first, bank, population, abilities, calibration, statistics)
    return TestFacts(
        n_rows=responses.n_rows,
        n_candidates=responses.n_candidates,
        groups=_groups(responses, scale),
        bank=bank,
        abilities=abilities,
        weights=responses.weights,
        model_fit=whole,
        why_no_model_fit=why,
        reliability=ReliabilityFacts(
            marginal=marginal_reliability(bank, population),
            empirical=_empirical(abilities, responses.weights),
            classical=None if table is None or _is_sparse(responses) else reliability(table),
        ),
        items=tuple(sorted(items, key=_weight)),
        pairs=_pairs(responses, bank, abilities),
        persons=_persons(responses.rows(_spread_rows(responses.n_rows)), bank),
    )


def _groups(responses: ResponseMatrix, scale: Scale) -> tuple[GroupFacts, ...]:
    index = np.zeros(responses.n_rows, dtype=np.int64) if responses.groups is None else responses.groups
    sizes = np.bincount(index, responses.weights, minlength=len(responses.group_names))
    return tuple(
        GroupFacts(name, float(n), float(mean), float(np.sqrt(variance)))
        for name, n, mean, variance in zip(responses.group_names, sizes, scale.means, scale.variances, strict=True)
    )


def _first_group(responses: ResponseMatrix) -> ResponseMatrix:
    """Return the reference group alone: fit statistics know one population."""
    if responses.groups is None or len(responses.group_names) == 1:
        return msgspec.structs.replace(responses, groups=None, group_names=("all",))
    part = responses.rows(np.flatnonzero(responses.groups == 0))
    return msgspec.structs.replace(part, groups=None, group_names=("all",))


def _model_fit(
    responses: ResponseMatrix,
    bank: ItemBank,
    population: Population,
    statistic: Statistic,
    is_fixed: NDArray[np.bool_] | None,
) -> tuple[ModelFitReport | None, Remark | None]:
    if bank.n_items > MOST_ITEMS_FOR_MODEL_FIT:
        return None, Remark(TOO_MANY_PAIRS, {"count": str(bank.n_items)})
    complete = complete_rows(responses)
    if complete.n_candidates < 2:
        return None, Remark(NOBODY_COMPLETE)
    try:
        fit = model_fit(complete, bank, population, statistic=statistic, is_fixed=is_fixed)
    except FitUndefined:
        return None, Remark(TOO_FEW_MOMENTS)
    return ModelFitReport(
        statistic=fit.statistic.value,
        x2=number(fit.x2),
        df=fit.df,
        p=number(fit.p),
        rmsea=number(fit.rmsea),
        rmsea_lower=number(fit.rmsea_lower),
        rmsea_upper=number(fit.rmsea_upper),
        srmsr=number(fit.srmsr),
        n_candidates=fit.n_candidates,
    ), None


def _score_table(prepared: Prepared, bank: ItemBank) -> ScoreTable | None:
    """Item scores from 0, blanks as 0; none where fewer than two items or candidates are there."""
    responses = prepared.responses
    categories = np.asarray(responses.categories)
    if bank.n_items < 2 or responses.n_candidates < 2:
        return None
    nowhere = np.zeros(categories.shape, dtype=bool)
    return ScoreTable(
        scores=np.maximum(categories, 0).astype(np.float64),
        maximum=(bank.n_categories - 1).astype(np.float64),
        is_omitted=nowhere,
        is_not_reached=nowhere,
        weights=responses.weights,
        item_names=responses.item_names,
    )


def _is_sparse(responses: ResponseMatrix) -> bool:
    """Whether candidates met different items, so that their sum scores are not of one test."""
    return bool((np.asarray(responses.categories) < 0).mean() > 0.05)


def _items(
    prepared: Prepared,
    bank: ItemBank,
    scale: Scale,
    calibration: Calibration | None,
    is_fixed: NDArray[np.bool_] | None,
    statistics: ItemStatistics | None,
) -> list[ItemFacts]:
    responses = prepared.responses
    categories = np.asarray(responses.categories)
    answered = responses.weights @ (categories >= 0)
    points = curve_points(responses, bank, scale.means, scale.variances)
    shares = (responses.weights @ np.maximum(categories, 0)) / np.maximum(answered * (bank.n_categories - 1.0), 1e-300)
    errors = None if calibration is None else calibration.errors
    found = []
    for i, name in enumerate(bank.names):
        fixed = is_fixed is not None and bool(is_fixed[i])
        found.append(
            ItemFacts(
                name=name,
                position=i + 1,
                is_fixed=fixed,
                n_answers=float(answered[i]),
                facility=number(shares[i]) if answered[i] > 0 else None,
                r_pb=None if statistics is None else number(statistics.r_pb[i]),
                omitted=float(prepared.omitted[i]),
                not_reached=float(prepared.not_reached[i]),
                parameters=parameters_of(bank, i, range(int(bank.n_categories[i]))),
                errors=None if errors is None or fixed else errors_of(errors, bank, i),
                fit=FitReport(),
                points=points[i],
            )
        )
    return found


def _with_fit(
    items: list[ItemFacts],
    responses: ResponseMatrix,
    first: ResponseMatrix,
    bank: ItemBank,
    population: Population,
    abilities: Abilities,
    calibration: Calibration | None,
    statistics: ItemStatistics | None,
) -> list[ItemFacts]:
    squares = residual_fit(responses, bank, abilities.theta).items
    try:
        by_score = s_x2(first, bank, population)
    except FitUndefined:
        by_score = None  # nobody answered everything: infit and outfit stand alone
    p = np.full(bank.n_items, np.nan) if by_score is None else by_score.p
    known = np.isfinite(p)
    p_adjusted = np.full(bank.n_items, np.nan)
    p_adjusted[known] = adjusted(p[known])
    said = [()] * bank.n_items if statistics is None else verdicts(statistics)
    found = []
    for i, item in enumerate(items):
        fit = FitReport(
            infit=number(squares.infit[i]),
            outfit=number(squares.outfit[i]),
            z_infit=number(squares.z_infit[i]),
            z_outfit=number(squares.z_outfit[i]),
            s_x2=None if by_score is None else number(by_score.x2[i]),
            df=0 if by_score is None else int(by_score.df[i]),
            p=number(p[i]),
            rmsea=None if by_score is None else number(by_score.rmsea[i]),
        )
        bounds = () if calibration is None else calibration.at_bounds
        at_bound = [bound.parameter for bound in bounds if bound.place in (item.name, f"item {item.name}")]
        measured = msgspec.structs.replace(item, fit=fit)
        troubles = troubles_of(measured, said[i], number(p_adjusted[i]), at_bound)
        found.append(msgspec.structs.replace(measured, troubles=troubles))
    return found


def _weight(item: ItemFacts) -> tuple[int, int, float]:
    bad = sum(trouble.severity == "bad" for trouble in item.troubles)
    return -bad, bad - len(item.troubles), item.fit.p if item.fit.p is not None else 1.0


def _empirical(abilities: Abilities, weights: Array) -> float | None:
    try:
        return number(empirical_reliability(abilities.theta, abilities.se, weights))
    except FitUndefined:
        return None


def _pairs(responses: ResponseMatrix, bank: ItemBank, abilities: Abilities) -> tuple[DependentPair, ...]:
    if bank.n_items < 3:
        return ()
    rows = _spread_rows(responses.n_rows)
    dependence = q3(responses.rows(rows), bank, abilities.theta[rows])
    first, second = np.triu_indices(bank.n_items, 1)
    apart = dependence.adjusted[first, second]
    order = np.argsort(-np.nan_to_num(apart, nan=-1.0), kind="stable")[:MOST_PAIRS]
    return tuple(
        DependentPair(bank.names[first[i]], bank.names[second[i]], float(apart[i]))
        for i in order
        if apart[i] > DEPENDENT_Q3
    )


def _spread_rows(n_rows: int) -> NDArray[np.int64]:
    """Return rows spread evenly over the file, enough for correlations and shares to a hundredth."""
    return np.linspace(0, n_rows - 1, min(n_rows, MOST_ROWS_LOOKED_AT)).astype(np.int64)


def _persons(responses: ResponseMatrix, bank: ItemBank) -> PersonFacts:
    try:
        wle = wle_estimates(responses, bank)
        z = lz_star(responses, bank, wle.theta, method=AbilityMethod.WLE).z
    except ResponsesUnusable:
        return PersonFacts(share_odd=None, n_judged=0.0)
    known = np.isfinite(z)
    n = float(responses.weights[known].sum())
    odd = float(responses.weights[known & (z < ODD_Z)].sum())
    return PersonFacts(share_odd=odd / n if n > 0 else None, n_judged=n)
