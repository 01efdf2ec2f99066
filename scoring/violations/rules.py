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
    kinds: tuple[ViolationKind, ...]
    zero_papers_that_cancel: int  # so many papers counted 0 cancel everything


@cache
def load_violation_rules(name: str) -> ViolationRules:
    """Read violation rules such as "violations_2025".

    Raises
    ------
    RuleSetUnknown
        There is no such file.
    """
    folder = resources.files(__package__)
    known = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    if name not in known:
        raise RuleSetUnknown(name, known)
    return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=ViolationRules)
