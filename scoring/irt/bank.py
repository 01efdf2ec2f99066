"""ItemBank: the parameters of a test of mixed models as named arrays, and its curves.

Slope-intercept form is what is stored; a, b, c and step difficulties are computed from it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from scoring.errors import ItemParametersInvalid
from scoring.irt.models.families import DICHOTOMOUS, WITHOUT_SLOPE, Family, Model, family_of

Array = NDArray[np.float64]
# logit(0) for the working parameter of an asymptote somebody fixed at its end; expit of it is 1e-13.
_FARTHEST_ASYMPTOTE = 30.0


class ItemBank(msgspec.Struct, frozen=True, kw_only=True):
    """Items of possibly different models, in slope-intercept form.

    Attributes
    ----------
    names : tuple of str
    models : tuple of Model
    n_categories : ndarray of int, shape (n_items,)
    a : ndarray, shape (n_items,)
        Slope, per logit; 1 for Rasch and partial credit items.
    d : ndarray, shape (n_items, max categories - 1)
        Intercepts; NaN beyond an item's categories.
    c, u : ndarray, shape (n_items,)
        Lower and upper asymptote; 0 and 1 where the model has none.
    ak : ndarray, shape (n_items, max categories)
        Scoring of the categories: 0, 1, … except in nominal items, where `ak[0]` = 0 and the last is K - 1.
    """

    names: tuple[str, ...]
    models: tuple[Model, ...]
    n_categories: NDArray[np.int64]
    a: Array
    d: Array
    c: Array
    u: Array
    ak: Array

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.names)

    def groups(self) -> Iterator["ItemGroup"]:
        """Yield the items of one model and one number of categories together, in a fixed order."""
        kinds = sorted({(model, int(k)) for model, k in zip(self.models, self.n_categories, strict=True)})
        for model, k in kinds:
            items = np.array(
                [i for i in range(self.n_items) if self.models[i] is model and self.n_categories[i] == k],
                dtype=np.int64,
            )
            yield ItemGroup(model, k, items, self.working(items))

    def working(self, items: NDArray[np.int64]) -> Array:
        """Return working parameters of items of one model and number of categories, (n_items, n_parameters)."""
        model, k = self.models[items[0]], int(self.n_categories[items[0]])
        columns = {f"d{m}": self.d[items, m - 1] for m in range(1, k)}
        columns |= {f"s{m}": self.a[items] * self.ak[items, m] for m in range(1, k)}
        columns["d"] = self.d[items, 0]
        columns["a"] = self.a[items]
        columns["logit_c"] = np.clip(logit(self.c[items]), -_FARTHEST_ASYMPTOTE, _FARTHEST_ASYMPTOTE)
        columns["logit_u"] = np.clip(logit(self.u[items]), -_FARTHEST_ASYMPTOTE, _FARTHEST_ASYMPTOTE)
        return np.stack([columns[name] for name in family_of(model).names(k)], axis=1)

    def select(self, items: Sequence[int] | NDArray[np.int64]) -> "ItemBank":
        """Return the bank of some of the items, in the given order."""
        at = np.asarray(items, dtype=np.int64)
        return ItemBank(
            names=tuple(self.names[i] for i in at),
            models=tuple(self.models[i] for i in at),
            n_categories=self.n_categories[at],
            a=self.a[at],
            d=self.d[at],
            c=self.c[at],
            u=self.u[at],
            ak=self.ak[at],
        )

    def difficulties(self) -> Array:
        """Return b, shape (n_items, max categories - 1): -d/a; steps of GPCM and PCM items, NaN of nominal ones."""
        with np.errstate(divide="ignore", invalid="ignore"):
            b = -self.d / self.a[:, None]
            steps = -np.diff(self.d, axis=1, prepend=0.0) / self.a[:, None]
        is_stepped = np.array([m in (Model.GPCM, Model.PCM) for m in self.models])
        b[is_stepped] = steps[is_stepped]
        b[[m is Model.NOMINAL for m in self.models]] = np.nan
        return b


class ItemGroup(NamedTuple):
    """Items of a bank that are computed together; `x` holds their working parameters."""

    model: Model
    n_categories: int
    items: NDArray[np.int64]
    x: Array

    @property
    def family(self) -> Family:
        """The formulas."""
        return family_of(self.model)


def item_bank(
    names: Sequence[str],
    models: Sequence[Model | str],
    *,
    a: ArrayLike | None = None,
    d: ArrayLike,
    c: ArrayLike | None = None,
    u: ArrayLike | None = None,
    ak: ArrayLike | None = None,
) -> ItemBank:
    """Build a bank from slope-intercept parameters; the number of categories is one more than the finite intercepts.

    Raises
    ------
    ItemParametersInvalid
        A parameter is missing, not finite or outside its range; graded intercepts do not fall.
    """
    kinds = tuple(Model(model) for model in models)
    n = len(names)
    intercepts = np.asarray(d, dtype=np.float64).reshape(n, -1)
    n_categories = np.isfinite(intercepts).sum(axis=1) + 1
    slopes = np.ones(n) if a is None else np.array(a, dtype=np.float64)
    slopes[[m in WITHOUT_SLOPE for m in kinds]] = 1.0
    scoring = np.tile(np.arange(intercepts.shape[1] + 1.0), (n, 1))
    if ak is not None:
        given = np.asarray(ak, dtype=np.float64)
        nominal = np.array([m is Model.NOMINAL for m in kinds])
        scoring[nominal] = given[nominal]
    bank = ItemBank(
        names=tuple(names),
        models=kinds,
        n_categories=n_categories,
        a=slopes,
        d=intercepts,
        c=np.zeros(n) if c is None else np.array(c, dtype=np.float64),
        u=np.ones(n) if u is None else np.array(u, dtype=np.float64),
        ak=scoring,
    )
    _require_valid(bank)
    return bank


def bank_from_difficulties(
    names: Sequence[str],
    models: Sequence[Model | str],
    *,
    a: ArrayLike | None = None,
    b: ArrayLike,
    c: ArrayLike | None = None,
    u: ArrayLike | None = None,
) -> ItemBank:
    """Build a bank from a, b, c, u and step difficulties: the inverse of `ItemBank.difficulties`."""
    n = len(names)
    difficulty = np.asarray(b, dtype=np.float64).reshape(n, -1)
    slope = np.ones(n) if a is None else np.asarray(a, dtype=np.float64)
    d = -difficulty * slope[:, None]
    stepped = np.array([Model(m) in (Model.GPCM, Model.PCM) for m in models])
    d[stepped] = np.cumsum(d[stepped], axis=1)
    return item_bank(names, models, a=slope, d=d, c=c, u=u)


def from_working(names: Sequence[str], groups: Sequence[ItemGroup]) -> ItemBank:
    """Build the bank whose groups have the given working parameters."""
    n = len(names)
    widest = max(group.n_categories for group in groups)
    models: list[Model] = [Model.TWO_PL] * n
    n_categories = np.zeros(n, dtype=np.int64)
    a, c, u = np.ones(n), np.zeros(n), np.ones(n)
    d = np.full((n, widest - 1), np.nan)
    ak = np.tile(np.arange(widest, dtype=np.float64), (n, 1))
    for group in groups:
        k = group.n_categories
        columns = dict(zip(group.family.names(k), group.x.T, strict=True))
        n_categories[group.items] = k
        for item in group.items:
            models[item] = group.model
        if "a" in columns:
            a[group.items] = columns["a"]
        if "logit_c" in columns:
            c[group.items] = expit(columns["logit_c"])
        if "logit_u" in columns:
            u[group.items] = expit(columns["logit_u"])
        if group.model is Model.NOMINAL:
            slopes = np.stack([columns[f"s{m}"] for m in range(1, k)], axis=1)
            a[group.items] = slopes[:, -1] / (k - 1)
            ak[group.items, 1:k] = slopes / a[group.items, None]
        for m in range(1, k):
            d[group.items, m - 1] = columns["d" if group.model in DICHOTOMOUS else f"d{m}"]
    return ItemBank(names=tuple(names), models=tuple(models), n_categories=n_categories, a=a, d=d, c=c, u=u, ak=ak)


def category_probabilities(bank: ItemBank, theta: ArrayLike) -> Array:
    """Probability of each category, shape (n_theta, n_items, max categories); 0 for categories an item lacks."""
    at = _abilities(theta)
    result = np.zeros((at.size, bank.n_items, int(bank.n_categories.max())))
    for group in bank.groups():
        p = np.exp(group.family.log_probabilities(group.x, at))
        result[:, group.items, : group.n_categories] = p.transpose(2, 0, 1)
    return result


def expected_scores(bank: ItemBank, theta: ArrayLike) -> Array:
    """Expected credit of each item, shape (n_theta, n_items): the mean category, 0 … K - 1."""
    result: Array = category_probabilities(bank, theta) @ np.arange(float(bank.n_categories.max()))
    return result


def information(bank: ItemBank, theta: ArrayLike) -> Array:
    """Fisher information of each item about theta, shape (n_theta, n_items), >= 0.

    The mean over categories of the squared derivative of the log-probability, which equals minus the mean second one.
    """
    at = _abilities(theta)
    result = np.zeros((at.size, bank.n_items))
    for group in bank.groups():
        p = np.exp(group.family.log_probabilities(group.x, at))
        first, _ = group.family.theta_derivatives(group.x, at, bank.a[group.items])
        result[:, group.items] = (p * first * first).sum(axis=1).T
    return result


def _abilities(theta: ArrayLike) -> Array:
    return np.atleast_1d(np.asarray(theta, dtype=np.float64))


def _require_valid(bank: ItemBank) -> None:
    for i, (name, model) in enumerate(zip(bank.names, bank.models, strict=True)):
        k = int(bank.n_categories[i])
        if k < 2:
            raise ItemParametersInvalid(f"item {name}", "has no intercept")
        if model in DICHOTOMOUS and k != 2:
            raise ItemParametersInvalid(f"item {name}", f"has {k} categories, but its model {model} has 2")
        if not np.isfinite(bank.d[i, : k - 1]).all():
            raise ItemParametersInvalid(f"item {name}", "lacks an intercept between two others")
        if not np.isfinite(bank.a[i]):
            raise ItemParametersInvalid(f"item {name}", "has a slope that is not a number")
        if not 0.0 <= bank.c[i] < bank.u[i] <= 1.0:
            raise ItemParametersInvalid(
                f"item {name}", f"has asymptotes c = {bank.c[i]}, u = {bank.u[i]}, not 0 <= c < u <= 1"
            )
        if model is Model.GRADED and not (np.diff(bank.d[i, : k - 1]) < 0).all():
            raise ItemParametersInvalid(f"item {name}", "has graded intercepts that do not fall")
