"""The statement at the end of a rehearsal: acknowledged = stored = scored, to the one, or every difference by name."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from exam_engine.cli.rehearsal.bot import Tally

NAMED_AT_MOST = 20


class Latency(msgspec.Struct, frozen=True):
    """Percentiles of save requests as the seat saw them, milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float


class DayStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsed day came to."""

    candidates: int
    submitted: int
    acknowledged: int  # newest answers by attempt and slot that the seats were told are kept
    stored: int
    scored: int
    looked_up: int
    decisions: int
    differences: tuple[str, ...]
    saves: int
    reloads: int
    drops: int
    retries: int
    seconds: float  # of answering
    latency_ms: Latency
    papers_digest: str
    answers_digest: str
    scores_digest: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and self.acknowledged == self.stored == self.scored

    @property
    def saves_per_second(self) -> float:
        """Answers saved in a second while candidates were answering."""
        return self.saves / self.seconds if self.seconds else 0.0


def latency_of(tally: Tally) -> Latency:
    """Summarise the save requests of all seats."""
    if not tally.save_seconds:
        return Latency(0.0, 0.0, 0.0, 0.0)
    p50, p95, p99, longest = np.percentile(np.array(tally.save_seconds) * 1000.0, [50, 95, 99, 100])
    return Latency(float(p50), float(p95), float(p99), float(longest))


def text_of(day: DayStatement) -> str:
    """Write the statement for people."""
    mark = "=" if day.is_whole else "≠"
    faults = f"reloads {day.reloads:,}, lost connections {day.drops:,}, repeats {day.retries:,}"
    latency = day.latency_ms
    times = f"p95 {latency.p95:.0f} ms, p99 {latency.p99:.0f} ms, longest {latency.longest:.0f} ms"
    lines = [
        f"candidates     {day.candidates:>9,}   handed in {day.submitted:,}",
        f"acknowledged   {day.acknowledged:>9,} {mark} stored {day.stored:,} {mark} scored {day.scored:,}",
        f"saves          {day.saves:>9,}   {day.saves_per_second:,.0f} a second ({faults})",
        f"latency        p50 {latency.p50:.0f} ms, {times}",
        f"looked up      {day.looked_up:>9,}   admission decisions {day.decisions:,}",
        f"papers {day.papers_digest[:12]}  answers {day.answers_digest[:12]}  scores {day.scores_digest[:12]}",
    ]
    lines += [f"DIFFERENCE: {difference}" for difference in day.differences[:NAMED_AT_MOST]]
    if len(day.differences) > NAMED_AT_MOST:
        lines.append(f"… and {len(day.differences) - NAMED_AT_MOST} more differences")
    return "\n".join(lines)


def differences_of(
    what: str, expected: Mapping[tuple[str, int], object], found: Mapping[tuple[str, int], object]
) -> Sequence[str]:
    """Name every (candidate, slot) that is missing, too many, or other than expected."""
    differing = []
    for place in sorted(expected.keys() | found.keys()):
        if place not in found:
            differing.append(f"{what}: candidate {place[0]}, slot {place[1]} is missing")
        elif place not in expected:
            differing.append(f"{what}: candidate {place[0]}, slot {place[1]} was never acknowledged")
        elif expected[place] != found[place]:
            differing.append(f"{what}: candidate {place[0]}, slot {place[1]} differs")
    return differing
