"""Fit and quality of calibrated tests: of the model, its items, pairs of items and candidates; reliability."""

from scoring.fit.limited_information import GuessingSlopes, ModelFit, Statistic, model_fit, rmsea_interval
from scoring.fit.pairs import PairFit, ld_x2
from scoring.fit.person_fit import AbilityMethod, PersonFit, lz, lz_star
from scoring.fit.population import STANDARD_POPULATION, Population, complete_rows
from scoring.fit.reliability import Precision, empirical_reliability, marginal_reliability, precision_at
from scoring.fit.residuals import LocalDependence, MeanSquares, ResidualFit, q3, residual_fit
from scoring.fit.sum_score_fit import ScoreTable, SumScoreFit, s_x2, score_tables

__all__ = [
    "STANDARD_POPULATION",
    "AbilityMethod",
    "GuessingSlopes",
    "LocalDependence",
    "MeanSquares",
    "ModelFit",
    "PairFit",
    "PersonFit",
    "Population",
    "Precision",
    "ResidualFit",
    "ScoreTable",
    "Statistic",
    "SumScoreFit",
    "complete_rows",
    "empirical_reliability",
    "ld_x2",
    "lz",
    "lz_star",
    "marginal_reliability",
    "model_fit",
    "precision_at",
    "q3",
    "residual_fit",
    "rmsea_interval",
    "s_x2",
    "score_tables",
]
