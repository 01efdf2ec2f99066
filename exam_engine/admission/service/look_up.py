"""Public look-up: one applicant's decision by number and the code on the card.

An unknown number, an unknown exam and a wrong code take the same way and get the same answer. Nothing is visible before
its moment by the server's clock. How often a source may ask is limited at the door.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import store
from exam_engine.admission.errors import DecisionsNotReleased, NoAspirations
from exam_engine.admission.model import AllocationRun, Decision, RunState
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import CodePurpose
from exam_engine.enrolment.model import CodeClaim, Exam


async def look_up(
    session: AsyncSession, *, exam_code: str, candidate_number: str, code: str, secret: bytes, now: datetime
) -> Decision:
    """Return the decision on the applicant to whom number and look-up code belong.

    Raises
    ------
    CodeRefused, CodeExpired
        From enrolment: exam, number and code do not belong together; which of them, nobody learns.
    DecisionsNotReleased
        The code is right, and nothing is public yet.
    NoAspirations
        The code is right, and the candidate asked for no place.
    """
    claim = CodeClaim(exam_code=exam_code, number=candidate_number, code=code, purpose=CodePurpose.LOOK_UP)
    exam, candidate = await enrolment.require_candidate_by_code(session, claim, secret=secret, now=now)
    run = await _require_public(session, exam, now)
    outcome = await store.find_outcome(session, run.id, candidate.id)
    if outcome is None or run.release_at is None:
        raise NoAspirations(candidate.number or "")
    codes = [reason.programme for reason in outcome.reasons]
    return Decision(
        exam_code=exam.code,
        exam_name=exam.name,
        candidate_number=outcome.number,
        programme=outcome.programme,
        programme_name=outcome.programme_name,
        rank=outcome.rank,
        score=outcome.score,
        score_lines=outcome.score_lines,
        reasons=outcome.reasons,
        programmes=await store.load_programme_names(session, exam.id, codes),
        run_number=run.number,
        released_at=run.release_at,
    )


async def _require_public(session: AsyncSession, exam: Exam, now: datetime) -> AllocationRun:
    runs = await store.load_runs(session, exam.id)
    for run in runs:
        if run.is_public(now):
            return run
    moments = [run.release_at for run in runs if run.state is RunState.RELEASED and run.release_at]
    raise DecisionsNotReleased(exam.code, min(moments, default=None))
