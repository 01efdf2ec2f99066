"""From what a response file says to what is calibrated: blanks judged, categories numbered from 0, nonsense named."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.calibration.choices import Blank
from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.response_files import MISSING, NOT_REACHED, OMITTED, ResponseFile
from exam_engine.infra.i18n import N_
from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS
from scoring.irt.responses import ResponseMatrix, response_matrix


class BlankRules(msgspec.Struct, frozen=True, kw_only=True):
    """How blanks count.

    Attributes
    ----------
    is_by_position : bool
        An empty cell (or NA) before a later response was omitted, the last ones of a row were not reached; else all
        are missing by design.
    omitted, not_reached : Blank
    """

    is_by_position: bool = False
    omitted: Blank = Blank.WRONG
    not_reached: Blank = Blank.MISSING


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Responses ready for the library.

    Attributes
    ----------
    responses : ResponseMatrix
    first_categories : ndarray of int64, shape (n_items,)
        What the file calls category 0.
    omitted, not_reached : ndarray, shape (n_items,)
        Weighted shares of the candidates.
    """

    responses: ResponseMatrix
    first_categories: NDArray[np.int64]
    omitted: NDArray[np.float64]
    not_reached: NDArray[np.float64]


def judged_blanks(marks: NDArray[np.int8]) -> NDArray[np.int8]:
    """Turn missing cells into omitted ones, those at the end of a row into ones not reached."""
    is_blank = marks == MISSING
    is_last = np.logical_and.accumulate((marks < 0)[:, ::-1], axis=1)[:, ::-1]
    result: NDArray[np.int8] = np.where(is_blank, np.where(is_last, NOT_REACHED, OMITTED), marks).astype(np.int8)
    return result


def prepare(
    found: ResponseFile,
    models: Sequence[Model],
    blanks: BlankRules = BlankRules(),  # noqa: B008
    *,
    first_categories: Sequence[int | None] | None = None,
    is_fixed: Sequence[bool] | None = None,
    n_categories: Sequence[int] | None = None,
) -> Prepared:
    """Make a response matrix of a file.

    Parameters
    ----------
    models : sequence of Model, one for each item
    first_categories : sequence of int or None, optional
        What the file calls the lowest category; where None, 0 if it occurs, else 1.
    is_fixed : sequence of bool, optional
        Items whose parameters are known: any of their categories may be absent.
    n_categories : sequence of int, optional
        Of items whose parameters are known.

    Raises
    ------
    FileRefused
        A column never answered, one category only, a category the model has not, a gap; each named by its column.
    """
    marks = judged_blanks(found.marks) if blanks.is_by_position else found.marks
    weights = np.ones(len(marks)) if found.frequencies is None else found.frequencies
    total = max(float(weights.sum()), 1e-300)
    fixed = [False] * len(models) if is_fixed is None else list(is_fixed)
    mistakes = Mistakes(found.file_name)
    table = np.empty_like(marks)
    first = np.zeros(len(models), dtype=np.int64)
    for item, model in enumerate(models):
        column = marks[:, item]
        said = None if first_categories is None else first_categories[item]
        known = None if n_categories is None or not fixed[item] else n_categories[item]
        check = _Column(found, item, column, weights, mistakes)
        first[item] = check.first_category(said, known)
        check.require_fitting(model, int(first[item]), known)
        table[:, item] = _numbered(column, int(first[item]), blanks)
    mistakes.finish()
    return Prepared(
        responses=response_matrix(
            table, item_names=found.item_names, frequencies=found.frequencies, groups=found.groups
        ),
        first_categories=first,
        omitted=weights @ (marks == OMITTED) / total,
        not_reached=weights @ (marks == NOT_REACHED) / total,
    )


def _numbered(column: NDArray[np.int8], first: int, blanks: BlankRules) -> NDArray[np.int8]:
    lowest = {Blank.WRONG: 0, Blank.MISSING: MISSING}
    shifted = np.where(column >= 0, column - first, MISSING)
    shifted = np.where(column == OMITTED, lowest[blanks.omitted], shifted)
    result: NDArray[np.int8] = np.where(column == NOT_REACHED, lowest[blanks.not_reached], shifted).astype(np.int8)
    return result


class _Column:
    """One item's column under examination."""

    def __init__(
        self,
        found: ResponseFile,
        item: int,
        column: NDArray[np.int8],
        weights: NDArray[np.float64],
        mistakes: Mistakes,
    ) -> None:
        self._name, self._column, self._lines, self._mistakes = found.item_names[item], column, found.lines, mistakes
        counts = np.bincount(column[column >= 0], weights[column >= 0], minlength=2)
        self._met = np.flatnonzero(counts > 0)
        self._count = float(counts.sum())

    def first_category(self, said: int | None, n_known: int | None) -> int:
        """Return what the file calls the lowest category; of an item with parameters, what fits their number."""
        if self._met.size == 0:
            self._wrong(N_("nobody answered this item"))
            return 0
        if self._met.size == 1 and n_known is None:
            message = N_("all {count} responses are {value}: an item that tells nobody apart cannot be calibrated")
            self._wrong(message, count=f"{self._count:g}", value=int(self._met[0]))
            return 0
        if said is not None:
            return said
        if n_known is not None:
            return int(self._met[0] >= 1 and self._met[-1] == n_known)
        return int(self._met[0] > 0)

    def require_fitting(self, model: Model, first: int, n_categories: int | None) -> None:
        """Name categories that the model or the parameters have not, and gaps."""
        if self._met.size == 0:
            return
        highest = (
            first + (n_categories - 1) if n_categories is not None else first + 1 if model in DICHOTOMOUS else None
        )
        if self._met[0] < first or (highest is not None and self._met[-1] > highest):
            value = int(self._met[0] if self._met[0] < first else self._met[-1])
            line = int(self._lines[int(np.argmax(self._column == value))])
            if n_categories is None:
                message = N_("{value} is no category of the model {model}; choose a model for items of several scores")
                self._wrong(message, line=line, value=value, model=model.value)
            else:
                message = N_("{value} is not among the categories {first} to {highest} of its parameters")
                self._wrong(message, line=line, value=value, first=first, highest=highest or first)
            return
        if n_categories is not None or self._met.size < 2:
            return
        absent = next((k for k in range(first, int(self._met[-1])) if k not in self._met), None)
        if absent is not None:
            message = N_("nobody gave {value}, but {highest} occurs; merge categories so that there is no gap")
            self._wrong(message, value=absent, highest=int(self._met[-1]))

    def _wrong(self, message: str, *, line: int | None = None, **facts: str | int) -> None:
        self._mistakes.add(message, line=line, column=self._name, **facts)
