"""Which papers of a record count: required ones, electives, the higher composite; exemptions and conserved marks.

Returns what was found and what is missing; the score itself is `compute`'s.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import msgspec

from scoring.graduation.records import Record
from scoring.graduation.rules import Composite, ExemptionEffect, Programme, RuleSet
from scoring.graduation.trace import Line, Reason, ReasonCode, shown, shown_sum
from scoring.values import to_decimal, to_hundredths


class Paper(msgspec.Struct, frozen=True):
    """One paper that enters the formula."""

    code: str
    mark: Decimal
    line: Line
    components: tuple[tuple[str, Decimal], ...] = ()  # of a composite; the fail mark looks at each
    is_exempt: bool = False  # a mark given for an exemption


class Papers(msgspec.Struct, frozen=True):
    """The papers that count, what is missing, and lines on what does not count."""

    counted: tuple[Paper, ...]
    missing: tuple[Reason, ...]
    remarks: tuple[Line, ...]


class _Mark(msgspec.Struct, frozen=True):
    value: Decimal
    note: str = ""
    facts: dict[str, str] = {}


def choose_papers(record: Record, rules: RuleSet) -> Papers:
    """Choose the papers of a record by its programme."""
    return _Choice(record, rules).papers()


class _Choice:
    def __init__(self, record: Record, rules: RuleSet) -> None:
        self.record = record
        self.rules = rules
        self.programme: Programme = rules.programmes[record.programme]
        self.exemptions = {e.subject: e for e in rules.exemptions if e.subject in record.exempt}
        self.counted: list[Paper] = []
        self.missing: list[Reason] = []
        self.remarks: list[Line] = []
        self.used: set[str] = set()

    def papers(self) -> Papers:
        for subject in self.programme.required:
            self._require(subject)
        if self.programme.electives:
            self._choose_electives(self.programme.electives.count, self.programme.electives.subjects)
        if self.programme.composites:
            self._choose_composite(self.programme.composites)
        for subject, mark in self.record.marks.items():
            if subject not in self.used:
                name = self.rules.subject_name(subject)
                self.remarks.append(Line(name, shown(mark), note="does not count in this programme"))
        return Papers(tuple(self.counted), tuple(self.missing), tuple(self.remarks))

    def _mark(self, subject: str) -> _Mark | None:
        """Return the mark sat, else one still conserved; a subject sat again replaces what was kept."""
        if subject in self.record.marks:
            return _Mark(self.record.marks[subject])
        kept = self.record.conserved.get(subject)
        if kept is None:
            return None
        rule = self.rules.conserved
        age = 1 if kept.year is None or self.record.exam_year is None else self.record.exam_year - kept.year
        if kept.mark < rule.minimum or not 1 <= age <= rule.years:
            return None
        if kept.year is None:
            return _Mark(kept.mark, "conserved from an earlier exam")
        return _Mark(kept.mark, "conserved from {year}", {"year": str(kept.year)})

    def _require(self, subject: str) -> None:
        mark = self._mark(subject)
        if mark is None and self._is_excused(subject):
            return
        if mark is None:
            self._miss(subject)
        else:
            self._count(subject, mark)

    def _is_excused(self, subject: str) -> bool:
        exemption = self.exemptions.get(subject)
        if exemption is None:
            return False
        self.used.add(subject)
        name = self.rules.subject_name(subject)
        if exemption.effect is ExemptionEffect.FIXED_MARK and exemption.mark is not None:
            line = Line(name, shown(exemption.mark), note="exempt; counts with this mark")
            self.counted.append(Paper(subject, exemption.mark, line, is_exempt=True))
        else:
            self.remarks.append(Line(name, "–", note="exempt; left out of the mean"))
        return True

    def _miss(self, subject: str) -> None:
        name = self.rules.subject_name(subject)
        code = ReasonCode.ABSENT if subject in self.record.absent else ReasonCode.MISSING_PAPER
        self.missing.append(Reason(code, {"subject": name}))
        self._say_conserved_is_over(subject)

    def _say_conserved_is_over(self, subject: str) -> None:
        kept = self.record.conserved.get(subject)
        if kept is not None and subject not in self.record.marks and self._mark(subject) is None:
            facts = {"subject": self.rules.subject_name(subject), "mark": shown(kept.mark)}
            self.missing.append(Reason(ReasonCode.CONSERVED_NOT_VALID, facts))

    def _count(self, subject: str, mark: _Mark) -> None:
        self.used.add(subject)
        line = Line(self.rules.subject_name(subject), shown(mark.value), note=mark.note, facts=mark.facts)
        self.counted.append(Paper(subject, mark.value, line))

    def _choose_electives(self, count: int, subjects: Iterable[str]) -> None:
        open_to = list(subjects)
        self.used.update(subject for subject in open_to if subject in self.record.marks)
        sat = [subject for subject in open_to if subject in self.record.marks]
        # Whoever is exempt from a chosen subject and did not sit it looks for one paper less,
        # unless he sat the full number all the same.
        excused = [s for s in open_to if s in self.exemptions and s not in sat and len(sat) < count]
        for subject in excused[: count - len(sat)]:
            self._is_excused(subject)
            count -= 1
        if len(sat) > count:
            facts = {"count": str(len(sat)), "allowed": str(count)}
            self.missing.append(Reason(ReasonCode.TOO_MANY_ELECTIVES, facts))
        kept = [subject for subject in open_to if subject not in sat and self._mark(subject) is not None]
        kept.sort(key=lambda subject: -self.record.conserved[subject].mark)
        chosen = sat + kept[: max(0, count - len(sat))]
        for subject in chosen:
            mark = self._mark(subject)
            if mark is not None:
                self._count(subject, mark)
        if len(chosen) < count:
            absent = [subject for subject in open_to if subject in self.record.absent]
            for subject in absent:
                self.missing.append(Reason(ReasonCode.ABSENT, {"subject": self.rules.subject_name(subject)}))
            lacking = count - len(chosen)
            self.missing.append(Reason(ReasonCode.MISSING_ELECTIVES, {"count": str(lacking)}))
            for subject in open_to:
                self._say_conserved_is_over(subject)

    def _choose_composite(self, composites: Iterable[Composite]) -> None:
        found: list[Paper] = []
        for composite in composites:
            self.used.update(composite.components)
            marks = {subject: self._mark(subject) for subject in composite.components}
            values = {subject: mark.value for subject, mark in marks.items() if mark is not None}
            if len(values) == len(composite.components):
                found.append(self._composite(composite, values))
            elif values:
                absent = [self.rules.subject_name(s) for s in composite.components if s not in values]
                note = "not complete; does not count"
                self.remarks.append(Line(composite.name, "–", shown_sum(list(values.values())), note))
                self.missing.extend(Reason(ReasonCode.MISSING_PAPER, {"subject": name}) for name in absent)
        if not found:
            self.missing.append(Reason(ReasonCode.MISSING_COMPOSITE))
            return
        # A composite that is complete makes an unfinished one harmless.
        names = {self.rules.subject_name(s) for composite in composites for s in composite.components}
        self.missing = [reason for reason in self.missing if reason.facts.get("subject") not in names]
        best = max(found, key=lambda paper: paper.mark)
        self.counted.append(best)
        self.remarks.extend(
            msgspec.structs.replace(paper.line, note="the other composite is not lower and counts")
            for paper in found
            if paper is not best
        )

    def _composite(self, composite: Composite, values: dict[str, Decimal]) -> Paper:
        exact = Fraction(sum(values.values(), Decimal(0))) / len(values)
        mark = to_decimal(to_hundredths(exact))
        formula = f"({shown_sum(list(values.values()))}) / {len(values)} = {shown(exact)}"
        line = Line(composite.name, shown(mark), formula, "rounded half up to two decimals")
        return Paper(composite.code, mark, line, tuple(values.items()))
