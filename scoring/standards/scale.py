"""The reporting scale: the straight line from ability to what is printed, and its rounding."""

from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.errors import ScaleInvalid

Array = NDArray[np.float64]
# Binary fractions of a printed unit beyond this place are noise and decide no rounding.
_NOISE_DECIMALS = 6
_MOST_DECIMALS = 4


class ReportingScale(msgspec.Struct, frozen=True, kw_only=True):
    """Printed score = intercept + slope * theta, held between lowest and highest.

    The rounding rule, exactly: the line is computed in units of the last printed decimal; the value is taken to six
    decimals of a unit, so that the noise of binary fractions decides nothing, and then rounded to whole units, halves
    up (towards the higher score: 499.5 to 500, -0.5 to 0). Then it is brought between `lowest` and `highest`: an
    infinite ability is reported as the nearer end. A standard error is rounded by the same rule and not held.

    Attributes
    ----------
    slope : float
        > 0, points for one logit.
    intercept : float
        Points at theta = 0.
    lowest, highest : float
        Ends of the scale, points, whole numbers of units.
    decimals : int
        Printed decimals, 0 to 4.
    """

    slope: float
    intercept: float
    lowest: float
    highest: float
    decimals: int = 0

    def __post_init__(self) -> None:
        """Refuse a scale that cannot order candidates."""
        if not (np.isfinite(self.slope) and self.slope > 0):
            raise ScaleInvalid("slope", f"is {self.slope}, not a number above 0")
        if not np.isfinite(self.intercept):
            raise ScaleInvalid("intercept", f"is {self.intercept}, not a number")
        if not 0 <= self.decimals <= _MOST_DECIMALS:
            raise ScaleInvalid("decimals", f"are {self.decimals}, not 0 to {_MOST_DECIMALS}")
        if not (np.isfinite(self.lowest) and np.isfinite(self.highest) and self.lowest < self.highest):
            raise ScaleInvalid("ends", f"are {self.lowest} and {self.highest}, not two rising numbers")
        for name, end in (("lowest", self.lowest), ("highest", self.highest)):
            if abs(end * 10**self.decimals - round(end * 10**self.decimals)) > 10.0**-_NOISE_DECIMALS:
                raise ScaleInvalid(name, f"is {end}, which has more than {self.decimals} decimals")

    def reported(self, theta: ArrayLike, se: ArrayLike | None = None) -> "ReportedScores":
        """Report abilities and their standard errors; NaN, an ability nobody could estimate, is no score."""
        units = 10.0**self.decimals
        ability = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        has_score = ~np.isnan(ability)
        line = (self.intercept + self.slope * np.where(has_score, ability, 0.0)) * units
        held = np.clip(line, self.lowest * units, self.highest * units)
        errors = np.full(ability.shape, np.nan) if se is None else np.atleast_1d(np.asarray(se, dtype=np.float64))
        has_error = has_score & np.isfinite(errors)
        return ReportedScores(
            units=_half_up(held),
            se_units=_half_up(np.where(has_error, errors, 0.0) * self.slope * units),
            has_score=has_score,
            has_se=has_error,
            is_at_end=has_score & (line != held),
            decimals=self.decimals,
        )

    def theta(self, score: ArrayLike) -> Array:
        """Ability that stands at a point of the scale, before rounding."""
        result: Array = (np.asarray(score, dtype=np.float64) - self.intercept) / self.slope
        return result


class ReportedScores(msgspec.Struct, frozen=True, kw_only=True):
    """Printed scores as whole numbers of units; a unit is 10 ** -decimals points.

    Attributes
    ----------
    units, se_units : ndarray of int64, shape (n_candidates,)
        Scores and standard errors; 0 where there is none.
    has_score, has_se : ndarray of bool
        Whether there is one: no standard error stands beside an infinite ability.
    is_at_end : ndarray of bool
        The line lay beyond an end of the scale.
    decimals : int
    """

    units: NDArray[np.int64]
    se_units: NDArray[np.int64]
    has_score: NDArray[np.bool_]
    has_se: NDArray[np.bool_]
    is_at_end: NDArray[np.bool_]
    decimals: int

    def score(self, candidate: int) -> Decimal | None:
        """Score of one candidate as it is printed."""
        return self._decimal(self.units[candidate]) if self.has_score[candidate] else None

    def se(self, candidate: int) -> Decimal | None:
        """Standard error of one candidate as it is printed."""
        return self._decimal(self.se_units[candidate]) if self.has_se[candidate] else None

    def _decimal(self, units: np.int64) -> Decimal:
        return Decimal(int(units)).scaleb(-self.decimals)


def scale_of_population(
    mean: float,
    sd: float,
    *,
    lowest: float,
    highest: float,
    decimals: int = 0,
    theta_mean: float = 0.0,
    theta_sd: float = 1.0,
) -> ReportingScale:
    """Return the scale on which a population of known abilities has a given mean and standard deviation.

    Raises
    ------
    ScaleInvalid
    """
    if not theta_sd > 0:
        raise ScaleInvalid("standard deviation of the population", f"is {theta_sd}, not above 0")
    slope = sd / theta_sd
    return ReportingScale(
        slope=slope, intercept=mean - slope * theta_mean, lowest=lowest, highest=highest, decimals=decimals
    )


def scale_through(
    first: tuple[float, float], second: tuple[float, float], *, lowest: float, highest: float, decimals: int = 0
) -> ReportingScale:
    """Return the scale through two points (theta, score): two cut scores that must print as round numbers, say.

    Raises
    ------
    ScaleInvalid
    """
    if first[0] == second[0]:
        raise ScaleInvalid("points", f"stand both at theta {first[0]}")
    slope = (second[1] - first[1]) / (second[0] - first[0])
    return ReportingScale(
        slope=slope, intercept=first[1] - slope * first[0], lowest=lowest, highest=highest, decimals=decimals
    )


def _half_up(values: Array) -> NDArray[np.int64]:
    return np.floor(np.round(values, _NOISE_DECIMALS) + 0.5).astype(np.int64)
