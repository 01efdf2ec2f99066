"""The Wright map: candidates and items on one scale, so that anybody sees whether the test suits them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exam_engine.calibration.axes import Axes, number, round_ticks
from exam_engine.calibration.figures import Bar, Figure, Label, Line, Mark
from exam_engine.infra.i18n import N_, format_integer, translator

Array = NDArray[np.float64]
_WIDTH, _ROW, _TOP, _BOTTOM = 760.0, 15.0, 34.0, 14.0
_MIDDLE = 250.0
_LETTER = 6.4
_LONGEST_NAME = 14
_NEAR = 1.5

TITLE = N_("Wright map: candidates and items on one scale")
WORDS = N_(
    "Candidates lie around {mean} logits (spread {sd}); items from {easiest} to {hardest}, with a mean of {items}."
)
CANDIDATES = N_("Candidates")
ITEMS = N_("Items, the hardest on top")
SCALE = N_("Logits")
ROW_OF = N_("Ability {low} to {high}: {count} candidates")
FURTHER = N_("and {count} more")


def wright_map(
    abilities: ArrayLike,
    weights: ArrayLike,
    *,
    names: Sequence[str],
    difficulties: ArrayLike,
    language: str,
    n_rows: int = 34,
) -> Figure:
    """Draw candidates as bars on the left, items by name on the right.

    Parameters
    ----------
    abilities, weights : array_like, shape (n_candidates,)
        Logits, how often each occurred; infinite abilities are left out.
    names, difficulties : length n_places
        Items, or steps of items, and where they stand; those not finite are left out.
    """
    theta, w = np.asarray(abilities, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    is_known = np.isfinite(theta)
    theta, w = theta[is_known], w[is_known]
    b = np.asarray(difficulties, dtype=np.float64)
    places = [(name, float(value)) for name, value in zip(names, b, strict=True) if np.isfinite(value)]
    say = translator(language)
    low, high = _range(theta, w, np.array([value for _, value in places]))
    edges = np.linspace(low, high, n_rows + 1)
    height = _TOP + n_rows * _ROW + _BOTTOM
    axes = Axes(left=_MIDDLE, top=_TOP, width=1.0, height=n_rows * _ROW, x=(0.0, 1.0), y=(low, high))
    marks: list[Mark] = [
        Label((_MIDDLE - 60, 18), say(CANDIDATES), "end"),
        Label((_MIDDLE, 18), say(SCALE)),
        Label((_MIDDLE + 60, 18), say(ITEMS), "start"),
    ]
    marks += _scale(axes, language)
    marks += _people(axes, edges, theta, w, language)
    marks += _items(axes, edges, places, language)
    values = np.array([value for _, value in places]) if places else np.zeros(1)
    mean = float(w @ theta / w.sum()) if w.sum() > 0 else 0.0
    sd = float(np.sqrt(w @ (theta - mean) ** 2 / w.sum())) if w.sum() > 0 else 0.0
    figures = {"mean": mean, "sd": sd, "easiest": values.min(), "hardest": values.max(), "items": values.mean()}
    words = say(WORDS, **{name: number(float(value), language, 2) for name, value in figures.items()})
    return Figure(width=_WIDTH, height=height, title=say(TITLE), description=words, marks=tuple(marks))


def _range(theta: Array, weights: Array, b: Array) -> tuple[float, float]:
    """Range of the candidates and of the items near them: one item far out must not squeeze all others."""
    people = theta[weights > 0]
    if people.size == 0:
        people = np.zeros(1) if b.size == 0 else b
    low, high = float(people.min()), float(people.max())
    near = b[(b > low - _NEAR) & (b < high + _NEAR)]
    low, high = min(low, float(near.min(initial=low))), max(high, float(near.max(initial=high)))
    return float(np.floor(2 * low) / 2 - 0.25), float(np.ceil(2 * high) / 2 + 0.25)


def _scale(axes: Axes, language: str) -> list[Mark]:
    marks: list[Mark] = [Line(((x, axes.top), (x, axes.bottom)), "axis") for x in (_MIDDLE - 24, _MIDDLE + 24)]
    for value in round_ticks(axes.y[0], axes.y[1], 10):
        y = axes.at_y(value)
        marks.append(Line(((20, y), (_WIDTH - 10, y)), "grid"))
        marks.append(Label((_MIDDLE, y + 4), number(value, language)))
    return marks


def _people(axes: Axes, edges: Array, theta: Array, weights: Array, language: str) -> list[Mark]:
    say = translator(language)
    counts, _ = np.histogram(theta, edges, weights=weights)
    most = max(float(counts.max(initial=0.0)), 1.0)
    marks: list[Mark] = []
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count > 0:
            length = max((_MIDDLE - 24 - 20) * float(count) / most, 1.0)
            words = say(
                ROW_OF,
                low=number(float(low), language, 2),
                high=number(float(high), language, 2),
                count=format_integer(round(float(count)), language),
            )
            at = (_MIDDLE - 24 - length, axes.at_y(float(high)) + 1)
            marks.append(Bar(at, length, _ROW - 2, "bar", words))
    return marks


def _items(axes: Axes, edges: Array, places: list[tuple[str, float]], language: str) -> list[Mark]:
    say = translator(language)
    rows: dict[int, list[str]] = {}
    for name, value in sorted(places, key=lambda place: place[1]):
        row = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, edges.size - 2))
        shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        # Beyond the ends of the scale the place itself is told.
        is_inside = edges[0] <= value <= edges[-1]
        rows.setdefault(row, []).append(shown if is_inside else f"{shown} ({number(value, language, 1)})")
    marks: list[Mark] = []
    room = _WIDTH - _MIDDLE - 24 - 20
    for row, names in rows.items():
        y = axes.at_y(float(edges[row] + edges[row + 1]) / 2) + 4
        fitting: list[str] = []
        width = 0.0
        for name in names:
            width += _LETTER * (len(name) + 3)
            if width > room - 70 and len(fitting) + 1 < len(names):
                break
            fitting.append(name)
        text = " · ".join(fitting)
        if len(fitting) < len(names):
            text = f"{text} {say(FURTHER, count=len(names) - len(fitting))}"
        marks.append(Bar((_MIDDLE + 22, y - 7), 8, 6, "place"))
        marks.append(Label((_MIDDLE + 36, y), text, "start", size=11.0))
    return marks
