"""Figures as plain marks, written as SVG for pages and drawn as vectors in PDF by `documents`.

A mark has a role, not a colour: pages colour the class `plot-<role>`; what stands in `LOOKS` reads on light and dark
grounds alike, so that a figure is right without any style sheet.
"""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

import msgspec

Point = tuple[float, float]

SERIES = ("1", "2", "3", "4", "5", "6")
"""Roles of lines that must be told apart; each has a dash of its own, so that colour alone says nothing."""


class Look(msgspec.Struct, frozen=True):
    """Default look of a role; "ink" is the colour of the text around the figure."""

    stroke: str = "none"
    fill: str = "none"
    width: float = 1.0
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


LOOKS: Mapping[str, Look] = {
    "axis": Look(stroke="ink"),
    "grid": Look(stroke="ink", opacity=0.14),
    "guide": Look(stroke="ink", dash=(2, 3), opacity=0.55),
    "label": Look(fill="ink"),
    "faint": Look(fill="ink", opacity=0.72),
    "expected": Look(stroke="#3b7dd8", width=2.2),
    "observed": Look(stroke="#d9730d", fill="#d9730d", width=1.4),
    "interval": Look(stroke="#d9730d", width=1.4, opacity=0.75),
    "area": Look(fill="#3b7dd8", opacity=0.18),
    "error": Look(stroke="#d9730d", width=2.0, dash=(7, 4)),
    "bar": Look(fill="#3b7dd8", opacity=0.75),
    "place": Look(fill="#d9730d"),
    "key": Look(stroke="#2f9e6e", width=2.8),
    "1": Look(stroke="#3b7dd8", width=2.0),
    "2": Look(stroke="#d9730d", width=2.0, dash=(8, 3)),
    "3": Look(stroke="#2f9e6e", width=2.0, dash=(2, 3)),
    "4": Look(stroke="#9b5de5", width=2.0, dash=(8, 3, 2, 3)),
    "5": Look(stroke="#d1495b", width=2.0, dash=(4, 4)),
    "6": Look(stroke="#7d8590", width=2.0, dash=(12, 3)),
}


class Line(msgspec.Struct, frozen=True, tag="line"):
    """A line through points."""

    points: tuple[Point, ...]
    role: str


class Area(msgspec.Struct, frozen=True, tag="area"):
    """A filled polygon."""

    points: tuple[Point, ...]
    role: str


class Dot(msgspec.Struct, frozen=True, tag="dot"):
    """A filled circle; `title` is what a pointer resting on it reads."""

    at: Point
    radius: float
    role: str
    title: str = ""


class Bar(msgspec.Struct, frozen=True, tag="bar"):
    """A filled rectangle from its upper left corner."""

    at: Point
    width: float
    height: float
    role: str
    title: str = ""


class Label(msgspec.Struct, frozen=True, tag="label"):
    """Text at a point of its baseline; `anchor` is start, middle or end."""

    at: Point
    text: str
    anchor: str = "middle"
    role: str = "label"
    size: float = 12.0
    is_upright: bool = True  # else read from below


Mark = Line | Area | Dot | Bar | Label


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A picture with what it shows in words, for those who do not see it.

    Attributes
    ----------
    width, height : float
        CSS pixels; y grows downwards.
    title, description : str
    marks : tuple of Mark
        The later covers the earlier.
    """

    width: float
    height: float
    title: str
    description: str
    marks: tuple[Mark, ...]


def svg(figure: Figure, figure_id: str) -> str:
    """Write a figure as an SVG element to stand inside a page.

    Parameters
    ----------
    figure_id : str
        Letters, digits and hyphens; makes ids unique on a page of several figures.
    """
    names = quoteattr(f"{figure_id}-title {figure_id}-description")
    frame = f'xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {figure.width:g} {figure.height:g}"'
    return "".join(
        [
            f'<svg {frame} role="img" aria-labelledby={names}>',
            f"<title id={quoteattr(f'{figure_id}-title')}>{escape(figure.title)}</title>",
            f"<desc id={quoteattr(f'{figure_id}-description')}>{escape(figure.description)}</desc>",
            *(_element(mark) for mark in figure.marks),
            "</svg>",
        ]
    )


def _element(mark: Mark) -> str:
    look = _attributes(mark.role)
    match mark:
        case Line(points=points):
            return f'<polyline {look} stroke-linejoin="round" points="{_path(points)}"/>'
        case Area(points=points):
            return f'<polygon {look} points="{_path(points)}"/>'
        case Dot(at=at, radius=radius, title=title):
            return _titled("circle", f'{look} cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}"', title)
        case Bar(at=at, width=width, height=height, title=title):
            place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" width="{width:.1f}" height="{height:.1f}"'
            return _titled("rect", f"{look} {place}", title)
        case Label():
            return _text(mark, look)


def _text(label: Label, look: str) -> str:
    x, y = label.at
    turn = "" if label.is_upright else f' transform="rotate(-90 {x:.1f} {y:.1f})"'
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{label.anchor}" font-size="{label.size:g}"{turn}'
    return f"<text {look} {place}>{escape(label.text)}</text>"


def _titled(name: str, attributes: str, title: str) -> str:
    return f"<{name} {attributes}><title>{escape(title)}</title></{name}>" if title else f"<{name} {attributes}/>"


def _attributes(role: str) -> str:
    look = LOOKS[role]
    parts = [f'class="plot-{role}"', f'fill="{_colour(look.fill)}"']
    if look.stroke != "none":
        parts += [f'stroke="{_colour(look.stroke)}"', f'stroke-width="{look.width:g}"']
    if look.dash:
        parts.append(f'stroke-dasharray="{" ".join(f"{length:g}" for length in look.dash)}"')
    if look.opacity != 1.0:
        parts.append(f'opacity="{look.opacity:g}"')
    return " ".join(parts)


def _colour(name: str) -> str:
    return "currentColor" if name == "ink" else name


def _path(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
