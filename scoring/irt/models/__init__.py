"""Response models: the only home of category probabilities, their derivatives and their information. D = 1, not 1.7.

Families work on arrays of (items, categories, theta), parameters in the slope-intercept form; `closed_forms` gives the
familiar curves in a, b, c.
"""

from scoring.irt.models.closed_forms import (
    ItemParameters,
    StepParameters,
    category_probabilities_gpcm,
    probability_2pl,
    probability_3pl,
)
from scoring.irt.models.families import FAMILIES, Family, Model, family_of

__all__ = [
    "FAMILIES",
    "Family",
    "ItemParameters",
    "Model",
    "StepParameters",
    "category_probabilities_gpcm",
    "family_of",
    "probability_2pl",
    "probability_3pl",
]
