"""Between the parameters authoring keeps, one item at a time, and the item banks `scoring.irt` computes with. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exam_engine.authoring.parameters import ItemParameters, ParameterErrors
from scoring.calibration import ParameterErrors as EstimatedErrors
from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model

Array = NDArray[np.float64]


def bank_of(names: Sequence[str], parameters: Sequence[ItemParameters]) -> ItemBank:
    """Build the bank of some items.

    Raises
    ------
    ItemParametersInvalid
        The parameters contradict their model.
    """
    widest = max(len(each.d) for each in parameters)
    d = np.full((len(parameters), widest), np.nan)
    ak = np.tile(np.arange(widest + 1.0), (len(parameters), 1))
    for i, each in enumerate(parameters):
        d[i, : len(each.d)] = each.d
        if each.ak:
            ak[i, : len(each.ak)] = each.ak
    return item_bank(
        names,
        [Model(each.model) for each in parameters],
        a=[each.a for each in parameters],
        d=d,
        c=[each.c for each in parameters],
        u=[each.u for each in parameters],
        ak=ak,
    )


def parameters_of(bank: ItemBank, item: int, categories: Sequence[int]) -> ItemParameters:
    """Take one item out of a bank; `categories` tells which calibrated category each raw one became."""
    k = int(bank.n_categories[item])
    is_nominal = bank.models[item] is Model.NOMINAL
    return ItemParameters(
        model=bank.models[item].value,
        a=float(bank.a[item]),
        d=tuple(float(value) for value in bank.d[item, : k - 1]),
        b=tuple(number(value) for value in bank.difficulties()[item, : k - 1]),
        c=float(bank.c[item]),
        u=float(bank.u[item]),
        ak=tuple(float(value) for value in bank.ak[item, :k]) if is_nominal else (),
        categories=tuple(categories),
    )


def errors_of(errors: EstimatedErrors, bank: ItemBank, item: int, slope: float = 1.0) -> ParameterErrors:
    """Take one item's standard errors; after a move to another scale by `slope`, those of the moved parameters."""
    k = int(bank.n_categories[item])
    a, c, u = (number(values[item]) for values in (errors.a, errors.c, errors.u))
    return ParameterErrors(
        a=None if a is None else a / slope,
        b=tuple(_scaled(value, slope) for value in errors.b[item, : k - 1]),
        c=c,
        u=u,
    )


def recoded(raw: NDArray[np.int8], categories: Sequence[int]) -> NDArray[np.int8]:
    """Turn raw categories into calibrated ones; missing stays missing."""
    table = np.array([*categories, -1], dtype=np.int8)  # index -1 finds the last entry
    result: NDArray[np.int8] = table[raw]
    return result


def number(value: float) -> float | None:
    """Return a number, or none for what is not one: JSON knows no NaN."""
    return float(value) if np.isfinite(value) else None


def _scaled(value: float, slope: float) -> float | None:
    found = number(value)
    return None if found is None else found * slope
