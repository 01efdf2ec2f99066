"""Estimation of item parameters by marginal maximum likelihood."""

from scoring.calibration.calibrate import calibrate
from scoring.calibration.options import CalibrationOptions, Density, Precision, StandardErrors
from scoring.calibration.priors import BetaPrior, LogNormalPrior, NormalPrior, Priors
from scoring.calibration.result import AtBound, Calibration, ParameterErrors

__all__ = [
    "AtBound",
    "BetaPrior",
    "Calibration",
    "CalibrationOptions",
    "Density",
    "LogNormalPrior",
    "NormalPrior",
    "ParameterErrors",
    "Precision",
    "Priors",
    "StandardErrors",
    "calibrate",
]
