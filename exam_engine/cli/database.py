"""The schema and the data as a whole: upgrade, status, dump, restore."""

from pathlib import Path
from typing import Annotated

import typer

from exam_engine.cli.console import REFUSED, confirm, emit, refuse, run, settings_from_environment
from exam_engine.infra.embedded.addresses import locate
from exam_engine.infra.errors import EngineError
from exam_engine.infra.settings import Settings

app = typer.Typer(help="The schema: upgrade, status, backup.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.command()
def upgrade(*, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Bring the database up to this program's schema. `exam-engine up` does it by itself.

    Example: exam-engine database upgrade --dry-run
    """
    from exam_engine.infra.migrations.runner import pending
    from exam_engine.infra.migrations.runner import upgrade as apply

    settings = _settings()
    waiting = run(pending(settings))
    if not dry_run:
        run(apply(settings))
    verb = "would apply" if dry_run else "applied"
    emit(
        {"applied": not dry_run, "revisions": waiting},
        as_json=as_json,
        text=f"{verb}: {', '.join(waiting) or 'nothing'}",
    )


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say whether the database stands at this program's schema; exit code 1 if not.

    Example: exam-engine database status --json
    """
    from exam_engine.infra.migrations.runner import pending

    waiting = run(pending(_settings()))
    text = f"revisions to apply: {', '.join(waiting)}" if waiting else "the schema is up to date"
    emit({"is_current": not waiting, "pending": waiting}, as_json=as_json, text=text)
    if waiting:
        raise typer.Exit(REFUSED)


@app.command()
def backup(
    file: Annotated[
        Path, typer.Argument(help="The dump to write; an existing file is replaced when the new one is complete.")
    ],
    *,
    dry_run: DryRun = False,
) -> None:
    """Write the whole database to a file while everything runs. Keep the data folder's secret.key beside it.

    Example: exam-engine database backup exams.dump
    """
    from exam_engine.infra.embedded.dumps import dump

    settings = _settings()
    if dry_run:
        emit(f"would write {file}")
        return
    try:
        dump(settings, file)
    except EngineError as error:
        refuse(error)
    emit(f"{file}: {file.stat().st_size / 2**20:.1f} MB")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A dump written by database backup.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Replace the whole database with a dump, or leave it as it is if the dump does not fit.

    Example: exam-engine database restore exams.dump
    """
    from exam_engine.infra.embedded.dumps import restore as replace_all

    settings = _settings()
    if dry_run:
        emit(f"would replace the database with {file}")
        return
    confirm(f"Replace everything in the database with {file}?", is_sure=yes)
    try:
        replace_all(settings, file)
    except EngineError as error:
        refuse(error)
    emit(f"{file}: restored")


def _settings() -> Settings:
    try:
        return locate(settings_from_environment())
    except EngineError as error:
        refuse(error)
