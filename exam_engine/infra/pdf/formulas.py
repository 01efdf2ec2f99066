"""Formulas on paper: MathML laid out by ziamath with STIX Two Math, drawn as vector paths on a ReportLab canvas.

Layout costs tens of milliseconds, so it is kept per formula at one size and scaled when drawn.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
from lxml import etree
from ziamath.config import config
from ziamath.zmath import Math

LAYOUT_SIZE = 12.0
_COMMAND = re.compile(r"[MLQZ]|-?\d+(?:\.\d+)?(?:e-?\d+)?")

PathStep = tuple[str, tuple[float, ...]]


class Formula(msgspec.Struct, frozen=True):
    """A laid-out formula at 12 points; y grows downwards from the baseline, as in SVG."""

    paths: tuple[tuple[PathStep, ...], ...]
    rectangles: tuple[tuple[float, float, float, float], ...]  # x, y, width, height
    left: float
    width: float
    ascent: float  # above the baseline, > 0
    descent: float  # below the baseline, > 0


@lru_cache(maxsize=4096)
def lay_out(mathml: str) -> Formula:
    """Lay a MathML element out.

    Parameters
    ----------
    mathml : str
        One `<math>` element; annotations are ignored.

    Raises
    ------
    ValueError
        The text is not MathML.
    """
    config.svg2 = False  # plain paths, no <symbol>/<use>
    tree = etree.fromstring(mathml.encode())
    _unwrap_semantics(tree)
    svg = Math(etree.tostring(tree, encoding="unicode"), size=LAYOUT_SIZE, margin=0).svgxml()
    left, top, width, height = (float(number) for number in str(svg.get("viewBox")).split())
    paths: list[tuple[PathStep, ...]] = []
    rectangles: list[tuple[float, float, float, float]] = []
    for element in svg.iter():
        tag = str(element.tag).rpartition("}")[2]
        if tag == "path":
            paths.append(_parse_path(str(element.get("d"))))
        elif tag == "rect":
            x, y, w, h = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
            rectangles.append((x, y, w, h))
    return Formula(tuple(paths), tuple(rectangles), left, width, max(-top, 0.0), max(top + height, 0.0))


def draw_formula(canvas: Any, formula: Formula, x: float, baseline: float, size: float) -> None:
    """Draw a formula with its left edge at x and its baseline at the given height (canvas points)."""
    scale = size / LAYOUT_SIZE
    canvas.saveState()
    canvas.translate(x - formula.left * scale, baseline)
    canvas.scale(scale, -scale)
    for steps in formula.paths:
        path = canvas.beginPath()
        _trace(path, steps)
        canvas.drawPath(path, stroke=0, fill=1)
    for rx, ry, width, height in formula.rectangles:
        canvas.rect(rx, ry, width, height, stroke=0, fill=1)
    canvas.restoreState()


def _trace(path: Any, steps: tuple[PathStep, ...]) -> None:
    x = y = 0.0
    for command, n in steps:
        if command == "M":
            x, y = n
            path.moveTo(x, y)
        elif command == "L":
            x, y = n
            path.lineTo(x, y)
        elif command == "Q":  # a quadratic curve raised to a cubic one
            cx, cy, ex, ey = n
            path.curveTo(
                x + 2 / 3 * (cx - x), y + 2 / 3 * (cy - y), ex + 2 / 3 * (cx - ex), ey + 2 / 3 * (cy - ey), ex, ey
            )
            x, y = ex, ey
        else:
            path.close()


def _parse_path(text: str) -> tuple[PathStep, ...]:
    steps: list[PathStep] = []
    command = ""
    numbers: list[float] = []
    needed = {"M": 2, "L": 2, "Q": 4, "Z": 0}
    for word in _COMMAND.findall(text):
        if word in needed:
            command, numbers = word, []
            if word == "Z":
                steps.append(("Z", ()))
            continue
        numbers.append(float(word))
        if len(numbers) == needed[command]:
            steps.append((command, tuple(numbers)))
            numbers = []
    return tuple(steps)


def _unwrap_semantics(tree: Any) -> None:
    """Leave the presentation only: `<semantics>` would set its annotation as text."""
    for semantics in tree.iter("{*}semantics"):
        for child in list(semantics)[1:]:
            semantics.remove(child)
        semantics.tag = semantics.tag.replace("semantics", "mrow")
