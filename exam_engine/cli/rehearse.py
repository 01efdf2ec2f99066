"""`exam-engine rehearse`: a whole exam day with simulated candidates, ending in a statement to the one."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from exam_engine.cli import console

if TYPE_CHECKING:
    from exam_engine.cli.rehearsal.statement import DayStatement

app = typer.Typer(help="Walk through a whole exam day with simulated candidates.")


@app.command()
def rehearse(
    candidates: Annotated[
        int, typer.Option(min=6, max=20_000, help="How many sit: two thirds the graduation, one third the intake.")
    ] = 300,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same papers, answers and scores.")] = 2027,
    batch: Annotated[int, typer.Option(min=1, max=50, help="Answers a seat sends together at most.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start an engine of its own, sit two exams over HTTP, score, release, look up, admit, and compare every answer.

    Exit code 1 if a single acknowledged answer is not stored and scored.

    Example: exam-engine rehearse --candidates 300 --seed 7
    """
    from exam_engine.cli.rehearsal.bot import RehearsalRefused
    from exam_engine.cli.rehearsal.statement import text_of

    try:
        statement = console.run(_rehearse(candidates, seed, batch))
    except RehearsalRefused as error:
        console.refuse(str(error))
    console.emit(statement, as_json=as_json, text=text_of)
    if not statement.is_whole:
        raise typer.Exit(1)


async def _rehearse(candidates: int, seed: int, batch: int) -> "DayStatement":
    from exam_engine.cli.rehearsal.bot import Habits
    from exam_engine.cli.rehearsal.day import Day, ExamOfDay
    from exam_engine.cli.rehearsal.stack import own_installation
    from exam_engine.sample import population
    from exam_engine.sample.loader import Populations, load_sample
    from exam_engine.wiring import open_engine

    graduates = population.mock_graduation(candidates - candidates // 3, seed)
    applicants = population.grade_10_intake(candidates // 3, seed)
    populations: Populations = {
        population.GRADUATION: lambda: graduates,
        population.INTAKE: lambda: applicants,
        population.PRACTICE: partial(population.practice, seed=seed),
    }
    console.note("starting an engine of its own …")
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            console.note("loading the sample province …")
            await load_sample(engine, populations=populations)
            exams = [
                ExamOfDay(graduates.exam, graduates.abilities),
                ExamOfDay(applicants.exam, applicants.abilities, admits=True),
            ]
            with console.stages() as tell:
                return await Day(engine, settings.base_url, seed, Habits(batch=batch), tell).run(exams)
