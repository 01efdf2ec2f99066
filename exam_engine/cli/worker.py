"""Background workers, one process each. `exam-engine up` starts all of them; on a cluster start them as you need."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

import typer

from exam_engine.cli.console import run, settings_from_environment
from exam_engine.infra.embedded.addresses import locate
from exam_engine.infra.garbage import collect_rarely
from exam_engine.infra.settings import Settings
from exam_engine.infra.telemetry import set_up_logging

app = typer.Typer(help="One background worker (the supervisor starts them).", no_args_is_help=True)


@app.command("write-behind")
def write_behind(consumer: str = typer.Option("writer-1", help="Name of this writer; each one needs its own.")) -> None:
    """Move candidates' responses from Redis into PostgreSQL.

    Example: exam-engine worker write-behind
    """
    from exam_engine.delivery import write_behind as room

    settings = _prepare()
    collect_rarely()
    run(_until_told(room.run(settings, consumer=consumer)))


@app.command()
def timer() -> None:
    """Close attempts whose time is over, and sittings at their end.

    Example: exam-engine worker timer
    """
    from exam_engine.delivery import timers

    run(_until_told(timers.run(_prepare())))


@app.command()
def jobs() -> None:
    """Run the background jobs that use cases have left.

    Example: exam-engine worker jobs
    """
    from exam_engine.jobs import worker

    run(_until_told(worker.run(_prepare())))


def _prepare() -> Settings:
    settings = settings_from_environment()
    set_up_logging(settings)
    return locate(settings)


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends or the process is asked to; then let it finish what it holds."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
