"""What the commands on response files share: options that say how a file is read, and reading by them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from exam_engine.calibration.choices import Blank
from exam_engine.calibration.files.categories import BlankRules, Prepared, prepare
from exam_engine.calibration.files.item_lists import ItemModel, read_key, read_models
from exam_engine.calibration.files.mistakes import Mistakes
from exam_engine.calibration.files.options import require_keys, scored
from exam_engine.calibration.files.parameter_files import ParameterFile, read_parameters
from exam_engine.calibration.files.response_files import ReadingRules, ResponseFile, read_options, read_responses
from exam_engine.cli.console import REFUSALS, refuse
from exam_engine.infra.i18n import N_
from scoring.irt.bank import ItemBank
from scoring.irt.models import Model

Responses = Annotated[Path, typer.Argument(help="CSV or XLSX: one column an item, one row a candidate or a pattern.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help='What a column is, "role=title": id, frequency, group, or ignore. Repeatable.'),
]
Codes = Annotated[
    list[str] | None,
    typer.Option("--code", help='What a cell means, "8=omitted": missing, omitted or not-reached. Repeatable.'),
]
Blanks = Annotated[
    Literal["missing", "by-position"],
    typer.Option(help="An empty cell or NA: missing by design; or omitted, and not reached at the end of a row."),
]
OmittedAs = Annotated[Literal["wrong", "missing"], typer.Option("--omitted", help="How an omitted response counts.")]
NotReachedAs = Annotated[
    Literal["wrong", "missing"], typer.Option("--not-reached", help="How an item that was not reached counts.")
]
Key = Annotated[
    Path | None, typer.Option(help="CSV of item and key: the cells are options, and are scored right or wrong.")
]
Items = Annotated[Path, typer.Option("--items", help="Parameter file, as `irt calibrate --out` writes it.")]
Tongue = Literal["vi", "en"]
Language = Annotated[Tongue, typer.Option(help="Language of the report.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Compute and print, but write no file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_ROLES = ("id", "frequency", "group", "ignore")
_MEANINGS = ("missing", "omitted", "not-reached")


@contextmanager
def refusals() -> Iterator[None]:
    """End the command with its reason and code 1 on anything that cannot be read, computed or written."""
    try:
        yield
    except REFUSALS as error:
        refuse(error)
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")


def reading_rules(columns: Sequence[str] | None, codes: Sequence[str] | None) -> ReadingRules:
    """Read `--column` and `--code`; what makes no sense is misuse."""
    roles: dict[str, list[str]] = {role: [] for role in _ROLES}
    for pair in columns or ():
        role, _, title = (part.strip() for part in pair.partition("="))
        if role not in roles or not title:
            raise typer.BadParameter(f"write role=title, the role being {', '.join(_ROLES)}", param_hint="--column")
        roles[role].append(title)
    for role in _ROLES[:3]:
        if len(roles[role]) > 1:
            raise typer.BadParameter(f"there can be one column as {role}", param_hint="--column")
    meanings: dict[str, list[str]] = {meaning: [] for meaning in _MEANINGS}
    for pair in codes or ():
        cell, _, meaning = (part.strip() for part in pair.rpartition("="))
        if meaning not in meanings or not cell:
            raise typer.BadParameter(
                f"write cell=meaning, the meaning being {', '.join(_MEANINGS)}", param_hint="--code"
            )
        meanings[meaning].append(cell)
    return ReadingRules(
        identifier=next(iter(roles["id"]), None),
        frequency=next(iter(roles["frequency"]), None),
        group=next(iter(roles["group"]), None),
        ignored=tuple(roles["ignore"]),
        missing_codes=tuple(meanings["missing"]),
        omitted_codes=tuple(meanings["omitted"]),
        not_reached_codes=tuple(meanings["not-reached"]),
    )


def blank_rules(blank: str, omitted: str, not_reached: str) -> BlankRules:
    """Read how blanks count."""
    return BlankRules(is_by_position=blank == "by-position", omitted=Blank(omitted), not_reached=Blank(not_reached))


def read_file(path: Path, rules: ReadingRules, key: Path | None) -> ResponseFile:
    """Read categories, or options scored by a key."""
    if key is None:
        return read_responses(path, path.name, rules)
    keys = read_key(key, key.name)
    options = read_options(path, path.name, rules)
    require_keys(options, keys, key.name)
    return scored(options, keys)


def chosen_models(
    found: ResponseFile, model: Model, polytomous: Model | None, models: Path | None
) -> tuple[list[Model], list[int | None]]:
    """Return the model of each item and its lowest category if a file says it.

    Raises
    ------
    FileRefused
        The model file names items that are not there, and none of those that are.
    """
    said: dict[str, ItemModel] = {} if models is None else read_models(models, models.name)
    if models is not None and not set(said) & set(found.item_names):
        mistakes = Mistakes(models.name)
        mistakes.add(N_("none of the items of {file} is named here"), file=found.file_name)
        mistakes.finish()
    kinds = []
    for item, name in enumerate(found.item_names):
        column = found.marks[:, item]
        met = column[column >= 0]
        spread = int(met.max()) - int(met.min()) if met.size else 0
        by_width = polytomous if polytomous is not None and spread > 1 else model
        kinds.append(said[name].model if name in said else by_width)
    return kinds, [said[name].first_category if name in said else None for name in found.item_names]


def prepare_known(
    found: ResponseFile, parameters: ParameterFile, file_name: str, blanks: BlankRules
) -> tuple[Prepared, ItemBank]:
    """Match responses with parameters: each item of the responses must have some.

    Raises
    ------
    FileRefused
        An item has no parameters, or a category that they do not know.
    """
    place = {name: i for i, name in enumerate(parameters.bank.names)}
    mistakes = Mistakes(file_name)
    for name in found.item_names:
        if name not in place:
            mistakes.add(N_("the item {item} of the responses has no parameters here"), item=name)
    mistakes.finish()
    at = [place[name] for name in found.item_names]
    bank = parameters.bank.select(at)
    prepared = prepare(
        found,
        bank.models,
        blanks,
        first_categories=[parameters.first_categories[i] for i in at],
        is_fixed=[True] * len(at),
        n_categories=bank.n_categories.tolist(),
    )
    return prepared, bank


def read_items(path: Path, default_model: Model | None = None) -> ParameterFile:
    """Read a parameter file."""
    return read_parameters(path, path.name, default_model=default_model)


def group_moments(parameters: ParameterFile, group_names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return the latent mean and variance of each group; of one the file does not name, those of the reference."""
    means = [parameters.means.get(name, parameters.mean) for name in group_names]
    variances = [parameters.variances.get(name, parameters.variance) for name in group_names]
    return means, variances


def parsed_numbers(text: str, count: int, option: str) -> list[float]:
    """Read numbers between commas; anything else is misuse."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise typer.BadParameter(f"{count} numbers with a comma between, such as 500,100", param_hint=option)
    return values


def cycle_teller(*, is_quiet: bool) -> Callable[[int, float], None] | None:
    """Return what tells each cycle and its log-likelihood on standard error."""
    if is_quiet:
        return None

    def tell(cycle: int, log_likelihood: float) -> None:
        typer.echo(f"cycle {cycle:4d}  log-likelihood {log_likelihood:.6f}", err=True)

    return tell
