"""What every command shares: running a coroutine, printing a result, a refusal, a progress bar.

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 refused, 2 misuse.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
import typer

from exam_engine.infra.errors import EngineError, FileRefused, SettingsInvalid
from exam_engine.infra.settings import Settings, load_settings
from item_bank.errors import ItemBankError
from scoring.errors import ScoringError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from exam_engine.wiring import Engine

T = TypeVar("T")

REFUSALS = (EngineError, ItemBankError, ScoringError)
REFUSED = 1
MISUSE = 2


def settings_from_environment() -> Settings:
    """Read the settings; an unknown or malformed variable ends the command."""
    try:
        return load_settings(os.environ)
    except SettingsInvalid as error:
        refuse(error)


@asynccontextmanager
async def engine() -> "AsyncIterator[Engine]":
    """Open the engine of this command, from the environment."""
    # Imported here because most of the program hangs on it and `--help` needs none of it.
    from exam_engine.infra.telemetry import set_up_logging
    from exam_engine.wiring import open_engine

    settings = settings_from_environment()
    # Standard output is for the result; of a short command only what went wrong is worth a line.
    is_quiet = settings.log_level == Settings().log_level
    set_up_logging(msgspec.structs.replace(settings, log_level="warning") if is_quiet else settings)
    async with open_engine(settings) as opened:
        yield opened


class CommandAct(msgspec.Struct, frozen=True):
    """One use case run from the command line: engine, session, moment, and who the audit record says it was."""

    engine: "Engine"
    session: "AsyncSession"
    now: datetime
    actor: str = "system:command-line"

    @property
    def today(self) -> date:
        """The day by which grants hold."""
        return self.engine.local_day(self.now)


@asynccontextmanager
async def act(*, is_dry_run: bool = False) -> AsyncIterator[CommandAct]:
    """Open the engine and one transaction: committed at the end, rolled back by a refusal or a dry run."""
    async with engine() as opened, opened.sessions() as session, session.begin() as transaction:
        yield CommandAct(opened, session, opened.clock())
        if is_dry_run:
            await transaction.rollback()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; a refusal ends the command with its sentence and exit code 1."""
    try:
        return asyncio.run(work)
    except REFUSALS as error:
        refuse(error)
    except (ConnectionError, TimeoutError) as error:
        refuse(f"the servers do not answer ({error or type(error).__name__}); is the engine running?")
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")


def emit(result: Any, *, as_json: bool = False, text: Callable[[Any], str] | str | None = None) -> None:
    """Print a result: as JSON, or as the text given (or made from it)."""
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(result), ensure_ascii=False, indent=2))
        return
    if callable(text):
        text = text(result)
    typer.echo(text if text is not None else _plain(result))


def emit_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in aligned columns."""
    cells = [[str(cell) if cell is not None else "" for cell in row] for row in rows]
    widths = [max([len(header), *(len(row[i]) for row in cells)]) for i, header in enumerate(headers)]
    for row in (list(headers), *cells):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def refuse(error: Exception | str) -> NoReturn:
    """Say on standard error why the command was refused, line by line for a file, and end with code 1."""
    if isinstance(error, FileRefused):
        typer.echo(f"{error.file_name}: refused, nothing was changed", err=True)
        for wrong in error.errors:
            typer.echo(f"  {wrong.place}: {wrong.reason}", err=True)
    else:
        typer.echo(f"refused: {error}", err=True)
    raise typer.Exit(REFUSED)


def require_ending(path: Path | None, endings: Sequence[str], option: str) -> None:
    """End the command as misuse where a file's name does not say one of the formats we write."""
    if path is not None and path.suffix not in endings:
        raise typer.BadParameter(f"the name must end in {' or '.join(endings)}", param_hint=option)


def note(text: str) -> None:
    """Tell something that is not the result."""
    typer.echo(text, err=True)


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask before a dangerous act, unless `--yes` was given; without a terminal nobody can answer, so it is refused."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        refuse(f"{question} Add --yes to say so without a terminal")
    if not typer.confirm(question, err=True):
        raise typer.Exit(REFUSED)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error; call what it gives with the number of steps done since the last call."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def stages() -> "Iterator[Callable[[str, int, int], None]]":
    """Show one bar on standard error, named after the stage: call it with (new stage or "", steps done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            if stage:
                bars.reset(task, description=stage, total=total)
            bars.advance(task, done)

        yield tell


def _plain(result: Any) -> str:
    if isinstance(result, str):
        return result
    value = msgspec.to_builtins(result)
    if isinstance(value, dict):
        return "\n".join(f"{name}: {entry}" for name, entry in value.items())
    return json.dumps(value, ensure_ascii=False, indent=2)
