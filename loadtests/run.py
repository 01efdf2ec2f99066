"""Run scenarios on an installation of its own, compare with the bars, write a page with curves.

Example: python -m loadtests.run --candidates 2000 --scenarios login_rush,steady_saving,submission_rush
"""

import argparse
import asyncio
import os
import platform
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop

from loadtests.benchmark_page import machine_line, write_section
from loadtests.report import page_of
from loadtests.scenarios import SCENARIOS
from loadtests.stage import Stage, TooFewFiles, open_stage
from loadtests.tally import Latencies, Second

BARS = Path(__file__).with_name("bars.toml")
GAPS_SHOWN = 20


class Bar(msgspec.Struct, frozen=True):
    """One bar, and what was measured."""

    name: str
    most: float
    measured: float

    @property
    def holds(self) -> bool:
        """Whether it was held."""
        return self.measured <= self.most


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one scenario came to."""

    scenario: str
    seconds: float
    latencies: dict[str, Latencies]
    failures: dict[str, int]
    cpu_seconds: dict[str, float]
    lag_p99_seconds: float
    gaps: list[str]
    bars: list[Bar]
    curves: dict[str, list[Second]]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and every bar was held."""
        return not self.gaps and all(bar.holds for bar in self.bars)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: where, how many, what came out."""

    candidates: int
    seed: int
    machine: str
    outcomes: list[Outcome]


def main() -> None:
    """Run what the command line says; exit code 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="comma-separated, in order")
    parser.add_argument("--report", type=Path, help="write an HTML page here")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    names = given.scenarios.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            run = runner.run(_run(given.candidates, given.seed, names))
    except TooFewFiles as error:
        sys.exit(str(error))
    if given.report:
        given.report.write_text(page_of(run), encoding="utf-8")
    if given.write:
        write_section("load", "A whole sitting on one machine (`make load`)", markdown_of(run))
    print(msgspec.json.encode(run).decode() if given.json else text_of(run))
    sys.exit(not all(outcome.holds for outcome in run.outcomes))


async def _run(candidates: int, seed: int, names: Sequence[str]) -> Run:
    bars = tomllib.loads(BARS.read_text(encoding="utf-8"))
    outcomes = []
    async with open_stage(candidates, seed, _tell) as stage:
        for name in names:
            _tell(f"── {name}")
            gaps = await SCENARIOS[name](stage)
            outcomes.append(_outcome(name, stage, gaps, bars.get(name, {})))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return Run(candidates=candidates, seed=seed, machine=machine, outcomes=outcomes)


def _outcome(name: str, stage: Stage, gaps: list[str], bars: dict[str, float]) -> Outcome:
    tally, measured = stage.tally, stage.measured
    latencies = {kind: tally.latencies(kind) for kind in tally.kinds()}
    failures = dict(tally.failures)
    found = {f"{kind}_p99_ms": latency.p99_ms for kind, latency in latencies.items()}
    found |= {"failures": float(sum(failures.values())), "lag_p99_seconds": measured.lag_p99_seconds}
    found |= stage.figures
    return Outcome(
        scenario=name,
        seconds=round(measured.seconds, 1),
        latencies=latencies,
        failures=failures,
        cpu_seconds=measured.cpu_seconds,
        lag_p99_seconds=measured.lag_p99_seconds,
        gaps=gaps,
        bars=[Bar(bar, most, found.get(bar, float("inf"))) for bar, most in bars.items()],
        curves={kind: tally.curve(kind, measured.began) for kind in tally.kinds()},
    )


def text_of(run: Run) -> str:
    """Return a run as a table for a terminal."""
    lines = [f"{run.candidates} candidates, seed {run.seed}, {run.machine}"]
    for outcome in run.outcomes:
        lines += ["", f"{outcome.scenario} ({outcome.seconds} s): {'holds' if outcome.holds else 'DOES NOT HOLD'}"]
        asked = sum(latency.count for latency in outcome.latencies.values())
        lines += [
            f"  {kind:<10} {latency.count:>8}   p50 {latency.p50_ms:>8} ms   p95 {latency.p95_ms:>8} ms   "
            f"p99 {latency.p99_ms:>8} ms   most {latency.most_ms:>8} ms"
            for kind, latency in outcome.latencies.items()
        ]
        lines += [f"  failed: {reason} ({count})" for reason, count in outcome.failures.items()]
        lines += [
            f"  CPU {part:<13} {seconds:>8.2f} s   {1000 * seconds / max(asked, 1):.3f} ms a request"
            for part, seconds in outcome.cpu_seconds.items()
        ]
        lines += [f"  write-behind lag p99 ≤ {outcome.lag_p99_seconds} s"]
        lines += [
            f"  bar {bar.name} ≤ {bar.most:g}: {bar.measured:g} {'' if bar.holds else '← does not hold'}"
            for bar in outcome.bars
        ]
        lines += [f"  GAP {gap}" for gap in outcome.gaps[:GAPS_SHOWN]]
    return "\n".join(lines)


def markdown_of(run: Run) -> str:
    """Return a run as tables for the page of benchmarks."""
    lines = [f"{run.candidates:,} candidates and the servers on one machine. {machine_line()}"]
    for outcome in run.outcomes:
        asked = sum(latency.count for latency in outcome.latencies.values())
        cpu = ", ".join(
            f"{part} {1000 * seconds / max(asked, 1):.3f}"
            for part, seconds in outcome.cpu_seconds.items()
            if part != "other"
        )
        bars = {bar.name: f"{bar.most:g}{'' if bar.holds else ' (not held)'}" for bar in outcome.bars}
        told = (
            f"`{outcome.scenario}`: {outcome.seconds} s, {sum(outcome.failures.values())} failures, "
            f"{len(outcome.gaps)} differences between acknowledged and stored, "
            f"write-behind lag p99 ≤ {outcome.lag_p99_seconds} s. CPU-ms a request: {cpu}."
        )
        lines += [
            "",
            told,
            "",
            "| request | count | p50 ms | p95 ms | p99 ms | most ms | bar for p99 |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {kind} | {one.count:,} | {one.p50_ms:g} | {one.p95_ms:g} | {one.p99_ms:g} | {one.most_ms:g} | "
            f"{bars.get(f'{kind}_p99_ms', '')} |"
            for kind, one in outcome.latencies.items()
        ]
    return "\n".join(lines)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
