"""Graduation scores of a file on the command line; no server is needed."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from exam_engine.cli.console import emit, emit_table, refuse
from exam_engine.infra.errors import FileRefused
from scoring.errors import ScoringError
from scoring.values import Rounding

app = typer.Typer(help="Graduation scores by rule set.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Rules = Annotated[str, typer.Option("--rules", help="Name of a rule set (see `graduation rules`), or a JSON file.")]


@app.command()
def compute(
    records: Annotated[Path, typer.Argument(help="CSV, XLSX or JSON; see docs/formats/graduation.md.")],
    *,
    rules: Rules,
    final_rounding: Annotated[
        Rounding | None, typer.Option(help="Instead of the rule set's own rounding of the final score.")
    ] = None,
    exam_year: Annotated[int | None, typer.Option(help="Year of the exam, where the records name none.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show every line of every computation.")] = False,
    language: Annotated[Literal["en", "vi"], typer.Option(help="Language of reasons and lines.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Compute the graduation score of every record; a cell that cannot be read refuses the whole file.

    Example: exam-engine graduation compute records.csv --rules grad_2025 --json --trace
    """
    from exam_engine.results.graduation_files import compute_file

    try:
        computed = compute_file(
            records.read_bytes(),
            records.name,
            _load_rules(rules),
            final_rounding=final_rounding,
            exam_year=exam_year,
        )
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    except (FileRefused, ScoringError) as error:
        refuse(error)
    views = [_view(record, language, with_lines=trace) for record in computed]
    if as_json:
        emit(views, as_json=True)
    elif trace:
        _print_traces(views)
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["candidate_number", "is_complete", "score", "passed", "reasons"])
        for view in views:
            truth = ["" if value is None else str(value).lower() for value in (view["is_complete"], view["passed"])]
            said = "; ".join(reason["message"] for reason in view["reasons"])
            writer.writerow([view["candidate_number"], truth[0], view["score"] or "", truth[1], said])


@app.command(name="rules")
def list_rules(as_json: AsJson = False) -> None:
    """List the rule sets that ship with the engine, with their years and sources.

    Example: exam-engine graduation rules --json
    """
    from scoring.graduation import known_rule_sets, load_rules

    found = [load_rules(name) for name in known_rule_sets()]
    if as_json:
        emit(found, as_json=True)
        return
    rows = [(rules.id, rules.first_year, rules.last_year or "", rules.source) for rules in found]
    emit_table(["id", "from", "to", "source"], rows)


def _load_rules(name: str) -> Any:
    from scoring.graduation import load_rules, parse_rules

    if name.endswith(".json"):
        return parse_rules(Path(name).read_bytes(), Path(name).stem)
    return load_rules(name)


def _view(record: Any, language: str, *, with_lines: bool) -> dict[str, Any]:
    from exam_engine.infra.i18n import translator
    from exam_engine.results.explanation import shown_lines, shown_reason
    from scoring.values import to_decimal

    outcome, translate = record.outcome, translator(language)
    view: dict[str, Any] = {
        "candidate_number": record.candidate_number,
        "rule_set": outcome.rule_set,
        "is_complete": outcome.is_complete,
        "score": None if outcome.score is None else str(to_decimal(outcome.score)),
        "passed": outcome.passed,
        "reasons": [
            {"code": reason.code.value, "message": shown_reason(reason, language, translate), "facts": reason.facts}
            for reason in outcome.reasons
        ],
    }
    if with_lines:
        view["lines"] = [
            {"label": line.label, "formula": line.formula, "value": line.value, "note": line.note}
            for line in shown_lines(outcome.lines, language, translate)
        ]
    return view


def _print_traces(views: list[dict[str, Any]]) -> None:
    for view in views:
        typer.echo(f"{view['candidate_number'] or '-'} ({view['rule_set']})")
        for line in view["lines"]:
            formula = f"{line['formula']} → " if line["formula"] else ""
            note = f"  ({line['note']})" if line["note"] else ""
            typer.echo(f"  {line['label']}: {formula}{line['value']}{note}")
        for reason in view["reasons"]:
            typer.echo(f"  ! {reason['message']}")
        typer.echo("")
