"""Prior densities of item parameters, with their derivatives in the working parameters."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit

from scoring.irt.models import Model
from scoring.irt.models.families import DICHOTOMOUS

Array = NDArray[np.float64]


class NormalPrior(msgspec.Struct, frozen=True, tag="normal"):
    """Normal density; on an asymptote it stands on its logit."""

    mean: float
    sd: float


class LogNormalPrior(msgspec.Struct, frozen=True, tag="lognormal"):
    """Log-normal density of a slope: log a ~ N(mean, sd^2)."""

    mean: float
    sd: float


class BetaPrior(msgspec.Struct, frozen=True, tag="beta"):
    """Beta density of an asymptote itself, with no Jacobian to the logit.

    Its mode is that of the density on c. mirt 1.47 leaves the factor c(1 - c) out of the gradient; we do not.
    """

    alpha: float
    beta: float


class Priors(msgspec.Struct, frozen=True, kw_only=True):
    """Priors of all items that have the parameter; None is none.

    Attributes
    ----------
    slope : on `a` (of nominal items: on none)
    intercept : on each `d`
    difficulty : on `b` = -d/a of dichotomous items
    guess, slip : on `c` and on `u`; a NormalPrior stands on the logit
    """

    slope: NormalPrior | LogNormalPrior | None = None
    intercept: NormalPrior | None = None
    difficulty: NormalPrior | None = None
    guess: NormalPrior | BetaPrior | None = None
    slip: NormalPrior | BetaPrior | None = None


class PriorTerms(NamedTuple):
    """Log-density and derivatives of items of one block: (n,), (n, p), minus the second (n, p, p)."""

    value: Array
    gradient: Array
    information: Array


def prior_terms(priors: Priors, model: Model, names: tuple[str, ...], x: Array) -> PriorTerms | None:
    """Sum the priors of the parameters `names` at `x`, shape (n_items, n_parameters); None when there is none."""
    terms = PriorTerms(np.zeros(x.shape[0]), np.zeros(x.shape), np.zeros((*x.shape, x.shape[1])))
    found = False
    for at, name in enumerate(names):
        prior = _prior_of(priors, name)
        if prior is not None:
            found = True
            value, first, bend = _density(prior, name, x[:, at])
            terms.value[:] += value
            terms.gradient[:, at] += first
            terms.information[:, at, at] += bend
    if priors.difficulty is not None and model in DICHOTOMOUS:
        found = True
        _add_difficulty(priors.difficulty, names, x, terms)
    return terms if found else None


def _prior_of(priors: Priors, name: str) -> NormalPrior | LogNormalPrior | BetaPrior | None:
    if name == "a":
        return priors.slope
    if name == "logit_c":
        return priors.guess
    if name == "logit_u":
        return priors.slip
    return priors.intercept if name.startswith("d") else None


def _density(prior: NormalPrior | LogNormalPrior | BetaPrior, name: str, value: Array) -> tuple[Array, Array, Array]:
    match prior:
        case NormalPrior(mean, sd):
            z = (value - mean) / sd
            return -0.5 * z * z - np.log(sd * np.sqrt(2 * np.pi)), -z / sd, np.full_like(value, 1.0 / sd**2)
        case LogNormalPrior(mean, sd):
            with np.errstate(invalid="ignore", divide="ignore"):
                log = np.log(value)
            z = (log - mean) / sd
            density = -0.5 * z * z - log - np.log(sd * np.sqrt(2 * np.pi))
            # Outside its range the density is 0: the optimiser steps back from minus infinity.
            density = np.where(value > 0, density, -np.inf)
            return density, -(1.0 + z / sd) / value, (1.0 / sd**2 - 1.0 - z / sd) / value**2
        case BetaPrior(alpha, beta):
            del name
            p, q = expit(value), expit(-value)
            log_p, log_q = -np.logaddexp(0.0, -value), -np.logaddexp(0.0, value)
            density = (alpha - 1) * log_p + (beta - 1) * log_q - betaln(alpha, beta)
            return density, (alpha - 1) * q - (beta - 1) * p, (alpha + beta - 2) * p * q


def _add_difficulty(prior: NormalPrior, names: tuple[str, ...], x: Array, terms: PriorTerms) -> None:
    at_d = names.index("d")
    slope = x[:, names.index("a")] if "a" in names else np.ones(x.shape[0])
    b = -x[:, at_d] / slope
    z = (b - prior.mean) / prior.sd
    terms.value[:] += -0.5 * z * z - np.log(prior.sd * np.sqrt(2 * np.pi))
    by_d, by_a = -1.0 / slope, -b / slope
    pull = -z / prior.sd
    terms.gradient[:, at_d] += pull * by_d
    terms.information[:, at_d, at_d] += (by_d / prior.sd) ** 2
    if "a" in names:
        at_a = names.index("a")
        terms.gradient[:, at_a] += pull * by_a
        terms.information[:, at_a, at_a] += (by_a / prior.sd) ** 2 - pull * 2.0 * b / slope**2
        cross = by_a * by_d / prior.sd**2 - pull / slope**2
        terms.information[:, at_a, at_d] += cross
        terms.information[:, at_d, at_a] += cross
