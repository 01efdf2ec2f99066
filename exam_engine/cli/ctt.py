"""Classical test theory on files: `ctt analyse`; no server is needed."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from exam_engine.calibration.files.item_lists import read_key
from exam_engine.calibration.files.options import require_keys
from exam_engine.calibration.files.response_files import read_options, read_responses
from exam_engine.calibration.files.writing import csv_bytes
from exam_engine.calibration.report.classical_content import classical_blocks
from exam_engine.calibration.report.classical_facts import ClassicalFacts, analyse_options, analyse_scores
from exam_engine.calibration.report.page import page
from exam_engine.cli.console import emit, emit_table, note, require_ending
from exam_engine.cli.irt import inputs
from exam_engine.cli.irt.inputs import refusals
from exam_engine.cli.irt.outputs import REPORT_ENDINGS, plain, shown, write_files
from exam_engine.infra.i18n import translator

app = typer.Typer(help="Classical item analysis on files.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `analyse` a verb of its own."""


@app.command()
def analyse(
    responses: inputs.Responses,
    *,
    key: inputs.Key = None,
    groups: Annotated[int, typer.Option(min=2, max=10, help="Ability groups of the table of options.")] = 5,
    column: inputs.Columns = None,
    code: inputs.Codes = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write, a line for each item.")] = None,
    distractors: Annotated[Path | None, typer.Option(help="CSV to write, a line for each option.")] = None,
    report: Annotated[list[Path] | None, typer.Option(help="Report to write, .html or .pdf. Repeatable.")] = None,
    language: Annotated[inputs.Tongue, typer.Option(help="Language of the verdicts and the report.")] = "vi",
    dry_run: inputs.DryRun = False,
    as_json: inputs.AsJson = False,
) -> None:
    """Analyse items: facility, discrimination, distractors, blanks, reliability, and a plain verdict on each.

    Example: exam-engine ctt analyse responses.csv --key key.csv --out items.csv --report analysis.html
    """
    rules = inputs.reading_rules(column, code)
    require_ending(out, (".csv",), "--out")
    require_ending(distractors, (".csv",), "--distractors")
    for path in report or ():
        require_ending(path, REPORT_ENDINGS, "--report")
    if distractors is not None and key is None:
        raise typer.BadParameter("options need --key", param_hint="--distractors")
    with refusals():
        if key is None:
            facts = analyse_scores(read_responses(responses, responses.name, rules))
        else:
            options = read_options(responses, responses.name, rules)
            keys = read_key(key, key.name)
            require_keys(options, keys, key.name)
            facts = analyse_options(options, keys, groups)
        contents = [] if out is None else [(out, _item_table(facts, language))]
        if distractors is not None:
            contents.append((distractors, _option_table(facts)))
        contents += _reports(report or [], facts, responses.name, language)
        write_files(contents, is_dry_run=dry_run)
    if as_json:
        emit(_view(facts), as_json=True)
    else:
        _print(facts, language)


def _reports(paths: list[Path], facts: ClassicalFacts, name: str, language: str) -> list[tuple[Path, bytes]]:
    from exam_engine.calibration.report.documents import document

    blocks = classical_blocks(facts, name=name, language=language)
    return [
        (path, document(blocks, language=language) if path.suffix == ".pdf" else page(blocks, language=language))
        for path in paths
    ]


def _item_table(facts: ClassicalFacts, language: str) -> bytes:
    header = (
        "item", "maximum", "facility", "sd", "r_pb", "r_bis", "r_total", "discrimination", "omitted", "not_reached",
        "alpha_without", "findings", "verdict",
    )  # fmt: skip
    say, s = translator(language), facts.statistics
    rows = [
        (
            name,
            facts.maximum[i],
            *(float(v[i]) for v in (s.facility, s.sd, s.r_pb, s.r_bis, s.r_total, s.discrimination)),
            float(s.omitted[i]),
            float(s.not_reached[i]),
            float(facts.reliability.alpha_without[i]),
            " ".join(verdict.finding.value for verdict in facts.verdicts[i]),
            " ".join(say(verdict.message, **verdict.facts) for verdict in facts.verdicts[i]),
        )
        for i, name in enumerate(facts.names)
    ]
    return csv_bytes(header, rows)


def _option_table(facts: ClassicalFacts) -> bytes:
    n_groups = next((len(table.group_share) for table in facts.distractors if table is not None), 0)
    header = ("item", "option", "is_key", "share", "r_pb", "mean_rest", *(f"group{g + 1}" for g in range(n_groups)))
    rows = [
        (
            name,
            option,
            int(table.is_key[o]),
            float(table.share[o]),
            float(table.r_pb[o]),
            float(table.mean_criterion[o]),
            *(float(share) for share in table.group_share[:, o]),
        )
        for name, table in zip(facts.names, facts.distractors, strict=True)
        if table is not None
        for o, option in enumerate(table.options)
    ]
    return csv_bytes(header, rows)


def _view(facts: ClassicalFacts) -> Any:
    s = facts.statistics
    english, vietnamese = translator("en"), translator("vi")
    items = []
    for i, name in enumerate(facts.names):
        table = facts.distractors[i]
        items.append(
            {
                "item": name,
                "maximum": facts.maximum[i],
                **{field: getattr(s, field)[i] for field in s.__struct_fields__},
                "alpha_without": facts.reliability.alpha_without[i],
                "verdicts": [
                    {
                        "finding": verdict.finding.value,
                        "en": english(verdict.message, **verdict.facts),
                        "vi": vietnamese(verdict.message, **verdict.facts),
                    }
                    for verdict in facts.verdicts[i]
                ],
                "options": None
                if table is None
                else [
                    {
                        "option": option,
                        "is_key": bool(table.is_key[o]),
                        "share": table.share[o],
                        "r_pb": table.r_pb[o],
                        "group_share": table.group_share[:, o],
                    }
                    for o, option in enumerate(table.options)
                ],
            }
        )
    whole = {name: getattr(facts.reliability, name) for name in ("mean", "sd", "alpha", "omega", "sem")}
    return plain({"n_candidates": facts.n_candidates, **whole, "items": items})


def _print(facts: ClassicalFacts, language: str) -> None:
    found, say, s = facts.reliability, translator(language), facts.statistics
    note(
        f"{facts.n_candidates:g} candidates, {len(facts.names)} items: mean {shown(found.mean, 2)}, "
        f"sd {shown(found.sd, 2)}, alpha {shown(found.alpha)}, omega {shown(found.omega)}, SEM {shown(found.sem, 2)}"
    )
    order = np.argsort(np.nan_to_num(s.r_pb, nan=-1.0), kind="stable")
    rows = [
        (
            facts.names[i],
            shown(float(s.facility[i]), 2),
            shown(float(s.r_pb[i]), 2),
            shown(float(s.r_bis[i]), 2),
            say(facts.verdicts[i][0].message, **facts.verdicts[i][0].facts),
        )
        for i in order.tolist()
    ]
    emit_table(["item", "facility", "r_pb", "r_bis", "verdict"], rows)
