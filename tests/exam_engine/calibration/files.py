"""What the tests of files share: small tables, the command line, tables read back."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import Result
from typer.testing import CliRunner

from exam_engine.cli.main import app

Cells = Sequence[Sequence[object]]


def run(*arguments: object) -> Result:
    """Run the command line; standard output and standard error apart."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run_json(*arguments: object) -> Any:
    """Run a command with `--json`, which must succeed."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def write(path: Path, header: Sequence[str], rows: Cells, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write a table."""
    lines = [delimiter.join(str(cell) for cell in line) for line in (header, *rows)]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def read(path: Path) -> list[dict[str, str]]:
    """Read a table back."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answers(n_rows: int, n_items: int, seed: int = 1) -> list[list[int]]:
    """Right-or-wrong responses with one ability behind them, as plain numbers."""
    rng = np.random.default_rng(seed)
    theta, b = rng.normal(size=n_rows), np.linspace(-1.5, 1.5, n_items)
    p = 1.0 / (1.0 + np.exp(-1.3 * (theta[:, None] - b)))
    drawn: list[list[int]] = (rng.random(p.shape) < p).astype(int).tolist()
    return drawn
