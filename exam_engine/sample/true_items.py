"""True parameters of items for the simulator: invented, fixed by seed and code, and known to nothing else."""

from collections.abc import Iterable
from functools import cache
from zlib import crc32

import msgspec

from exam_engine.infra.randomness import generator
from exam_engine.sample import data_files

LEVEL_DIFFICULTY = {"know": -1.0, "understand": 0.0, "apply": 1.0}
DIFFICULTY_SPREAD = 0.5
LOG_DISCRIMINATION_SPREAD = 0.3
GUESSING = {"single_choice": 0.2}


class TrueParameters(msgspec.Struct, frozen=True):
    """Discrimination, difficulty and lower asymptote, on the logit scale."""

    a: float
    b: float
    c: float = 0.0


def true_parameters(item_codes: Iterable[str], seed: int) -> dict[str, TrueParameters]:
    """Draw the true parameters of items.

    Parameters
    ----------
    item_codes : iterable of str
        Codes of sample items; level and kind are looked up in the sample banks. Other codes count as easy to
        understand and impossible to guess.
    seed : int
        Together with the code it fixes the draw, so that neither order nor company of the items matters.

    Returns
    -------
    dict of str to TrueParameters
        `a` lognormal around 1, `b` normal around -1, 0, 1 for know, understand, apply, `c` 0.2 for four options.
    """
    return {code: _parameters(code, seed) for code in item_codes}


def _parameters(code: str, seed: int) -> TrueParameters:
    level, kind = _facts().get(code, ("understand", ""))
    rng = generator(seed, crc32(code.encode()))
    return TrueParameters(
        a=float(rng.lognormal(0.0, LOG_DISCRIMINATION_SPREAD)),
        b=float(rng.normal(LEVEL_DIFFICULTY[level], DIFFICULTY_SPREAD)),
        c=GUESSING.get(kind, 0.0),
    )


@cache
def _facts() -> dict[str, tuple[str, str]]:
    return {
        row["code"]: (row["level"], row["kind"])
        for bank in data_files.BANKS
        for row in data_files.read_rows(f"{bank}/items.csv")
    }
