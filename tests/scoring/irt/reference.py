"""Reading of the reference files, for the tests of `scoring/irt` and `scoring/calibration`."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix, response_matrix


class Case(NamedTuple):
    """One reference calibration."""

    tag: str
    data: str
    model: Model
    lowest_category: int = 0
    has_frequency: bool = False


CASES = {
    case.tag: case
    for case in (
        Case("LSAT7_2PL", "LSAT7", Model.TWO_PL, has_frequency=True),
        Case("LSAT7_Rasch", "LSAT7", Model.RASCH, has_frequency=True),
        Case("Science_graded", "Science", Model.GRADED, lowest_category=1),
        Case("SAT12_3PL_norm", "SAT12_scored", Model.THREE_PL),
        Case("SAT12_3PL_beta", "SAT12_scored", Model.THREE_PL),
        Case("SAT12_3PL_noprior", "SAT12_scored", Model.THREE_PL),
    )
}


def responses_of(reference_dir: Path, case: Case) -> ResponseMatrix:
    header, *rows = csv.reader((reference_dir / "irt" / f"{case.data}.csv").read_text().splitlines())
    values = np.array([[np.nan if cell == "NA" else float(cell) for cell in row] for row in rows])
    if case.has_frequency:
        return response_matrix(values[:, :-1], item_names=header[:-1], frequencies=values[:, -1])
    return response_matrix(values - case.lowest_category, item_names=header)


def table(reference_dir: Path, name: str) -> list[dict[str, str]]:
    with (reference_dir / "irt" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    return np.array([np.nan if row[name] == "NA" else float(row[name].replace("Inf", "inf")) for row in rows])


def optimum(reference_dir: Path, case: Case) -> dict[str, float]:
    loaded: dict[str, float] = json.loads((reference_dir / "irt" / f"{case.tag}_optimum.json").read_text())
    return loaded


def reference_bank(reference_dir: Path, case: Case) -> tuple[ItemBank, float]:
    """Item parameters at which the reference statistics were computed, and the latent variance."""
    file = reference_dir / "irt" / f"{case.tag}_params.csv"
    rows = table(reference_dir, file.name if file.exists() else f"{case.tag}_optimum.csv")
    values: dict[str, dict[str, float]] = {}
    variance = 1.0
    for row in rows:
        if row.get("parameterisation") == "traditional":
            continue
        if row["item"] == "LATENT":
            variance = float(row["estimate"]) if row["parameter"] != "MEAN_1" else variance
        else:
            values.setdefault(row["item"], {})[row["parameter"]] = float(row["estimate"])
    bank = item_bank(
        list(values),
        [case.model] * len(values),
        a=[of.get("a1", of.get("a", 1.0)) for of in values.values()],
        d=[[value for name, value in of.items() if name.startswith("d")] for of in values.values()],
        c=[of.get("c", 0.0) for of in values.values()],
    )
    return bank, variance
