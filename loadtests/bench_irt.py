"""Calibration and scoring against the peers on PyPI: same data, machine and run; writes into docs/benchmarks.md.

`make bench-irt` installs the peers into an environment of their own. Each log-likelihood is ours, at either's
estimates.
"""

import argparse
import cProfile
import os
import platform
import pstats
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
import scipy
from numpy.typing import NDArray

from scoring.calibration import Calibration, calibrate
from scoring.calibration.features import features_of
from scoring.calibration.layout import layout_of
from scoring.calibration.objective import Problem, evaluate
from scoring.calibration.priors import Priors
from scoring.irt.ability import eap_estimates
from scoring.irt.bank import ItemBank, bank_from_difficulties, item_bank
from scoring.irt.quadrature import STANDARD_QUADRATURE
from scoring.irt.responses import response_matrix
from scoring.irt.simulation import simulate_responses

PAGE = Path("docs/benchmarks.md")
BEGIN, END = "<!-- bench-irt begins -->", "<!-- bench-irt ends -->"


class Job(msgspec.Struct, frozen=True):
    """One comparison."""

    model: str
    n_candidates: int
    n_items: int
    peers: tuple[str, ...]
    bar: str


JOBS = (
    Job("2pl", 1_000, 40, ("mirt", "girth"), "≤ 0.05 s"),
    Job("2pl", 10_000, 50, ("mirt", "girth"), "≤ 0.35 s"),
    Job("2pl", 100_000, 50, ("mirt",), "≤ 2.5 s, ≤ 1/9 of mirt"),
    Job("3pl", 10_000, 50, ("mirt",), "≤ 1/8 of mirt"),
    Job("gpcm", 10_000, 50, ("mirt",), "≤ 1/6 of mirt"),
    Job("2pl", 1_000_000, 50, (), "≤ 25 s, ≤ 2 GB"),
)


def main() -> None:
    """Run all jobs and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="Python of the environment that has mirt and girth")
    parser.add_argument("--largest", type=int, default=1_000_000, help="leave out jobs with more candidates")
    options = parser.parse_args()
    rows = ["| what | seconds | peer | log-likelihood less the peer's | bar |", "| --- | --- | --- | --- | --- |"]
    with tempfile.TemporaryDirectory() as folder:
        for job in JOBS:
            if job.n_candidates <= options.largest:
                rows += _run(job, options.peers, Path(folder))
    rows.append(_abilities())
    text = "\n".join(
        [*rows, "", *_machine(options.peers), "", "Where the time of the 2PL with 100,000 × 50 goes:", "", *_profile()]
    )
    _write(text)


def _run(job: Job, peers: Path, folder: Path) -> list[str]:
    data = _responses(job)
    matrix = response_matrix(data)
    seconds, ours = [], calibrate(matrix, job.model) if job.n_candidates < 10_000 else None
    for _ in range(1 if job.n_candidates > 200_000 else 300_000 // max(job.n_candidates, 20_000)):
        start = time.perf_counter()
        ours = calibrate(response_matrix(data), job.model)
        seconds.append(time.perf_counter() - start)
    if ours is None:
        return []
    best = min(seconds)
    what = f"{job.model.upper()} {job.n_candidates:,} × {job.n_items}"
    if not job.peers:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        return _shown([f"| {what} | {best:.2f} | peak memory {peak:.2f} GB | | {job.bar} |"])
    np.save(folder / "data.npy", data)
    rows = []
    for peer in job.peers:
        script = Path(__file__).with_name("irt_peers.py")
        result = folder / "result.npz"
        subprocess.run([peers, script, peer, job.model, folder / "data.npy", result], check=True)
        with np.load(result) as loaded:
            theirs = float(loaded["seconds"])
            bank = _bank_of(ours, dict(loaded))
        gain = ours.log_likelihood - _log_likelihood(bank, data)
        rows.append(
            f"| {what} | {best:.3f} | {peer}: {theirs:.2f} s, {theirs / best:.0f} × ours | {gain:+.4f} | {job.bar} |"
        )
    return _shown(rows)


def _responses(job: Job) -> NDArray[np.int8]:
    rng = np.random.default_rng(job.n_candidates)
    a, b = rng.lognormal(0.0, 0.3, job.n_items), rng.normal(0.0, 1.0, job.n_items)
    names = [f"item{i + 1}" for i in range(job.n_items)]
    models = [job.model] * job.n_items
    if job.model == "gpcm":
        bank = bank_from_difficulties(names, models, a=a, b=b[:, None] + rng.normal(0.0, 0.6, (job.n_items, 3)))
    else:
        bank = bank_from_difficulties(
            names, models, a=a, b=b, c=np.full(job.n_items, 0.2 if job.model == "3pl" else 0.0)
        )
    return simulate_responses(bank, rng.standard_normal(job.n_candidates), rng)


def _bank_of(ours: Calibration, theirs: dict[str, NDArray[np.float64]]) -> ItemBank:
    names, models = ours.bank.names, ours.bank.models
    a = theirs["discrimination"]
    if "steps" in theirs:
        return bank_from_difficulties(names, models, a=a, b=theirs["steps"])
    return item_bank(names, models, a=a, d=-a * theirs["difficulty"], c=theirs.get("guessing"))


def _log_likelihood(bank: ItemBank, data: NDArray[np.int8]) -> float:
    everyone, nothing = np.ones(bank.n_items, dtype=bool), np.zeros(bank.n_items, dtype=bool)
    layout = layout_of(bank, everyone, nothing, ("all",), (), np.zeros(1), np.ones(1))
    matrix = response_matrix(data, item_names=bank.names)
    problem = Problem(layout, features_of(layout, matrix), STANDARD_QUADRATURE, Priors())
    return evaluate(problem, layout.start()).log_likelihood


def _abilities() -> str:
    job = Job("2pl", 100_000, 50, (), "")
    matrix = response_matrix(_responses(job))
    bank = calibrate(matrix, job.model).bank
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        eap_estimates(matrix, bank)
        seconds.append(time.perf_counter() - start)
    return _shown([f"| EAP and its SE, 100,000 × 50 | {min(seconds):.3f} | | | ≤ 0.15 s |"])[0]


def _profile() -> list[str]:
    data = response_matrix(_responses(Job("2pl", 100_000, 50, (), "")))
    profile = cProfile.Profile()
    profile.enable()
    calibrate(data, "2pl")
    profile.disable()
    entries = pstats.Stats(profile).get_stats_profile()
    largest = sorted(entries.func_profiles.items(), key=lambda entry: -entry[1].tottime)[:8]
    share = entries.total_tt / 100.0
    return [f"- {entry.tottime / share:.0f} % `{name}` ({entry.ncalls} calls)" for name, entry in largest]


def _machine(peers: Path) -> list[str]:
    query = "from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in ('mirt', 'girth', 'numpy')))"
    versions = subprocess.run([peers, "-c", query], check=True, capture_output=True, text=True).stdout.strip()
    cores = len(os.sched_getaffinity(0))
    busy = os.getloadavg()[0]
    python = f"Python {platform.python_version()} · numpy {np.__version__} · scipy {scipy.__version__}"
    machine = f"{platform.machine()}, {cores} cores, load average {busy:.1f} at the end"
    how = "Ours: best of several, one thread; peers: one run, all threads, 61 quadrature points, no standard errors"
    return [f"{python}; peers: {versions}. {machine}. {how}."]


def _shown(rows: list[str]) -> list[str]:
    for row in rows:
        print(row, flush=True)
    return rows


def _write(text: str) -> None:
    page = (
        PAGE.read_text("utf-8")
        if PAGE.exists()
        else "# Benchmarks\n\nRatios measured in one run against a stated yardstick.\n"
    )
    section = f"{BEGIN}\n## Item calibration (`make bench-irt`)\n\n{text}\n{END}"
    if BEGIN in page:
        head, rest = page.split(BEGIN, 1)
        page = head + section + rest.split(END, 1)[1]
    else:
        page = page.rstrip("\n") + "\n\n" + section + "\n"
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
