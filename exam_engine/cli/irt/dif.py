"""`irt dif`: items that groups of equal ability answer differently, by three methods."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer

from exam_engine.calibration.files.categories import prepare
from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.writing import csv_bytes
from exam_engine.cli.console import emit, emit_table, note, require_ending
from exam_engine.cli.irt import inputs
from exam_engine.cli.irt.inputs import refusals
from exam_engine.cli.irt.outputs import plain, shown, write_files
from exam_engine.infra.i18n import N_
from scoring.calibration import CalibrationOptions, Precision
from scoring.dif import LikelihoodRatioDif, likelihood_ratio_dif, logistic_dif, mantel_haenszel
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix

Row = dict[str, Any]


class Method(StrEnum):
    """How groups are compared."""

    MANTEL_HAENSZEL = "mh"
    LOGISTIC = "logistic"
    LIKELIHOOD_RATIO = "lr"


def dif_command(
    responses: inputs.Responses,
    *,
    reference: Annotated[str | None, typer.Option(help="Reference group; the first in the file, unless given.")] = None,
    focal: Annotated[list[str] | None, typer.Option(help="Group to compare; all others. Repeatable.")] = None,
    method: Annotated[
        list[Method] | None, typer.Option(help="mh (Mantel-Haenszel), logistic, lr (likelihood ratio). Repeatable.")
    ] = None,
    item: Annotated[list[str] | None, typer.Option(help="With lr: item to test; all. Repeatable.")] = None,
    purify: Annotated[bool, typer.Option("--purify/--no-purify", help="Match again without items of class C.")] = True,
    model: Annotated[Model, typer.Option(case_sensitive=False, help="With lr: model of the items.")] = Model.TWO_PL,
    polytomous: Annotated[
        Model | None, typer.Option(case_sensitive=False, help="With lr: model of items of more than two categories.")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="With lr: CSV of item, model, first_category.")] = None,
    tight: Annotated[bool, typer.Option("--tight/--default", help="With lr: how far the maximum is chased.")] = True,
    key: inputs.Key = None,
    column: inputs.Columns = None,
    code: inputs.Codes = None,
    blank: inputs.Blanks = "missing",
    omitted: inputs.OmittedAs = "wrong",
    not_reached: inputs.NotReachedAs = "wrong",
    out: Annotated[Path | None, typer.Option(help="CSV to write, a line for each item and group.")] = None,
    dry_run: inputs.DryRun = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Compare groups item by item at equal ability; the groups stand in the column `group`.

    Example: exam-engine irt dif responses.csv --column group=gender --reference nam --method mh --method lr
    """
    rules = inputs.reading_rules(column, code)
    require_ending(out, (".csv",), "--out")
    methods = list(dict.fromkeys(method or [Method.MANTEL_HAENSZEL, Method.LOGISTIC]))
    with refusals():
        found = inputs.read_file(responses, rules, key)
        # Mantel's test needs no model: items of several categories are welcome unless curves are fitted.
        wide = polytomous or (None if Method.LIKELIHOOD_RATIO in methods else Model.GPCM)
        kinds, first = inputs.chosen_models(found, model, wide, models)
        blanks = inputs.blank_rules(blank, omitted, not_reached)
        matrix = prepare(found, kinds, blanks, first_categories=first).responses
        matrix = _with_reference(matrix, reference, responses.name)
        compared = _focal_groups(matrix, focal, responses.name)
        rows: dict[str, list[Row]] = {}
        for each in methods:
            if each is Method.LIKELIHOOD_RATIO:
                options = CalibrationOptions(precision=Precision.TIGHT if tight else Precision.DEFAULT)
                rows[each.value] = _by_ratio(likelihood_ratio_dif(matrix, kinds, options, items=item))
            elif each is Method.MANTEL_HAENSZEL:
                rows[each.value] = [row for group in compared for row in _by_tables(matrix, group, is_purified=purify)]
            elif method is None and any(kind not in _DICHOTOMOUS for kind in kinds):
                note("logistic regression is left out: some items have more than two categories")
            else:
                rows[each.value] = [row for group in compared for row in _by_regression(matrix, group)]
        contents = [] if out is None else [(out, _table(rows))]
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit(plain({"reference": matrix.group_names[0], **rows}), as_json=True)
    else:
        note(f"reference group: {matrix.group_names[0]}")
        _print(rows)


_DICHOTOMOUS = frozenset({Model.RASCH, Model.ONE_PL, Model.TWO_PL, Model.THREE_PL, Model.FOUR_PL})


def _with_reference(matrix: ResponseMatrix, reference: str | None, file_name: str) -> ResponseMatrix:
    """Put the reference group first."""
    mistakes = Mistakes(file_name)
    if matrix.groups is None:
        mistakes.add(N_("there is no column with groups; name it with --column group=title"))
        mistakes.finish()
    if reference is None or matrix.groups is None:
        return matrix
    if reference not in matrix.group_names:
        known = ", ".join(matrix.group_names)
        mistakes.add(N_("there is no group {group}; there are {known}"), group=reference, known=known)
        mistakes.finish()
    order = sorted(range(len(matrix.group_names)), key=lambda i: matrix.group_names[i] != reference)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    names = tuple(matrix.group_names[i] for i in order)
    return msgspec.structs.replace(matrix, groups=place[matrix.groups], group_names=names)


def _focal_groups(matrix: ResponseMatrix, focal: list[str] | None, file_name: str) -> list[str]:
    mistakes = Mistakes(file_name)
    for group in focal or ():
        if group not in matrix.group_names[1:]:
            known = ", ".join(matrix.group_names[1:])
            mistakes.add(N_("there is no group {group}; there are {known}"), group=group, known=known)
    if len(matrix.group_names) < 2:
        mistakes.add(N_("all candidates are of one group"))
    mistakes.finish()
    return list(focal or matrix.group_names[1:])


def _by_tables(matrix: ResponseMatrix, group: str, *, is_purified: bool) -> list[Row]:
    found = mantel_haenszel(matrix, group, is_purified=is_purified)
    return [
        {
            "item": name,
            "focal": group,
            "odds_ratio": found.odds_ratio[i],
            "delta": found.delta[i],
            "delta_se": found.delta_se[i],
            "x2": found.x2[i],
            "p": found.p[i],
            "ets_class": found.ets_class[i].value,
            "standardised_difference": found.standardised_difference[i],
            "is_anchor": bool(found.is_anchor[i]),
        }
        for i, name in enumerate(matrix.item_names)
    ]


def _by_regression(matrix: ResponseMatrix, group: str) -> list[Row]:
    found = logistic_dif(matrix, group)
    return [
        {
            "item": name,
            "focal": group,
            "x2_uniform": found.x2_uniform[i],
            "p_uniform": found.p_uniform[i],
            "x2_nonuniform": found.x2_nonuniform[i],
            "p_nonuniform": found.p_nonuniform[i],
            "x2": found.x2[i],
            "p": found.p[i],
            "group": found.group[i],
            "gain": found.gain[i],
            "effect": found.effect[i].value,
        }
        for i, name in enumerate(matrix.item_names)
    ]


def _by_ratio(found: LikelihoodRatioDif) -> list[Row]:
    return [
        {
            "item": each.name,
            "x2": each.x2,
            "df": each.df,
            "p": each.p,
            "p_adjusted": found.p_adjusted[i],
            "signed_difference": each.signed_difference,
            "unsigned_difference": each.unsigned_difference,
            "converged": each.converged,
        }
        for i, each in enumerate(found.items)
    ]


def _table(rows: dict[str, list[Row]]) -> bytes:
    columns = list(dict.fromkeys(name for group in rows.values() for row in group for name in row))
    lines = [(method, *(row.get(name) for name in columns)) for method, group in rows.items() for row in group]
    return csv_bytes(("method", *columns), lines)


def _print(rows: dict[str, list[Row]]) -> None:
    for row in rows.get("mh", ()):
        row["delta ± se"] = f"{shown(row['delta'], 2)} ± {shown(row['delta_se'], 2)}"
    said = {
        "mh": ("item", "focal", "odds_ratio", "delta ± se", "x2", "p", "ets_class"),
        "logistic": ("item", "focal", "x2_uniform", "p_uniform", "x2_nonuniform", "p_nonuniform", "gain", "effect"),
        "lr": ("item", "x2", "df", "p", "p_adjusted", "signed_difference", "unsigned_difference"),
    }
    titles = {"mh": "Mantel-Haenszel", "logistic": "logistic regression", "lr": "likelihood ratio"}
    for method, group in rows.items():
        note(titles[method])
        cells = [
            [
                shown(float(value), 4) if isinstance(value := row[name], float | np.floating) else value
                for name in said[method]
            ]
            for row in group
        ]
        emit_table(said[method], cells)
