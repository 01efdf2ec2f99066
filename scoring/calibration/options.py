"""What a calibration is asked to do."""

from enum import StrEnum

import msgspec

from scoring.calibration.priors import Priors
from scoring.irt.quadrature import Quadrature


class StandardErrors(StrEnum):
    """Where standard errors come from."""

    NONE = "none"
    OBSERVED = "observed"
    CROSS_PRODUCT = "cross_product"


class Precision(StrEnum):
    """How far the maximum is chased."""

    DEFAULT = "default"  # log-likelihood within 1e-2, mostly within 1e-3
    TIGHT = "tight"  # log-likelihood within 1e-5, parameters within 1e-4


class Density(StrEnum):
    """Shape of the density of ability."""

    NORMAL = "normal"
    HISTOGRAM = "histogram"  # a free weight at each quadrature point


class CalibrationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `calibrate`.

    Attributes
    ----------
    quadrature : Quadrature
        61 points on [-6, 6] unless said otherwise.
    priors : Priors
    precision : Precision
    standard_errors : StandardErrors
    is_latent_free : bool or None
        Whether the reference group's variance (and its mean, where items are fixed) is estimated. None: as the models
        need it, namely the variance when no item has a free slope, both when items are fixed.
    density : Density
        A histogram is held at the mean and variance a normal density would have; standard errors take it as known.
    fewest_candidates : int
        Refuse below this; an item answered by fewer is refused too.
    most_iterations : int
    """

    quadrature: Quadrature = Quadrature()
    priors: Priors = Priors()
    precision: Precision = Precision.DEFAULT
    standard_errors: StandardErrors = StandardErrors.NONE
    is_latent_free: bool | None = None
    density: Density = Density.NORMAL
    fewest_candidates: int = 30
    most_iterations: int = 500


DEFAULT_OPTIONS = CalibrationOptions()
