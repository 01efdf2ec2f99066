"""Marks that look like real ones: a Gaussian copula over the aggregates of 2026, tied to the ability of the simulator.

The recipe: a candidate's ability in the paper sat on line is the first latent variable; the others are drawn given it
and mapped to marks by the inverse of the subject's cumulative counts.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from exam_engine.sample import data_files

MISSING_CORRELATION = 0.45  # for pairs of subjects that hardly anybody takes together
SMALLEST_EIGENVALUE = 1e-6


class SubjectMarks(msgspec.Struct, frozen=True):
    """One subject: moments, the step of its marks, and how many of 100,000 had 0, 0.25, … 10."""

    mean: float
    sd: float
    step: Decimal
    per_100000: tuple[int, ...]


class ElectivePair(msgspec.Struct, frozen=True):
    """Two electives often taken together, and what their takers reach in the two required papers."""

    electives: tuple[str, str]
    share: float
    mathematics: float = msgspec.field(name="TOAN")
    literature: float = msgspec.field(name="VAN")


class MarkStatistics(msgspec.Struct, frozen=True):
    """The aggregates: no row of any person."""

    title: str
    source: str
    step: Decimal
    subjects: Mapping[str, SubjectMarks]
    copula: Mapping[str, float]
    elective_pairs: tuple[ElectivePair, ...]


@cache
def load_statistics() -> MarkStatistics:
    """Read the aggregates of the sample province."""
    return data_files.read_json("marks_2026.json", MarkStatistics)


def latent_given(subjects: tuple[str, ...], first: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw standard normal variables of subjects given that of the first one.

    Parameters
    ----------
    subjects : tuple of str
        Codes; the first one's variable is known.
    first : float
        Its value.

    Returns
    -------
    ndarray, shape (n_subjects - 1,)
        One draw of the others from the copula's conditional distribution.
    """
    slopes, root = _conditional(subjects)
    return np.asarray(slopes * first + root @ rng.standard_normal(len(slopes)))


def copula_matrix(subjects: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the correlation matrix of the subjects' latent variables, made positive definite where it is not."""
    pairs = load_statistics().copula
    size = len(subjects)
    matrix = np.eye(size)
    for i in range(size):
        for j in range(i):
            pair = "|".join(sorted((subjects[i], subjects[j])))
            matrix[i, j] = matrix[j, i] = pairs.get(pair, MISSING_CORRELATION)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= SMALLEST_EIGENVALUE:
        return matrix
    clipped = vectors @ np.diag(np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    return np.asarray(clipped / np.outer(scale, scale))


def mark_at(latent: float, subject: str) -> Decimal:
    """Map a standard normal value to a mark of the subject, by the inverse of its cumulative counts."""
    cumulative, marks = _inverse(subject)
    step = load_statistics().subjects[subject].step
    mark = float(np.interp(ndtr(latent), cumulative, marks))
    return (round(mark / float(step)) * step).quantize(Decimal("0.01"))


@cache
def _conditional(subjects: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    correlation = copula_matrix(subjects)
    slopes = correlation[1:, 0]
    covariance = correlation[1:, 1:] - np.outer(slopes, slopes)
    root = np.linalg.cholesky(covariance + SMALLEST_EIGENVALUE * np.eye(len(slopes)))
    return slopes, np.asarray(root, dtype=np.float64)


@cache
def _inverse(subject: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share below the middle of each bin, and that middle: between them the mark is interpolated."""
    statistics = load_statistics()
    counts = np.array(statistics.subjects[subject].per_100000, dtype=float)
    shares = counts / counts.sum()
    middles = np.asarray(np.cumsum(shares) - shares / 2.0, dtype=np.float64)
    return middles, np.asarray(np.arange(len(counts)) * float(statistics.step), dtype=np.float64)
