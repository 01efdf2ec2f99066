"""Axes of a figure: data to pixels, round ticks in the reader's number format, names of the axes."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from exam_engine.calibration.figures import Label, Line, Mark, Point
from exam_engine.infra.i18n import format_decimal

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Axes(msgspec.Struct, frozen=True, kw_only=True):
    """A plotting field inside a figure.

    Attributes
    ----------
    left, top, width, height : float
        The field, pixels.
    x, y : (float, float)
        Values at its ends: left and right, bottom and top.
    """

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def right(self) -> float:
        """Right border, pixels."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower border, pixels."""
        return self.top + self.height

    def at_x(self, value: float) -> float:
        """Pixel of an abscissa."""
        return self.left + self.width * (value - self.x[0]) / (self.x[1] - self.x[0])

    def at_y(self, value: float) -> float:
        """Pixel of an ordinate."""
        return self.bottom - self.height * (value - self.y[0]) / (self.y[1] - self.y[0])

    def points(self, x: ArrayLike, y: ArrayLike) -> tuple[Point, ...]:
        """Pixels of a curve, held inside the field."""
        across, up = np.asarray(x, dtype=np.float64), np.clip(np.asarray(y, dtype=np.float64), *self.y)
        return tuple((self.at_x(float(a)), self.at_y(float(b))) for a, b in zip(across, up, strict=True))

    def x_axis(self, ticks: Sequence[float], name: str, language: str) -> list[Mark]:
        """Line, ticks and name below the field."""
        marks: list[Mark] = [Line(((self.left, self.bottom), (self.right, self.bottom)), "axis")]
        for value in ticks:
            x = self.at_x(value)
            marks.append(Line(((x, self.bottom), (x, self.bottom + 4)), "axis"))
            marks.append(Label((x, self.bottom + 17), number(value, language)))
        marks.append(Label((self.left + self.width / 2, self.bottom + 34), name))
        return marks

    def y_axis(self, ticks: Sequence[float], name: str, language: str) -> list[Mark]:
        """Grid, ticks and name left of the field."""
        marks: list[Mark] = []
        for value in ticks:
            y = self.at_y(value)
            marks.append(Line(((self.left, y), (self.right, y)), "grid"))
            marks.append(Label((self.left - 7, y + 4), number(value, language), anchor="end"))
        marks.append(Label((13, self.top + self.height / 2), name, is_upright=False))
        return marks


def round_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Return at most `most` + 1 round values from `low` to `high`."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * unit for unit in _STEPS if power * unit >= rough * (1.0 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return tuple(round(float(i * step), 10) for i in range(first, last + 1))


def number(value: float, language: str, places: int | None = None) -> str:
    """Write a number with as many places as it needs, at most three; a true minus sign, as type-setting wants it."""
    if places is None:
        places = next((n for n in (0, 1, 2) if abs(value - round(value, n)) < 1e-9), 3)
    text = format_decimal(abs(value), language, places)
    is_zero = not any(digit in "123456789" for digit in text)
    return text if value >= 0 or is_zero else f"−{text}"
