"""`irt calibrate`: item parameters from a response file, with an honest word on how they were reached, and a report."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray

from exam_engine.calibration.files.categories import BlankRules, Prepared, prepare
from exam_engine.calibration.files.parameter_files import ParameterFile
from exam_engine.calibration.files.parameter_tables import Moments, parameter_csv
from exam_engine.calibration.files.response_files import ResponseFile
from exam_engine.calibration.report.blocks import Tone
from exam_engine.calibration.report.convergence import warnings_of
from exam_engine.calibration.report.facts import examine, scale_of
from exam_engine.cli.console import emit, emit_table, note, require_ending
from exam_engine.cli.irt import inputs
from exam_engine.cli.irt.inputs import refusals
from exam_engine.cli.irt.outputs import REPORT_ENDINGS, plain, reports, with_error, write_files
from exam_engine.cli.irt.priors import parse_priors
from exam_engine.infra.i18n import N_, translator
from scoring.calibration import Calibration, CalibrationOptions, Precision, StandardErrors, calibrate
from scoring.irt.models import Model
from scoring.irt.quadrature import Quadrature

Prior = Annotated[str | None, typer.Option(help="normal(mean,sd), lognormal(mean,sd) or beta(a,b).")]
ModelOption = Annotated[
    Model, typer.Option(case_sensitive=False, help="Model of every item that no model file says otherwise of.")
]


def calibrate_command(
    responses: inputs.Responses,
    *,
    model: ModelOption = Model.TWO_PL,
    polytomous: Annotated[
        Model | None, typer.Option(case_sensitive=False, help="Model of items of more than two categories.")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="CSV of item, model, first_category: a mixed test.")] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="Parameter file of items that keep their parameters; others join their scale.")
    ] = None,
    key: inputs.Key = None,
    column: inputs.Columns = None,
    code: inputs.Codes = None,
    blank: inputs.Blanks = "missing",
    omitted: inputs.OmittedAs = "wrong",
    not_reached: inputs.NotReachedAs = "missing",
    prior_slope: Prior = None,
    prior_intercept: Prior = None,
    prior_difficulty: Prior = None,
    prior_guess: Prior = None,
    prior_slip: Prior = None,
    tight: Annotated[bool, typer.Option("--tight", help="Go on until parameters stand still to 1e-4.")] = False,
    errors: Annotated[StandardErrors, typer.Option(help="Where standard errors come from.")] = StandardErrors.OBSERVED,
    points: Annotated[int, typer.Option(min=11, max=501, help="Quadrature points.")] = 61,
    limit: Annotated[float, typer.Option(min=3, max=20, help="They run from -limit to limit, logits.")] = 6.0,
    fewest: Annotated[int, typer.Option(min=2, help="Refuse fewer candidates, and items answered by fewer.")] = 30,
    most_steps: Annotated[int, typer.Option(min=1, help="Stop after so many steps.")] = 500,
    out: Annotated[Path | None, typer.Option(help="CSV to write the parameters to.")] = None,
    layout: Annotated[Literal["long", "wide"], typer.Option(help="One line a parameter, or an item.")] = "long",
    report: Annotated[list[Path] | None, typer.Option(help="Report to write, .html or .pdf. Repeatable.")] = None,
    language: inputs.Language = "vi",
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not tell the cycles.")] = False,
    dry_run: inputs.DryRun = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Calibrate items from a file of responses: parameters with standard errors, convergence, report.

    Example: exam-engine irt calibrate responses.csv --model 3pl --prior-guess "beta(5,17)" --out items.csv
    --report report.html
    """
    rules = inputs.reading_rules(column, code)
    require_ending(out, (".csv",), "--out")
    for path in report or ():
        require_ending(path, REPORT_ENDINGS, "--report")
    options = CalibrationOptions(
        quadrature=Quadrature(points, limit),
        priors=parse_priors(
            slope=prior_slope,
            intercept=prior_intercept,
            difficulty=prior_difficulty,
            guess=prior_guess,
            slip=prior_slip,
        ),
        precision=Precision.TIGHT if tight else Precision.DEFAULT,
        standard_errors=errors,
        fewest_candidates=fewest,
        most_iterations=most_steps,
    )
    with refusals():
        found = inputs.read_file(responses, rules, key)
        kinds, first = inputs.chosen_models(found, model, polytomous, models)
        known = None if anchors is None else inputs.read_items(anchors)
        prepared, is_fixed = _prepared(found, kinds, first, known, inputs.blank_rules(blank, omitted, not_reached))
        _tell_numbering(prepared)
        fitted = calibrate(
            prepared.responses,
            kinds,
            options,
            anchors=None if known is None else known.bank,
            progress=inputs.cycle_teller(is_quiet=quiet),
        )
        contents = _tables(out, fitted, prepared, layout)
        if report:
            facts = examine(prepared, fitted.bank, scale_of(fitted), calibration=fitted, is_fixed=is_fixed)
            name = responses.name
            contents += reports(report, facts, name=name, language=language, calibration=fitted)
        _warn(fitted, language, errors)
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit(_view(fitted, prepared), as_json=True)
    elif out is None or dry_run:
        _print(fitted)
    else:
        note(_said(fitted))


def moments_of(calibration: Calibration) -> Moments:
    """Return the latent moments of each group with their errors; the group "" where there is one only."""
    errors = calibration.errors
    names = [""] if len(calibration.group_names) == 1 else list(calibration.group_names)
    nothing = np.full(len(names), np.nan)
    mean_se = nothing if errors is None else errors.means
    variance_se = nothing if errors is None else errors.variances
    return {
        name: (
            float(calibration.means[i]),
            float(mean_se[i]),
            float(calibration.variances[i]),
            float(variance_se[i]),
        )
        for i, name in enumerate(names)
    }


def _prepared(
    found: ResponseFile,
    kinds: list[Model],
    first: list[int | None],
    known: ParameterFile | None,
    blanks: BlankRules,
) -> tuple[Prepared, NDArray[np.bool_]]:
    """Prepare responses; `kinds` of anchored items become those of their parameters."""
    n = len(found.item_names)
    is_fixed, n_categories = [False] * n, [0] * n
    if known is not None:
        place = {name: i for i, name in enumerate(known.bank.names)}
        for item, name in enumerate(found.item_names):
            if name in place:
                at = place[name]
                is_fixed[item], n_categories[item] = True, int(known.bank.n_categories[at])
                kinds[item] = known.bank.models[at]
                first[item] = known.first_categories[at]
    prepared = prepare(found, kinds, blanks, first_categories=first, is_fixed=is_fixed, n_categories=n_categories)
    return prepared, np.array(is_fixed)


def _tell_numbering(prepared: Prepared) -> None:
    """Say which items number their categories from 1: it was found, not said."""
    names = [
        name for name, first in zip(prepared.responses.item_names, prepared.first_categories, strict=True) if first
    ]
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        note(f"categories are numbered from 1, not 0, in {shown}")
    groups = prepared.responses.group_names
    if len(groups) > 1:
        note(f"groups: {', '.join(groups)}; the first is the reference")


def _warn(fitted: Calibration, language: str, errors: StandardErrors) -> None:
    say = translator(language)
    for warning in warnings_of(fitted, language):
        # Who asked for no standard errors knows that there are none.
        if warning.tone is not Tone.FAINT or errors is not StandardErrors.NONE:
            note(say(N_("Warning: {text}"), text=warning.text))


def _tables(out: Path | None, fitted: Calibration, prepared: Prepared, layout: str) -> list[tuple[Path, bytes]]:
    if out is None:
        return []
    content = parameter_csv(
        fitted.bank,
        fitted.errors,
        first_categories=prepared.first_categories.tolist(),
        moments=moments_of(fitted),
        is_wide=layout == "wide",
    )
    return [(out, content)]


def _said(fitted: Calibration) -> str:
    state = "converged" if fitted.converged else "NOT converged"
    return (
        f"{state} after {fitted.n_iterations} steps: log-likelihood {fitted.log_likelihood:.6f}, "
        f"largest gradient {fitted.gradient_norm:.2g}, {fitted.n_parameters} parameters, "
        f"{fitted.n_candidates:g} candidates"
    )


def _print(fitted: Calibration) -> None:
    note(_said(fitted))
    errors, b = fitted.errors, fitted.bank.difficulties()
    rows = []
    for i, name in enumerate(fitted.bank.names):
        k = int(fitted.bank.n_categories[i])
        steps = (with_error(b[i, m], None if errors is None else errors.b[i, m]) for m in range(k - 1))
        a = with_error(fitted.bank.a[i], None if errors is None else errors.a[i])
        c = with_error(fitted.bank.c[i], None if errors is None else errors.c[i]) if fitted.bank.c[i] > 0 else ""
        rows.append((name, fitted.bank.models[i].value, a, "; ".join(step for step in steps if step), c))
    emit_table(["item", "model", "a", "b", "c"], rows)
    for group, (mean, _, variance, _) in moments_of(fitted).items():
        note(f"ability{' of ' + group if group else ''}: mean {mean:.4f}, variance {variance:.4f}")


def _view(fitted: Calibration, prepared: Prepared) -> Any:
    bank, errors = fitted.bank, fitted.errors
    b = bank.difficulties()

    def item(i: int) -> dict[str, Any]:
        k = int(bank.n_categories[i])
        return {
            "item": bank.names[i],
            "model": bank.models[i].value,
            "first_category": int(prepared.first_categories[i]),
            "a": bank.a[i],
            "d": bank.d[i, : k - 1],
            "b": b[i, : k - 1],
            "c": bank.c[i],
            "u": bank.u[i],
            "ak": bank.ak[i, :k] if bank.models[i] is Model.NOMINAL else None,
            "se": None
            if errors is None
            else {
                "a": errors.a[i],
                "d": errors.d[i, : k - 1],
                "b": errors.b[i, : k - 1],
                "c": errors.c[i],
                "u": errors.u[i],
                "logit_c": errors.logit_c[i],
            },
        }

    groups = [
        {"group": name or None, "mean": mean, "mean_se": mean_se, "variance": variance, "variance_se": variance_se}
        for name, (mean, mean_se, variance, variance_se) in moments_of(fitted).items()
    ]
    return plain(
        {
            "converged": fitted.converged,
            "log_likelihood": fitted.log_likelihood,
            "log_prior": fitted.log_prior,
            "aic": fitted.aic,
            "bic": fitted.bic,
            "n_candidates": fitted.n_candidates,
            "n_items": bank.n_items,
            "n_parameters": fitted.n_parameters,
            "n_iterations": fitted.n_iterations,
            "n_evaluations": fitted.n_evaluations,
            "gradient_norm": fitted.gradient_norm,
            "remaining_gain": fitted.remaining_gain,
            "at_bounds": fitted.at_bounds,
            "warnings": fitted.warnings,
            "groups": groups,
            "items": [item(i) for i in range(bank.n_items)],
        }
    )
