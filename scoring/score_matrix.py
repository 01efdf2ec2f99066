"""Scores of many attempts at once: every distinct response of a slot is judged once, the rest is integer arithmetic.

Points are kept in ten-thousandths (hundredths of credit times hundredths of points), where every rule is exact. The
rules themselves stay in `keys` and `totals`: this is their table, not a second copy.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.totals import FormKey, SlotKey, slot_score
from scoring.values import ResponseValue, Rounding

POINT_UNIT = 10_000
"""One point in the unit of `ScoreMatrix.points`."""


class ResponseMatrix(msgspec.Struct, frozen=True):
    """Responses of many attempts, coded: `values[j][codes[i, j]]` is what attempt i gave in slot j of the form key."""

    values: tuple[tuple[ResponseValue, ...], ...]
    codes: NDArray[np.int32]


class ScoreMatrix(msgspec.Struct, frozen=True):
    """Scores of many attempts.

    Attributes
    ----------
    points : ndarray of int32, shape (n_candidates, n_slots)
        Ten-thousandths of a point.
    parts : dict
        Part number to ndarray of int64, shape (n_candidates,), ten-thousandths of a point.
    totals : ndarray of int64, shape (n_candidates,)
        Hundredths, rounded as the form key says.
    """

    points: NDArray[np.int32]
    parts: dict[int, NDArray[np.int64]]
    totals: NDArray[np.int64]


def score_matrix(form_key: FormKey, matrix: ResponseMatrix) -> ScoreMatrix:
    """Score coded responses of a form without essays and tracks.

    Parameters
    ----------
    form_key : FormKey
        Its n_slots slots are the columns of `matrix`, in order.
    matrix : ResponseMatrix
        n_candidates rows.

    Raises
    ------
    ResponseInvalid, MarkMissing
        As `totals.slot_score`, for the first distinct response that cannot be judged.
    """
    n_candidates = matrix.codes.shape[0]
    points = np.zeros((n_candidates, len(form_key.slots)), dtype=np.int32)
    for column, (slot, values) in enumerate(zip(form_key.slots, matrix.values, strict=True)):
        table = np.array([_points(slot, value) for value in values], dtype=np.int32)
        if len(table):
            points[:, column] = table[matrix.codes[:, column]]
    parts = {
        part: points[:, [i for i, slot in enumerate(form_key.slots) if slot.part == part]].sum(axis=1, dtype=np.int64)
        for part in dict.fromkeys(slot.part for slot in form_key.slots)
    }
    return ScoreMatrix(points, parts, rounded_totals(points.sum(axis=1, dtype=np.int64), form_key.total_rounding))


def coded(form_key: FormKey, attempts: Iterable[Mapping[int, ResponseValue]]) -> ResponseMatrix:
    """Code the responses of attempts, given as slot to response, for `score_matrix`."""
    slots = [slot.slot for slot in form_key.slots]
    seen: list[dict[bytes, int]] = [{} for _ in slots]
    values: list[list[ResponseValue]] = [[] for _ in slots]
    rows: list[Sequence[int]] = []
    encode = msgspec.json.Encoder(order="sorted").encode
    for responses in attempts:
        row = []
        for column, slot in enumerate(slots):
            response = responses.get(slot)
            text = encode(response)
            code = seen[column].get(text)
            if code is None:
                code = seen[column][text] = len(values[column])
                values[column].append(response)
            row.append(code)
        rows.append(row)
    codes = np.array(rows, dtype=np.int32).reshape(len(rows), len(slots))
    return ResponseMatrix(tuple(tuple(column) for column in values), codes)


def rounded_totals(points: NDArray[np.int64], rounding: Rounding) -> NDArray[np.int64]:
    """Turn non-negative ten-thousandths into hundredths."""
    half = 50 if rounding is Rounding.HALF_UP else 0
    return (points + half) // 100


def _points(slot: SlotKey, response: ResponseValue) -> int:
    exact = Fraction(slot_score(slot, response).points) * POINT_UNIT
    return int(exact)  # a credit has two decimals, points have two: the product is whole
