"""Item parameters as tables to be written: long, as the reference files have them, or one line an item."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from exam_engine.calibration.files.parameter_files import LATENT
from exam_engine.calibration.files.writing import csv_bytes
from scoring.calibration import ParameterErrors
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS, WITHOUT_SLOPE

Array = NDArray[np.float64]
Estimate = tuple[str, float, float]  # parameter, estimate, standard error
Moments = Mapping[str, tuple[float, float, float, float]]
"""Group to mean, its standard error, variance, its standard error; the group "" where there is one only."""

LONG_HEADER = ("item", "model", "parameter", "estimate", "se")
_WITH_GUESS = frozenset({Model.THREE_PL, Model.FOUR_PL})


def parameter_csv(
    bank: ItemBank,
    errors: ParameterErrors | None = None,
    *,
    first_categories: Sequence[int] | None = None,
    moments: Moments | None = None,
    is_wide: bool = False,
) -> bytes:
    """Write a bank.

    Parameters
    ----------
    first_categories : sequence of int, optional
        What response files call category 0; written where it is not 0.
    moments : mapping, optional
        Latent means and variances, written as rows of the item LATENT.
    is_wide : bool
        One line an item; the latent moments are then left to the long table.
    """
    first = [0] * bank.n_items if first_categories is None else list(first_categories)
    rows = [(name, model, _estimates(bank, errors, i, first[i])) for i, (name, model) in _items(bank)]
    if is_wide:
        return _wide(rows)
    lines: list[tuple[object, ...]] = [
        (name, model.value, *estimate) for name, model, estimates in rows for estimate in estimates
    ]
    for group, (mean, mean_se, variance, variance_se) in (moments or {}).items():
        lines += [(LATENT, group, "mean", mean, mean_se), (LATENT, group, "variance", variance, variance_se)]
    return csv_bytes(LONG_HEADER, lines)


def _items(bank: ItemBank) -> Iterator[tuple[int, tuple[str, Model]]]:
    return enumerate(zip(bank.names, bank.models, strict=True))


def _estimates(bank: ItemBank, errors: ParameterErrors | None, item: int, first: int) -> list[Estimate]:
    model, k = bank.models[item], int(bank.n_categories[item])

    def se(name: str, column: int | None = None) -> float:
        values = None if errors is None else getattr(errors, name)
        return np.nan if values is None else float(values[item] if column is None else values[item, column])

    found: list[Estimate] = []
    if model not in WITHOUT_SLOPE:
        found.append(("a", float(bank.a[item]), se("a")))
    if model is Model.NOMINAL:
        found += [(f"ak{m}", float(bank.ak[item, m]), se("ak", m)) for m in range(k)]
    names = ["d"] if model in DICHOTOMOUS else [f"d{m}" for m in range(1, k)]
    found += [(name, float(bank.d[item, m]), se("d", m)) for m, name in enumerate(names)]
    if model in _WITH_GUESS:
        found.append(("logit_c", _logit(float(bank.c[item])), se("logit_c")))
    if model is Model.FOUR_PL:
        found.append(("logit_u", _logit(float(bank.u[item])), se("logit_u")))
    if model is not Model.NOMINAL:
        b = bank.difficulties()[item]
        found += [(name.replace("d", "b"), float(b[m]), se("b", m)) for m, name in enumerate(names)]
    if model in _WITH_GUESS:
        found.append(("c", float(bank.c[item]), se("c")))
    if model is Model.FOUR_PL:
        found.append(("u", float(bank.u[item]), se("u")))
    if first:
        found.append(("first_category", float(first), np.nan))
    return found


def _wide(rows: Sequence[tuple[str, Model, list[Estimate]]]) -> bytes:
    met = {name: None for _, _, estimates in rows for name, _, _ in estimates}
    order = sorted(met, key=lambda name: (_ORDER.index(name.rstrip("0123456789")), name))
    columns = [column for name in order for column in ((name,) if name == "first_category" else (name, f"se_{name}"))]
    lines = []
    for item, model, estimates in rows:
        values = {name: value for name, value, _ in estimates}
        values |= {f"se_{name}": se for name, _, se in estimates}
        lines.append((item, model.value, *(values.get(column) for column in columns)))
    return csv_bytes(("item", "model", *columns), lines)


_ORDER = ("a", "b", "c", "u", "d", "logit_c", "logit_u", "ak", "first_category")


def _logit(share: float) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(share) - np.log1p(-share))
