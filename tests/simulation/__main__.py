"""Run many schedules: `python -m tests.simulation 100000` (make simulate), or read one: `--seed 4711 --shrink`.

Exits with 1 when a law was broken, and prints the seed, the smallest plan that still breaks it and its trace.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pool

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.plan import draw
from tests.simulation.rules import MUTANTS, Rules
from tests.simulation.schedule import Outcome, run_plan, run_seed, shrink

CHUNK = 50
SHOWN_STEPS = 80


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("schedules", nargs="?", type=int, default=100_000, help="how many (default 100000)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--seed", type=int, help="run this seed alone and print its trace")
    parser.add_argument("--shrink", action="store_true", help="with --seed: leave out what the violation does not need")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="with --seed: break this rule")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: all cores")
    options = parser.parse_args()
    if options.seed is not None:
        return _show(options.seed, MUTANTS[options.mutant] if options.mutant else Rules(), is_shrunk=options.shrink)
    return _run(range(options.first, options.first + options.schedules), options.processes)


def _run(seeds: range, processes: int) -> int:
    began = time.monotonic()
    console = Console(stderr=True)
    outcomes: list[Outcome] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("schedules", total=len(seeds))
        for outcome in _outcomes(seeds, processes):
            outcomes.append(outcome)
            progress.advance(task)
            if not outcome.is_sound:
                console.print(f"seed {outcome.seed}: {outcome.detail}", style="red", markup=False)
    seconds = time.monotonic() - began
    broken = [outcome for outcome in outcomes if not outcome.is_sound]
    sys.stdout.write(
        f"{len(outcomes):,} schedules, {sum(o.steps for o in outcomes):,} events, "
        f"{sum(o.acknowledged for o in outcomes):,} acknowledged answers in {seconds:.0f} s "
        f"({len(outcomes) / seconds:.0f} a second): {len(broken)} violations\n"
        f"hand-ins lost with both disks: {sum(o.hand_ins_brought_back for o in outcomes)} brought back by their seats, "
        f"{sum(o.hand_ins_too_late for o in outcomes)} not before the end; "
        f"{sum(o.out_of_reach for o in outcomes)} answers whose seat did not come back in time\n"
        f"{sum(o.evidence for o in outcomes):,} refused answers kept as evidence, "
        f"{sum(o.counted_late for o in outcomes):,} of them counted by two people, "
        f"{sum(o.from_sticks for o in outcomes):,} brought on sticks\n"
    )
    for outcome in broken[:3]:
        _show(outcome.seed, Rules(), is_shrunk=True)
    return 1 if broken else 0


def _outcomes(seeds: range, processes: int) -> Iterator[Outcome]:
    if processes == 1:
        _collect_rarely()
        yield from map(run_seed, seeds)
        return
    with Pool(processes, _collect_rarely) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=CHUNK)


def _collect_rarely() -> None:
    # A schedule is young garbage in cycles; looking for it every 700 objects is a tenth of the time.
    gc.set_threshold(200_000, 20, 20)


def _show(seed: int, rules: Rules, *, is_shrunk: bool) -> int:
    plan = draw(seed)
    if is_shrunk:
        plan = shrink(plan, rules)
    outcome = run_plan(plan, rules, is_traced=True)
    lines = [str(plan), *(line[:240] for line in outcome.trace[-SHOWN_STEPS:] if is_shrunk or not outcome.is_sound)]
    if outcome.is_sound:
        lines += [line[:240] for line in outcome.trace]
    summary = msgspec.structs.replace(outcome, trace=[])
    sys.stdout.write("\n".join([*lines, str(summary), ""]))
    return 0 if outcome.is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
