"""Responses as a 0/1 matrix, so that the E-step is two matrix products; dense in chunks that fit the cache, or sparse.

Row g marks group g. An item everybody answered has a row for each category above the lowest, any other item one for
each category.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scoring.calibration.layout import Layout
from scoring.irt.responses import ResponseMatrix, SparseCategories

Array = NDArray[np.float64]
Floats = NDArray[np.float32] | NDArray[np.float64]
# Beyond this the matrix is kept as bytes and widened chunk by chunk.
_WIDE_BYTES = 160_000_000
_CHUNK_CELLS = 1 << 18


class DenseFeatures:
    """A matrix of shape (rows of the layout, candidates)."""

    def __init__(self, layout: Layout, responses: ResponseMatrix) -> None:
        categories = responses.categories
        if isinstance(categories, SparseCategories):
            raise TypeError("sparse responses make sparse features")
        self.n_columns = responses.n_rows
        self.weights = responses.frequencies
        is_wide = layout.n_rows * self.n_columns * 4 <= _WIDE_BYTES
        self.matrix = np.zeros((layout.n_rows, self.n_columns), dtype=np.float32 if is_wide else np.uint8)
        if responses.groups is None:
            self.matrix[0] = 1
        else:
            for group in range(layout.n_groups):
                self.matrix[group] = responses.groups == group
        step = max(1, _CHUNK_CELLS // categories.shape[1])
        for start in range(0, self.n_columns, step):
            stop = min(start + step, self.n_columns)
            columns = np.ascontiguousarray(categories[start:stop].T)
            for block in layout.blocks:
                of_block = columns if block.items.size == columns.shape[0] else columns[block.items]
                lowest = int(block.is_complete)
                n_kept = block.n_categories - lowest
                rows = self.matrix[block.rows].reshape(block.items.size, n_kept, self.n_columns)
                for k in range(n_kept):
                    np.equal(of_block, k + lowest, out=rows[:, k, start:stop], casting="unsafe")

    def chunks(self, n_points: int, dtype: type[np.floating]) -> Iterator[tuple[slice, Floats]]:
        """Yield runs of candidates with their part of the matrix, shape (rows, run)."""
        size = max(256, _CHUNK_CELLS // max(n_points, self.matrix.shape[0]))
        buffer = None
        for start in range(0, self.n_columns, size):
            stop = min(start + size, self.n_columns)
            part = self.matrix[:, start:stop]
            if part.dtype != dtype:
                if buffer is None:
                    buffer = np.empty((self.matrix.shape[0], min(size, self.n_columns)), dtype=dtype)
                wide = buffer[:, : stop - start]
                np.copyto(wide, part, casting="unsafe")
                yield slice(start, stop), wide
            else:
                yield slice(start, stop), part


class SparseFeatures:
    """The same matrix by candidate, holding only what is there."""

    def __init__(self, layout: Layout, responses: ResponseMatrix) -> None:
        categories = responses.categories
        if not isinstance(categories, SparseCategories):
            raise TypeError("dense responses make dense features")
        self.n_columns = responses.n_rows
        self.weights = responses.frequencies
        first_row = np.empty(responses.n_items, dtype=np.int64)
        for block in layout.blocks:
            first_row[block.items] = block.first_row + np.arange(block.items.size) * block.n_categories
        self.n_groups = layout.n_groups
        self._n_rows = layout.n_rows
        self._starts = categories.starts
        self._rows = (first_row[categories.items] + categories.categories).astype(np.int32)
        self._groups = np.zeros(self.n_columns, dtype=np.int64) if responses.groups is None else responses.groups

    def chunks(self, n_points: int, dtype: type[np.floating]) -> Iterator[tuple[slice, csr_array, NDArray[np.int64]]]:
        """Yield runs of candidates with their part of the matrix, shape (run, rows), and their groups."""
        size = max(1024, (8 * _CHUNK_CELLS) // n_points)
        for start in range(0, self.n_columns, size):
            stop = min(start + size, self.n_columns)
            begin, end = self._starts[start], self._starts[stop]
            part = csr_array(
                (
                    np.ones(end - begin, dtype=dtype),
                    self._rows[begin:end],
                    (self._starts[start : stop + 1] - begin).astype(np.int32),
                ),
                shape=(stop - start, self._n_rows),
            )
            yield slice(start, stop), part, self._groups[start:stop]


Features = DenseFeatures | SparseFeatures


def features_of(layout: Layout, responses: ResponseMatrix) -> Features:
    """Return the features in the form of the responses."""
    if isinstance(responses.categories, SparseCategories):
        return SparseFeatures(layout, responses)
    return DenseFeatures(layout, responses)
