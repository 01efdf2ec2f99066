"""Score runs: stored responses and the form's key become scores; nothing is overwritten, two runs can be compared."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.audit import service as audit
from exam_engine.delivery.errors import SittingStateWrong, SittingUnknown
from exam_engine.infra.errors import RowError
from exam_engine.marking import service as marking
from exam_engine.marking.model import SittingMarks
from exam_engine.results import model
from exam_engine.results.errors import (
    AnswersUnderWay,
    MarksOutstanding,
    ResponsesUnscorable,
    ScoreRunUnknown,
)
from exam_engine.results.model import RunSummary, ScorableAttempt, Score, ScoreRun, ScoreRunId
from exam_engine.results.store import score_runs as store
from exam_engine.results.store.score_runs import SittingFacts
from scoring.errors import ScoringError
from scoring.rescoring import Rescoring, compare
from scoring.totals import RULE_VERSION, FormKey, score_attempt


async def score_sitting(
    session: AsyncSession, sitting_id: UUID, *, actor: str, now: datetime, reason: str, pending_writes: int = 0
) -> ScoreRun:
    """Score every started attempt of a closed sitting as a new run.

    Parameters
    ----------
    reason : str
        "first scoring", "key of slot 7 changed", …; kept with the run.
    pending_writes : int
        Acknowledged changes that are not yet in PostgreSQL, as far as the caller knows from Redis.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AnswersUnderWay, MarksOutstanding, ResponsesUnscorable
    """
    sitting, marks = await lock_scorable(session, sitting_id, pending_writes, now)
    key_version = (await assembly.load_form(session, sitting.form_id)).key_version
    form_key = await assembly.load_form_key(session, sitting.form_id, key_version)
    attempts = await store.load_attempts(session, sitting_id)
    scores = _scores(sitting.code, form_key, attempts, marks.totals)
    previous = await store.find_newest_run(session, sitting_id)
    run = ScoreRun(
        id=ScoreRunId(uuid4()),
        exam_subject_id=sitting.exam_subject_id,
        sitting_id=sitting_id,
        number=previous.number + 1 if previous else 1,
        previous_run_id=previous.id if previous else None,
        key_version=key_version,
        rule_version=RULE_VERSION,
        form_key=form_key,
        input_hash=model.input_hash(form_key, attempts, marks.totals),
        n_scored=len(scores),
        n_changed=await _count_changed(session, previous, scores),
        reason=reason.replace("\x00", ""),
        created_by=actor,
        created_at=now,
    )
    await store.insert_run(session, run, scores)
    facts = {
        "sitting": sitting.code,
        "number": run.number,
        "key_version": run.key_version,
        "rule_version": run.rule_version,
        "input_hash": run.input_hash,
        "scored": run.n_scored,
        "changed": run.n_changed,
        "reason": reason,
    }
    await audit.append(
        session, actor=actor, action="score_run.create", subject=f"score_run:{run.id}", facts=facts, now=now
    )
    return run


async def load_runs(session: AsyncSession, exam_id: UUID) -> list[RunSummary]:
    """Return the score runs of an exam, newest first."""
    return await store.load_summaries(session, exam_id)


async def load_run(session: AsyncSession, run_id: UUID) -> ScoreRun:
    """Return a run with the key it used.

    Raises
    ------
    ScoreRunUnknown
    """
    run = await store.find_run(session, run_id)
    if run is None:
        raise ScoreRunUnknown(run_id)
    return run


async def load_scores(session: AsyncSession, run_id: UUID) -> dict[str, Score]:
    """Return the scores of a run by candidate number.

    Raises
    ------
    ScoreRunUnknown
    """
    run = await load_run(session, run_id)
    numbers = await store.load_numbers(session, [run.id])
    scores = await store.load_scores(session, run.id)
    return {numbers[candidate_id]: score for candidate_id, score in scores.items()}


async def compare_runs(session: AsyncSession, after_id: UUID, before_id: UUID | None = None) -> Rescoring:
    """Compare a run with the one before it, or with another: changed candidates with old, new and the cause per slot.

    Raises
    ------
    ScoreRunUnknown
        One of them does not exist, or there is none before it.
    """
    after = await load_run(session, after_id)
    before_id = before_id or after.previous_run_id
    if before_id is None:
        raise ScoreRunUnknown(f"before run {after.number}")
    before = await load_run(session, before_id)
    numbers = await store.load_numbers(session, [before.id, after.id])
    scored = [
        {
            numbers[candidate_id]: score.as_scored()
            for candidate_id, score in (await store.load_scores(session, run.id)).items()
        }
        for run in (before, after)
    ]
    return compare(scored[0], before.form_key, scored[1], after.form_key)


async def lock_scorable(
    session: AsyncSession, sitting_id: UUID, pending_writes: int, now: datetime
) -> tuple[SittingFacts, SittingMarks]:
    """Lock a sitting that is closed, stored and marked, and return it with the marks of its essays.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AnswersUnderWay, MarksOutstanding
    """
    sitting = await store.lock_sitting(session, sitting_id)
    if sitting is None:
        raise SittingUnknown(str(sitting_id))
    _require_stored(sitting, pending_writes)
    await marking.make_tasks(session, now=now, sitting_id=sitting_id)
    marks = await marking.settled_marks(session, sitting_id)
    if marks.n_open:
        raise MarksOutstanding(sitting.code, marks.n_open)
    return sitting, marks


def _require_stored(sitting: SittingFacts, pending_writes: int) -> None:
    if sitting.state != "closed":
        raise SittingStateWrong(sitting.code, sitting.state, "closed")
    waiting = pending_writes + sitting.n_rejected
    if waiting or not sitting.is_stored:
        raise AnswersUnderWay(sitting.code, waiting)


def _scores(
    code: str, form_key: FormKey, attempts: Sequence[ScorableAttempt], marks: dict[tuple[UUID, int], int]
) -> list[Score]:
    """Score all attempts, or none: every response that cannot be judged is named."""
    essays = {attempt_id: {} for attempt_id, _ in marks}  # type: dict[UUID, dict[int, int]]
    for (attempt_id, slot), total in marks.items():
        essays[attempt_id][slot] = total
    scores, errors = [], []
    for attempt in attempts:
        place = f"attempt {attempt.attempt_id}"
        try:
            score = score_attempt(form_key, attempt.responses, essays.get(attempt.attempt_id))
        except ScoringError as refused:
            errors.append(RowError(place, str(refused)))
            continue
        if score.total is None:
            errors.append(RowError(place, f"several tracks answered: {', '.join(score.undecided_tracks)}"))
            continue
        scores.append(
            Score(
                candidate_id=attempt.candidate_id,
                attempt_id=attempt.attempt_id,
                total=score.total,
                parts=score.parts,
                slots={slot.slot: slot.points for slot in score.slots},
            )
        )
    if errors:
        raise ResponsesUnscorable(code, errors)
    return scores


async def _count_changed(session: AsyncSession, previous: ScoreRun | None, scores: Sequence[Score]) -> int:
    if previous is None:
        return 0
    before = {
        candidate_id: score.total for candidate_id, score in (await store.load_scores(session, previous.id)).items()
    }
    after = {score.candidate_id: score.total for score in scores}
    return sum(before.get(candidate) != after.get(candidate) for candidate in before.keys() | after.keys())
