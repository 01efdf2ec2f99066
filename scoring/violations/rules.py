"""Kinds of violations and what they take away, as data."""

from functools import cache
from importlib import resources

import msgspec

from scoring.errors import RuleSetUnknown


class ViolationKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision that can be taken, with its effect on the paper."""

    code: str
    name: str
    per_cent: int  # taken off the paper
    cancels_all: bool = False  # all results of the year


class ViolationRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decisions of one regulation."""

    id: str
    source: str
    first_year: int
    last_year: int | None
    kinds: tuple[ViolationKind, ...]
    zero_papers_that_cancel: int  # so many papers counted 0 cancel everything


def violation_rules_in(year: int) -> ViolationRules:
    """Return the rules that hold for exams of a year.

    Raises
    ------
    RuleSetUnknown
        None of the files covers that year.
    """
    for name in known_violation_rules():
        rules = load_violation_rules(name)
        if rules.first_year <= year and (rules.last_year is None or year <= rules.last_year):
            return rules
    raise RuleSetUnknown(f"violations in {year}", known_violation_rules())


def known_violation_rules() -> tuple[str, ...]:
    """Names of the rules that ship with the engine, sorted."""
    folder = resources.files(__package__)
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


@cache
def load_violation_rules(name: str) -> ViolationRules:
    """Read violation rules such as "violations_2025".

    Raises
    ------
    RuleSetUnknown
        There is no such file.
    """
    if name not in known_violation_rules():
        raise RuleSetUnknown(name, known_violation_rules())
    return msgspec.json.decode((resources.files(__package__) / f"{name}.json").read_bytes(), type=ViolationRules)
