"""`irt simulate`: responses drawn from known parameters, for studies of recovery and for trying the other commands."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from exam_engine.calibration.files.writing import csv_bytes
from exam_engine.cli.console import emit, require_ending
from exam_engine.cli.irt.inputs import AsJson, DryRun, Items, read_items, refusals
from exam_engine.cli.irt.outputs import write_files
from scoring.irt.models import Model
from scoring.irt.simulation import simulate_responses


def simulate_command(
    *,
    items: Items,
    out: Annotated[Path, typer.Option(help="CSV to write: one column an item, one row a candidate.")],
    candidates: Annotated[int, typer.Option(min=1, max=2_000_000, help="How many candidates.")] = 1000,
    mean: Annotated[float | None, typer.Option(help="Mean ability, instead of the file's (else 0).")] = None,
    sd: Annotated[float | None, typer.Option(min=0.0, help="Spread of ability, likewise (else 1).")] = None,
    missing: Annotated[float, typer.Option(min=0.0, max=0.99, help="Share of responses left out at random.")] = 0.0,
    abilities: Annotated[Path | None, typer.Option(help="CSV to write the true abilities to.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same responses.")] = 1,
    model: Annotated[Model | None, typer.Option(case_sensitive=False, help="Where the file names none.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Draw responses of candidates to the items of a parameter file.

    Example: exam-engine irt simulate --items items.csv --candidates 1000 --seed 7 --out responses.csv
    """
    require_ending(out, (".csv",), "--out")
    require_ending(abilities, (".csv",), "--abilities")
    with refusals():
        parameters = read_items(items, model)
        rng = np.random.default_rng(seed)
        centre = parameters.mean if mean is None else mean
        spread = parameters.variance**0.5 if sd is None else sd
        theta = rng.normal(centre, spread, candidates)
        drawn = simulate_responses(parameters.bank, theta, rng)
        first = np.array([category or 0 for category in parameters.first_categories])
        marks = (drawn + first).astype(str)
        if missing > 0:
            marks[rng.random(marks.shape) < missing] = "NA"
        rows = ((i + 1, *line) for i, line in enumerate(marks.tolist()))
        contents = [(out, csv_bytes(("id", *parameters.bank.names), rows))]
        if abilities is not None:
            contents.append((abilities, csv_bytes(("id", "theta"), enumerate(theta.tolist(), start=1))))
        write_files(contents, is_dry_run=dry_run)
    result = {
        "candidates": candidates,
        "items": parameters.bank.n_items,
        "seed": seed,
        "mean": float(theta.mean()),
        "sd": float(theta.std()),
        "out": str(out),
    }
    emit(result, as_json=as_json)
