"""Every command of the command line says what it does, with an example."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from exam_engine.cli.main import NOUNS, app, load_noun

WRITING_VERBS = ("import", "load", "create", "assemble", "seal", "open", "close", "release", "allocate")


def commands_of(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for verb, child in children.items():
        yield from commands_of(child, f"{name} {verb}")


def all_commands() -> list[tuple[str, Any]]:
    return [entry for noun in NOUNS for entry in commands_of(load_noun(noun), noun)]


@pytest.mark.parametrize(("name", "command"), all_commands(), ids=[name for name, _ in all_commands()])
def test_a_command_has_help_with_an_example(name: str, command: Any) -> None:
    help_text = command.help or ""
    assert help_text.strip(), f"{name} has no help"
    assert f"Example: exam-engine {name}" in " ".join(help_text.split()), (
        f"{name}: the help needs 'Example: exam-engine {name} …'"
    )


@pytest.mark.parametrize(("name", "command"), all_commands(), ids=[name for name, _ in all_commands()])
def test_the_help_of_a_command_can_be_shown(name: str, command: Any) -> None:
    # A square bracket in a sentence is markup, and may be none that is known.
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0, result.exception
    assert "--help" in result.output


@pytest.mark.parametrize(("name", "command"), all_commands(), ids=[name for name, _ in all_commands()])
def test_every_option_of_a_command_is_explained(name: str, command: Any) -> None:
    silent = [
        option.opts[0]
        for option in command.params
        if option.opts[0].startswith("-") and not getattr(option, "help", None)
    ]
    assert silent == []


def test_the_help_names_every_noun_without_loading_it() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(noun in result.output for noun in NOUNS)


def test_an_unknown_noun_is_misuse() -> None:
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2
