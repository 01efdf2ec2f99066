"""Admission on the command line: allocation of files without a server, and the steps of an intake with one."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from exam_engine.admission import allocation
from exam_engine.admission.allocation.model import criterion_name
from exam_engine.admission.instance_files import Problem, read_problems, read_tables, result_of, rules_for
from exam_engine.admission.result_files import cut_off_lines, result_lines
from exam_engine.cli import intake
from exam_engine.cli.allocation_options import Criteria, Offset, Percent, Then, Ties, parse_rules
from exam_engine.cli.console import emit, emit_table, note, refuse, require_ending
from exam_engine.infra.errors import EngineError
from exam_engine.infra.files import fold_name, read_table
from exam_engine.infra.sheets import csv_bytes, workbook_bytes

app = typer.Typer(help="Aspirations, allocation, decisions.", no_args_is_help=True)
app.add_typer(intake.app)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check and say what would be done.")]


@app.command()
def allocate(
    files: Annotated[
        list[Path],
        typer.Argument(help="applicants, aspirations and programmes (CSV or XLSX), or one JSON file, in this order."),
    ],
    *,
    ties: Ties = "reject_all",
    criteria: Criteria = "",
    then: Then = "reject_all",
    offset: Offset = "",
    percent: Percent = "",
    out: Annotated[Path | None, typer.Option(help="CSV, XLSX or JSON to write: a line for each applicant.")] = None,
    cut_offs: Annotated[Path | None, typer.Option(help="CSV or XLSX to write: a line for each programme.")] = None,
    reasons: Annotated[bool, typer.Option("--reasons/--no-reasons", help="Say why, at each rank.")] = True,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Language of the reasons.")] = "vi",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compute and print, but write no file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Allocate places from files, without a server; docs/formats/admission.md describes them.

    Example: exam-engine admission allocate applicants.csv aspirations.csv programmes.csv --out result.csv
    """
    require_ending(out, (".csv", ".xlsx", ".json"), "--out")
    require_ending(cut_offs, (".csv", ".xlsx"), "--cut-offs")
    rules = parse_rules(ties, criteria, then, offset, percent)
    if len(files) > 1:
        rules = _with_folded_names(rules)
    try:
        problems, is_list = _read(files, rules)
        results = [(p, allocation.allocate(p.instance, rules_for(p, rules))) for p in problems]
    except EngineError as error:
        refuse(error)

    unread = dict.fromkeys(name for problem in problems for name in problem.unread)
    if unread:
        note(f"not read: {', '.join(unread)}")

    def plain(problem: Problem, result: allocation.Allocation) -> dict[str, Any]:
        return {"name": problem.name, **result_of(result, has_reasons=reasons)}

    written = [plain(p, r) for p, r in results] if as_json or (out and out.suffix == ".json") else []
    document: Any = written if is_list else written[0] if written else None
    if (out or cut_offs) and is_list and not (out and out.suffix == ".json" and cut_offs is None):
        refuse("a list of allocations is written as JSON only: --out result.json")
    if not dry_run:
        contents: list[tuple[Path, bytes]] = []
        if out is not None:
            lines = None if is_list else result_lines(results[0][1], language, has_reasons=reasons)
            contents.append((out, _content(out, document, lines)))
        if cut_offs is not None:
            contents.append((cut_offs, _content(cut_offs, document, cut_off_lines(results[0][1]))))
        _write_all(contents)
    if as_json:
        emit(document, as_json=True)
        return
    for problem, result in results:
        if is_list:
            note(problem.name)
        emit_table(*cut_off_lines(result))
        placed = sum(code is not None for code in result.assignment().values())
        note(f"{placed} of {len(result.assignment())} applicants placed in {result.rounds} rounds")
        note(f"inputs and rules: {result.input_hash()}")


def _with_folded_names(rules: allocation.Rules) -> allocation.Rules:
    """Name the sub-criteria as tables do, whose titles are read without case and marks."""
    names = tuple(("-" if n.startswith("-") else "") + fold_name(n) for n in rules.criteria)
    return msgspec.structs.replace(rules, criteria=names)


def _read(files: list[Path], rules: allocation.Rules) -> tuple[list[Problem], bool]:
    try:
        contents = [(file.name, file.read_bytes()) for file in files]
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    if len(files) == 1 and files[0].suffix.lower() == ".json":
        return read_problems(contents[0][1], files[0].name)
    if len(files) != 3:
        raise typer.BadParameter("give applicants, aspirations and programmes, or one JSON file", param_hint="FILES")
    tables = [read_table(content, name) for name, content in contents]
    own = tuple(criterion_name(name) for name in rules.criteria if name != allocation.ASPIRATION_RANK)
    return [read_tables(tables[0], tables[1], tables[2], criteria=own)], False


def _content(path: Path, document: Any, lines: Any) -> bytes:
    if path.suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(document), indent=2)
    return workbook_bytes({"result": lines}) if path.suffix == ".xlsx" else csv_bytes(*lines)


def _write_all(contents: list[tuple[Path, bytes]]) -> None:
    """Write every file or none: each goes beside its place first, where a missing folder shows."""
    unfinished = [(path.with_name(path.name + ".part"), path, content) for path, content in contents]
    try:
        for part, _, content in unfinished:
            part.write_bytes(content)
        for part, path, _ in unfinished:
            part.replace(path)
    except OSError as error:
        for part, _, _ in unfinished:
            part.unlink(missing_ok=True)
        refuse(f"{str(error.filename).removesuffix('.part')}: {error.strerror}")
    for _, path, _ in unfinished:
        note(f"written: {path}")
