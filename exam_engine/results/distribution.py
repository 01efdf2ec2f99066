"""Score distribution (phổ điểm): a histogram in the subject's step with its figures; small cells of small units hidden.

Everything is computed in integer hundredths; only the standard deviation is a root.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import isqrt

import msgspec

STEPS = (100, 50, 25, 20, 10, 5, 1)
"""Steps a subject may have, in hundredths; the widest that nearly all scores follow is the subject's."""

ON_GRID = Fraction(98, 100)
"""Share of scores that must lie on a step; means of three markings leave the quarters of literature (0.4 % in 2026)."""

SMALL_UNIT = 1000
"""Below so many candidates cells are widened and small ones hidden."""

HIDE_BELOW = 10
HIDDEN_SHARE = Fraction(1, 10)
"""A small unit's cells widen until at most this share of its candidates is hidden."""


class Cell(msgspec.Struct, frozen=True):
    """Scores from `low` up to the next cell (hundredths); `count` is None where it is hidden."""

    low: int
    count: int | None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of one subject. Figures are exact but for rounding to the places named."""

    n: int
    grid: int  # hundredths: the subject's step
    step: int  # hundredths: width of a cell, the grid or wider
    maximum: int  # hundredths
    cells: tuple[Cell, ...]
    mean: Decimal | None = None  # points, 4 places
    standard_deviation: Decimal | None = None  # points, 4 places; of these candidates, not of a sample
    median: Decimal | None = None  # points
    mode: int | None = None  # hundredths: most frequent score, the lowest of several; None where it would show a few
    share_at_most_1: Decimal | None = None  # of all, 6 places; None where it would show a few
    share_below_5: Decimal | None = None
    share_full: Decimal | None = None

    @property
    def n_hidden(self) -> int:
        """Candidates in hidden cells."""
        return self.n - sum(cell.count or 0 for cell in self.cells)


def distribute(scores: Iterable[int], maximum: int = 1000) -> Distribution:
    """Describe scores given in hundredths, 0 to `maximum`."""
    counts = Counter(scores)
    n = counts.total()
    if n < HIDE_BELOW:  # nothing can be said that is not about somebody
        hidden = tuple(Cell(cell.low, None) if n else cell for cell in _cells(counts, 100, maximum))
        return Distribution(n=n, grid=100, step=100, maximum=maximum, cells=hidden)
    step = subject_step(counts)
    is_small = n < SMALL_UNIT
    cells = _narrowest_shown(counts, step, maximum, n) if is_small else _cells(counts, step, maximum)
    width = cells[1].low - cells[0].low if len(cells) > 1 else maximum
    total = sum(score * count for score, count in counts.items())
    squares = sum(score * score * count for score, count in counts.items())
    variance = Fraction(squares, n) - Fraction(total, n) ** 2  # hundredths squared
    mode, highest = min(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    tenth = maximum // 10
    return Distribution(
        n=n,
        grid=step,
        step=width,
        maximum=maximum,
        cells=cells,
        mean=_places(Fraction(total, n * 100), 4),
        standard_deviation=_root(variance / 10_000),
        median=_places(_median(counts, n) / 100, 3),
        mode=mode if not is_small or highest >= HIDE_BELOW else None,
        share_at_most_1=_share(sum(c for s, c in counts.items() if s <= tenth), n, is_small),
        share_below_5=_share(sum(c for s, c in counts.items() if s < 5 * tenth), n, is_small),
        share_full=_share(counts[maximum], n, is_small),
    )


def subject_step(counts: Mapping[int, int]) -> int:
    """Return the widest step that nearly all scores are multiples of."""
    n = sum(counts.values())
    for step in STEPS[:-1]:
        if Fraction(sum(count for score, count in counts.items() if score % step == 0), n) >= ON_GRID:
            return step
    return STEPS[-1]


def _cells(counts: Mapping[int, int], width: int, maximum: int) -> tuple[Cell, ...]:
    sums = [0] * (maximum // width + 1)
    for score, count in counts.items():
        sums[score // width] += count
    return tuple(Cell(index * width, count) for index, count in enumerate(sums))


def _narrowest_shown(counts: Mapping[int, int], step: int, maximum: int, n: int) -> tuple[Cell, ...]:
    """Hide small cells, in the narrowest width at which not too many candidates disappear."""
    cells: tuple[Cell, ...] = ()
    for width in (step, *(width for width in (25, 50, 100) if width > step and width % step == 0)):
        cells = _hidden(_cells(counts, width, maximum))
        if Fraction(n - sum(cell.count or 0 for cell in cells), n) <= HIDDEN_SHARE:
            break
    return cells


def _hidden(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Hide cells of one to nine; with a single one hidden, the next smallest too, else the sum would tell it."""
    small = {cell.low for cell in cells if cell.count is not None and 0 < cell.count < HIDE_BELOW}
    if len(small) == 1:
        others = [cell for cell in cells if cell.count and cell.low not in small]
        if others:
            small.add(min(others, key=lambda cell: (cell.count or 0, cell.low)).low)
    return tuple(Cell(cell.low, None) if cell.low in small else cell for cell in cells)


def _median(counts: Mapping[int, int], n: int) -> Fraction:
    """Middle score in hundredths; of an even number, the mean of the two middle ones."""
    lower, upper = (n - 1) // 2, n // 2
    found: list[int] = []
    seen = 0
    for score in sorted(counts):
        seen += counts[score]
        if not found and lower < seen:
            found.append(score)
        if found and upper < seen:
            found.append(score)
            break
    return Fraction(found[0] + found[-1], 2)


def _share(count: int, n: int, is_small: bool) -> Decimal | None:
    if is_small and 0 < count < HIDE_BELOW:
        return None
    return _places(Fraction(count, n), 6)


def _places(value: Fraction, places: int) -> Decimal:
    """Round half up to so many places."""
    return Decimal(int(value * 10**places + Fraction(1, 2))).scaleb(-places)


def _root(variance: Fraction) -> Decimal:
    """Square root to four places, half up, from integers alone."""
    scaled = isqrt(int(variance * 10**10))  # five places, cut
    return Decimal((scaled + 5) // 10).scaleb(-4)
