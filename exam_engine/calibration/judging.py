"""A fitted calibration becomes reports: on every item, the most troubled first, and on the test as a whole. Pure."""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np

from exam_engine.authoring.parameters import ItemParameters
from exam_engine.calibration.banks import errors_of, number, parameters_of
from exam_engine.calibration.choices import NAMES, RunSettings, suggested_family
from exam_engine.calibration.comparing import differences
from exam_engine.calibration.estimating import Estimated
from exam_engine.calibration.findings import (
    ClassicalReport,
    DependentPair,
    ItemReport,
    Outcome,
    Remark,
)
from exam_engine.calibration.gathering import MISSING, Gathered
from exam_engine.calibration.measuring import (
    FormView,
    alpha_of,
    classical,
    form_views,
    item_fits,
    whole_fit,
)
from exam_engine.calibration.report.points import curve_points
from exam_engine.calibration.troubles import troubles_of
from exam_engine.infra.i18n import N_
from scoring.dif.likelihood_ratio import adjusted
from scoring.fit import Population, empirical_reliability, marginal_reliability, q3

DEPENDENT_Q3 = 0.2
MOST_PAIRS = 12

STOPPED = N_("Stopped after {count} steps before the maximum; the log-likelihood may still rise by {gain}.")
NO_ERRORS = N_("The information is not positive definite here, so there are no standard errors.")
BOUND = N_("{place}: {parameter} ran to the end of its range ({value}).")
RICH = N_("{count} candidates are few for this model: {suggested} would be steadier.")
MERGED = N_("{item}: scores hardly anybody had were merged ({categories}).")


def judge_items(gathered: Gathered, estimated: Estimated) -> tuple[ItemReport, ...]:
    """Report on every calibrated item, the most troubled first."""
    views = form_views(gathered, estimated)
    fits = item_fits(views, estimated)
    p_adjusted = _adjusted({item: fit.p for item, fit in fits.items() if fit.p is not None})
    measured = classical(views, gathered, estimated)
    compared = differences(views[0], gathered, estimated) if views else {}
    points = curve_points(estimated.prepared.responses, estimated.bank, estimated.mean, estimated.variance)
    reports = []
    for item, column in enumerate(estimated.prepared.columns.tolist()):
        facts = gathered.items[column]
        statistics = measured.get(item)
        report = ItemReport(
            item_version_id=facts.item_version_id,
            item_id=facts.item_id,
            name=facts.name,
            code=facts.code,
            version=facts.version,
            kind=facts.kind,
            title=facts.title,
            is_scored=bool(gathered.is_scored[column]),
            is_anchor=bool(estimated.is_fixed[item]),
            n_answers=int((estimated.prepared.responses.categories[:, item] != MISSING).sum()),  # type: ignore[index]
            counts=_counts(gathered, column),
            parameters=parameters_of(estimated.bank, item, estimated.prepared.maps[item]),
            errors=None
            if estimated.raw.errors is None or estimated.is_fixed[item]
            else errors_of(estimated.raw.errors, estimated.raw.bank, item, estimated.transformation.slope),
            fit=fits[item],
            classical=statistics.report if statistics else _unmeasured(),
            options=statistics.options if statistics else (),
            dif=compared.get(item, ()),
            drift=estimated.drift.get(facts.name),
            points=points[item],
        )
        at_bound = [bound.parameter for bound in estimated.raw.at_bounds if bound.place == f"item {facts.name}"]
        troubles = troubles_of(report, statistics.verdicts if statistics else (), p_adjusted.get(item), at_bound)
        reports.append(msgspec.structs.replace(report, troubles=troubles))
    return tuple(sorted(reports, key=lambda report: (*report.weight, report.code)))


def judge_test(gathered: Gathered, estimated: Estimated, settings: RunSettings) -> Outcome:
    """Report on the calibration as a whole."""
    raw = estimated.raw
    views = form_views(gathered, estimated)
    population = Population(mean=estimated.mean, variance=estimated.variance)
    suggested = suggested_family(gathered.n_candidates)
    return Outcome(
        family=estimated.family,
        suggested=suggested,
        n_candidates=gathered.n_candidates,
        n_items=estimated.bank.n_items,
        n_forms=len(views),
        converged=raw.converged,
        n_iterations=raw.n_iterations,
        gradient_norm=raw.gradient_norm,
        remaining_gain=raw.remaining_gain,
        log_likelihood=raw.log_likelihood,
        log_prior=raw.log_prior,
        n_parameters=raw.n_parameters,
        aic=raw.aic,
        bic=raw.bic,
        mean=estimated.mean,
        variance=estimated.variance,
        has_errors=raw.errors is not None,
        marginal_reliability=number(marginal_reliability(estimated.bank, population)),
        empirical_reliability=number(empirical_reliability(estimated.theta.theta, estimated.theta.se)),
        alpha=alpha_of(views, gathered, estimated),
        model_fit=whole_fit(views, estimated),
        dependent_pairs=_dependent(views, estimated),
        link=estimated.link,
        remarks=_remarks(gathered, estimated),
        excluded=estimated.prepared.excluded,
        history=tuple(float(value) for value in raw.history),
        abilities=_abilities(estimated),
        input_hash=_hash(gathered, settings, estimated),
    )


def _adjusted(p: dict[int, float]) -> dict[int, float]:
    if not p:
        return {}
    values = adjusted(np.array(list(p.values())))
    return {item: float(value) for item, value in zip(p, values, strict=True)}


def _counts(gathered: Gathered, column: int) -> tuple[int, ...]:
    given = gathered.categories[:, column]
    return tuple(np.bincount(given[given != MISSING], minlength=gathered.n_categories[column]).tolist())


def _unmeasured() -> ClassicalReport:
    return ClassicalReport(
        form="",
        n_candidates=0,
        facility=None,
        r_pb=None,
        r_bis=None,
        discrimination=None,
        omitted=0.0,
        not_reached=0.0,
    )


def _dependent(views: Sequence[FormView], estimated: Estimated) -> tuple[DependentPair, ...]:
    if not views or views[0].items.size < 3:
        return ()
    view = views[0]
    bank = estimated.bank.select(view.items)
    found = q3(view.responses(estimated), bank, estimated.theta.theta[view.rows]).adjusted
    first, second = np.triu_indices(found.shape[0], k=1)
    values = np.nan_to_num(found[first, second], nan=-1.0)
    order = [i for i in np.argsort(-values, kind="stable") if values[i] > DEPENDENT_Q3][:MOST_PAIRS]
    return tuple(DependentPair(bank.names[first[i]], bank.names[second[i]], float(values[i])) for i in order)


def _remarks(gathered: Gathered, estimated: Estimated) -> tuple[Remark, ...]:
    raw = estimated.raw
    found = []
    if not raw.converged:
        found.append(Remark(STOPPED, {"count": str(raw.n_iterations), "gain": f"{raw.remaining_gain:.2g}"}))
    if raw.errors is None:
        found.append(Remark(NO_ERRORS))
    found += [
        Remark(BOUND, {"place": bound.place, "parameter": bound.parameter, "value": f"{bound.value:g}"})
        for bound in raw.at_bounds
    ]
    suggested = suggested_family(gathered.n_candidates)
    if suggested is not None and _is_richer(estimated, suggested):
        found.append(Remark(RICH, {"count": str(gathered.n_candidates), "suggested": NAMES[suggested]}))
    for column, categories in zip(estimated.prepared.columns, estimated.prepared.maps, strict=True):
        if categories != tuple(range(len(categories))):
            merged = " ".join(str(category) for category in categories)
            found.append(Remark(MERGED, {"item": gathered.items[column].name, "categories": merged}))
    return tuple(found)


def _is_richer(estimated: Estimated, suggested: str) -> bool:
    order = ["rasch", "2pl", "3pl"]
    return order.index(estimated.family) > order.index(suggested)


def _abilities(estimated: Estimated) -> tuple[tuple[float, int], ...]:
    tenths, counts = np.unique(np.round(estimated.theta.theta, 1), return_counts=True)
    return tuple((float(theta), int(n)) for theta, n in zip(tenths, counts, strict=True))


def _hash(gathered: Gathered, settings: RunSettings, estimated: Estimated) -> str:
    """Hash what the numbers depend on: equal hashes mean equal estimates."""
    digest = hashlib.sha256(msgspec.json.encode(settings, order="sorted"))
    for item, column in enumerate(estimated.prepared.columns.tolist()):
        digest.update(str(gathered.items[column].item_version_id).encode())
        if estimated.is_fixed[item]:
            fixed: ItemParameters = parameters_of(estimated.bank, item, estimated.prepared.maps[item])
            digest.update(msgspec.json.encode(fixed))
    table = np.ascontiguousarray(estimated.prepared.responses.categories)
    # Sorted rows: neither the order of candidates nor of attempts changes an estimate.
    digest.update(table[np.lexsort(table.T[::-1])].tobytes())
    return digest.hexdigest()
