"""Table of the models: adding one is one line here and one family."""

from collections.abc import Mapping
from enum import StrEnum

from scoring.irt.models.dichotomous import Logistic
from scoring.irt.models.divide_by_total import GeneralisedPartialCredit, Nominal, PartialCredit
from scoring.irt.models.family import Family
from scoring.irt.models.graded import Graded

__all__ = ["DICHOTOMOUS", "FAMILIES", "WITHOUT_SLOPE", "Family", "Model", "family_of"]


class Model(StrEnum):
    """Response model of one item."""

    RASCH = "rasch"
    ONE_PL = "1pl"
    TWO_PL = "2pl"
    THREE_PL = "3pl"
    FOUR_PL = "4pl"
    GRADED = "graded"
    GPCM = "gpcm"
    PCM = "pcm"
    NOMINAL = "nominal"


FAMILIES: Mapping[Model, Family] = {
    Model.RASCH: Logistic(has_slope=False),
    # One common slope: estimated as a Rasch model with free variance, reported as slope on the standard scale.
    Model.ONE_PL: Logistic(),
    Model.TWO_PL: Logistic(),
    Model.THREE_PL: Logistic(has_c=True),
    Model.FOUR_PL: Logistic(has_c=True, has_u=True),
    Model.GRADED: Graded(),
    Model.GPCM: GeneralisedPartialCredit(),
    Model.PCM: PartialCredit(),
    Model.NOMINAL: Nominal(),
}

DICHOTOMOUS = frozenset({Model.RASCH, Model.ONE_PL, Model.TWO_PL, Model.THREE_PL, Model.FOUR_PL})
WITHOUT_SLOPE = frozenset({Model.RASCH, Model.PCM})


def family_of(model: Model) -> Family:
    """Return the formulas of a model."""
    return FAMILIES[model]
