"""`item score`: scores of a file of responses by a file of keys; no server is needed."""

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from exam_engine.cli.console import emit, refuse
from exam_engine.infra.errors import FileRefused


def score_command(
    responses: Annotated[Path, typer.Argument(help="CSV or XLSX, one column a slot; see docs/formats/scoring.md.")],
    *,
    keys: Annotated[Path, typer.Option("--keys", help="JSON file with the keys of the form.")],
    trace: Annotated[bool, typer.Option("--trace", help="With --json: also what every slot gave.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Score responses by keys, exactly as a sitting is scored; a cell that cannot be read refuses the whole file.

    Example: exam-engine item score responses.csv --keys keys.json --json
    """
    from exam_engine.results.response_files import read_keys, score_file

    try:
        scored = score_file(responses.read_bytes(), responses.name, read_keys(keys.read_bytes(), keys.name))
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")
    except FileRefused as error:
        refuse(error)
    views = [_view(entry, with_slots=trace) for entry in scored]
    if as_json:
        emit(views, as_json=True)
        return
    parts = sorted({part for view in views for part in view["parts"]}, key=int)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["candidate_number", "total", *(f"part_{part}" for part in parts), "undecided_tracks"])
    for view in views:
        undecided = " ".join(view["undecided_tracks"])
        sums = [view["parts"].get(part, "") for part in parts]
        writer.writerow([view["candidate_number"], view["total"] or "", *sums, undecided])


def _view(entry: Any, *, with_slots: bool) -> dict[str, Any]:
    from scoring.values import plain_decimal, to_decimal

    score = entry.score
    view: dict[str, Any] = {
        "candidate_number": entry.candidate_number,
        "total": None if score.total is None else str(to_decimal(score.total)),
        "parts": {str(part): plain_decimal(points) for part, points in score.parts.items()},
        "undecided_tracks": list(score.undecided_tracks),
    }
    if with_slots:
        view["slots"] = [
            {
                "slot": slot.slot,
                "part": slot.part,
                "credit": plain_decimal(slot.credit),
                "points": plain_decimal(slot.points),
            }
            for slot in score.slots
        ]
    return view
