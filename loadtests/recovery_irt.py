"""Recovery of simulated items: bias, error and coverage over many seeds; `make recovery-irt` writes docs/benchmarks.md.

Slopes are log-normal (0, 0.3), difficulties standard normal, guesses Beta(5, 17), the prior 3PL items are given too: an
interval then covers 95 % over items drawn from it. Abilities are standard normal.
"""

import argparse
import resource
import time
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from scoring.calibration import BetaPrior, CalibrationOptions, Priors, StandardErrors, calibrate
from scoring.irt.ability import eap_estimates
from scoring.irt.bank import ItemBank, bank_from_difficulties
from scoring.irt.responses import ResponseMatrix, SparseCategories, response_matrix
from scoring.irt.simulation import simulate_responses

Array = NDArray[np.float64]
PAGE = Path("docs/benchmarks.md")
# Of the normal distribution, for 95 %.
_TWO_SIDED = 1.959964
_RUN = 10_000
GUESS = BetaPrior(5.0, 17.0)
OPTIONS = CalibrationOptions(priors=Priors(guess=GUESS), standard_errors=StandardErrors.OBSERVED)


class Study(msgspec.Struct, frozen=True):
    """A kind of test; `largest` bounds |bias| and RMSE of each quantity, (bias, rmse), at 20,000 × 50."""

    name: str
    models: tuple[str, ...]
    largest: dict[str, tuple[float, float]]

    def models_of(self, n_items: int) -> list[str]:
        """Share the items out among the models."""
        return [self.models[i * len(self.models) // n_items] for i in range(n_items)]


# Bounds for all items together; c and b of easy 3PL items are known no better than the prior knows them.
STUDIES = (
    Study("2PL", ("2pl",), {"a": (0.01, 0.04), "b": (0.02, 0.05), "theta": (0.01, 0.35)}),
    Study("3PL", ("3pl",), {"a": (0.02, 0.10), "b": (0.06, 0.25), "c": (0.02, 0.07), "theta": (0.01, 0.45)}),
    Study("GPCM", ("gpcm",), {"a": (0.01, 0.03), "b": (0.01, 0.06), "theta": (0.01, 0.20)}),
    Study(
        "2PL, 3PL and GPCM mixed",
        ("2pl", "2pl", "3pl", "3pl", "gpcm"),
        {"a": (0.01, 0.06), "b": (0.03, 0.12), "c": (0.02, 0.06), "theta": (0.01, 0.30)},
    ),
)


class Recovered(msgspec.Struct, frozen=True):
    """Estimates less truth, and whether the 95 % interval holds the truth, of one quantity."""

    apart: Array
    is_covered: NDArray[np.bool_]

    @property
    def bias(self) -> float:
        """Mean difference."""
        return float(self.apart.mean())

    @property
    def rmse(self) -> float:
        """Root mean squared difference."""
        return float(np.sqrt((self.apart**2).mean()))

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return float(self.is_covered.mean())


def recover(study: Study, seed: int, n_candidates: int, n_items: int) -> dict[str, Recovered]:
    """Simulate one test, calibrate it and compare; of asymptotes the interval is that of the logit."""
    rng = np.random.default_rng([seed, n_candidates, n_items])
    truth = _bank(study, n_items, rng)
    theta = rng.standard_normal(n_candidates)
    responses = response_matrix(simulate_responses(truth, theta, rng), item_names=truth.names)
    found = calibrate(responses, truth.models, OPTIONS)
    if not found.converged or found.errors is None:
        raise RuntimeError(f"{study.name}, seed {seed}: {'; '.join(found.warnings)}")
    errors, bank = found.errors, found.bank
    ability = eap_estimates(responses, bank)
    result = {
        "a": _compared(bank.a - truth.a, errors.a),
        "b": _compared(bank.difficulties() - truth.difficulties(), errors.b),
        "d": _compared(bank.d - truth.d, errors.d),
        "theta": _compared(ability.theta - theta, ability.se),
    }
    has_guess = truth.c > 0
    if has_guess.any():
        on_logit = _compared(logit(bank.c[has_guess]) - logit(truth.c[has_guess]), errors.logit_c[has_guess])
        result["c"] = Recovered((bank.c - truth.c)[has_guess], on_logit.is_covered)
    return result


def pooled(runs: list[dict[str, Recovered]]) -> dict[str, Recovered]:
    """Put the runs of several seeds together."""
    return {
        name: Recovered(
            np.concatenate([run[name].apart for run in runs]), np.concatenate([run[name].is_covered for run in runs])
        )
        for name in runs[0]
    }


def main() -> None:
    """Run all studies and write their sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--loft", type=int, default=1_000_000, help="candidates of the sparse run; 0 leaves it out")
    options = parser.parse_args()
    if options.loft:
        _write("recovery-loft", "Recovery from a sparse LOFT bank (`make recovery-irt`)", loft(options.loft))
    if options.seeds:
        _write("recovery-irt", "Recovery of simulated items (`make recovery-irt`)", _studied(options))


def loft(n_candidates: int, n_items: int = 2000, n_given: int = 40) -> str:
    """Calibrate a 2PL bank of which each candidate meets `n_given` items; say how long, how much memory, how well."""
    rng = np.random.default_rng(n_candidates)
    truth = _bank(Study("2PL", ("2pl",), {}), n_items, rng)
    items = np.empty((n_candidates, n_given), dtype=np.int32)
    categories = np.empty((n_candidates, n_given), dtype=np.int8)
    for start in range(0, n_candidates, _RUN):
        place = slice(start, min(start + _RUN, n_candidates))
        shape = (place.stop - start, n_items)
        items[place] = np.argpartition(rng.random(shape, dtype=np.float32), n_given, axis=1)[:, :n_given]
        theta = rng.standard_normal((shape[0], 1))
        chance = expit(truth.a[items[place]] * theta + truth.d[items[place], 0])
        categories[place] = rng.random(chance.shape) < chance
    starts = np.arange(n_candidates + 1, dtype=np.int64) * n_given
    responses = ResponseMatrix(
        categories=SparseCategories(starts, items.ravel(), categories.ravel(), n_items), item_names=truth.names
    )
    before = _peak_memory()
    clock = time.perf_counter()
    options = CalibrationOptions(standard_errors=StandardErrors.CROSS_PRODUCT)
    climbed: list[float] = []
    found = calibrate(responses, "2pl", options, progress=lambda *_: climbed.append(time.perf_counter() - clock))
    seconds = time.perf_counter() - clock
    if not found.converged or found.errors is None:
        raise RuntimeError("; ".join(found.warnings))
    a, d = _compared(found.bank.a - truth.a, found.errors.a), _compared(found.bank.d - truth.d, found.errors.d)
    text = (
        f"2PL, {n_candidates:,} candidates with {n_given} of {n_items:,} items each: {climbed[-1]:.0f} s to the "
        "maximum, "
        f"{seconds - climbed[-1]:.0f} s for standard errors by cross-products; peak memory {_peak_memory():.2f} GB, "
        f"{before:.2f} GB before the calibration.\nRMSE of a {a.rmse:.4f}, of d {d.rmse:.4f}; "
        f"{a.coverage:.1%} and {d.coverage:.1%} of the 95 % intervals hold the truth."
    )
    print(text, flush=True)
    return text


def _studied(options: argparse.Namespace) -> str:
    start = time.perf_counter()
    rows = [
        "| test | quantity | bias (at most) | RMSE (at most) | 95 % intervals that hold the truth |",
        "| --- | --- | --- | --- | --- |",
    ]
    for study in STUDIES:
        runs = [recover(study, seed, options.candidates, options.items) for seed in range(options.seeds)]
        for name, found in sorted(pooled(runs).items()):
            bias, rmse = (f" ({bound:g})" for bound in study.largest[name]) if name in study.largest else ("", "")
            row = f"| {study.name} | {name} | {found.bias:+.4f}{bias} | {found.rmse:.4f}{rmse} | {found.coverage:.1%} |"
            print(row, flush=True)
            rows.append(row)
    seconds = time.perf_counter() - start
    what = (
        f"{options.seeds} seeds of {options.candidates:,} × {options.items}, {seconds:.0f} s in all. Default mode, "
        "observed information; c is covered on its logit."
    )
    return "\n".join([what, "", *rows])


def _peak_memory() -> float:
    """Gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def _bank(study: Study, n_items: int, rng: np.random.Generator) -> ItemBank:
    models = study.models_of(n_items)
    b = np.full((n_items, 4 if "gpcm" in models else 1), np.nan)
    b[:, 0] = rng.standard_normal(n_items)
    is_stepped = np.array([model == "gpcm" for model in models])
    if is_stepped.any():
        b[is_stepped] = b[is_stepped, :1] + rng.normal(0.0, 0.6, (int(is_stepped.sum()), 4))
    has_guess = np.array([model == "3pl" for model in models])
    c = np.where(has_guess, rng.beta(GUESS.alpha, GUESS.beta, n_items), 0.0)
    names = [f"item{i + 1}" for i in range(n_items)]
    return bank_from_difficulties(names, models, a=rng.lognormal(0.0, 0.3, n_items), b=b, c=c)


def _compared(apart: Array, se: Array) -> Recovered:
    is_estimated = np.isfinite(apart) & np.isfinite(se)
    return Recovered(apart[is_estimated], np.abs(apart[is_estimated]) < _TWO_SIDED * se[is_estimated])


def _write(name: str, title: str, text: str) -> None:
    page = PAGE.read_text("utf-8") if PAGE.exists() else "# Benchmarks\n"
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    section = f"{begin}\n## {title}\n\n{text}\n{end}"
    if begin in page:
        head, rest = page.split(begin, 1)
        page = head + section + rest.split(end, 1)[1]
    else:
        page = page.rstrip("\n") + "\n\n" + section + "\n"
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
