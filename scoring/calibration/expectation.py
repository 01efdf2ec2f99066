"""The E-step: expected counts of categories at the quadrature points, and the marginal log-likelihood."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scoring.calibration.features import DenseFeatures, Features, Floats, SparseFeatures

Array = NDArray[np.float64]
_LEAST_LOGARITHM = np.float32(-60.0)


class Expected(NamedTuple):
    """`counts` has shape (rows of the features, n_points)."""

    counts: Array
    log_likelihood: float


class PosteriorChunk(NamedTuple):
    """Candidates `place`, their posterior of shape (n_points, run), and the logarithm of their marginal probability."""

    place: slice
    posterior: Floats
    log_marginal: Array


def expect(features: Features, log_terms: Array, dtype: type[np.floating] = np.float64) -> Expected:
    """Compute posterior-weighted sums of the features.

    Parameters
    ----------
    log_terms : ndarray, shape (rows of the features, n_points)
        What a 1 in each row adds to the joint log-probability of responses and ability.
    dtype : float32 or float64
        Precision of the products and exponentials; sums over chunks are float64 always.
    """
    if isinstance(features, SparseFeatures):
        return _expect_sparse(features, log_terms, dtype)
    counts = np.zeros(log_terms.shape)
    log_likelihood = 0.0
    terms = np.ascontiguousarray(log_terms.T, dtype=dtype)
    buffer: Floats | None = None
    for place, matrix in features.chunks(log_terms.shape[1], dtype):
        # Kept from run to run: fresh pages would cost more than the products.
        if buffer is None or buffer.shape[1] != matrix.shape[1]:
            buffer = np.empty((terms.shape[0], matrix.shape[1]), dtype=dtype)
        joint = np.matmul(terms, matrix, out=buffer)
        log_marginal, mass = _exponentiate(joint)
        weights = None if features.weights is None else features.weights[place]
        log_likelihood += float(log_marginal.sum() if weights is None else log_marginal @ weights)
        joint *= 1.0 / mass if weights is None else (weights / mass).astype(dtype)
        counts += matrix @ joint.T
    return Expected(counts, log_likelihood)


def posteriors(
    features: DenseFeatures, log_terms: Array, dtype: type[np.floating] = np.float64
) -> Iterator[PosteriorChunk]:
    """Yield the posterior of ability of each candidate, unweighted, chunk by chunk."""
    terms = np.ascontiguousarray(log_terms.T, dtype=dtype)
    for place, matrix in features.chunks(log_terms.shape[1], dtype):
        joint = terms @ matrix
        log_marginal, mass = _exponentiate(joint)
        joint /= mass
        yield PosteriorChunk(place, joint, log_marginal)


def posterior_of(part: csr_array, groups: NDArray[np.int64], log_terms: Array) -> Array:
    """Posterior of ability of a run of sparse candidates, shape (run, n_points)."""
    joint: Array = part @ log_terms
    joint += log_terms[groups]
    joint -= joint.max(axis=1, keepdims=True)
    exponentiate_in_place(joint)
    joint /= joint.sum(axis=1, keepdims=True)
    return joint


def exponentiate_in_place(logarithms: Floats) -> None:
    """Take exponentials of numbers <= 0, away from the subnormal numbers of single precision.

    Those slow the products that follow many times; what is lifted to exp(-60) changes no sum.
    """
    if logarithms.dtype == np.float32:
        np.maximum(logarithms, _LEAST_LOGARITHM, out=logarithms)
    np.exp(logarithms, out=logarithms)


def _expect_sparse(features: SparseFeatures, log_terms: Array, dtype: type[np.floating]) -> Expected:
    counts = np.zeros(log_terms.shape)
    log_likelihood = 0.0
    terms = np.ascontiguousarray(log_terms, dtype=dtype)
    for place, part, groups in features.chunks(log_terms.shape[1], dtype):
        joint = part @ terms
        joint += terms[groups]
        peak = joint.max(axis=1)
        joint -= peak[:, None]
        exponentiate_in_place(joint)
        mass = joint.sum(axis=1)
        log_marginal = np.log(mass, dtype=np.float64) + peak
        weights = None if features.weights is None else features.weights[place]
        log_likelihood += float(log_marginal.sum() if weights is None else log_marginal @ weights)
        joint *= (1.0 / mass if weights is None else (weights / mass).astype(dtype))[:, None]
        counts += part.T @ joint
        for group in range(features.n_groups):
            counts[group] += (joint if features.n_groups == 1 else joint[groups == group]).sum(axis=0)
    return Expected(counts, log_likelihood)


def _exponentiate(joint: Floats) -> tuple[Array, Floats]:
    """Turn log-joint probabilities into joint ones over their column's largest, in place; return log-sums and sums."""
    peak = joint.max(axis=0)
    joint -= peak
    exponentiate_in_place(joint)
    mass = joint.sum(axis=0)
    log_marginal = np.log(mass, dtype=np.float64) + peak
    return log_marginal, mass
