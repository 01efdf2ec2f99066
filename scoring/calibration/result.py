"""What a calibration gives back: estimates, how sure they are, and an honest word on how they were reached."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.irt.bank import ItemBank

Array = NDArray[np.float64]


class ParameterErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Standard errors, NaN for what was not estimated.

    Attributes
    ----------
    a, c, u : ndarray, shape (n_items,)
    d, b : ndarray, shape (n_items, max categories - 1)
        Of intercepts, and of difficulties (steps of GPCM and partial credit) by the delta method.
    logit_c, logit_u : ndarray, shape (n_items,)
    ak : ndarray, shape (n_items, max categories)
        Of nominal items' category scoring.
    means, variances : ndarray, shape (n_groups,)
    """

    a: Array
    d: Array
    b: Array
    c: Array
    u: Array
    logit_c: Array
    logit_u: Array
    ak: Array
    means: Array
    variances: Array


class AtBound(msgspec.Struct, frozen=True):
    """A parameter that left the data behind."""

    place: str
    parameter: str
    value: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `calibrate`.

    Attributes
    ----------
    bank : ItemBank
    group_names, means, variances
        Groups and their latent moments.
    errors : ParameterErrors or None
    parameters, parameter_labels, covariance
        Free parameters as estimated (asymptotes as logits, variances as logarithms), what each is, their covariance.
    log_likelihood, log_prior : float
    n_candidates : float
    n_parameters : int
        Weights of a histogram, less what they are held at, count too.
    converged : bool
    n_iterations, n_evaluations : int
        Steps taken, and passes over the data (or a sample of it).
    gradient_norm : float
        Largest absolute element of the final gradient, parameters at bounds left out.
    remaining_gain : float
        What the objective could still gain, by the local quadratic model.
    at_bounds : tuple of AtBound
    warnings : tuple of str
    history : tuple of float
        Objective after each step; within a stage it never falls.
    density : ndarray, shape (n_groups, n_points), or None
        Weights of the histogram at the points of the quadrature, each group's summing to 1; None is normal.
    """

    bank: ItemBank
    group_names: tuple[str, ...]
    means: Array
    variances: Array
    errors: ParameterErrors | None
    parameters: Array
    parameter_labels: tuple[tuple[str, str], ...]
    covariance: Array | None
    log_likelihood: float
    log_prior: float
    n_candidates: float
    n_parameters: int
    converged: bool
    n_iterations: int
    n_evaluations: int
    gradient_norm: float
    remaining_gain: float
    at_bounds: tuple[AtBound, ...]
    warnings: tuple[str, ...]
    history: tuple[float, ...]
    density: Array | None = None

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of candidates."""
        return float(np.log(self.n_candidates)) * self.n_parameters - 2.0 * self.log_likelihood
