"""Residuals at an ability: infit and outfit of items and candidates, and Q3 of pairs of items."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import FitUndefined
from scoring.fit.population import dense_categories
from scoring.irt.bank import ItemBank, category_probabilities
from scoring.irt.responses import ResponseMatrix

Array = NDArray[np.float64]
_CHUNK_ROWS = 4096
# The cube-root transformation loses its sense where the mean square spreads wider than this.
_WIDEST_SPREAD = np.sqrt(2.0)
# One slip on a far too easy item would else outweigh the whole test; the floor is the one mirt has.
_LEAST_VARIANCE = np.sqrt(1e-5)


class MeanSquares(msgspec.Struct, frozen=True, kw_only=True):
    """Mean squares, 1 where the data vary as the model says, and the same as standard normal deviates.

    Attributes
    ----------
    outfit, infit : ndarray
        Unweighted, and weighted by the variance of the score.
    z_outfit, z_infit : ndarray
        Wilson-Hilferty transformed.
    """

    outfit: Array
    infit: Array
    z_outfit: Array
    z_infit: Array


class ResidualFit(msgspec.Struct, frozen=True):
    """Mean squares of items, shape (n_items,), and of rows of the responses, shape (n_rows,)."""

    items: MeanSquares
    candidates: MeanSquares


class LocalDependence(msgspec.Struct, frozen=True):
    """Yen's Q3.

    Attributes
    ----------
    q3 : ndarray, shape (n_items, n_items)
        Correlations of residuals, 1 on the diagonal.
    mean : float
        Of the pairs; near -1 / (n_items - 1) without dependence.
    adjusted : ndarray, shape (n_items, n_items)
        Q3 less its mean; above 0.2 a pair deserves a look.
    """

    q3: Array
    mean: float
    adjusted: Array


def residual_fit(responses: ResponseMatrix, bank: ItemBank, theta: ArrayLike) -> ResidualFit:
    """Compute infit and outfit.

    Parameters
    ----------
    theta : array_like, shape (n_rows,)
        Ability of each row; EAP as mirt does, ML as Rasch programs do. Rows whose ability is not finite count nowhere.

    References
    ----------
    Wright & Masters (1982), Rating Scale Analysis, ch. 5.
    """
    categories, abilities = _usable(responses, bank, theta)
    item_sums, rows = np.zeros((6, bank.n_items)), np.zeros((6, responses.n_rows))
    for start in range(0, responses.n_rows, _CHUNK_ROWS):
        place = slice(start, start + _CHUNK_ROWS)
        terms = _terms(categories[place], bank, abilities[place])
        item_sums += np.einsum("r,sri->si", responses.weights[place], terms)
        rows[:, place] = terms.sum(axis=2)
    return ResidualFit(_mean_squares(item_sums), _mean_squares(rows))


def q3(responses: ResponseMatrix, bank: ItemBank, theta: ArrayLike) -> LocalDependence:
    """Correlate the residuals of every two items over the candidates who met both.

    References
    ----------
    Yen (1984), Applied Psychological Measurement 8, 125-145; the 0.2 above the mean is that of Christensen, Makransky &
    Horton (2017), Applied Psychological Measurement 41, 178-194.
    """
    categories, abilities = _usable(responses, bank, theta)
    if bank.n_items < 2:
        raise FitUndefined("responses", "one item alone depends on no other")
    n, sums, squares, products = (np.zeros((bank.n_items, bank.n_items)) for _ in range(4))
    for start in range(0, responses.n_rows, _CHUNK_ROWS):
        place = slice(start, start + _CHUNK_ROWS)
        is_there, residual, _, _ = _residuals(categories[place], bank, abilities[place])
        weighted = responses.weights[place, None]
        n += (is_there * weighted).T @ is_there
        sums += (residual * weighted).T @ is_there
        squares += (residual**2 * weighted).T @ is_there
        products += (residual * weighted).T @ residual
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = products / n - (sums / n) * (sums.T / n)
        variance = squares / n - (sums / n) ** 2
        correlation = covariance / np.sqrt(variance * variance.T)
    np.fill_diagonal(correlation, 1.0)
    upper = np.triu_indices(bank.n_items, 1)
    known = correlation[upper][np.isfinite(correlation[upper])]
    mean = float(known.mean()) if known.size else np.nan
    return LocalDependence(correlation, mean, correlation - mean)


def _usable(responses: ResponseMatrix, bank: ItemBank, theta: ArrayLike) -> tuple[NDArray[np.int8], Array]:
    categories = dense_categories(responses, bank)
    abilities = np.asarray(theta, dtype=np.float64)
    if abilities.shape != (responses.n_rows,):
        raise FitUndefined("theta", f"has shape {abilities.shape}, but there are {responses.n_rows} rows")
    return np.where(np.isfinite(abilities)[:, None], categories, np.int8(-1)), np.where(
        np.isfinite(abilities), abilities, 0.0
    )


def _residuals(categories: NDArray[np.int8], bank: ItemBank, theta: Array) -> tuple[Array, Array, Array, Array]:
    """Presence, residual (0 where missing), variance and fourth central moment of each score, (rows, n_items)."""
    p = category_probabilities(bank, theta)
    values = np.arange(float(p.shape[2]))
    mean = p @ values
    deviation = values - mean[:, :, None]
    variance = np.maximum(np.einsum("rik,rik->ri", p, deviation**2), _LEAST_VARIANCE)
    fourth = np.einsum("rik,rik->ri", p, deviation**4)
    is_there = (categories >= 0).astype(np.float64)
    return is_there, is_there * (categories - mean), variance, fourth


def _terms(categories: NDArray[np.int8], bank: ItemBank, theta: Array) -> Array:
    """What the mean squares are summed from, shape (6, rows, n_items)."""
    is_there, residual, variance, fourth = _residuals(categories, bank, theta)
    square = residual**2
    return np.stack(
        [
            is_there,
            square / variance,
            is_there * (fourth / variance**2 - 1.0),
            square,
            is_there * variance,
            is_there * (fourth - variance**2),
        ]
    )


def _mean_squares(sums: Array) -> MeanSquares:
    n, standardised, spread_out, square, variance, spread_in = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        outfit, infit = standardised / n, square / variance
        q_out = np.minimum(np.sqrt(spread_out) / n, _WIDEST_SPREAD)
        q_in = np.minimum(np.sqrt(spread_in) / variance, _WIDEST_SPREAD)
        z_outfit = (np.cbrt(outfit) - 1.0) * 3.0 / q_out + q_out / 3.0
        z_infit = (np.cbrt(infit) - 1.0) * 3.0 / q_in + q_in / 3.0
    return MeanSquares(outfit=outfit, infit=infit, z_outfit=z_outfit, z_infit=z_infit)
