"""Reads the reference files: responses, parameters at which the reference software computed its statistics, tables."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.fit import Population
from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model
from scoring.irt.responses import ResponseMatrix, response_matrix

DATA = {
    "LSAT7_2PL": ("LSAT7.csv", Model.TWO_PL, "LSAT7_2PL_params.csv"),
    "LSAT7_Rasch": ("LSAT7.csv", Model.RASCH, "LSAT7_Rasch_params.csv"),
    "Science_graded": ("Science.csv", Model.GRADED, "Science_graded_params.csv"),
    "SAT12_3PL_norm": ("SAT12_scored.csv", Model.THREE_PL, "SAT12_3PL_norm_optimum.csv"),
    "SAT12_3PL_beta": ("SAT12_scored.csv", Model.THREE_PL, "SAT12_3PL_beta_optimum.csv"),
}


class Reference:
    """One tag: responses, bank and population, and access to the tag's other files."""

    def __init__(self, folder: Path, tag: str) -> None:
        data, model, parameters = DATA[tag]
        self.folder, self.tag = folder, tag
        names, values, frequencies = read_responses(folder / data)
        self.responses: ResponseMatrix = response_matrix(values, item_names=names, frequencies=frequencies)
        self.bank, variance = read_bank(folder / parameters, names, model)
        self.population = Population(variance=variance, is_variance_free=model is Model.RASCH)

    def rows(self, kind: str) -> list[dict[str, str]]:
        with (self.folder / f"{self.tag}_{kind}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def column(self, kind: str, name: str) -> NDArray[np.float64]:
        return np.array([np.nan if row[name] == "NA" else float(row[name]) for row in self.rows(kind)])

    @property
    def fit(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads((self.folder / f"{self.tag}_fit.json").read_text())
        return result

    @property
    def eap(self) -> NDArray[np.float64]:
        """Ability of each row of the responses, as the reference estimated it."""
        return self.column("scores", "EAP")


def read_responses(file: Path) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64] | None]:
    with file.open(newline="") as lines:
        rows = list(csv.reader(lines))
    names, values = rows[0], np.array(rows[1:], dtype=np.float64)
    frequencies = None
    if names[-1].lower().startswith("freq"):
        names, values, frequencies = names[:-1], values[:, :-1], values[:, -1]
    return names, values - values.min(axis=0), frequencies


def read_bank(file: Path, names: list[str], model: Model) -> tuple[ItemBank, float]:
    values: dict[tuple[str, str], float] = {}
    variance = 1.0
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["parameter"] == "COV_11":
                variance = float(row["estimate"])
            elif row.get("parameterisation", "slope_intercept") == "slope_intercept" and row["estimate"] != "NA":
                values[row["item"], row["parameter"].replace("a1", "a")] = float(row["estimate"])
    intercepts = ["d"] if ("d" in {name for _, name in values}) else ["d1", "d2", "d3"]
    return item_bank(
        names,
        [model] * len(names),
        a=[values[name, "a"] for name in names],
        d=[[values[name, d] for d in intercepts] for name in names],
        c=[values.get((name, "c"), 0.0) for name in names],
    ), variance
