"""Priors as they are written on the command line: normal(0,1), lognormal(0,0.5), beta(5,17)."""

import re
from collections.abc import Callable, Mapping

import typer

from scoring.calibration import BetaPrior, LogNormalPrior, NormalPrior, Priors

_WRITTEN = re.compile(r"(normal|lognormal|beta)\(\s*([^,()]+)\s*,\s*([^,()]+)\s*\)")
_KINDS: Mapping[str, Callable[[float, float], NormalPrior | LogNormalPrior | BetaPrior]] = {
    "normal": NormalPrior,
    "lognormal": LogNormalPrior,
    "beta": BetaPrior,
}


def parse_priors(
    *, slope: str | None, intercept: str | None, difficulty: str | None, guess: str | None, slip: str | None
) -> Priors:
    """Read the priors; one that makes no sense is misuse."""
    return Priors(
        slope=_one(slope, "--prior-slope", NormalPrior, LogNormalPrior),  # type: ignore[arg-type]
        intercept=_one(intercept, "--prior-intercept", NormalPrior),  # type: ignore[arg-type]
        difficulty=_one(difficulty, "--prior-difficulty", NormalPrior),  # type: ignore[arg-type]
        guess=_one(guess, "--prior-guess", NormalPrior, BetaPrior),  # type: ignore[arg-type]
        slip=_one(slip, "--prior-slip", NormalPrior, BetaPrior),  # type: ignore[arg-type]
    )


def _one(
    text: str | None, option: str, *kinds: type[NormalPrior | LogNormalPrior | BetaPrior]
) -> NormalPrior | LogNormalPrior | BetaPrior | None:
    if text is None:
        return None
    names = [name for name, kind in _KINDS.items() if kind in kinds]
    found = _WRITTEN.fullmatch(text.strip().casefold())
    try:
        if found is None or found[1] not in names:
            raise ValueError(text)
        first, second = float(found[2]), float(found[3])
        if not (second > 0 and abs(first) < 1e6 and second < 1e6) or (found[1] == "beta" and first <= 0):
            raise ValueError(text)
    except ValueError:
        examples = {"normal": "normal(0,1)", "lognormal": "lognormal(0,0.5)", "beta": "beta(5,17)"}
        message = f"write {' or '.join(examples[name] for name in names)}"
        raise typer.BadParameter(message, param_hint=option) from None
    return _KINDS[found[1]](first, second)
