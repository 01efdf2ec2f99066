"""A run as one self-contained HTML page: for each scenario its bars, its figures and its latency curves."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.run import Outcome, Run
    from loadtests.tally import Second

WIDTH, HEIGHT, MARGIN = 760, 220, 46

STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --dim: #5d6b78; --line: #d5dce3; --page: #fff; --well: #1f7a4d;
  --ill: #b3261e; --p50: #2f6fb7; --p99: #c05a1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --dim: #9fb0bf; --line: #3a4754; --page: #12181f;
  --well: #6fd3a3; --ill: #ff8a80; --p50: #7fb6f5; --p99: #f2a36b; } }
body { font: 16px/1.5 "Be Vietnam Pro", system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.well { color: var(--well); } .ill { color: var(--ill); font-weight: 700; }
figure { margin: 1rem 0; overflow-x: auto; } figcaption { color: var(--dim); }
svg text { fill: var(--dim); font-size: 12px; } .axis { stroke: var(--line); }
.p50 { stroke: var(--p50); } .p99 { stroke: var(--p99); } polyline { fill: none; stroke-width: 1.6; }
"""


def page_of(run: "Run") -> str:
    """Return the page."""
    body = "".join(_section(outcome) for outcome in run.outcomes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Load test</title><style>{STYLE}</style><h1>Load test</h1>"
        f"<p>{run.candidates} candidates, seed {run.seed}; {escape(run.machine)}; bots on the same machine.</p>"
        f"{body}</html>"
    )


def _section(outcome: "Outcome") -> str:
    verdict = '<span class="well">holds</span>' if outcome.holds else '<span class="ill">does not hold</span>'
    latencies = "".join(
        f"<tr><td>{escape(kind)}<td>{one.count}<td>{one.p50_ms}<td>{one.p95_ms}<td>{one.p99_ms}<td>{one.most_ms}"
        for kind, one in outcome.latencies.items()
    )
    bars = "".join(
        f'<tr><td>{escape(bar.name)}<td>{bar.most:g}<td class="{"well" if bar.holds else "ill"}">{bar.measured:g}'
        for bar in outcome.bars
    )
    cpu = "".join(f"<tr><td>{escape(part)}<td>{seconds:.2f}" for part, seconds in outcome.cpu_seconds.items())
    troubles = [f"{reason}: {count}" for reason, count in outcome.failures.items()] + outcome.gaps
    listed = "".join(f"<li>{escape(trouble)}" for trouble in troubles[:50])
    curves = "".join(_curve(kind, curve) for kind, curve in outcome.curves.items() if len(curve) > 1)
    return (
        f"<section><h2>{escape(outcome.scenario)}: {verdict}</h2><p>{outcome.seconds} s measured</p>"
        f"<table><tr><th>request<th>count<th>p50 ms<th>p95 ms<th>p99 ms<th>most ms{latencies}</table>"
        f"<table><tr><th>bar<th>at most<th>measured{bars}</table><table><tr><th>CPU of<th>seconds{cpu}</table>"
        f"{f'<ul class=ill>{listed}</ul>' if listed else ''}{curves}</section>"
    )


def _curve(kind: str, curve: Sequence["Second"]) -> str:
    last = max(second.at for second in curve) or 1
    most = max(second.p99_ms for second in curve) or 1.0
    lines = "".join(
        f'<polyline class="{name}" points="{_points(curve, name, last, most)}"/>' for name in ("p50", "p99")
    )
    foot = HEIGHT - MARGIN / 2
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(kind)}: latency by second">'
        f'<line class="axis" x1="{MARGIN}" y1="{foot}" x2="{WIDTH}" y2="{foot}"/>'
        f'<line class="axis" x1="{MARGIN}" y1="10" x2="{MARGIN}" y2="{foot}"/>'
        f'<text x="0" y="18">{most:.0f} ms</text><text x="{WIDTH - 40}" y="{HEIGHT - 6}">{last} s</text>{lines}</svg>'
        f"<figcaption>{escape(kind)}: median (blue) and 99th percentile (orange) of each second</figcaption></figure>"
    )


def _points(curve: Sequence["Second"], name: str, last: int, most: float) -> str:
    foot, height = HEIGHT - MARGIN / 2, HEIGHT - MARGIN / 2 - 10
    return " ".join(
        f"{MARGIN + (WIDTH - MARGIN) * second.at / last:.1f},"
        f"{foot - height * (second.p50_ms if name == 'p50' else second.p99_ms) / most:.1f}"
        for second in curve
    )
