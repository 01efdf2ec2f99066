"""The line that takes one scale to another, and what it does to item parameters and abilities."""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.irt.bank import ItemBank, item_bank
from scoring.irt.models import Model

Array = NDArray[np.float64]
# What an item without a slope of its own becomes on a scale of another spread.
_WITH_SLOPE = {Model.RASCH: Model.TWO_PL, Model.PCM: Model.GPCM}


class Transformation(msgspec.Struct, frozen=True):
    """theta_X = slope * theta_Y + intercept: from the new form's scale Y to the base scale X.

    Attributes
    ----------
    slope : float
        A > 0.
    intercept : float
        B, logits of the base scale.
    """

    slope: float
    intercept: float

    @property
    def inverse(self) -> "Transformation":
        """From the base scale to the new form's."""
        return Transformation(1.0 / self.slope, -self.intercept / self.slope)

    def abilities(self, theta: ArrayLike) -> Array:
        """Move abilities."""
        result: Array = self.slope * np.asarray(theta, dtype=np.float64) + self.intercept
        return result

    def errors(self, se: ArrayLike) -> Array:
        """Move standard errors of ability."""
        result: Array = self.slope * np.asarray(se, dtype=np.float64)
        return result

    def bank(self, bank: ItemBank) -> ItemBank:
        """Move item parameters: a / A, A b + B; asymptotes stay. Rasch items get a slope unless A is 1.

        The probabilities at moved abilities are what they were.
        """
        slopes = bank.a / self.slope
        n_intercepts = bank.d.shape[1]
        is_boundary = np.array([m is Model.GRADED for m in bank.models])
        # A graded category's boundary moves by one slope, a divide-by-total category by as many as it scores.
        times = np.where(is_boundary[:, None], 1.0, bank.ak[:, 1 : n_intercepts + 1])
        d = bank.d - times * (slopes * self.intercept)[:, None]
        models = bank.models if self.slope == 1.0 else [_WITH_SLOPE.get(m, m) for m in bank.models]
        return item_bank(bank.names, models, a=slopes, d=d, c=bank.c, u=bank.u, ak=bank.ak)
