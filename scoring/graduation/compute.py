"""The graduation score (điểm xét tốt nghiệp) of one record by one rule set, exactly, with the lines that explain it.

Numbers are rational until the places where the regulation rounds: composites, average of the years, final score.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec

from scoring.graduation.papers import Paper, choose_papers
from scoring.graduation.records import Record
from scoring.graduation.rules import Combine, Programme, RuleSet, require_valid_in
from scoring.graduation.trace import Line, Reason, ReasonCode, shown, shown_sum
from scoring.values import Hundredths, Rounding, to_decimal, to_hundredths

HALF_UP_NOTE = "rounded half up to two decimals"
ROUNDING_NOTES = {Rounding.HALF_UP: HALF_UP_NOTE, Rounding.TRUNCATE: "cut after two decimals"}


class GraduationOutcome(msgspec.Struct, frozen=True):
    """What a record comes to.

    An incomplete record has neither a score nor a decision, unless its results are cancelled. A complete one may have a
    decision without a score: exempt from all papers, or a special case.
    """

    rule_set: str
    is_complete: bool
    score: Hundredths | None
    passed: bool | None
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]


class _Term(msgspec.Struct, frozen=True):
    value: Decimal
    line: Line


def compute(record: Record, rules: RuleSet, final_rounding: Rounding | None = None) -> GraduationOutcome:
    """Compute the graduation score of a record.

    Parameters
    ----------
    record : Record
    rules : RuleSet
    final_rounding : Rounding, optional
        Instead of the rule set's own.

    Raises
    ------
    RuleSetNotValid
        The record names the year of an exam the rule set does not hold for.
    """
    if record.exam_year is not None:
        require_valid_in(rules, record.exam_year)
    if record.is_exempt_from_all:
        reasons = [Reason(ReasonCode.EXEMPT_FROM_ALL)]
        return _decided(record, rules, reasons, [Line("Papers", "–", note="exempt from all papers")])
    papers = choose_papers(record, rules)
    years, missing_years = _years_average(record, rules)
    lines = [paper.line for paper in papers.counted] + list(papers.remarks)
    if papers.missing and record.is_special_case:
        return _special_case(record, rules, papers.counted, lines)
    missing = [*papers.missing, *missing_years]
    if missing or years is None:
        return _incomplete(record, rules, missing, lines)
    marks = [paper.mark for paper in papers.counted]
    if not marks:
        return _decided(record, rules, [Reason(ReasonCode.EXEMPT_FROM_ALL)], lines)
    total = sum(marks, Decimal(0))
    lines.append(Line("Sum of the papers", shown(total), shown_sum(marks)))
    programme = rules.programmes[record.programme]
    encouragement, priority = _encouragement(record, rules), _priority(record)
    exam, exam_line = _exam_part(total, len(marks), encouragement.value, programme)
    lines += [encouragement.line, exam_line, years.line, priority.line]
    rounding = final_rounding or rules.final_rounding
    score, score_line = _final(exam, years.value, priority.value, programme, rounding)
    lines.append(score_line)
    return _judged(record, rules, papers.counted, score, lines)


def _exam_part(total: Decimal, n: int, encouragement: Decimal, programme: Programme) -> tuple[Fraction, Line]:
    """Mean of the papers with the encouragement points; not rounded (a trap of hand calculation)."""
    divisor = programme.encouragement_divisor
    if divisor is None or divisor == n:
        value = Fraction(total + encouragement) / n
        formula = f"({shown(total)} + {shown(encouragement)}) / {n}"
    else:
        value = Fraction(total) / n + Fraction(encouragement) / divisor
        formula = f"{shown(total)} / {n} + {shown(encouragement)} / {divisor}"
    return value, Line("Exam part", shown(value), formula, "not rounded")


def _years_average(record: Record, rules: RuleSet) -> tuple[_Term | None, list[Reason]]:
    """Weighted mean of the school years at two decimals; years abroad leave the weights of the others."""
    weights = {year: weight for year, weight in rules.years.weights.items() if year not in record.years_abroad}
    missing = [Reason(ReasonCode.MISSING_YEAR, {"year": year}) for year in weights if year not in record.years]
    if not weights:
        missing.append(Reason(ReasonCode.NO_SCHOOL_YEAR))
    if missing:
        return None, missing
    total_weight = sum(weights.values())
    exact = sum((Fraction(record.years[year]) * weight for year, weight in weights.items()), Fraction(0)) / total_weight
    value = to_decimal(to_hundredths(exact))
    if len(weights) == 1:
        (year,) = weights
        line = Line("Average of the school years", shown(value), note="year {year}", facts={"year": year})
    else:
        terms = " + ".join(f"{shown(record.years[year])} × {weight}" for year, weight in weights.items())
        formula = f"({terms}) / {total_weight} = {shown(exact)}"
        line = Line("Average of the school years", shown(value), formula, HALF_UP_NOTE)
    return _Term(value, line), []


def _encouragement(record: Record, rules: RuleSet) -> _Term:
    rule = rules.encouragement
    highest: dict[str, Decimal] = {}
    for points in record.encouragement:
        kind = points.kind if rule.combine is Combine.SUM else ""
        highest[kind] = max(highest.get(kind, Decimal(0)), points.points)
    counted = list(highest.values())
    value = min(sum(counted, Decimal(0)), rule.maximum)
    note = ""
    if rule.combine is Combine.HIGHEST and len(record.encouragement) > 1:
        note = "only the highest counts"
    elif value < sum(counted, Decimal(0)):
        note = "at most {maximum}"
    formula = shown_sum(counted) if len(counted) > 1 else ""
    facts = {"maximum": shown(rule.maximum)} if note else {}
    return _Term(value, Line("Encouragement points", shown(value), formula, note, facts))


def _priority(record: Record) -> _Term:
    value = max((points.points for points in record.priority), default=Decimal(0))
    note = "only the highest counts" if len(record.priority) > 1 else ""
    return _Term(value, Line("Priority points", shown(value), note=note))


def _final(
    exam: Fraction, years: Decimal, priority: Decimal, programme: Programme, rounding: Rounding
) -> tuple[Hundredths, Line]:
    weights = programme.weights
    exact = (exam * weights.exam + Fraction(years) * weights.years) / (weights.exam + weights.years)
    exact += Fraction(priority)
    score = to_hundredths(exact, rounding)
    if weights.exam == weights.years == 1:
        inner = f"({shown(exam)} + {shown(years)}) / 2"
    else:
        inner = f"({shown(exam)} × {weights.exam} + {shown(years)} × {weights.years}) / {weights.exam + weights.years}"
    formula = f"{inner} + {shown(priority)} = {shown(exact)}"
    return score, Line("Graduation score", shown(to_decimal(score)), formula, ROUNDING_NOTES[rounding])


def _judged(
    record: Record, rules: RuleSet, papers: tuple[Paper, ...], score: Hundredths, lines: list[Line]
) -> GraduationOutcome:
    """Pass or fail a complete record; every reason against it is named."""
    limit, minimum = rules.passing.fail_mark, rules.passing.minimum
    marks = [
        (subject, mark)
        for paper in papers
        if not paper.is_exempt
        for subject, mark in (paper.components or ((paper.code, paper.mark),))
    ]
    reasons = [
        Reason(
            ReasonCode.FAIL_MARK,
            {"subject": rules.subject_name(subject), "mark": shown(mark), "limit": shown(limit)},
        )
        for subject, mark in marks
        if mark <= limit
    ]
    if marks:
        lowest = min(mark for _, mark in marks)
        sign = ">" if lowest > limit else "≤"
        lines.append(Line("Lowest mark", "not met" if reasons else "met", f"{shown(lowest)} {sign} {shown(limit)}"))
    is_enough = to_decimal(score) >= minimum
    sign = "≥" if is_enough else "<"
    lines.append(
        Line("Required score", "met" if is_enough else "not met", f"{shown(to_decimal(score))} {sign} {shown(minimum)}")
    )
    if not is_enough:
        facts = {"score": shown(to_decimal(score)), "minimum": shown(minimum)}
        reasons.append(Reason(ReasonCode.BELOW_MINIMUM, facts))
    if record.is_cancelled:
        reasons.append(Reason(ReasonCode.CANCELLED))
    passed = not reasons
    lines.append(_result(passed))
    return GraduationOutcome(rules.id, True, score, passed, tuple(reasons), tuple(lines))


def _incomplete(record: Record, rules: RuleSet, missing: list[Reason], lines: list[Line]) -> GraduationOutcome:
    if record.is_cancelled:
        missing = [*missing, Reason(ReasonCode.CANCELLED)]
    lines.append(Line("Result", "not passed" if record.is_cancelled else "record incomplete"))
    return GraduationOutcome(
        rules.id, False, None, False if record.is_cancelled else None, tuple(missing), tuple(lines)
    )


def _special_case(record: Record, rules: RuleSet, papers: tuple[Paper, ...], lines: list[Line]) -> GraduationOutcome:
    """Accident or illness, granted by decision: the papers that were sat must reach the minimum."""
    minimum = rules.special_case.minimum_of_sat_papers
    refused = [
        Reason(
            ReasonCode.SPECIAL_CASE_REFUSED,
            {"subject": rules.subject_name(paper.code), "mark": shown(paper.mark), "minimum": shown(minimum)},
        )
        for paper in papers
        if paper.mark < minimum
    ]
    return _decided(record, rules, refused or [Reason(ReasonCode.SPECIAL_CASE)], lines, passed=not refused)


def _decided(
    record: Record, rules: RuleSet, reasons: list[Reason], lines: list[Line], *, passed: bool = True
) -> GraduationOutcome:
    """Close a record that is decided without a score."""
    if record.is_cancelled:
        reasons, passed = [*reasons, Reason(ReasonCode.CANCELLED)], False
    return GraduationOutcome(rules.id, True, None, passed, tuple(reasons), (*lines, _result(passed)))


def _result(passed: bool) -> Line:
    return Line("Result", "passed" if passed else "not passed")
