"""Intake rules as data files: how papers, priority and encouragement make a score, and how applicants are compared."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources

import msgspec

from exam_engine.admission.allocation import Rules
from exam_engine.admission.errors import IntakeRulesUnknown

PACKAGE = "exam_engine.admission"


class Papers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each paper counts; a paper of one programme only stands in that programme's weights."""

    weight: Decimal = Decimal(1)
    weights: Mapping[str, Decimal] = {}
    programme_weights: Mapping[str, Mapping[str, Decimal]] = {}

    def for_programme(self, programme: str, subjects: tuple[str, ...]) -> dict[str, Decimal]:
        """Return subject → weight for a programme, of the subjects an exam has."""
        special = {code for weights in self.programme_weights.values() for code in weights}
        common = {code: self.weights.get(code, self.weight) for code in subjects if code not in special}
        return {**common, **self.programme_weights.get(programme, {})}


class Extra(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for what an attribute of the applicant says; of several the highest counts."""

    attribute: str
    points: Mapping[str, Decimal]


class Eligibility(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every paper must be before anything is compared."""

    all_papers: bool = True
    above: Decimal | None = None  # every paper strictly above


class IntakeRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one intake, with their source and years."""

    id: str
    title: str
    source: str
    first_year: int
    last_year: int | None
    papers: Papers
    priority: Extra
    encouragement: Extra
    eligibility: Eligibility
    allocation: Rules
    notes: tuple[str, ...] = ()

    def holds_in(self, year: int) -> bool:
        """Whether the rules are in force in a year."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)


@cache
def known_intake_rules() -> tuple[str, ...]:
    """Return the names of the rule files."""
    folder = resources.files(PACKAGE) / "data"
    return tuple(sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")))


@cache
def load_intake_rules(name: str) -> IntakeRules:
    """Read the rules of one name.

    Raises
    ------
    IntakeRulesUnknown
        There is no such file.
    """
    if name not in known_intake_rules():
        raise IntakeRulesUnknown(name, known_intake_rules())
    content = (resources.files(PACKAGE) / "data" / f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=IntakeRules)
