"""Ability of candidates from their responses and known item parameters."""

from scoring.irt.ability.maximum import Weight, map_estimates, ml_estimates, wle_estimates
from scoring.irt.ability.posterior import Abilities, eap_estimates, plausible_values
from scoring.irt.ability.sum_scores import SumScoreTable, sum_score_distribution, sum_score_table

__all__ = [
    "Abilities",
    "SumScoreTable",
    "Weight",
    "eap_estimates",
    "map_estimates",
    "ml_estimates",
    "plausible_values",
    "sum_score_distribution",
    "sum_score_table",
    "wle_estimates",
]
