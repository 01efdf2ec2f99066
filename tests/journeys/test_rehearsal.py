"""Whole exam days over HTTP, each on an installation of its own."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from exam_engine.cli.rehearsal.bot import Habits
from exam_engine.cli.rehearsal.day import Day, ExamOfDay
from exam_engine.cli.rehearsal.stack import own_installation
from exam_engine.cli.rehearsal.statement import DayStatement
from exam_engine.infra.embedded.running import read_running
from exam_engine.infra.settings import Settings
from exam_engine.sample import population
from exam_engine.sample.loader import load_sample
from exam_engine.wiring import Engine, open_engine

GRADUATES, APPLICANTS = 40, 10


@asynccontextmanager
async def installation(seed: int) -> AsyncIterator[tuple[Settings, Engine, list[ExamOfDay]]]:
    graduates = population.mock_graduation(GRADUATES, seed)
    applicants = population.grade_10_intake(APPLICANTS, seed)
    populations = {
        population.GRADUATION: lambda: graduates,
        population.INTAKE: lambda: applicants,
        population.PRACTICE: partial(population.practice, 2, seed),
    }
    with own_installation() as settings:
        async with open_engine(settings) as engine:
            await load_sample(engine, populations=populations)
            yield (
                settings,
                engine,
                [
                    ExamOfDay(graduates.exam, graduates.abilities),
                    ExamOfDay(applicants.exam, applicants.abilities, admits=True),
                ],
            )


async def rehearse(seed: int) -> DayStatement:
    async with installation(seed) as (settings, engine, exams):
        return await Day(engine, settings.base_url, seed, Habits(batch=3), lambda *_: None).run(exams)


@pytest.mark.timeout(600)
async def test_two_days_with_the_same_seed_have_the_same_papers_answers_and_scores_and_lose_nothing() -> None:
    first = await rehearse(seed=11)
    again = await rehearse(seed=11)
    assert first.differences == ()
    assert first.acknowledged == first.stored == first.scored > 0
    assert first.submitted == first.looked_up == GRADUATES + APPLICANTS
    assert first.decisions == APPLICANTS
    digests = [(day.papers_digest, day.answers_digest, day.scores_digest) for day in (first, again)]
    assert digests[0] == digests[1]


@pytest.mark.timeout(600)
async def test_killing_every_process_once_in_the_middle_of_a_day_loses_no_acknowledged_answer() -> None:
    async with installation(seed=12) as (settings, engine, exams):
        victims = ["API worker", "valkey", "postgresql", "write-behind"]
        done = 0
        killed: list[str] = []

        def tell(stage: str, steps: int, _: int) -> None:
            nonlocal done
            done = 0 if stage else done + steps
            if victims and done and done % (GRADUATES // 6) == 0 and not stage:
                killed.append(kill(settings.data_folder, victims.pop(0)))

        # Slow candidates: saves are under way whenever something dies.
        habits = Habits(batch=1, reload_probability=0.05, drop_probability=0.05)
        statement = await Day(engine, settings.base_url, 12, habits, tell).run(exams)
    assert killed == ["API worker", "valkey", "postgresql", "write-behind"]
    assert statement.differences == ()
    assert statement.acknowledged == statement.stored == statement.scored > 0
    assert statement.submitted == GRADUATES + APPLICANTS


def kill(data_folder: Path, name: str) -> str:
    """Kill one process of a running installation without warning."""
    running = read_running(data_folder)
    assert running is not None
    marks = {mark.name.lower(): mark for mark in running.children}
    if name == "API worker":
        workers = psutil.Process(marks["api"].pid).children()
        os.kill(workers[0].pid, signal.SIGKILL)
    else:
        os.kill(marks[name].pid, signal.SIGKILL)
    return name
