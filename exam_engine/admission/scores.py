"""The score an applicant competes with: weighted papers, priority and encouragement, each with its line.

Pure. Exact decimals, rounded half up to hundredths once, at the end.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from exam_engine.admission.intake_rules import Extra, IntakeRules
from scoring.values import to_decimal, to_hundredths


class Paper(msgspec.Struct, frozen=True):
    """The mark of one paper; without a number the state says why."""

    hundredths: int | None
    state: str = "marked"  # marked, absent, missing


class LineKind(StrEnum):
    """What a line of a score stands for."""

    PAPER = "paper"
    PRIORITY = "priority"
    ENCOURAGEMENT = "encouragement"
    TOTAL = "total"


class ScoreLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a score: `value` times `weight` gives `points` (texts with a decimal point)."""

    kind: LineKind
    points: str
    name: str = ""  # subject code, or what the attribute says
    value: str = ""
    weight: str = ""


class ApplicantScore(msgspec.Struct, frozen=True):
    """A score with its lines, or why there is none."""

    hundredths: int | None
    lines: tuple[ScoreLine, ...]
    ineligible: str | None = None


class AttributeUnknown(Exception):
    """An attribute says something the rules give no points for; the caller names the applicant."""

    def __init__(self, attribute: str, value: str, known: tuple[str, ...]) -> None:
        self.attribute = attribute
        self.value = value
        self.known = known
        super().__init__(f'{attribute} "{value}" is not in the rules; known: {", ".join(known) or "none"}')


def score(
    rules: IntakeRules, weights: Mapping[str, Decimal], papers: Mapping[str, Paper], attributes: Mapping[str, str]
) -> ApplicantScore:
    """Compute one applicant's score for the papers that have a weight.

    Raises
    ------
    AttributeUnknown
        Priority or encouragement name something the rules do not have.
    """
    lines: list[ScoreLine] = []
    total = Decimal(0)
    cause: str | None = None
    for subject, weight in weights.items():
        paper = papers.get(subject, Paper(None, "missing"))
        cause = cause or _cause(rules, subject, paper)
        if paper.hundredths is None:
            lines.append(ScoreLine(LineKind.PAPER, "0", subject, paper.state, f"{weight}"))
            continue
        mark = to_decimal(paper.hundredths)
        total += mark * weight
        lines.append(ScoreLine(LineKind.PAPER, f"{mark * weight}", subject, f"{mark}", f"{weight}"))
    for kind, extra in ((LineKind.PRIORITY, rules.priority), (LineKind.ENCOURAGEMENT, rules.encouragement)):
        name, points = _best(extra, attributes)
        if name:
            total += points
            lines.append(ScoreLine(kind, f"{points}", name))
    hundredths = to_hundredths(total)
    lines.append(ScoreLine(LineKind.TOTAL, f"{to_decimal(hundredths)}"))
    return ApplicantScore(None if cause else hundredths, tuple(lines), cause)


def _best(extra: Extra, attributes: Mapping[str, str]) -> tuple[str, Decimal]:
    """Return what an attribute names and its points; of several names the one with most points."""
    names = [name.strip() for name in attributes.get(extra.attribute, "").replace(",", ";").split(";")]
    names = [name for name in names if name not in {"", "0"}]
    for name in names:
        if extra.points and name not in extra.points:
            raise AttributeUnknown(extra.attribute, name, tuple(extra.points))
    best = max(names, key=lambda name: extra.points.get(name, Decimal(0)), default="")
    return (best, extra.points[best]) if best in extra.points else ("", Decimal(0))


def _cause(rules: IntakeRules, subject: str, paper: Paper) -> str | None:
    eligibility = rules.eligibility
    if paper.state == "cancelled":
        return "results_cancelled"
    if paper.hundredths is None:
        state = "paper_missing" if paper.state == "missing" else "paper_absent"
        return f"{state}:{subject}" if eligibility.all_papers else None
    if eligibility.above is not None and to_decimal(paper.hundredths) <= eligibility.above:
        return f"paper_too_low:{subject}:{to_hundredths(eligibility.above)}"
    return None
