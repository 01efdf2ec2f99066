"""Plots of a calibrated test: arrays in, figures out; `figures.svg` writes them into a page.

Curves of an item, observed against expected scores, information, options by ability group. The map of candidates and
items is in `wright_map`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exam_engine.calibration.axes import Axes, number, round_ticks
from exam_engine.calibration.figures import SERIES, Area, Dot, Figure, Label, Line, Mark
from exam_engine.infra.i18n import N_, format_integer, translator

Array = NDArray[np.float64]
WIDTH, HEIGHT = 440.0, 290.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 58.0, 14.0, 14.0, 44.0

ABILITY = N_("Ability (logits)")
PROBABILITY = N_("Probability")
INFORMATION = N_("Information")
SCORE = N_("Score")
STANDARD_ERROR = N_("Standard error")
SHARE = N_("Share of the group")
CURVES_TITLE = N_("{name}: characteristic curve")
CURVES_OF_CATEGORIES = N_("{name}: curves of the {count} scores")
CURVE_WORDS = N_("The chance of a right answer rises from {low} at ability {from_theta} to {high} at {to_theta}.")
CATEGORY_WORDS = N_("One curve for each score from 0 to {highest}, over abilities from {from_theta} to {to_theta}.")
FIT_TITLE = N_("{name}: observed against expected")
FIT_WORDS = N_(
    "The curve is the expected score, the points are what {count} ability groups scored, with 95 % intervals. "
    "{outside} of them lie outside."
)
FIT_POINT = N_("Ability {theta}: observed {observed}, expected {expected}, {count} candidates")
INFORMATION_TITLE = N_("{name}: information")
INFORMATION_WORDS = N_("Most information, {most}, at ability {theta}.")
TEST_TITLE = N_("Information of the test and standard error of ability")
TEST_WORDS = N_("The test measures best at ability {theta}, with a standard error of {se}.")
OPTIONS_TITLE = N_("{name}: options by ability group")
OPTIONS_WORDS = N_("Share of each option in {count} groups, the weakest on the left. The key is {key}.")
GROUPS = N_("Ability group, weakest to strongest")


def characteristic_curves(
    theta: ArrayLike, probabilities: ArrayLike, *, name: str, language: str, difficulty: float | None = None
) -> Figure:
    """Draw the probability of a right answer, or of every category of an item of several scores.

    Parameters
    ----------
    theta : array_like, shape (n_theta,)
        Ascending, logits.
    probabilities : array_like, shape (n_theta, n_categories)
    difficulty : float, optional
        b of a right-or-wrong item, marked by a guide.
    """
    at, p = np.asarray(theta, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    say = translator(language)
    axes = _axes(at, 1.0)
    marks = _frame(axes, (0.0, 0.25, 0.5, 0.75, 1.0), say(PROBABILITY), language)
    ends = {"from_theta": number(float(at[0]), language), "to_theta": number(float(at[-1]), language)}
    if p.shape[1] == 2:
        if difficulty is not None and at[0] <= difficulty <= at[-1]:
            middle = float(np.interp(difficulty, at, p[:, 1]))
            x = axes.at_x(difficulty)
            marks.append(Line(((x, axes.bottom), (x, axes.at_y(middle)), (axes.left, axes.at_y(middle))), "guide"))
            marks.append(Label((x + 5, axes.bottom - 6), f"b = {number(difficulty, language, 2)}", "start", "faint"))
        marks.append(Line(axes.points(at, p[:, 1]), "expected"))
        low, high = (number(float(end), language, 2) for end in (p[0, 1], p[-1, 1]))
        words, title = say(CURVE_WORDS, low=low, high=high, **ends), say(CURVES_TITLE, name=name)
        return Figure(width=WIDTH, height=HEIGHT, title=title, description=words, marks=tuple(marks))
    for category in range(p.shape[1]):
        role = SERIES[category % len(SERIES)]
        marks.append(Line(axes.points(at, p[:, category]), role))
        top = int(np.argmax(p[:, category]))
        x = float(np.clip(axes.at_x(float(at[top])), axes.left + 8, axes.right - 8))
        marks.append(Label((x, max(axes.at_y(float(p[top, category])) - 6, axes.top + 8)), str(category)))
    words = say(CATEGORY_WORDS, highest=p.shape[1] - 1, **ends)
    title = say(CURVES_OF_CATEGORIES, name=name, count=p.shape[1])
    return Figure(width=WIDTH, height=HEIGHT, title=title, description=words, marks=tuple(marks))


def observed_against_expected(
    theta: ArrayLike,
    expected: ArrayLike,
    *,
    group_theta: ArrayLike,
    group_observed: ArrayLike,
    group_se: ArrayLike,
    group_size: ArrayLike,
    highest: float,
    name: str,
    language: str,
) -> Figure:
    """Draw the expected score of an item with the mean scores of ability groups on it.

    Parameters
    ----------
    theta, expected : array_like, shape (n_theta,)
        Curve of the expected score, 0 … `highest`.
    group_theta, group_observed, group_se, group_size : array_like, shape (n_groups,)
        Mean ability, mean score, its standard error under the model, and candidates of each group.
    """
    at, curve = np.asarray(theta, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    where, seen, se, size = (
        np.asarray(values, dtype=np.float64) for values in (group_theta, group_observed, group_se, group_size)
    )
    say = translator(language)
    axes = _axes(at, highest)
    marks = _frame(axes, round_ticks(0.0, highest, 5), say(SCORE), language)
    marks.append(Line(axes.points(at, curve), "expected"))
    should = np.interp(where, at, curve)
    most = float(size.max(initial=1.0))
    for ability, score, error, n, hoped in zip(where, seen, se, size, should, strict=True):
        if not at[0] <= ability <= at[-1]:
            continue
        ends = axes.points([ability, ability], [score - 1.96 * error, score + 1.96 * error])
        marks.append(Line(ends, "interval"))
        words = say(
            FIT_POINT,
            theta=number(float(ability), language, 2),
            observed=number(float(score), language, 2),
            expected=number(float(hoped), language, 2),
            count=format_integer(round(float(n)), language),
        )
        marks.append(Dot(axes.points([ability], [score])[0], 2.5 + 2.5 * float(np.sqrt(n / most)), "observed", words))
    outside = int((np.abs(seen - should) > 1.96 * se).sum())
    return Figure(
        width=WIDTH,
        height=HEIGHT,
        title=say(FIT_TITLE, name=name),
        description=say(FIT_WORDS, count=where.size, outside=outside),
        marks=tuple(marks),
    )


def item_information(theta: ArrayLike, information: ArrayLike, *, name: str, language: str) -> Figure:
    """Draw the information of an item, both of shape (n_theta,)."""
    at, info = np.asarray(theta, dtype=np.float64), np.asarray(information, dtype=np.float64)
    say = translator(language)
    ticks = round_ticks(0.0, max(float(info.max()) * 1.1, 0.1), 5)
    axes = _axes(at, max(ticks[-1], float(info.max()) * 1.05))
    marks = _frame(axes, ticks, say(INFORMATION), language)
    marks += _filled(axes, at, info)
    best = int(np.argmax(info))
    words = say(INFORMATION_WORDS, most=number(float(info[best]), language, 2), theta=number(float(at[best]), language))
    title = say(INFORMATION_TITLE, name=name)
    return Figure(width=WIDTH, height=HEIGHT, title=title, description=words, marks=tuple(marks))


def information_of_test(theta: ArrayLike, information: ArrayLike, *, language: str) -> Figure:
    """Draw the information of a test, and the standard error of ability on an axis of its own at the right."""
    at, info = np.asarray(theta, dtype=np.float64), np.asarray(information, dtype=np.float64)
    say = translator(language)
    width, height = 760.0, 330.0
    ticks = round_ticks(0.0, max(float(info.max()) * 1.08, 0.1), 6)
    top = max(ticks[-1], float(info.max()) * 1.05)
    axes = Axes(left=56, top=30, width=width - 116, height=height - 80, x=(float(at[0]), float(at[-1])), y=(0.0, top))
    marks = _frame(axes, ticks, say(INFORMATION), language)
    marks += _filled(axes, at, info)
    with np.errstate(divide="ignore"):
        se = 1.0 / np.sqrt(info)
    best = int(np.argmin(se))
    # Errors far from the items would flatten the curve where it matters.
    largest = float(np.clip(np.max(se), 1.5 * se[best], 4.0 * se[best]))
    error_ticks = round_ticks(0.0, largest, 5)
    right = Axes(left=axes.left, top=axes.top, width=axes.width, height=axes.height, x=axes.x, y=(0.0, largest))
    is_shown = se <= largest
    marks.append(Line(right.points(at[is_shown], se[is_shown]), "error"))
    marks += [
        Label((right.right + 7, right.at_y(value) + 4), number(value, language), anchor="start")
        for value in error_ticks
    ]
    for x, role, text in ((axes.left, "expected", INFORMATION), (axes.left + 170, "error", STANDARD_ERROR)):
        marks.append(Line(((x, 14), (x + 30, 14)), role))
        marks.append(Label((x + 37, 18), say(text), "start"))
    marks.append(Label((width - 8, axes.top + axes.height / 2), say(STANDARD_ERROR), is_upright=False))
    words = say(TEST_WORDS, theta=number(float(at[best]), language), se=number(float(se[best]), language, 2))
    return Figure(width=width, height=height, title=say(TEST_TITLE), description=words, marks=tuple(marks))


def options_by_group(
    group_share: ArrayLike, *, options: Sequence[str], is_key: Sequence[bool], name: str, language: str
) -> Figure:
    """Draw the share of each option within ability groups, shape (n_groups, n_options), the weakest group first."""
    share = np.asarray(group_share, dtype=np.float64)
    say = translator(language)
    n = share.shape[0]
    axes = Axes(
        left=_LEFT, top=_TOP, width=WIDTH - _LEFT - 34, height=HEIGHT - _TOP - _BOTTOM, x=(0.8, n + 0.2), y=(0.0, 1.0)
    )
    marks = axes.y_axis((0.0, 0.25, 0.5, 0.75, 1.0), say(SHARE), language)
    marks += axes.x_axis([float(i + 1) for i in range(n)], say(GROUPS), language)
    ends = []
    series = iter(role for _ in range(len(options)) for role in ("1", "2", "4", "5", "6"))
    for option, is_right, values in zip(options, is_key, share.T, strict=True):
        known = np.isfinite(values)
        if not known.any():
            continue
        role = "key" if is_right else next(series)
        points = axes.points(np.flatnonzero(known) + 1.0, values[known])
        marks.append(Line(points, role))
        ends.append((points[-1][1], f"{option} ✓" if is_right else option))
    for y, text in _apart(ends):
        marks.append(
            Label((axes.right + 4, y + 4), text.removesuffix(" ✓"), "start", "label" if "✓" in text else "faint")
        )
    key = ", ".join(option for option, is_right in zip(options, is_key, strict=True) if is_right)
    return Figure(
        width=WIDTH,
        height=HEIGHT,
        title=say(OPTIONS_TITLE, name=name),
        description=say(OPTIONS_WORDS, count=n, key=key),
        marks=tuple(marks),
    )


def _axes(theta: Array, top: float) -> Axes:
    return Axes(
        left=_LEFT,
        top=_TOP,
        width=WIDTH - _LEFT - _RIGHT,
        height=HEIGHT - _TOP - _BOTTOM,
        x=(float(theta[0]), float(theta[-1])),
        y=(0.0, top),
    )


def _frame(axes: Axes, ticks: Sequence[float], name: str, language: str) -> list[Mark]:
    say = translator(language)
    across = round_ticks(axes.x[0], axes.x[1], 8)
    return [*axes.y_axis(ticks, name, language), *axes.x_axis(across, say(ABILITY), language)]


def _filled(axes: Axes, theta: Array, values: Array) -> list[Mark]:
    curve = axes.points(theta, values)
    return [Area(((axes.left, axes.bottom), *curve, (axes.right, axes.bottom)), "area"), Line(curve, "expected")]


def _apart(ends: list[tuple[float, str]], gap: float = 13.0) -> list[tuple[float, str]]:
    """Push labels that would cover each other downwards, and up again where they would leave the field."""
    placed: list[tuple[float, str]] = []
    for y, text in sorted(ends):
        placed.append((max(y, placed[-1][0] + gap) if placed else y, text))
    lowest = HEIGHT - _BOTTOM
    for i in range(len(placed) - 1, -1, -1):
        y, text = placed[i]
        placed[i] = (min(y, lowest), text)
        lowest = placed[i][0] - gap
    return placed
