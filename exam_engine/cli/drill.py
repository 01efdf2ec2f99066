"""`exam-engine drill`: faults made on purpose in an engine of its own, and a pass sheet at the end."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from exam_engine.cli import console

if TYPE_CHECKING:
    from exam_engine.cli.drilling.outcome import DrillPlan
    from exam_engine.cli.drilling.sheet import PassSheet

app = typer.Typer(help="Make faults on purpose, and see whether anything is lost.")


@app.command()
def drill(
    only: Annotated[str | None, typer.Option(help="Scenarios by number, as in F01,F18; all if left out.")] = None,
    seats: Annotated[int, typer.Option(min=2, max=200, help="Seats of the scenarios that take a whole lab.")] = 24,
    cable_seconds: Annotated[
        str, typer.Option(help="F09: how long the cable is out, one after the other, as in 5,60,600.")
    ] = "5,20",
    database_seconds: Annotated[
        float, typer.Option(min=2.0, max=1800.0, help="F21: how long PostgreSQL is away; 600 for the whole bar.")
    ] = 20.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start an engine of its own, break it as exams are broken, and print what was measured; exit code 1 on a failure.

    Seats lose power, cables and switches fail, Redis starts empty, PostgreSQL dies, time is added, somebody signs in
    twice. Nothing outside a temporary folder is touched.

    Example: exam-engine drill --only F01,F44
    """
    from exam_engine.cli.drilling.outcome import DrillPlan
    from exam_engine.cli.drilling.scenarios import SCENARIOS
    from exam_engine.cli.rehearsal.bot import RehearsalRefused

    codes = [code.strip().upper() for code in only.split(",")] if only else list(SCENARIOS)
    unknown = [code for code in codes if code not in SCENARIOS]
    if unknown:
        raise typer.BadParameter(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    plan = DrillPlan(seats=seats, cable_seconds=_seconds(cable_seconds), database_seconds=database_seconds)
    try:
        sheet = console.run(_drill(codes, plan))
    except RehearsalRefused as error:
        console.refuse(str(error))
    if as_json:
        console.emit(sheet.plain(), as_json=True)
    else:
        _show(sheet)
    if not sheet.passed:
        raise typer.Exit(console.REFUSED)


async def _drill(codes: Sequence[str], plan: "DrillPlan") -> "PassSheet":
    from exam_engine.cli.drilling.cable import Cable
    from exam_engine.cli.drilling.scenarios import SCENARIOS, play
    from exam_engine.cli.drilling.sheet import PassSheet
    from exam_engine.cli.drilling.site import PASSWORD, Site
    from exam_engine.cli.rehearsal.stack import own_installation
    from exam_engine.cli.rehearsal.staff import StaffClient
    from exam_engine.infra.embedded.places import settle
    from exam_engine.sample import population
    from exam_engine.sample.loader import Populations, load_sample
    from exam_engine.wiring import open_engine

    populations: Populations = {
        population.GRADUATION: partial(population.mock_graduation, max(plan.seats, 8)),
        population.INTAKE: partial(population.grade_10_intake, 2),
        population.PRACTICE: partial(population.practice, 2),
    }
    # Its own database dies on purpose; that our connections notice is no news.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    results = []
    console.note("starting an engine of its own …")
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            console.note("loading the sample province …")
            await load_sample(engine, populations=populations)
            async with (
                Cable(settings.http_host, settings.http_port) as cable,
                StaffClient(settings.base_url, "board") as board,
            ):
                await board.sign_in(PASSWORD)
                site = Site(engine, settle(settings.data_folder), cable, board, seed=2027)
                for code in codes:
                    console.note(f"{code}  {SCENARIOS[code][0]} …")
                    results.append(await play(site, plan, code))
    return PassSheet(candidates=plan.seats, results=tuple(results))


def _seconds(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list of seconds", param_hint="--cable-seconds") from error
    if not found or any(not 1.0 <= seconds <= 3600.0 for seconds in found):
        raise typer.BadParameter("1 to 3600 seconds each", param_hint="--cable-seconds")
    return found


def _show(sheet: "PassSheet") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Pass sheet", title_justify="left", box=None, padding=(0, 2, 1, 0))
    for name in ("", "scenario", "done and measured"):
        table.add_column(name, overflow="fold")
    for result in sheet.results:
        verdict = Text("pass" if result.passed else "FAIL", style="bold green" if result.passed else "bold red")
        words = Text()
        for done in result.done:
            words.append(f"{done}\n")
        for bar in result.bars:
            words.append(f"  {bar}\n", style="" if bar.holds else "bold red")
        if result.failure:
            words.append(f"{result.failure}\n", style="bold red")
        words.append(f"  {result.seconds:g} s in all", style="dim")
        table.add_row(verdict, Text(f"{result.code}\n{result.title}"), words)
    screen = Console(highlight=False)
    (screen if screen.is_terminal else Console(highlight=False, width=160)).print(table)
    passed = sum(result.passed for result in sheet.results)
    screen.print(f"{passed} of {len(sheet.results)} scenarios passed")
