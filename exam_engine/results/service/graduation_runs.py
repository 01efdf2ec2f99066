"""Graduation runs: the marks that count and the attributes of every candidate go through the exam's rule set."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Candidate, CandidateId, Exam
from exam_engine.infra.errors import RowError
from exam_engine.results.errors import GraduationRunUnknown, RecordsInvalid, RuleSetMissing
from exam_engine.results.model import CandidateMarks, GraduationRun, GraduationRunId, MarkState
from exam_engine.results.service.marks import load_marks
from exam_engine.results.store import graduation_runs as store
from scoring.errors import RecordInvalid
from scoring.graduation import GraduationOutcome, RuleSet, compute, load_rules, read_record, require_valid_in
from scoring.graduation.records import ALIASES, COLUMNS
from scoring.values import to_decimal

CELLS: Mapping[MarkState, str] = {
    MarkState.ABSENT: "absent",
    MarkState.SUSPENDED: "0.00",
    MarkState.EXEMPT: "exempt",
    MarkState.CANCELLED: "absent",
}
"""What a mark that is no number is to the rule set. Suspended: the paper counts 0 and everything is cancelled."""


async def compute_graduation(
    session: AsyncSession, exam_id: UUID, *, actor: str, now: datetime, rule_set: str | None = None
) -> GraduationRun:
    """Compute the graduation score of every candidate as a new run.

    Raises
    ------
    ExamUnknown, SubjectNotScored, RuleSetMissing, RecordsInvalid
    RuleSetUnknown, RuleSetNotValid
        The rule set does not exist, or not for the year of the exam.
    """
    exam = await enrolment.require_exam_by_id(session, exam_id)
    name = rule_set or exam.rule_set
    if name is None:
        raise RuleSetMissing(exam.code)
    rules = load_rules(name)
    require_valid_in(rules, exam.year)
    marks, runs = await load_marks(session, exam_id, require_scored=True)
    candidates = await enrolment.load_candidates(session, exam_id)
    outcomes = _outcomes(exam, candidates, marks, rules)
    run = GraduationRun(
        id=GraduationRunId(uuid4()),
        exam_id=exam.id,
        number=await store.next_number(session, exam_id),
        rule_set=rules.id,
        score_run_ids=tuple(run.id for run in runs),
        n_complete=sum(outcome.is_complete for outcome in outcomes.values()),
        n_passed=sum(outcome.passed is True for outcome in outcomes.values()),
        created_by=actor,
        created_at=now,
    )
    await store.insert_run(session, run, outcomes)
    facts = {
        "exam": exam.code,
        "number": run.number,
        "rule_set": run.rule_set,
        "candidates": len(outcomes),
        "complete": run.n_complete,
        "passed": run.n_passed,
    }
    subject = f"graduation_run:{run.id}"
    await audit.append(session, actor=actor, action="graduation_run.create", subject=subject, facts=facts, now=now)
    return run


async def load_graduation_runs(session: AsyncSession, exam_id: UUID) -> list[GraduationRun]:
    """Return the graduation runs of an exam, newest first."""
    return await store.load_runs(session, exam_id)


async def load_graduation_outcomes(
    session: AsyncSession, run_id: UUID
) -> tuple[GraduationRun, dict[str, GraduationOutcome]]:
    """Return a run and its outcomes by candidate number.

    Raises
    ------
    GraduationRunUnknown
    """
    run = await store.find_run(session, run_id)
    if run is None:
        raise GraduationRunUnknown(run_id)
    outcomes = await store.load_outcomes(session, run_id)
    candidates = await enrolment.load_candidates(session, run.exam_id)
    return run, {c.number: outcomes[c.id] for c in candidates if c.number is not None and c.id in outcomes}


def _outcomes(
    exam: Exam,
    candidates: Sequence[Candidate],
    marks: Mapping[CandidateId, CandidateMarks],
    rules: RuleSet,
) -> dict[CandidateId, GraduationOutcome]:
    """Compute all, or none: every cell that cannot be read is named by candidate and column."""
    outcomes: dict[CandidateId, GraduationOutcome] = {}
    errors: list[RowError] = []
    for candidate in candidates:
        cells = record_cells(exam, candidate, marks.get(candidate.id, CandidateMarks(marks={})), rules)
        try:
            outcomes[candidate.id] = compute(read_record(cells, rules), rules)
        except RecordInvalid as refused:
            place = f"candidate {candidate.number or candidate.full_name}"
            errors.extend(
                RowError(
                    f"{place}, {mistake.column}",
                    mistake.reason,
                    column=mistake.column,
                    message=mistake.message,
                    facts=dict(mistake.facts),
                )
                for mistake in refused.mistakes
            )
    if errors:
        raise RecordsInvalid(exam.code, errors)
    return outcomes


def record_cells(exam: Exam, candidate: Candidate, own: CandidateMarks, rules: RuleSet) -> dict[str, str]:
    """Write what an exam knows of a candidate as the cells of a record; attributes of other purposes stay out."""
    names = {alias.lower() for subject in rules.subjects for alias in (subject.code, *subject.aliases)}
    cells = {name: text for name, text in candidate.attributes.items() if ALIASES.get(name, name) in COLUMNS}
    cells["exam_year"] = str(exam.year)
    cells["candidate_number"] = candidate.number or ""
    is_cancelled = own.is_cancelled
    for code, mark in own.marks.items():
        if code.lower() in names:
            is_marked = mark.state is MarkState.MARKED and mark.hundredths is not None
            cells[code.lower()] = f"{to_decimal(mark.hundredths or 0)}" if is_marked else CELLS[mark.state]
        is_cancelled = is_cancelled or mark.state is MarkState.SUSPENDED
    if is_cancelled:
        cells["cancelled"] = "yes"
    return cells
