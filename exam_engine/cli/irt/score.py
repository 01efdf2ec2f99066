"""`irt score`: abilities of candidates from their responses and known parameters, on the logit or a reporting scale."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from exam_engine.calibration.files.response_files import ResponseFile
from exam_engine.calibration.files.writing import csv_bytes
from exam_engine.cli.console import emit, note, require_ending
from exam_engine.cli.irt import inputs
from exam_engine.cli.irt.inputs import refusals
from exam_engine.cli.irt.outputs import plain, write_files
from scoring.irt.ability import (
    Abilities,
    Weight,
    eap_estimates,
    map_estimates,
    ml_estimates,
    plausible_values,
    sum_score_table,
    wle_estimates,
)
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix
from scoring.standards import ReportingScale

Array = NDArray[np.float64]


class Method(StrEnum):
    """How ability is estimated."""

    EAP = "eap"
    MAP = "map"
    ML = "ml"
    WLE = "wle"  # under Jeffreys' weight, as mirt has it
    WLE_WARM = "wle-warm"
    EAP_SUM = "eap-sum"  # from the sum score alone


def score_command(
    responses: inputs.Responses,
    *,
    items: inputs.Items,
    method: Annotated[list[Method] | None, typer.Option(help="How ability is estimated. Repeatable.")] = None,
    plausible: Annotated[int, typer.Option(min=0, max=100, help="Plausible values to draw besides.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same plausible values.")] = 1,
    mean: Annotated[float | None, typer.Option(help="Prior mean, instead of the file's (else 0).")] = None,
    variance: Annotated[float | None, typer.Option(min=1e-6, help="Prior variance, likewise (else 1).")] = None,
    scale: Annotated[
        str | None, typer.Option(help='Reporting scale "intercept,slope", such as 500,100, of the first method.')
    ] = None,
    scale_ends: Annotated[str, typer.Option(help="Lowest and highest score reported.")] = "200,800",
    scale_decimals: Annotated[int, typer.Option(min=0, max=4, help="Printed decimals; halves go up.")] = 0,
    model: Annotated[Model | None, typer.Option(case_sensitive=False, help="Where the file names none.")] = None,
    key: inputs.Key = None,
    column: inputs.Columns = None,
    code: inputs.Codes = None,
    blank: inputs.Blanks = "missing",
    omitted: inputs.OmittedAs = "wrong",
    not_reached: inputs.NotReachedAs = "missing",
    out: Annotated[Path | None, typer.Option(help="CSV to write, a line for each row; else it is printed.")] = None,
    table: Annotated[Path | None, typer.Option(help="CSV of the ability that belongs to each sum score.")] = None,
    dry_run: inputs.DryRun = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Estimate the ability of every candidate in a file.

    Example: exam-engine irt score responses.csv --items items.csv --method eap --scale 500,100 --out scores.csv
    """
    rules = inputs.reading_rules(column, code)
    require_ending(out, (".csv",), "--out")
    require_ending(table, (".csv",), "--table")
    with refusals():
        reporting = _scale(scale, scale_ends, scale_decimals)
        found = inputs.read_file(responses, rules, key)
        parameters = inputs.read_items(items, model)
        prepared, bank = inputs.prepare_known(
            found, parameters, items.name, inputs.blank_rules(blank, omitted, not_reached)
        )
        matrix = prepared.responses
        means, variances = inputs.group_moments(parameters, matrix.group_names)
        means = means if mean is None else [mean] * len(means)
        variances = variances if variance is None else [variance] * len(variances)
        _tell_left_out(parameters.bank.names, bank.names)
        lowest = int(prepared.first_categories.sum())
        columns = _identity(found)
        methods = list(dict.fromkeys(method or [Method.EAP]))
        for each in methods:
            columns |= _estimates(each, matrix, bank, means, variances, lowest)
        if reporting is not None:
            columns |= _reported(reporting, *_first(columns, methods[0]))
        if plausible:
            rng = np.random.default_rng(seed)
            drawn = plausible_values(matrix, bank, plausible, rng, means=means, variances=variances)
            columns |= {f"PV{i + 1}": drawn[:, i].tolist() for i in range(plausible)}
        rows = zip(*columns.values(), strict=True)
        contents = [] if table is None else [(table, _sum_table(matrix, bank, means[0], variances[0], lowest))]
        content = b"" if as_json and out is None else csv_bytes(list(columns), rows)
        if out is not None:
            contents.append((out, content))
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit([plain(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)], as_json=True)
    elif out is None:
        typer.echo(content.decode("utf-8"), nl=False)


def _scale(scale: str | None, ends: str, decimals: int) -> ReportingScale | None:
    if scale is None:
        return None
    intercept, slope = inputs.parsed_numbers(scale, 2, "--scale")
    lowest, highest = inputs.parsed_numbers(ends, 2, "--scale-ends")
    return ReportingScale(slope=slope, intercept=intercept, lowest=lowest, highest=highest, decimals=decimals)


def _tell_left_out(known: Sequence[str], used: Sequence[str]) -> None:
    absent = [name for name in known if name not in set(used)]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        note(f"not among the responses: {shown}")


def _identity(found: ResponseFile) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {"row": range(1, len(found.lines) + 1)}
    if found.identifiers is not None:
        columns["id"] = found.identifiers
    if found.groups is not None:
        columns["group"] = found.groups
    if found.frequencies is not None:
        columns["freq"] = found.frequencies.tolist()
    return columns


def _estimates(
    method: Method, matrix: ResponseMatrix, bank: ItemBank, means: list[float], variances: list[float], lowest: int
) -> dict[str, Sequence[Any]]:
    if method is Method.EAP_SUM:
        return _by_sum_score(matrix, bank, means, variances, lowest)
    estimators: Mapping[Method, Callable[[], Abilities]] = {
        Method.EAP: lambda: eap_estimates(matrix, bank, means=means, variances=variances),
        Method.MAP: lambda: _by_group(matrix, bank, means, variances),
        Method.ML: lambda: ml_estimates(matrix, bank),
        Method.WLE: lambda: wle_estimates(matrix, bank),
        Method.WLE_WARM: lambda: wle_estimates(matrix, bank, weight=Weight.WARM),
    }
    found = estimators[method]()
    name = method.value.upper()
    return {name: found.theta.tolist(), f"SE_{name}": found.se.tolist()}


def _by_group(matrix: ResponseMatrix, bank: ItemBank, means: list[float], variances: list[float]) -> Abilities:
    """MAP under the prior of each row's group."""
    theta, se = np.empty(matrix.n_rows), np.empty(matrix.n_rows)
    groups = np.zeros(matrix.n_rows, dtype=np.int64) if matrix.groups is None else matrix.groups
    for group, (mean, variance) in enumerate(zip(means, variances, strict=True)):
        rows = np.flatnonzero(groups == group)
        if rows.size:
            found = map_estimates(matrix.rows(rows), bank, mean=mean, variance=variance)
            theta[rows], se[rows] = found.theta, found.se
    return Abilities(theta, se)


def _by_sum_score(
    matrix: ResponseMatrix, bank: ItemBank, means: list[float], variances: list[float], lowest: int
) -> dict[str, Sequence[Any]]:
    """Ability by sum score alone, for rows without a missing response."""
    categories = np.asarray(matrix.categories)
    is_whole = np.all(categories >= 0, axis=1)
    totals = categories.sum(axis=1, dtype=np.int64)
    groups = np.zeros(matrix.n_rows, dtype=np.int64) if matrix.groups is None else matrix.groups
    theta, se = np.full(matrix.n_rows, np.nan), np.full(matrix.n_rows, np.nan)
    for group, (mean, variance) in enumerate(zip(means, variances, strict=True)):
        rows = np.flatnonzero(is_whole & (groups == group))
        found = sum_score_table(bank, mean=mean, variance=variance)
        theta[rows], se[rows] = found.theta[totals[rows]], found.se[totals[rows]]
    sums = [total + lowest if whole else None for total, whole in zip(totals.tolist(), is_whole.tolist(), strict=True)]
    return {"sum_score": sums, "EAPSUM": theta.tolist(), "SE_EAPSUM": se.tolist()}


def _first(columns: Mapping[str, Sequence[Any]], method: Method) -> tuple[Array, Array]:
    name = "EAPSUM" if method is Method.EAP_SUM else method.value.upper()
    return np.array(columns[name], dtype=np.float64), np.array(columns[f"SE_{name}"], dtype=np.float64)


def _reported(scale: ReportingScale, theta: Array, se: Array) -> dict[str, Sequence[Any]]:
    found = scale.reported(theta, se)
    unit = 10.0**-scale.decimals
    scores = np.where(found.has_score, found.units * unit, np.nan)
    errors = np.where(found.has_se, found.se_units * unit, np.nan)
    return {"scale_score": scores.tolist(), "SE_scale_score": errors.tolist()}


def _sum_table(matrix: ResponseMatrix, bank: ItemBank, mean: float, variance: float, lowest: int) -> bytes:
    found = sum_score_table(bank, mean=mean, variance=variance)
    categories = np.asarray(matrix.categories)
    is_whole = (categories >= 0).all(axis=1)
    totals = categories[is_whole].sum(axis=1, dtype=np.int64)
    observed = np.bincount(totals, matrix.weights[is_whole], minlength=found.score.size)
    expected = found.probability * observed.sum()
    rows = zip((found.score + lowest).tolist(), found.theta, found.se, observed, expected, strict=True)
    return csv_bytes(("sum_score", "theta", "se", "observed", "expected"), rows)
