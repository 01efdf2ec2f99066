"""Rules for human marks as data: how many rounds, when a difference needs whom."""

from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TypeVar

import msgspec

from scoring.errors import RuleSetUnknown


class MarkingRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the marks of independent rounds become one. Differences in points."""

    id: str
    source: str
    rounds: int
    agree_below: Decimal = Decimal(0)  # the two markers agree
    agree_with_minutes_to: Decimal = Decimal(0)  # they agree, with minutes; beyond, a third mark
    mean_of_three_to: Decimal = Decimal(0)  # spread of three marks; beyond, collective marking


class AppealRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a mark found on appeal replaces the published one. Differences in points."""

    id: str
    source: str
    change_from: Decimal
    dialogue_from: Decimal


Rules = TypeVar("Rules", MarkingRules, AppealRules)


@cache
def load_marking_rules(name: str) -> MarkingRules:
    """Read marking rules such as "single" or "two_rounds_2025".

    Raises
    ------
    RuleSetUnknown
        There is no such file.
    """
    return _load(name, MarkingRules)


@cache
def load_appeal_rules(name: str) -> AppealRules:
    """Read appeal rules such as "appeal_2025".

    Raises
    ------
    RuleSetUnknown
        There is no such file.
    """
    return _load(name, AppealRules)


def _load(name: str, kind: type[Rules]) -> Rules:
    folder = resources.files(__package__) / "rule_sets"
    is_appeal = kind is AppealRules
    names = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    known = [known_name for known_name in names if known_name.startswith("appeal") == is_appeal]
    if name not in known:
        raise RuleSetUnknown(name, known)
    return msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=kind)
