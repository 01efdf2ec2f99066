"""Graduation scores of a file, without a server; docs/formats/graduation.md describes the records and the outcomes."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.files import fold_name, read_table
from scoring.errors import RecordInvalid, RuleSetNotValid
from scoring.graduation import GraduationOutcome, Record, RuleSet, compute, read_record
from scoring.graduation.records import ALIASES, unknown_columns
from scoring.values import Rounding

GROUPS = ("marks", "years")
"""Objects inside a JSON record that may hold subjects and year averages; their entries count like columns."""


class ComputedRecord(msgspec.Struct, frozen=True):
    """One record of the file with its outcome."""

    row: int
    candidate_number: str
    outcome: GraduationOutcome


class _Cells(msgspec.Struct, frozen=True):
    row: int
    place: str  # "row 3" or "record 3"
    cells: dict[str, str]


def compute_file(
    content: bytes,
    file_name: str,
    rules: RuleSet,
    *,
    final_rounding: Rounding | None = None,
    exam_year: int | None = None,
) -> list[ComputedRecord]:
    """Compute every record of a file, or none.

    Parameters
    ----------
    content : bytes
        A CSV or XLSX table, or JSON (by the name's ending): a list of records, or an object with `records`.
    exam_year : int, optional
        The year of the exam for records that do not name one.

    Raises
    ------
    FileRefused
        Every cell that cannot be read, with its row and column.
    """
    is_json = file_name.lower().endswith(".json")
    found = list(_json_cells(content, file_name) if is_json else _table_cells(content, file_name, rules))
    errors: list[RowError] = []
    computed: list[ComputedRecord] = []
    for entry in found:
        cells = entry.cells if exam_year is None else {"exam_year": str(exam_year), **_filled(entry.cells)}
        record = _read(entry, cells, rules, errors)
        if record is None:
            continue
        try:
            outcome = compute(record, rules, final_rounding)
        except RuleSetNotValid as refused:
            errors.append(RowError(f"{entry.place}, column exam_year", str(refused), entry.row, "exam_year"))
            continue
        computed.append(ComputedRecord(entry.row, record.candidate_number, outcome))
    errors.extend(_twice(computed, found))
    if errors:
        raise FileRefused(file_name, sorted(errors, key=lambda error: error.row or 0))
    return computed


def _read(entry: _Cells, cells: Mapping[str, str], rules: RuleSet, errors: list[RowError]) -> Record | None:
    try:
        return read_record(cells, rules)
    except RecordInvalid as refused:
        errors.extend(
            RowError(
                f"{entry.place}, column {mistake.column}",
                mistake.reason,
                entry.row,
                mistake.column,
                mistake.message,
                dict(mistake.facts),
            )
            for mistake in refused.mistakes
        )
    return None


def _twice(computed: list[ComputedRecord], found: list[_Cells]) -> Iterator[RowError]:
    places = {entry.row: entry.place for entry in found}
    counts = Counter(record.candidate_number for record in computed)
    seen: set[str] = set()
    for record in computed:
        number = record.candidate_number
        if number and counts[number] > 1 and number in seen:
            reason = f"candidate number {number} stands there twice"
            place = f"{places[record.row]}, column candidate_number"
            yield RowError(place, reason, record.row, "candidate_number")
        seen.add(number)


def _filled(cells: Mapping[str, str]) -> dict[str, str]:
    """Leave out an empty year, so that the one given for the whole file holds."""
    return {name: cell for name, cell in cells.items() if cell or ALIASES.get(name, name) != "exam_year"}


def _table_cells(content: bytes, file_name: str, rules: RuleSet) -> Iterator[_Cells]:
    table = read_table(content, file_name)
    errors = [
        RowError(
            f"header, column {mistake.column}", mistake.reason, None, mistake.column, mistake.message, {**mistake.facts}
        )
        for mistake in unknown_columns(table.columns, rules)
    ]
    if errors:
        raise FileRefused(file_name, errors)
    for row in table.rows:
        yield _Cells(row.number, f"row {row.number}", dict(row.cells))


def _json_cells(content: bytes, file_name: str) -> Iterator[_Cells]:
    try:
        # Numbers stay the text they were: 5.25 must never pass through a binary float.
        decoded = json.loads(
            content.decode("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=_without_repetition,
        )
    except (ValueError, RecursionError) as error:
        raise FileRefused(file_name, [RowError("file", f"this is not JSON: {error}")]) from None
    records = decoded.get("records") if isinstance(decoded, dict) else decoded
    if not isinstance(records, list):
        raise FileRefused(file_name, [RowError("file", "a list of records, or an object with “records”, is expected")])
    errors: list[RowError] = []
    cells = []
    for number, record in enumerate(records, start=1):
        place = f"record {number}"
        try:
            cells.append(_Cells(number, place, _flat(record)))
        except ValueError as error:
            errors.append(RowError(place, str(error), number))
    if errors:
        raise FileRefused(file_name, errors)
    yield from cells


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"“{twice}” stands there twice in one object")
    return found


def _flat(record: Any) -> dict[str, str]:
    """Turn a JSON record into cells: lists are joined by ";", truth values become yes and no."""
    if not isinstance(record, dict):
        raise ValueError("an object is expected")  # noqa: TRY004 (a wrong file, not a wrong program)
    cells: dict[str, str] = {}
    for name, value in record.items():
        entries = [(name, value)]
        if name in GROUPS and isinstance(value, dict):
            prefix = "year" if name == "years" else ""
            entries = [(f"{prefix}{inner}", entry) for inner, entry in value.items()]
        for column, entry in entries:
            folded = fold_name(column)
            if folded in cells:
                raise ValueError(f"{folded} stands there twice")
            cells[folded] = _cell(column, entry)
    return cells


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ";".join(_cell(column, entry) for entry in value)
    if isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values()):
        if fold_name(column) in {"conserved", "bao_luu"}:
            return ";".join(f"{name}:{entry}" for name, entry in value.items())
        if fold_name(column).endswith("_subjects"):
            return ";".join(value.values())
    raise ValueError(f"{column}: this value is not understood")
