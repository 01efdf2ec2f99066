"""Differential item functioning: items that two groups of equal ability answer differently."""

from scoring.dif.likelihood_ratio import ItemDif, LikelihoodRatioDif, adjusted, likelihood_ratio_dif
from scoring.dif.logistic import EffectSize, LogisticDif, LogisticFit, fit_logistic, logistic_dif
from scoring.dif.mantel_haenszel import CommonOdds, EtsClass, MantelHaenszel, common_odds, mantel_haenszel

__all__ = [
    "CommonOdds",
    "EffectSize",
    "EtsClass",
    "ItemDif",
    "LikelihoodRatioDif",
    "LogisticDif",
    "LogisticFit",
    "MantelHaenszel",
    "adjusted",
    "common_odds",
    "fit_logistic",
    "likelihood_ratio_dif",
    "logistic_dif",
    "mantel_haenszel",
]
