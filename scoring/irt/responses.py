"""ResponseMatrix: who gave which category of which item; dense or sparse, with missing responses, weights, groups."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import ResponsesUnusable

MISSING = -1
_MOST_CATEGORIES = 100


class SparseCategories(msgspec.Struct, frozen=True):
    """Responses by candidate, for tests in which each meets a few per cent of the items (LOFT, adaptive).

    Attributes
    ----------
    starts : ndarray of int64, shape (n_candidates + 1,)
        Candidate i owns the responses `starts[i]` to `starts[i + 1]`.
    items : ndarray of int32, shape (n_responses,)
    categories : ndarray of int8, shape (n_responses,)
    n_items : int
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    categories: NDArray[np.int8]
    n_items: int

    def rows(self, chosen: NDArray[np.int64]) -> "SparseCategories":
        """Return some of the candidates, in the given order."""
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return SparseCategories(starts, self.items[at], self.categories[at], self.n_items)


class ResponseMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """Responses of candidates to items; a category is 0, 1, …, and -1 is missing: left out of the likelihood.

    Attributes
    ----------
    categories : ndarray of int8, shape (n_candidates, n_items), or SparseCategories
    item_names : tuple of str
    frequencies : ndarray, shape (n_candidates,), or None
        How often each row occurred; None means once each.
    groups : ndarray of int, shape (n_candidates,), or None
        Index into `group_names`; the first group is the reference.
    group_names : tuple of str
    """

    categories: NDArray[np.int8] | SparseCategories
    item_names: tuple[str, ...]
    frequencies: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    group_names: tuple[str, ...] = ("all",)

    @property
    def n_rows(self) -> int:
        """Rows, each a candidate or a pattern with its frequency."""
        if isinstance(self.categories, SparseCategories):
            return self.categories.starts.size - 1
        return int(self.categories.shape[0])

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_names)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Frequency of each row."""
        return np.ones(self.n_rows) if self.frequencies is None else self.frequencies

    @property
    def n_candidates(self) -> float:
        """Sum of the frequencies."""
        return float(self.n_rows if self.frequencies is None else self.frequencies.sum())

    def category_counts(self) -> NDArray[np.float64]:
        """Weighted count of each category of each item, shape (n_items, highest category + 1)."""
        if isinstance(self.categories, SparseCategories):
            sparse = self.categories
            widest = int(sparse.categories.max(initial=0)) + 1
            weights = None if self.frequencies is None else np.repeat(self.frequencies, np.diff(sparse.starts))
            code = sparse.items.astype(np.int64) * widest + sparse.categories
            return np.bincount(code, weights, minlength=sparse.n_items * widest).reshape(-1, widest).astype(np.float64)
        widest = int(self.categories.max(initial=0)) + 1
        counts = np.zeros((self.n_items, widest))
        for k in range(widest):
            is_k = self.categories == k
            if self.frequencies is None:
                # Sums of bytes over short runs: several times faster than a sum of booleans along the long axis.
                counts[:, k] = np.add.reduceat(
                    is_k, np.arange(0, max(self.n_rows, 1), 255), axis=0, dtype=np.uint8
                ).sum(axis=0)
            else:
                counts[:, k] = self.frequencies @ is_k
        return counts

    def dense(self) -> "ResponseMatrix":
        """Return the same responses with a cell for each candidate and item, as fit and comparisons of groups need."""
        sparse = self.categories
        if not isinstance(sparse, SparseCategories):
            return self
        cells = np.full((self.n_rows, self.n_items), MISSING, dtype=np.int8)
        cells[np.repeat(np.arange(self.n_rows), np.diff(sparse.starts)), sparse.items] = sparse.categories
        return msgspec.structs.replace(self, categories=cells)

    def highest_categories(self) -> NDArray[np.int64]:
        """Highest category met in each item, -1 where it was never answered, shape (n_items,)."""
        if not isinstance(self.categories, SparseCategories):
            dense: NDArray[np.int64] = self.categories.max(axis=0, initial=MISSING).astype(np.int64)
            return dense
        highest = np.full(self.n_items, MISSING, dtype=np.int64)
        np.maximum.at(highest, self.categories.items, self.categories.categories)
        return highest

    def rows(self, chosen: NDArray[np.int64]) -> "ResponseMatrix":
        """Return some of the rows, in the given order."""
        if isinstance(self.categories, SparseCategories):
            categories: NDArray[np.int8] | SparseCategories = self.categories.rows(chosen)
        else:
            categories = self.categories[chosen]
        return msgspec.structs.replace(
            self,
            categories=categories,
            frequencies=None if self.frequencies is None else self.frequencies[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )


class Deduplicated(msgspec.Struct, frozen=True):
    """Distinct rows of a matrix, with frequencies, and for each original row the distinct one it equals."""

    responses: ResponseMatrix
    index: NDArray[np.int64]


def response_matrix(
    values: ArrayLike,
    *,
    item_names: Sequence[str] | None = None,
    frequencies: ArrayLike | None = None,
    groups: Sequence[str] | None = None,
) -> ResponseMatrix:
    """Build a matrix from numbers; NaN and negative numbers are missing.

    Parameters
    ----------
    values : array_like, shape (n_candidates, n_items)
        Categories 0, 1, …
    frequencies : array_like, optional
        How often each row occurred, > 0 or 0.
    groups : sequence of str, optional
        Group of each row; the first one met is the reference.

    Raises
    ------
    ResponsesUnusable
        A value is no category, a frequency is negative, or the shapes do not agree; place and reason say where.
    """
    given = np.asarray(values)
    if given.ndim != 2 or 0 in given.shape:
        raise ResponsesUnusable("responses", f"need rows of candidates and columns of items, not shape {given.shape}")
    names = _distinct(item_names if item_names is not None else [f"item{i + 1}" for i in range(given.shape[1])])
    if len(names) != given.shape[1]:
        raise ResponsesUnusable("responses", f"have {given.shape[1]} columns, but {len(names)} items are named")
    weights = None
    if frequencies is not None:
        weights = np.asarray(frequencies, dtype=np.float64)
        if weights.shape != (given.shape[0],) or not np.isfinite(weights).all() or (weights < 0).any():
            raise ResponsesUnusable("frequencies", "need one number that is not negative for each row")
    index, group_names = _grouped(groups, given.shape[0])
    return ResponseMatrix(
        categories=_categories(given, names),
        item_names=names,
        frequencies=weights,
        groups=index,
        group_names=group_names,
    )


def sparse_responses(
    candidates: ArrayLike,
    items: ArrayLike,
    values: ArrayLike,
    *,
    n_candidates: int,
    item_names: Sequence[str],
    groups: Sequence[str] | None = None,
) -> ResponseMatrix:
    """Build a sparse matrix from single responses in any order, for tests in which each meets few of the items.

    Parameters
    ----------
    candidates, items : array_like of int, shape (n_responses,)
        Who, 0 to `n_candidates` - 1, answered which item, by its place in `item_names`.
    values : array_like, shape (n_responses,)
        Categories 0, 1, …; NaN and negative numbers are missing, as if not listed.

    Raises
    ------
    ResponsesUnusable
        A value is no category, an index is out of range, or a candidate answered an item twice.
    """
    names = _distinct(item_names)
    row, column = np.asarray(candidates, dtype=np.int64).ravel(), np.asarray(items, dtype=np.int64).ravel()
    given = np.asarray(values).reshape(-1, 1)
    if not row.size == column.size == given.size:
        raise ResponsesUnusable("responses", f"{row.size} candidates, {column.size} items and {given.size} values")
    for what, index, n in (("candidate", row, n_candidates), ("item", column, len(names))):
        wrong = np.flatnonzero((index < 0) | (index >= n))
        if wrong.size:
            raise ResponsesUnusable(f"response {wrong[0] + 1}", f"its {what} {index[wrong[0]]} is not in 0 to {n - 1}")
    categories = _categories(given, ())[:, 0]
    order = np.lexsort((column, row))
    order = order[categories[order] >= 0]
    row, column = row[order], column[order]
    twice = np.flatnonzero((np.diff(row) == 0) & (np.diff(column) == 0))
    if twice.size:
        raise ResponsesUnusable(
            f"candidate {row[twice[0]] + 1}, item {names[column[twice[0]]]}", "is answered more than once"
        )
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_candidates))])
    group_of, group_names = _grouped(groups, n_candidates)
    return ResponseMatrix(
        categories=SparseCategories(starts, column.astype(np.int32), categories[order], len(names)),
        item_names=names,
        groups=group_of,
        group_names=group_names,
    )


def deduplicate(responses: ResponseMatrix, *, is_forced: bool = False) -> Deduplicated | None:
    """Merge equal rows, or return None where a sample of the rows says that it would not pay."""
    categories = responses.categories
    if isinstance(categories, SparseCategories):
        return None
    n_rows = responses.n_rows
    if not is_forced:
        sample = categories[:: max(1, n_rows // 2048)][:2048]
        distinct = np.unique(_packed(sample)).size
        pairs = sample.shape[0] * (sample.shape[0] - 1) / 2.0
        # Chance that two rows are equal, from the sample; pays when most rows have a twin.
        if pairs == 0 or (sample.shape[0] - distinct) / pairs * n_rows < 1.0:
            return None
    packed = _packed(categories)
    if responses.groups is not None:
        packed = _packed(np.column_stack([categories, responses.groups.astype(np.int8)]))
    _, first, index = np.unique(packed, return_index=True, return_inverse=True)
    if first.size > 0.7 * n_rows and not is_forced:
        return None
    merged = responses.rows(first)
    return Deduplicated(
        msgspec.structs.replace(merged, frequencies=np.bincount(index, responses.weights, minlength=first.size)),
        index,
    )


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ResponsesUnusable(f"item {twice}", "is named twice")
    return tuple(names)


def _packed(categories: NDArray[np.int8]) -> NDArray[np.void] | NDArray[np.int64]:
    """Return one comparable key for each row: a number where it fits, else its bytes."""
    widest = int(categories.max(initial=0)) + 2
    if categories.shape[1] * np.log2(widest) < 62:
        key = np.zeros(categories.shape[0], dtype=np.int64)
        for column in np.ascontiguousarray(categories.T):
            key *= widest
            key += column
        return key
    rows = np.ascontiguousarray(categories)
    return rows.view(np.dtype((np.void, rows.shape[1]))).ravel()


def _categories(given: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.int8]:
    if given.dtype == np.int8:
        categories = given.astype(np.int8, copy=False)
    elif np.issubdtype(given.dtype, np.integer) or given.dtype == np.bool_:
        _require_categories(given, given > _MOST_CATEGORIES, names)
        categories = np.where(given < 0, MISSING, given).astype(np.int8)
    elif np.issubdtype(given.dtype, np.floating):
        numbers = given.astype(np.float64)
        is_missing = np.isnan(numbers) | (numbers < 0)
        filled = np.where(is_missing, 0.0, numbers)
        _require_categories(given, (filled != np.floor(filled)) | (filled > _MOST_CATEGORIES), names)
        categories = np.where(is_missing, float(MISSING), filled).astype(np.int8)
    else:
        raise ResponsesUnusable("responses", "need numbers; missing ones are NaN or negative")
    if categories.min() < MISSING:
        categories = np.maximum(categories, np.int8(MISSING))
    return categories


def _require_categories(given: NDArray[np.generic], is_wrong: NDArray[np.bool_], names: tuple[str, ...]) -> None:
    if is_wrong.any():
        row, column = np.argwhere(is_wrong)[0]
        raise ResponsesUnusable(
            f"row {row + 1}, item {names[column]}" if names else f"response {row + 1}",
            f"{given[row, column]} is no category: whole numbers from 0 to {_MOST_CATEGORIES} are",
        )


def _grouped(groups: Sequence[str] | None, n_rows: int) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    if groups is None:
        return None, ("all",)
    if len(groups) != n_rows:
        raise ResponsesUnusable("groups", f"{len(groups)} are given for {n_rows} rows")
    names = tuple(dict.fromkeys(str(group) for group in groups))
    place = {name: i for i, name in enumerate(names)}
    return np.array([place[str(group)] for group in groups], dtype=np.int64), names
