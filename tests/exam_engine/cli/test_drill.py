"""Drills: the sheet, the cable, and the quick scenarios on an engine of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from typer.testing import CliRunner

from exam_engine.cli.drill import app
from exam_engine.cli.drilling.cable import Cable
from exam_engine.cli.drilling.network import busiest
from exam_engine.cli.drilling.outcome import DrillPlan
from exam_engine.cli.drilling.scenarios import SCENARIOS, play
from exam_engine.cli.drilling.seat import DrillRefused
from exam_engine.cli.drilling.sheet import Bar, PassSheet, ScenarioResult, none_of, seconds_bar
from exam_engine.cli.drilling.site import Site, until


def _result(*bars: Bar, failure: str = "") -> ScenarioResult:
    return ScenarioResult(code="F01", title="?", done=("?",), bars=bars, failure=failure)


@pytest.mark.parametrize(
    ("result", "passed"),
    [
        pytest.param(_result(seconds_bar("back after", 1.234, 60.0), none_of("lost", [])), True, id="all bars hold"),
        pytest.param(_result(seconds_bar("back after", 61.0, 60.0)), False, id="too slow"),
        pytest.param(_result(none_of("lost", ["slot 3"])), False, id="one lost"),
        pytest.param(_result(), False, id="nothing measured"),
        pytest.param(_result(none_of("lost", []), failure="it did not happen"), False, id="not carried through"),
    ],
)
def test_a_scenario_passes_when_it_was_carried_through_and_every_bar_holds(
    result: ScenarioResult, passed: bool
) -> None:
    sheet = PassSheet(candidates=2, results=(result,))
    assert (result.passed, sheet.passed, sheet.plain()["passed"]) == (passed, passed, passed)


def test_a_sheet_without_scenarios_has_not_passed() -> None:
    assert not PassSheet(candidates=2, results=()).passed


def test_a_bar_says_its_figure_and_its_limit() -> None:
    assert str(seconds_bar("back after", 1.234, 60.0)) == "back after 1.23 s ≤ 60 s"
    assert str(none_of("lost", 3)) == "lost 3 > 0"


def test_every_scenario_of_the_catalogue_has_its_number_in_its_words() -> None:
    assert all((play_it.__doc__ or "").startswith(f"{code}: ") for code, (_, play_it) in SCENARIOS.items())


def test_an_unknown_scenario_and_nonsense_seconds_are_misuse() -> None:
    assert CliRunner().invoke(app, ["--only", "F99"]).exit_code == 2
    assert CliRunner().invoke(app, ["--cable-seconds", "soon"]).exit_code == 2
    assert CliRunner().invoke(app, ["--cable-seconds", "0"]).exit_code == 2


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline() not in (b"\r\n", b""):
        pass
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    await writer.drain()
    writer.close()


async def test_a_pulled_cable_breaks_and_refuses_until_it_is_plugged_in_again() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server, Cable("127.0.0.1", server.sockets[0].getsockname()[1]) as cable:
        async with httpx.AsyncClient(base_url=cable.url, timeout=5.0) as client:
            assert (await client.get("/")).text == "ok"
            cable.pull()
            with pytest.raises(httpx.TransportError):
                await client.get("/")
            cable.plug_in()
            assert (await client.get("/")).text == "ok"
        assert len(cable.connected_at) == 2


async def test_what_does_not_happen_in_time_ends_a_scenario_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DrillRefused, match="within 0 seconds"):
        await until(lambda: False, 0.0)

    async def hopeless(site: Site, plan: DrillPlan) -> None:
        raise DrillRefused("it did not happen within 60 seconds")

    broken: tuple[str, Callable[..., Awaitable[None]]] = ("Hopeless", hopeless)
    monkeypatch.setitem(SCENARIOS, "F00", broken)  # type: ignore[arg-type]
    async with Cable("127.0.0.1", 1) as cable:
        site = Site(None, None, cable, None, 0)  # type: ignore[arg-type]
        result = await play(site, DrillPlan(), "F00")
    assert (result.passed, result.failure) == (False, "it did not happen within 60 seconds")


def test_a_herd_is_what_comes_back_within_half_a_second() -> None:
    spread = [0.0, 0.3, 0.6, 0.9]
    assert (busiest([], 0.5), busiest(spread, 0.5), busiest([*spread, 0.61, 0.65], 0.5)) == (0, 2, 4)


@pytest.mark.timeout(600)
def test_every_scenario_passes_on_an_engine_of_its_own() -> None:
    short = ["--seats", "6", "--cable-seconds", "1", "--database-seconds", "4"]
    told = CliRunner().invoke(app, [*short, "--json"])
    sheet = json.loads(told.stdout)
    wrong = [
        (scenario["code"], scenario["failure"] or [bar for bar in scenario["bars"] if not bar["holds"]])
        for scenario in sheet["scenarios"]
        # How fast it went depends on what else runs here; that nothing was lost does not.
        if scenario["failure"] or any(not bar["holds"] for bar in scenario["bars"] if bar["unit"] != "s")
    ]
    assert wrong == []
    assert [scenario["code"] for scenario in sheet["scenarios"]] == list(SCENARIOS)
