"""A rule set for the graduation score as data: papers, weights, points, limits, with validity and source.

The files stand in `rule_sets/`. What no file can say in these terms needs a new field here, not an exception in code.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec

from scoring.errors import RuleSetInvalid, RuleSetNotValid, RuleSetUnknown
from scoring.values import Rounding


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject a record may hold a mark in."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()


class Electives(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many papers chosen from a list."""

    count: int
    subjects: tuple[str, ...]


class Composite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A paper made of components; its mark is their mean at two decimals."""

    code: str
    name: str
    components: tuple[str, ...]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much the exam and the school years weigh."""

    exam: int
    years: int


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What candidates of one kind of schooling sit, and the formula for them."""

    name: str
    required: tuple[str, ...]
    weights: Weights
    electives: Electives | None = None
    composites: tuple[Composite, ...] = ()  # the highest one counts
    encouragement_divisor: int | None = None  # None: the number of papers


class Years(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the school years; years spent abroad are left out."""

    weights: dict[str, int]


class ExemptionEffect(StrEnum):
    """What an exemption does to the formula."""

    LEAVE_OUT = "leave_out"  # one paper less; an elective is no longer looked for
    FIXED_MARK = "fixed_mark"


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subject from which somebody may be exempt; who sits it anyway has the mark counted."""

    subject: str
    effect: ExemptionEffect
    mark: Decimal | None = None


class Combine(StrEnum):
    """What several encouragements give."""

    HIGHEST = "highest"
    SUM = "sum"  # over the kinds, of each kind the highest


class Award(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prize or certificate with its points."""

    code: str
    name: str
    points: Decimal
    kind: str = "prize"
    programmes: tuple[str, ...] = ()  # empty: all


class Encouragement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Encouragement points (điểm khuyến khích)."""

    combine: Combine
    maximum: Decimal
    awards: tuple[Award, ...]


class PriorityGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A priority group (diện ưu tiên) with its points."""

    code: str
    name: str
    points: Decimal


class Priority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Priority points; only the highest group counts."""

    groups: tuple[PriorityGroup, ...]


class ConservedRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Marks of an earlier exam that may stand in for a paper not sat again."""

    minimum: Decimal
    years: int  # how many exams later


class SpecialCaseRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Accident or illness: who was granted it passes without the papers not sat."""

    minimum_of_sat_papers: Decimal


class PassRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every paper and component above the fail mark, and the score at least the minimum."""

    fail_mark: Decimal
    minimum: Decimal


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One regulation, as far as the graduation score goes."""

    id: str
    title: str
    source: str
    first_year: int
    last_year: int | None
    subjects: tuple[Subject, ...]
    programmes: dict[str, Programme]
    default_programme: str
    years: Years
    exemptions: tuple[Exemption, ...]
    encouragement: Encouragement
    priority: Priority
    conserved: ConservedRule
    special_case: SpecialCaseRule
    passing: PassRule = msgspec.field(name="pass")
    final_rounding: Rounding = Rounding.HALF_UP
    notes: tuple[str, ...] = ()

    def subject_name(self, code: str) -> str:
        """Name of a subject or composite (a message id); the code itself when it has none."""
        names = {subject.code: subject.name for subject in self.subjects}
        for programme in self.programmes.values():
            names |= {composite.code: composite.name for composite in programme.composites}
        return names.get(code, code)


def known_rule_sets() -> tuple[str, ...]:
    """Names of the rule sets that ship with the engine, sorted."""
    folder = resources.files(__package__) / "rule_sets"
    return tuple(sorted(e.name.removesuffix(".json") for e in folder.iterdir() if e.name.endswith(".json")))


@cache
def load_rules(name: str) -> RuleSet:
    """Read a rule set that ships with the engine, such as "grad_2025".

    Raises
    ------
    RuleSetUnknown
        There is no such file.
    """
    known = known_rule_sets()
    if name not in known:
        raise RuleSetUnknown(name, known)
    return parse_rules((resources.files(__package__) / "rule_sets" / f"{name}.json").read_bytes(), name)


def parse_rules(content: bytes, name: str) -> RuleSet:
    """Read a rule set from its JSON text and check that it hangs together.

    Raises
    ------
    RuleSetInvalid
        It is no JSON of this shape, or names a subject it does not define.
    """
    try:
        rules = msgspec.json.decode(content, type=RuleSet)
    except msgspec.MsgspecError as error:
        raise RuleSetInvalid(name, str(error)) from None
    if rules.default_programme not in rules.programmes:
        raise RuleSetInvalid(name, f"default_programme: there is no programme {rules.default_programme!r}")
    if not rules.years.weights or min(rules.years.weights.values()) <= 0:
        raise RuleSetInvalid(name, "years: weights above 0 are needed")
    if not rules.priority.groups:
        raise RuleSetInvalid(name, "priority: at least one group is needed")
    for code, programme in rules.programmes.items():
        _require_programme(name, f"programmes.{code}", programme, {subject.code for subject in rules.subjects})
    for exemption in rules.exemptions:
        if (exemption.effect is ExemptionEffect.FIXED_MARK) != (exemption.mark is not None):
            raise RuleSetInvalid(name, f"exemptions: {exemption.subject}: a mark goes with fixed_mark only")
    return rules


def require_valid_in(rules: RuleSet, year: int) -> None:
    """Refuse a rule set for an exam outside its years.

    Raises
    ------
    RuleSetNotValid
        With the years it holds for.
    """
    if year < rules.first_year or (rules.last_year is not None and year > rules.last_year):
        raise RuleSetNotValid(rules.id, year, rules.first_year, rules.last_year)


def _require_programme(name: str, place: str, programme: Programme, subjects: set[str]) -> None:
    named: list[Sequence[str]] = [programme.required, *(c.components for c in programme.composites)]
    if programme.electives:
        named.append(programme.electives.subjects)
    for codes in named:
        for code in codes:
            if code not in subjects:
                raise RuleSetInvalid(name, f"{place}: there is no subject {code!r}")
    if programme.weights.exam <= 0 or programme.weights.years < 0:
        raise RuleSetInvalid(name, f"{place}: the exam needs a weight above 0, the years one of at least 0")
    if programme.encouragement_divisor is not None and programme.encouragement_divisor <= 0:
        raise RuleSetInvalid(name, f"{place}: encouragement_divisor must be above 0")
