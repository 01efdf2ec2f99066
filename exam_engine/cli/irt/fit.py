"""`irt fit`: how well known parameters describe responses: the test, its items, pairs of items, candidates."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from exam_engine.calibration.files.response_files import ResponseFile
from exam_engine.calibration.files.writing import csv_bytes
from exam_engine.calibration.report.facts import TestFacts, examine, scale_from
from exam_engine.cli.console import emit, emit_table, note, require_ending
from exam_engine.cli.irt import inputs
from exam_engine.cli.irt.inputs import refusals
from exam_engine.cli.irt.outputs import REPORT_ENDINGS, plain, reports, shown, write_files
from scoring.fit import Population, Statistic, ld_x2, lz, lz_star, q3, residual_fit
from scoring.fit.person_fit import AbilityMethod
from scoring.irt.ability import wle_estimates
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix


def fit_command(
    responses: inputs.Responses,
    *,
    items: inputs.Items,
    statistic: Annotated[Statistic, typer.Option(help="Moments compared for the whole test.")] = Statistic.M2_STAR,
    model: Annotated[Model | None, typer.Option(case_sensitive=False, help="Where the file names none.")] = None,
    key: inputs.Key = None,
    column: inputs.Columns = None,
    code: inputs.Codes = None,
    blank: inputs.Blanks = "missing",
    omitted: inputs.OmittedAs = "wrong",
    not_reached: inputs.NotReachedAs = "missing",
    out: Annotated[Path | None, typer.Option(help="CSV to write, a line for each item.")] = None,
    persons: Annotated[
        Path | None, typer.Option(help="CSV to write, a line for each row: lz, lz*, infit, outfit.")
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="CSV to write, a line for each pair: Q3, LD-X².")] = None,
    report: Annotated[list[Path] | None, typer.Option(help="Report to write, .html or .pdf. Repeatable.")] = None,
    language: inputs.Language = "vi",
    dry_run: inputs.DryRun = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Measure fit at the parameters of a file: M2*, S-X², infit and outfit, Q3, LD-X², person fit, reliability.

    Example: exam-engine irt fit responses.csv --items items.csv --out fit.csv --report fit.html
    """
    rules = inputs.reading_rules(column, code)
    for path, option in ((out, "--out"), (persons, "--persons"), (pairs, "--pairs")):
        require_ending(path, (".csv",), option)
    for path in report or ():
        require_ending(path, REPORT_ENDINGS, "--report")
    with refusals():
        found = inputs.read_file(responses, rules, key)
        parameters = inputs.read_items(items, model)
        prepared, bank = inputs.prepare_known(
            found, parameters, items.name, inputs.blank_rules(blank, omitted, not_reached)
        )
        means, variances = inputs.group_moments(parameters, prepared.responses.group_names)
        facts = examine(prepared, bank, scale_from(means, variances, bank), statistic=statistic)
        contents = [] if out is None else [(out, _item_table(facts))]
        if persons is not None:
            contents.append((persons, _person_table(found, prepared.responses, bank, facts)))
        if pairs is not None:
            population = Population(mean=means[0], variance=variances[0])
            contents.append((pairs, _pair_table(prepared.responses, bank, facts, population)))
        contents += reports(report or (), facts, name=responses.name, language=language)
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit(_view(facts), as_json=True)
    else:
        _print(facts)


def _item_table(facts: TestFacts) -> bytes:
    header = ("item", "outfit", "z.outfit", "infit", "z.infit", "S_X2", "df.S_X2", "RMSEA.S_X2", "p.S_X2")
    rows = []
    for item in sorted(facts.items, key=lambda each: each.position):
        fit = item.fit
        rows.append((item.name, fit.outfit, fit.z_outfit, fit.infit, fit.z_infit, fit.s_x2, fit.df, fit.rmsea, fit.p))
    return csv_bytes(header, rows)


def _person_table(found: ResponseFile, responses: ResponseMatrix, bank: ItemBank, facts: TestFacts) -> bytes:
    squares = residual_fit(responses, bank, facts.abilities.theta).candidates
    wle = wle_estimates(responses, bank).theta
    columns: dict[str, Any] = {"row": range(1, responses.n_rows + 1)}
    if found.identifiers is not None:
        columns["id"] = found.identifiers
    columns |= {
        "EAP": facts.abilities.theta,
        "outfit": squares.outfit,
        "z.outfit": squares.z_outfit,
        "infit": squares.infit,
        "z.infit": squares.z_infit,
        "Zh": lz(responses, bank, facts.abilities.theta).z,
        "WLE": wle,
        "lz_star": lz_star(responses, bank, wle, method=AbilityMethod.WLE).z,
    }
    return csv_bytes(list(columns), zip(*columns.values(), strict=True))


def _pair_table(responses: ResponseMatrix, bank: ItemBank, facts: TestFacts, population: Population) -> bytes:
    dependence, local = q3(responses, bank, facts.abilities.theta), ld_x2(responses, bank, population)
    first, second = np.triu_indices(bank.n_items, 1)
    rows = (
        (
            bank.names[i],
            bank.names[j],
            dependence.q3[i, j],
            dependence.adjusted[i, j],
            local.x2[i, j],
            local.df[i, j],
            local.p[i, j],
            local.cramers_v[i, j],
            local.standardised[i, j],
        )
        for i, j in zip(first, second, strict=True)
    )
    header = ("first", "second", "Q3", "Q3_adjusted", "LD_X2", "df", "p", "cramers_v", "standardised")
    return csv_bytes(header, rows)


def _why(facts: TestFacts) -> str | None:
    why = facts.why_no_model_fit
    return None if why is None else why.message.format(**why.facts)


def _view(facts: TestFacts) -> Any:
    classical = facts.reliability.classical
    return plain(
        {
            "n_candidates": facts.n_candidates,
            "model_fit": facts.model_fit,
            "why_no_model_fit": _why(facts),
            "reliability": {
                "marginal": facts.reliability.marginal,
                "empirical": facts.reliability.empirical,
                "alpha": None if classical is None else classical.alpha,
                "omega": None if classical is None else classical.omega,
                "sem": None if classical is None else classical.sem,
            },
            "persons": facts.persons,
            "pairs": facts.pairs,
            "groups": facts.groups,
            "items": [
                {
                    "item": item.name,
                    "fit": item.fit,
                    "facility": item.facility,
                    "r_pb": item.r_pb,
                    "n_answers": item.n_answers,
                    "troubles": [
                        {"severity": trouble.severity.value, "sentence": trouble.message.format(**trouble.facts)}
                        for trouble in item.troubles
                    ],
                }
                for item in facts.items
            ],
        }
    )


def _print(facts: TestFacts) -> None:
    fit, reliability = facts.model_fit, facts.reliability
    if fit is None:
        note(f"no fit of the whole model: {_why(facts)}")
    else:
        interval = f"{shown(fit.rmsea_lower)} to {shown(fit.rmsea_upper)}"
        note(
            f"{fit.statistic.upper()} {shown(fit.x2)} ({fit.df} df), p {shown(fit.p, 4)}, "
            f"RMSEA {shown(fit.rmsea)} ({interval}), SRMSR {shown(fit.srmsr)}"
        )
    note(f"reliability: marginal {shown(reliability.marginal)}, empirical {shown(reliability.empirical)}")
    if reliability.classical is not None:
        classical = reliability.classical
        note(f"sum score: alpha {shown(classical.alpha)}, omega {shown(classical.omega)}, SEM {shown(classical.sem)}")
    if facts.persons.share_odd is not None:
        note(f"unlikely patterns (lz* below -1.645): {100 * facts.persons.share_odd:.1f} %")
    for pair in facts.pairs:
        note(f"dependent pair: {pair.first}, {pair.second} (Q3 {pair.q3:+.2f} above the mean)")
    rows = []
    for item in facts.items:
        measures = item.fit
        first = item.troubles[0] if item.troubles else None
        rows.append(
            (
                item.name,
                shown(measures.s_x2),
                measures.df,
                shown(measures.p, 4),
                shown(measures.infit),
                shown(measures.outfit),
                "" if first is None else first.message.format(**first.facts),
            )
        )
    emit_table(["item", "S-X2", "df", "p", "infit", "outfit", "look at"], rows)
