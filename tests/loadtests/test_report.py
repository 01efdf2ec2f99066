"""The report of a load test: every bar with what was measured, curves by second, and no verdict without a figure."""

import tomllib
from html.parser import HTMLParser

import pytest

from loadtests.report import page_of
from loadtests.run import BARS, Bar, Outcome, Run, text_of
from loadtests.scenarios import SCENARIOS
from loadtests.tally import Latencies, Second


def _outcome(*bars: Bar, gaps: tuple[str, ...] = ()) -> Outcome:
    curve = [Second(at, 10, 2.0 + at, 5.0 + at) for at in range(3)]
    return Outcome(
        scenario="reconnect_storm",
        seconds=3.0,
        latencies={"save": Latencies(30, 2.0, 4.0, 7.0, 9.0)},
        failures={"save: <cut>": 2},
        cpu_seconds={"api": 1.5},
        lag_p99_seconds=0.5,
        gaps=list(gaps),
        bars=list(bars),
        curves={"save": curve},
    )


def _page(outcome: Outcome) -> str:
    return page_of(Run(candidates=3, seed=1, machine="a machine", outcomes=[outcome]))


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_page_shows_bars_figures_troubles_and_a_curve_of_both_percentiles() -> None:
    read = _Texts()
    read.feed(_page(_outcome(Bar("save_p99_ms", 2000.0, 7.0), Bar("back_seconds", 30.0, 17.2))))
    assert {"holds", "save_p99_ms", "2000", "back_seconds", "17.2", "save: <cut>: 2"} <= set(read.texts)
    assert (read.tags.count("svg"), read.tags.count("polyline"), read.tags.count("script")) == (1, 2, 0)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(_outcome(Bar("save_p99_ms", 6.0, 7.0)), id="a bar missed"),
        pytest.param(_outcome(Bar("save_p99_ms", 6.0, float("inf"))), id="a bar not measured"),
        pytest.param(_outcome(gaps=("candidate 1, slot 2: acknowledged, not stored so",)), id="an answer lost"),
    ],
)
def test_what_was_missed_lost_or_not_measured_does_not_hold(outcome: Outcome) -> None:
    assert not outcome.holds
    assert "does not hold" in _page(outcome)
    assert "DOES NOT HOLD" in text_of(Run(candidates=3, seed=1, machine="a machine", outcomes=[outcome]))


def test_every_scenario_has_bars_and_every_bar_a_scenario() -> None:
    bars = tomllib.loads(BARS.read_text("utf-8"))
    assert set(bars) == set(SCENARIOS)
    assert all(bars.values())
