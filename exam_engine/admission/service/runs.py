"""Allocation runs: scores from the marks that count, one pure computation, everything stored that explains it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import scores, store
from exam_engine.admission.allocation import Applicant, Aspiration, Instance, Programme, Rules, allocate
from exam_engine.admission.errors import IntakeRulesNotInForce, NothingToAllocate, RecordsUnreadable, RunUnknown
from exam_engine.admission.intake_rules import IntakeRules, load_intake_rules
from exam_engine.admission.model import (
    AllocationRun,
    AllocationRunId,
    OutcomePage,
    OutcomeQuery,
    ProgrammeResult,
    RunOutcome,
    RunRules,
    RunState,
    RunVerification,
    StoredAspirations,
    StoredProgramme,
)
from exam_engine.admission.scores import ApplicantScore, AttributeUnknown, Paper
from exam_engine.audit import service as audit
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Candidate, CandidateId, Exam
from exam_engine.infra.errors import RowError
from exam_engine.results import service as results
from exam_engine.results.model import CandidateMarks, MarkState

DEFAULT_RULES = "intake_2025"


async def run_allocation(
    session: AsyncSession,
    exam: Exam,
    *,
    rules_name: str = DEFAULT_RULES,
    allocation_rules: Rules | None = None,
    actor: str,
    now: datetime,
) -> AllocationRun:
    """Compute an allocation from the marks that count now; earlier runs stay.

    `allocation_rules` take the place of those in the rule file: a province says its own offsets and tie rule.

    Raises
    ------
    IntakeRulesUnknown, IntakeRulesNotInForce, NothingToAllocate, SubjectNotScored, RecordsUnreadable, InstanceInvalid
    """
    rules = load_intake_rules(rules_name)
    if not rules.holds_in(exam.year):
        raise IntakeRulesNotInForce(rules_name, exam.year)
    programmes = await store.load_programmes(session, exam.id)
    wishes = await store.load_aspirations(session, exam.id)
    if not programmes or not wishes:
        raise NothingToAllocate(exam.code, "aspirations" if programmes else "programmes")
    run_rules = RunRules(rules, allocation_rules or rules.allocation)
    people = {c.id: c for c in await enrolment.load_candidates(session, exam.id)}
    marks, _ = await results.load_marks(session, exam.id, require_scored=True)
    subjects = tuple(s.code for s in await enrolment.load_subjects(session, exam.id))
    applicants, own_scores = _applicants(rules, programmes, wishes, people, marks, subjects)
    instance = Instance(tuple(_programme(p) for p in programmes), tuple(applicants))
    allocation = allocate(instance, run_rules.allocation)
    run = AllocationRun(
        id=AllocationRunId(uuid4()),
        exam_id=exam.id,
        number=await store.next_number(session, exam.id),
        rules=run_rules,
        input_hash=allocation.input_hash(),
        state=RunState.COMPUTED,
        n_applicants=len(applicants),
        n_admitted=sum(code is not None for code in allocation.assignment().values()),
        created_by=actor,
        created_at=now,
    )
    ids = {p.code: p.id for p in programmes}
    await store.insert_run(session, run, instance)
    await store.insert_outcomes(session, run.id, allocation.outcomes(), own_scores, ids)
    await store.insert_cut_offs(session, run.id, allocation.programmes, ids)
    facts = {"number": run.number, "rules": rules.id, "input_hash": run.input_hash, "admitted": run.n_admitted}
    await audit.append(session, actor=actor, action="admission.run", subject=exam.audit_subject, facts=facts, now=now)
    return run


async def verify_run(session: AsyncSession, run_id: UUID) -> RunVerification:
    """Compute a run again from its stored inputs and rules, and compare every place and cut-off.

    Raises
    ------
    RunUnknown
    """
    run = await load_run(session, run_id)
    again = allocate(await store.load_inputs(session, run_id), run.rules.allocation)
    stored = await store.load_places(session, run_id)
    differing = [n for n, code in again.assignment().items() if stored.get(n, "") != code]
    cut_offs = {p.code: (p.cut_off, p.admitted) for p in await store.load_programme_results(session, run_id)}
    differing += [p.code for p in again.programmes if cut_offs.get(p.code) != (p.cut_off, p.admitted)]
    if again.input_hash() != run.input_hash:
        differing.append("inputs")
    return RunVerification(run.number, not differing, tuple(differing))


async def load_runs(session: AsyncSession, exam_id: UUID) -> Sequence[AllocationRun]:
    """Return the runs of an exam, the newest first."""
    return await store.load_runs(session, exam_id)


async def load_run(session: AsyncSession, run_id: UUID) -> AllocationRun:
    """Return a run.

    Raises
    ------
    RunUnknown
    """
    run = await store.find_run(session, run_id)
    if run is None:
        raise RunUnknown(run_id)
    return run


async def load_programme_results(session: AsyncSession, run_id: UUID) -> Sequence[ProgrammeResult]:
    """Return the programmes of a run by code, with cut-offs."""
    return await store.load_programme_results(session, run_id)


async def load_outcomes(session: AsyncSession, run_id: UUID, query: OutcomeQuery) -> OutcomePage:
    """Return one page of the outcomes of a run, by candidate number."""
    return await store.load_outcomes(session, run_id, query)


async def require_outcome(session: AsyncSession, run_id: UUID, candidate_id: UUID) -> RunOutcome:
    """Return what one candidate got in a run.

    Raises
    ------
    RunUnknown
        There is no such run, or it does not hold the candidate.
    """
    outcome = await store.find_outcome(session, run_id, candidate_id)
    if outcome is None:
        raise RunUnknown(run_id)
    return outcome


def _applicants(
    rules: IntakeRules,
    programmes: Sequence[StoredProgramme],
    wishes: Sequence[StoredAspirations],
    people: Mapping[CandidateId, Candidate],
    marks: Mapping[CandidateId, CandidateMarks],
    subjects: tuple[str, ...],
) -> tuple[list[Applicant], dict[str, tuple[CandidateId, ApplicantScore]]]:
    # Programmes without papers of their own share one score.
    special = rules.papers.programme_weights
    kinds = {p.code: p.code if p.code in special else "" for p in programmes}
    weights = {kind: rules.papers.for_programme(kind, subjects) for kind in set(kinds.values())}
    applicants, own_scores, errors = [], {}, []
    for wish in wishes:
        candidate = people[wish.candidate_id]
        papers = _papers(marks.get(wish.candidate_id))
        try:
            by_kind = {
                kind: scores.score(rules, weights[kind], papers, candidate.attributes)
                for kind in dict.fromkeys(kinds[code] for code in wish.programmes)
            }
        except AttributeUnknown as error:
            place = f"candidate {wish.number}, {error.attribute}"
            errors.append(RowError(place, f'"{error.value}" is none of {", ".join(error.known) or "nothing"}'))
            continue
        found = [by_kind[kinds[code]] for code in wish.programmes]
        aspirations = tuple(
            Aspiration(code, s.hundredths, s.ineligible) for code, s in zip(wish.programmes, found, strict=True)
        )
        applicants.append(Applicant(wish.number, aspirations, _criteria(candidate)))
        own_scores[wish.number] = (wish.candidate_id, found[0])
    if errors:
        raise RecordsUnreadable(errors)
    return applicants, own_scores


def _papers(own: CandidateMarks | None) -> dict[str, Paper]:
    if own is None:
        return {}
    cancelled = own.is_cancelled
    return {
        code: Paper(None, "cancelled")
        if cancelled
        else Paper(mark.hundredths, "marked" if mark.state is MarkState.MARKED else str(mark.state))
        for code, mark in own.marks.items()
    }


def _criteria(candidate: Candidate) -> dict[str, int]:
    """Return every attribute that is a number, in hundredths: any of them may be a sub-criterion."""
    found = {}
    for name, text in candidate.attributes.items():
        whole, _, part = text.partition(".")
        if whole.isdecimal() and (not part or part.isdecimal()) and len(part) <= 2 and len(whole) <= 9:
            found[name] = int(whole) * 100 + int(part.ljust(2, "0") or "0")
    return found


def _programme(programme: StoredProgramme) -> Programme:
    return Programme(programme.code, programme.quota, floor=programme.floor, stage=programme.stage)
