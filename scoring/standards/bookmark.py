"""The bookmark method: items stand in order of difficulty, and judges mark the page where mastery ends."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from scoring.errors import RatingsUnusable
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.models import Model
from scoring.standards.panel import Recommendation, recommendation

Array = NDArray[np.float64]
_FARTHEST_THETA = 30.0


class BookletPage(NamedTuple):
    """One page: an item, or a step of one with several points, and where it stands.

    `step` is the score reached, 1 for a right answer; `theta` the ability that reaches it with the response
    probability.
    """

    item: str
    step: int
    theta: float


class BookmarkSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Bookmarks of a panel, summed up.

    Attributes
    ----------
    levels : tuple of str
        Levels above the lowest, in order.
    cuts : tuple of Recommendation
        Of each level, in theta.
    page_mean : tuple of float
        Mean bookmark of each level.
    """

    levels: tuple[str, ...]
    cuts: tuple[Recommendation, ...]
    page_mean: tuple[float, ...]


def ordered_booklet(bank: ItemBank, *, response_probability: float = 2.0 / 3.0) -> tuple[BookletPage, ...]:
    """Order items, and each step of items with several points, by the ability that masters them.

    Mastery of step k is a chance of `response_probability` for a score of k or more. Guessing stays in that chance.
    A step that no ability masters (guessing above it, an upper asymptote below it) stands at -inf or inf.

    Raises
    ------
    RatingsUnusable
        The response probability is not between 0 and 1, or an item is nominal, whose categories have no order.

    References
    ----------
    Mitzel, Lewis, Patz & Green (2001), in Cizek, Setting Performance Standards, 249-281.
    """
    if not 0.0 < response_probability < 1.0:
        raise RatingsUnusable("response probability", f"is {response_probability:g}, not between 0 and 1")
    pages = []
    for item, name in enumerate(bank.names):
        if bank.models[item] is Model.NOMINAL:
            raise RatingsUnusable(f"item {name}", "is nominal: its categories have no order")
        one = bank.select([item])
        pages += [
            BookletPage(name, step, _mastery(one, step, response_probability))
            for step in range(1, int(bank.n_categories[item]))
        ]
    return tuple(sorted(pages, key=lambda page: (page.theta, page.item, page.step)))


def bookmark_summary(
    booklet: Sequence[BookletPage], bookmarks: ArrayLike, *, levels: Sequence[str], judges: Sequence[str] = ()
) -> BookmarkSummary:
    """Turn bookmarks into cut scores.

    The bookmark stands on the last page that the candidate who just reaches the level masters; that page's theta is
    the cut. (Where a panel marks the first page not mastered, subtract one.)

    Parameters
    ----------
    bookmarks : array_like of int, shape (n_judges, n_levels)
        Pages counted from 1, not falling from level to level.
    levels : sequence of str
        Levels above the lowest.

    Raises
    ------
    RatingsUnusable
        A bookmark is no page of the booklet, or a judge's bookmarks fall.
    """
    pages = np.asarray(bookmarks, dtype=np.float64)
    if pages.ndim != 2 or 0 in pages.shape or pages.shape[1] != len(levels):
        raise RatingsUnusable("bookmarks", f"need judges in rows and {len(levels)} levels, not shape {pages.shape}")
    names = [judges[i] if i < len(judges) else str(i + 1) for i in range(pages.shape[0])]
    for name, row in zip(names, pages, strict=True):
        for level, page in zip(levels, row, strict=True):
            if not (page == np.floor(page) and 1 <= page <= len(booklet)):
                raise RatingsUnusable(f"judge {name}, level {level}", f"{page:g} is no page from 1 to {len(booklet)}")
            if not np.isfinite(booklet[int(page) - 1].theta):
                raise RatingsUnusable(f"judge {name}, level {level}", f"no ability masters page {page:g}")
        if (np.diff(row) < 0).any():
            raise RatingsUnusable(f"judge {name}", "a higher level has an earlier bookmark than a lower one")
    theta = np.array([page.theta for page in booklet])[pages.astype(np.int64) - 1]
    return BookmarkSummary(
        levels=tuple(levels),
        cuts=tuple(recommendation(column) for column in theta.T),
        page_mean=tuple(float(mean) for mean in pages.mean(axis=0)),
    )


def _mastery(bank: ItemBank, step: int, response_probability: float) -> float:
    def excess(theta: float) -> float:
        return float(category_probabilities(bank, theta)[0, 0, step:].sum()) - response_probability

    low, high = excess(-_FARTHEST_THETA), excess(_FARTHEST_THETA)
    if low >= 0 and high >= 0:
        return -np.inf
    if low <= 0 and high <= 0:
        return np.inf
    return float(brentq(excess, -_FARTHEST_THETA, _FARTHEST_THETA, xtol=1e-10))
