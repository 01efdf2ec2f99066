"""What a psychometrician should look at: each with its weight and a sentence, which pages say in two languages. Pure.

Limits: mean squares 0.7-1.3 (Wright & Linacre 1994); drift 0.1 as in PISA (von Davier et al. 2019).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from exam_engine.authoring.parameters import ItemParameters, ParameterErrors
from exam_engine.calibration.findings import DifReport, DriftReport, FitReport, Severity, Trouble
from exam_engine.infra.i18n import N_
from scoring.classical.verdicts import Finding, Verdict

FLAT_SLOPE = 0.4
FAR_DIFFICULTY = 4.0
UNSURE_LOGITS = 0.75
LOWEST_MEAN_SQUARE, HIGHEST_MEAN_SQUARE = 0.7, 1.3
MISFIT_P = 0.01
MISFIT_RMSEA = 0.05
LARGEST_DRIFT = 0.1

SEVERITIES: Mapping[Finding, Severity] = {
    Finding.KEY_DOUBTFUL: Severity.BAD,
    Finding.NEGATIVE: Severity.BAD,
    Finding.ALL_ALIKE: Severity.BAD,
    Finding.WEAK: Severity.WARN,
    Finding.TOO_HARD: Severity.WARN,
    Finding.TOO_EASY: Severity.WARN,
    Finding.OFTEN_OMITTED: Severity.WARN,
    Finding.NOT_REACHED: Severity.WARN,
    Finding.IDLE_DISTRACTOR: Severity.WARN,
}

BACKWARDS = N_("The slope is {a}: able candidates do worse. Check the key.")
AT_BOUND = N_("A parameter ran to the end of its range ({parameter}): the data do not place it.")
MISFIT = N_("Observed and expected scores differ more than chance allows (adjusted S-X² p {p}, RMSEA {rmsea}).")
FLAT = N_("The slope is only {a}: the item tells little about ability.")
FAR = N_("Difficulty {b} is far from the candidates.")
UNSURE = N_("Difficulty is known only to ± {se} logits.")
NOISY = N_("Unexpected answers: infit {infit}, outfit {outfit}.")
FAVOURS = N_("At equal score it favours one group: {reference} against {focal}, class {ets_class}.")
DRIFTED = N_("As an anchor it drifted: its curve moved by {rmsd} of the maximum score.")


class Judged(Protocol):
    """What is judged of an item, whether it was calibrated from sittings or from files."""

    @property
    def parameters(self) -> ItemParameters: ...  # noqa: D102
    @property
    def errors(self) -> ParameterErrors | None: ...  # noqa: D102
    @property
    def fit(self) -> FitReport: ...  # noqa: D102
    @property
    def dif(self) -> tuple[DifReport, ...]: ...  # noqa: D102
    @property
    def drift(self) -> DriftReport | None: ...  # noqa: D102


def troubles_of(
    report: Judged, verdicts: Sequence[Verdict], p_adjusted: float | None, at_bound: Sequence[str]
) -> tuple[Trouble, ...]:
    """Return the troubles of one item, the bad ones first.

    Parameters
    ----------
    p_adjusted : float or None
        Of S-X², adjusted for the number of items.
    at_bound : sequence of str
        Parameters that ran to a bound.
    """
    found = [
        *_of_parameters(report, at_bound),
        *_of_fit(report, p_adjusted),
        *_of_groups(report),
        *(
            Trouble(SEVERITIES[verdict.finding], verdict.message, dict(verdict.facts))
            for verdict in verdicts
            if verdict.finding in SEVERITIES
        ),
    ]
    return tuple(sorted(found, key=lambda trouble: trouble.severity is not Severity.BAD))


def _of_parameters(report: Judged, at_bound: Sequence[str]) -> Iterator[Trouble]:
    slope = report.parameters.a
    known = [b for b in report.parameters.b if b is not None]
    middle = sum(known) / len(known) if known else 0.0
    if slope <= 0:
        yield Trouble(Severity.BAD, BACKWARDS, {"a": f"{slope:.2f}"})
    # From the lowest score to the highest: an item of five scores separates by four steps.
    elif slope * len(report.parameters.d) < FLAT_SLOPE:
        yield Trouble(Severity.WARN, FLAT, {"a": f"{slope:.2f}"})
    for parameter in at_bound:
        yield Trouble(Severity.BAD, AT_BOUND, {"parameter": parameter})
    if abs(middle) > FAR_DIFFICULTY:
        yield Trouble(Severity.WARN, FAR, {"b": f"{middle:.2f}"})
    if report.errors is not None and len(report.errors.b) == 1:
        (se,) = report.errors.b
        if se is not None and se > UNSURE_LOGITS:
            yield Trouble(Severity.WARN, UNSURE, {"se": f"{se:.2f}"})


def _of_fit(report: Judged, p_adjusted: float | None) -> Iterator[Trouble]:
    fit = report.fit
    # Of many candidates every model is wrong significantly; it is bad when it is also wrong by much.
    if p_adjusted is not None and p_adjusted < MISFIT_P:
        is_much = fit.rmsea is not None and fit.rmsea > MISFIT_RMSEA
        facts = {"p": f"{p_adjusted:.4f}", "rmsea": f"{fit.rmsea or 0.0:.3f}"}
        yield Trouble(Severity.BAD if is_much else Severity.WARN, MISFIT, facts)
    squares = [value for value in (fit.infit, fit.outfit) if value is not None]
    if any(not LOWEST_MEAN_SQUARE <= value <= HIGHEST_MEAN_SQUARE for value in squares):
        yield Trouble(Severity.WARN, NOISY, {"infit": f"{fit.infit or 0:.2f}", "outfit": f"{fit.outfit or 0:.2f}"})


def _of_groups(report: Judged) -> Iterator[Trouble]:
    for dif in report.dif:
        if dif.ets_class in ("B", "C"):
            facts = {"reference": dif.reference, "focal": dif.focal, "ets_class": dif.ets_class}
            yield Trouble(Severity.BAD if dif.ets_class == "C" else Severity.WARN, FAVOURS, facts)
    if report.drift is not None and (report.drift.is_dropped or report.drift.rmsd > LARGEST_DRIFT):
        yield Trouble(Severity.BAD, DRIFTED, {"rmsd": f"{report.drift.rmsd:.2f}"})
