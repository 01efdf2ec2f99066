"""Parameter files: item parameters with their standard errors, one line a parameter or one line an item.

Reads what the engine writes, what mirt's `coef` gives as a long table, and plain tables of item, a, b, c.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.tables import OpenTable, require_columns
from exam_engine.infra.i18n import N_
from scoring.errors import ItemParametersInvalid
from scoring.irt.bank import ItemBank, bank_from_difficulties, item_bank
from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS

Array = NDArray[np.float64]
LATENT = "LATENT"
_NOTHING = {"", "na", "nan", "n/a"}
_ALIASES: Mapping[str, str] = {
    "a1": "a", "slope": "a", "discrimination": "a", "g": "c", "guess": "c", "guessing": "c", "upper": "u",
    "logit(g)": "logit_c", "logit(u)": "logit_u", "difficulty": "b", "mean_1": "mean", "cov_11": "variance",
}  # fmt: skip
_MODELS: Mapping[str, Model] = {"grm": Model.GRADED, "dich": Model.TWO_PL, "nrm": Model.NOMINAL, "grsm": Model.GRADED}
_PARAMETER = re.compile(r"a|c|u|logit_c|logit_u|(?:b|d|ak)[0-9]{0,2}|first_category")
_IGNORED = re.compile(r"se_.*|n_categories|ak_se.*|facility|r_pb|s_x2.*|infit|outfit|n")
# mirt writes -999 and 999 for the logits of asymptotes that are 0 and 1.
_NO_ASYMPTOTE = 100.0


class ParameterFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a parameter file.

    Attributes
    ----------
    bank : ItemBank
    first_categories : tuple of int or None, one for each item
        What response files call the lowest category; None if the file does not say.
    means, variances : dict of group to number
        Latent moments; the group "" is the only or the reference one.
    """

    bank: ItemBank
    first_categories: tuple[int | None, ...]
    means: dict[str, float]
    variances: dict[str, float]

    @property
    def mean(self) -> float:
        """Latent mean of the only or the reference group; 0 if the file does not say."""
        return self.means.get("", next(iter(self.means.values()), 0.0))

    @property
    def variance(self) -> float:
        """Latent variance of the only or the reference group; 1 if the file does not say."""
        return self.variances.get("", next(iter(self.variances.values()), 1.0))


class _Item:
    """Parameters of one item as they are met."""

    def __init__(self, name: str, line: int) -> None:
        self.name, self.line = name, line
        self.model = ""
        self.values: dict[str, float] = {}


def read_parameters(source: Path | bytes, file_name: str, *, default_model: Model | None = None) -> ParameterFile:
    """Read a parameter file.

    Parameters
    ----------
    default_model : Model, optional
        Of items whose model the file does not say; else it is told by their parameters.

    Raises
    ------
    FileRefused
        An unknown model or parameter, a cell that is no number, parameters that contradict their model; each by line.
    """
    with OpenTable(source, file_name) as table:
        (at_item,) = require_columns(table, ["item"])
        items: dict[str, _Item] = {}
        if table.header.place("parameter") is not None:
            means, variances = _read_long(table, at_item, items)
        else:
            means, variances = _read_wide(table, at_item, items)
        mistakes = table.mistakes
        if not items:
            mistakes.add(N_("there are no items in this file"))
        is_rasch = all(item.values.get("a", 1.0) == 1.0 for item in items.values())
        models = [_model_of(item, default_model, mistakes, is_rasch=is_rasch) for item in items.values()]
        mistakes.finish()
        bank = _bank(list(items.values()), models, mistakes)
        first = tuple(_first(item) for item in items.values())
        return ParameterFile(bank=bank, first_categories=first, means=means, variances=variances)


def _read_long(table: OpenTable, at_item: int, items: dict[str, _Item]) -> tuple[dict[str, float], dict[str, float]]:
    at_parameter, at_estimate = require_columns(table, ["parameter", "estimate"])
    at_model, at_metric = table.header.place("model"), table.header.place("parameterisation")
    latent: dict[str, dict[str, float]] = {"mean": {}, "variance": {}}
    for line, cells in table:
        name, title = cells[at_item].strip(), cells[at_parameter].strip().casefold()
        parameter = _ALIASES.get(title, title)
        said = cells[at_model].strip() if at_model is not None else ""
        value = _number(table, line, at_estimate, cells[at_estimate])
        if value is None:
            continue
        if name == LATENT:
            latent.get(parameter, {})[said] = value
            continue
        # The traditional rows say again what the slope-intercept ones do.
        if at_metric is not None and cells[at_metric].strip() == "traditional":
            continue
        item = items.setdefault(name, _Item(name, line))
        if said and item.model and said != item.model:
            message = N_("item {item} has two models: {first} and {second}")
            table.mistakes.add(message, line=line, item=name, first=item.model, second=said)
        item.model = said or item.model
        _put(table, item, parameter, value, line=line, column=table.header.titles[at_parameter])
    return latent["mean"], latent["variance"]


def _read_wide(table: OpenTable, at_item: int, items: dict[str, _Item]) -> tuple[dict[str, float], dict[str, float]]:
    at_model = table.header.place("model")
    means: dict[str, float] = {}
    variances: dict[str, float] = {}
    for line, cells in table:
        name = cells[at_item].strip()
        if name in items:
            table.mistakes.add(N_("item {item} stands there twice"), line=line, item=name)
            continue
        item = _Item(name, line)
        item.model = cells[at_model].strip() if at_model is not None else ""
        latent = {"mean": means, "variance": variances}
        for place, (title, column) in enumerate(zip(table.header.titles, table.header.names, strict=True)):
            parameter = _ALIASES.get(title.casefold(), _ALIASES.get(column, column))
            if place in (at_item, at_model) or _IGNORED.fullmatch(parameter):
                continue
            value = _number(table, line, place, cells[place])
            if value is None:
                continue
            if name == LATENT and parameter in latent:
                latent[parameter][item.model] = value
            elif name != LATENT:
                _put(table, item, parameter, value, line=line, column=title)
        if name != LATENT:
            items[name] = item
    return means, variances


def _put(table: OpenTable, item: _Item, parameter: str, value: float, *, line: int, column: str) -> None:
    if _PARAMETER.fullmatch(parameter) is None:
        table.mistakes.add(N_("“{value}” is no parameter of an item"), line=line, column=column, value=parameter)
    elif parameter in item.values:
        message = N_("item {item} has the parameter {parameter} twice")
        table.mistakes.add(message, line=line, item=item.name, parameter=parameter)
    else:
        item.values[parameter] = value


def _number(table: OpenTable, line: int, place: int, cell: str) -> float | None:
    text = cell.strip()
    if text.casefold() in _NOTHING:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        title = table.header.titles[place]
        table.mistakes.add(N_("“{value}” is not a number"), line=line, column=title, value=text[:40])
        return None
    return value


def _model_of(item: _Item, default: Model | None, mistakes: Mistakes, *, is_rasch: bool) -> Model:
    """Return the model said, or told by the parameters; slopes of exactly 1 in all items were not estimated."""
    text = item.model.casefold()
    if text:
        try:
            return _MODELS.get(text) or Model(text)
        except ValueError:
            known = ", ".join(Model)
            message = N_("“{value}” is no model; known are {known}")
            mistakes.add(message, line=item.line, column="model", value=item.model, known=known)
            return Model.TWO_PL
    if default is not None:
        return default
    names = item.values.keys()
    if any(name.startswith("ak") for name in names):
        scores = [value for name, value in sorted(item.values.items()) if re.fullmatch(r"ak[0-9]+", name)]
        is_ordered = scores == [float(k) for k in range(len(scores))]
        by_order = Model.PCM if is_rasch else Model.GPCM
        return by_order if is_ordered else Model.NOMINAL
    if any(re.fullmatch(r"[bd][2-9]", name) for name in names):
        return Model.GRADED
    if _asymptote(item, "u", 1.0) < 1:
        return Model.FOUR_PL
    if _asymptote(item, "c", 0.0) > 0:
        return Model.THREE_PL
    return Model.RASCH if is_rasch else Model.TWO_PL


def _asymptote(item: _Item, name: str, otherwise: float) -> float:
    if name in item.values:
        return item.values[name]
    logit = item.values.get(f"logit_{name}")
    return otherwise if logit is None or abs(logit) > _NO_ASYMPTOTE else float(expit(logit))


def _first(item: _Item) -> int | None:
    value = item.values.get("first_category")
    return None if value is None else int(value)


def _bank(items: Sequence[_Item], models: Sequence[Model], mistakes: Mistakes) -> ItemBank:
    """Build every item alone, so that each that contradicts itself is named, and then all together."""
    parts = []
    for item, model in zip(items, models, strict=True):
        try:
            parts.append(_one(item, model))
        except ItemParametersInvalid as error:
            mistakes.add(N_("item {item} {reason}"), line=item.line, item=item.name, reason=error.reason)
    mistakes.finish()
    widest = max(part.d.shape[1] for part in parts)
    d, ak = np.full((len(parts), widest), np.nan), np.tile(np.arange(widest + 1.0), (len(parts), 1))
    for i, part in enumerate(parts):
        d[i, : part.d.shape[1]] = part.d[0]
        ak[i, : part.ak.shape[1]] = part.ak[0]
    return item_bank(
        [item.name for item in items],
        models,
        a=[part.a[0] for part in parts],
        d=d,
        c=[part.c[0] for part in parts],
        u=[part.u[0] for part in parts],
        ak=ak,
    )


def _one(item: _Item, model: Model) -> ItemBank:
    values = item.values
    a = values.get("a", 1.0)
    c, u = _asymptote(item, "c", 0.0), _asymptote(item, "u", 1.0)
    d, b = _numbered(values, "d"), _numbered(values, "b")
    if model in DICHOTOMOUS:
        d, b = d[:1] or ([values["d"]] if "d" in values else []), b[:1] or ([values["b"]] if "b" in values else [])
    if not d and not b:
        raise ItemParametersInvalid(item.name, "has neither an intercept nor a difficulty")
    if not d:
        return bank_from_difficulties([item.name], [model], a=[a], b=[b], c=[c], u=[u])
    ak = _numbered(values, "ak", first=0)
    if ak and len(ak) != len(d) + 1:
        raise ItemParametersInvalid(item.name, f"has {len(ak)} scores of categories for {len(d) + 1} categories")
    return item_bank([item.name], [model], a=[a], d=[d], c=[c], u=[u], ak=[ak] if ak else None)


def _numbered(values: Mapping[str, float], letter: str, first: int = 1) -> list[float]:
    """Return d1, d2, …; mirt's d0 = 0 of divide-by-total items is left out."""
    if letter in values and f"{letter}{first}" not in values:
        return [values[letter]]
    found: list[float] = []
    while f"{letter}{first + len(found)}" in values:
        found.append(values[f"{letter}{first + len(found)}"])
    return found
