"""What violations do to the marks of one candidate; raw marks stay, this is a layer on top."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from scoring.errors import RuleSetInvalid
from scoring.values import Hundredths, to_hundredths
from scoring.violations.rules import ViolationKind, ViolationRules


class Violation(msgspec.Struct, frozen=True):
    """One decided violation; without a subject it is on all results."""

    kind: str
    subject: str | None = None


class Effect(msgspec.Struct, frozen=True):
    """The marks that hold, and whether all results are cancelled."""

    marks: dict[str, Hundredths]
    is_cancelled: bool


def adjusted(mark: int, per_cent: int) -> Hundredths:
    """Take a percentage off a mark, half up: 7.00 less 25 % is 5.25, 2.25 less 25 % is 1.69."""
    return to_hundredths(Fraction(mark, 100) * (100 - per_cent) / 100)


def effect(marks: Mapping[str, int], violations: Sequence[Violation], rules: ViolationRules) -> Effect:
    """Apply decided violations to raw marks (hundredths by subject).

    Raises
    ------
    RuleSetInvalid
        The rules have no such kind of violation.
    """
    kinds = {kind.code: kind for kind in rules.kinds}
    deductions: dict[str, int] = {}
    is_cancelled = False
    for violation in violations:
        kind = _kind(kinds, violation.kind, rules)
        is_cancelled |= kind.cancels_all
        if violation.subject is not None:
            deductions[violation.subject] = max(deductions.get(violation.subject, 0), kind.per_cent)
    zeroed = sum(per_cent >= 100 for per_cent in deductions.values())
    return Effect(
        {subject: adjusted(mark, deductions.get(subject, 0)) for subject, mark in marks.items()},
        is_cancelled or zeroed >= rules.zero_papers_that_cancel,
    )


def _kind(kinds: Mapping[str, ViolationKind], code: str, rules: ViolationRules) -> ViolationKind:
    if code not in kinds:
        raise RuleSetInvalid(rules.id, f"there is no kind of violation {code!r}; known: {', '.join(kinds)}")
    return kinds[code]
