"""The `exam-engine` command: a literal table of nouns, each loaded when it is called, so that help is quick."""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from exam_engine.cli.console import REFUSALS, REFUSED


class Noun(msgspec.Struct, frozen=True):
    """A noun of the command line: the module that holds it as `app`, and its line in the help."""

    module: str
    help: str


NOUNS: Mapping[str, Noun] = {
    "up": Noun("exam_engine.cli.up", "Start the servers, the API and the workers, and keep them running."),
    "rehearse": Noun(
        "exam_engine.cli.rehearse", "Run a whole exam day with simulated candidates and check every answer."
    ),
    "drill": Noun("exam_engine.cli.drill", "Make faults on purpose in an engine of its own, and print a pass sheet."),
    "sample": Noun("exam_engine.cli.sample", "Load the sample province."),
    "unit": Noun("exam_engine.cli.unit", "Organisation units."),
    "person": Noun("exam_engine.cli.person", "Staff and their roles."),
    "bank": Noun("exam_engine.cli.bank", "Item banks."),
    "item": Noun("exam_engine.cli.item", "Items: check, import, export, score."),
    "blueprint": Noun("exam_engine.cli.blueprint", "Blueprints: what a form must hold."),
    "form": Noun("exam_engine.cli.form", "Forms: assemble, seal, print."),
    "exam": Noun("exam_engine.cli.exam", "Exams and their subjects."),
    "candidate": Noun("exam_engine.cli.candidate", "Candidates: import, number, seat, print cards."),
    "sitting": Noun("exam_engine.cli.sitting", "Sittings: plan, open, extend, close."),
    "receipt": Noun("exam_engine.cli.receipt", "Receipts: verify one, print the public key."),
    "marks": Noun("exam_engine.cli.marks", "Marks from files."),
    "results": Noun("exam_engine.cli.results", "Score runs, releases, result slips."),
    "calibration": Noun("exam_engine.cli.calibration", "Calibration runs, accepted and held item parameters."),
    "graduation": Noun("exam_engine.cli.graduation", "Graduation scores by rule set."),
    "admission": Noun("exam_engine.cli.admission", "Aspirations, allocation, decisions."),
    "irt": Noun("exam_engine.cli.irt.app", "Item response theory on files: calibrate, score, fit, link, dif."),
    "ctt": Noun("exam_engine.cli.ctt", "Classical item analysis on files."),
    "audit": Noun("exam_engine.cli.audit", "The hash-chained audit log."),
    "database": Noun("exam_engine.cli.database", "The schema: upgrade, status, backup."),
    "worker": Noun("exam_engine.cli.worker", "One background worker (the supervisor starts them)."),
}


def load_noun(name: str) -> Any:
    """Return the command or command group of a noun."""
    command = get_command(import_module(NOUNS[name].module).app)
    command.name = name
    # Typer offers the shell's completion on every app; ours stands behind one program.
    command.params = [
        option for option in command.params if option.name not in ("install_completion", "show_completion")
    ]
    return command


class _Nouns(TyperGroup):
    """Shows every noun from the table, and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        noun = NOUNS.get(cmd_name)
        return None if noun is None else TyperCommand(cmd_name, help=noun.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_noun(name) if name is not None and name in NOUNS else command, rest


app = typer.Typer(
    name="exam-engine",
    cls=_Nouns,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The examination engine, from the item to the admission letter.\n\n"
    "Example: exam-engine item import items.csv --bank toan-12",
)


@app.callback()
def _top() -> None:
    """Only groups the nouns."""


def main() -> None:
    """Run the command line; a reader that went away (`| head`) ends it quietly."""
    try:
        app(prog_name="exam-engine")
    except REFUSALS as error:
        typer.echo(f"refused: {error}", err=True)
        sys.exit(REFUSED)
    except BrokenPipeError:
        # Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(REFUSED)
    except OSError as error:
        if error.filename is None:
            raise  # not a path somebody gave: a fault of ours
        typer.echo(f"refused: {error.filename}: {error.strerror}", err=True)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
