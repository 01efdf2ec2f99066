"""The mark that counts in each subject of an exam: scored on line or brought by a file, after decided violations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import Candidate, CandidateId, ExamSubject, MarkNote, SubjectMark, SubjectMode
from exam_engine.results.errors import AdjustmentInvalid, SubjectNotScored
from exam_engine.results.model import CandidateMarks, MarkState, OfficialMark, ScoreRun
from exam_engine.results.store import marks as store
from exam_engine.results.store import score_runs
from scoring.violations import Violation, ViolationRules, effect, violation_rules_in

NOTES: Mapping[MarkNote, MarkState] = {
    MarkNote.ABSENT: MarkState.ABSENT,
    MarkNote.SUSPENDED: MarkState.SUSPENDED,
    MarkNote.EXEMPT: MarkState.EXEMPT,
}


async def load_marks(
    session: AsyncSession, exam_id: UUID, *, require_scored: bool = False
) -> tuple[dict[CandidateId, CandidateMarks], tuple[ScoreRun, ...]]:
    """Return the marks that count, by candidate, and the score runs they come from (the newest of each sitting).

    A subject a candidate is not registered for, or whose sitting is not scored, is left out.

    Raises
    ------
    SubjectNotScored
        With `require_scored`: a subject sat on line has no run.
    """
    exam = await enrolment.require_exam_by_id(session, exam_id)
    subjects = await enrolment.load_subjects(session, exam_id)
    candidates = await enrolment.load_candidates(session, exam_id)
    runs = await score_runs.load_newest_runs(session, exam_id)
    if require_scored:
        _require_all_scored(subjects, {code for _, code, _ in runs})
    found: dict[CandidateId, dict[str, OfficialMark]] = {candidate.id: {} for candidate in candidates}
    for mark in await enrolment.load_marks(session, exam_id):
        if mark.candidate_id in found:
            found[mark.candidate_id][mark.exam_subject_code] = _from_file(mark)
    for run, subject, sitting in runs:  # by start of the sitting: who sits again has the later score
        source = f"run {run.number} of {sitting}"
        for candidate_id, score in (await score_runs.load_scores(session, run.id)).items():
            found[candidate_id][subject] = OfficialMark(
                state=MarkState.MARKED,
                hundredths=score.total,
                raw=score.total,
                source=source,
                parts=score.parts,
            )
    scored = {subject for _, subject, _ in runs}
    _note_absent(candidates, subjects, scored, found)
    violations = await store.load_violations(session, exam_id)
    if not violations:
        return {candidate: CandidateMarks(marks=marks) for candidate, marks in found.items()}, tuple(
            r for r, *_ in runs
        )
    rules = violation_rules_in(exam.year)
    marks = {c: _adjusted(own, violations.get(c, ()), rules) for c, own in found.items()}
    return marks, tuple(run for run, *_ in runs)


async def record_violation(
    session: AsyncSession,
    exam_id: UUID,
    candidate_number: str,
    violation: Violation,
    *,
    decision: str,
    actor: str,
    now: datetime,
) -> UUID:
    """Keep a decided violation; raw marks stay, the next release shows the effect.

    Raises
    ------
    ExamUnknown, CandidateUnknown
    AdjustmentInvalid
        The rules of that year know no such kind, the exam no such subject, or nothing names the decision.
    """
    exam = await enrolment.require_exam_by_id(session, exam_id)
    candidate = await enrolment.require_candidate(session, exam_id, candidate_number)
    known = [kind.code for kind in violation_rules_in(exam.year).kinds]
    if violation.kind not in known:
        raise AdjustmentInvalid("kind", f"there is no kind {violation.kind}; known: {', '.join(known)}")
    codes = {subject.code for subject in await enrolment.load_subjects(session, exam_id)}
    if violation.subject is not None and violation.subject not in codes:
        raise AdjustmentInvalid("subject", f"the exam has no subject {violation.subject}")
    decision = decision.replace("\x00", "").strip()
    if not decision:
        raise AdjustmentInvalid("decision", "name the decision")
    adjustment_id = await store.insert_adjustment(
        session, candidate.id, violation, decision=decision, actor=actor, now=now
    )
    facts = {
        "candidate": candidate_number,
        "kind": violation.kind,
        "subject": violation.subject,
        "decision": decision,
    }
    subject = f"score_adjustment:{adjustment_id}"
    await audit.append(session, actor=actor, action="violation.record", subject=subject, facts=facts, now=now)
    return adjustment_id


def _require_all_scored(subjects: Sequence[ExamSubject], scored: set[str]) -> None:
    missing = [s.code for s in subjects if s.mode is SubjectMode.ONLINE and s.code not in scored]
    if missing:
        raise SubjectNotScored(missing)


def _from_file(mark: SubjectMark) -> OfficialMark:
    state = MarkState.MARKED if mark.note is None else NOTES[mark.note]
    return OfficialMark(state=state, hundredths=mark.hundredths, raw=mark.hundredths, source=mark.source_file)


def _note_absent(
    candidates: Sequence[Candidate],
    subjects: Sequence[ExamSubject],
    scored: set[str],
    found: dict[CandidateId, dict[str, OfficialMark]],
) -> None:
    """Who is registered for a subject that has been scored, and has no score, was absent."""
    online = {s.code for s in subjects if s.mode is SubjectMode.ONLINE and s.code in scored}
    absent = OfficialMark(state=MarkState.ABSENT, hundredths=None, raw=None, source="")
    for candidate in candidates:
        for code in online.intersection(candidate.subjects):
            found[candidate.id].setdefault(code, absent)


def _adjusted(
    marks: Mapping[str, OfficialMark], violations: Sequence[Violation], rules: ViolationRules
) -> CandidateMarks:
    if not violations:
        return CandidateMarks(marks=dict(marks))
    raw = {code: mark.hundredths for code, mark in marks.items() if mark.hundredths is not None}
    outcome = effect(raw, violations, rules)
    adjusted = {
        code: mark if mark.hundredths is None else msgspec.structs.replace(mark, hundredths=outcome.marks[code])
        for code, mark in marks.items()
    }
    return CandidateMarks(marks=adjusted, is_cancelled=outcome.is_cancelled)
