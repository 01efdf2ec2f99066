"""A run from its order to its end: asked for, begun by a worker, complete, refused or cancelled."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.calibration import model
from exam_engine.calibration.choices import RunSettings, family_for
from exam_engine.calibration.errors import CalibrationRunUnknown, SittingsUnsuitable
from exam_engine.calibration.findings import ItemReport, Outcome
from exam_engine.calibration.model import (
    CalibrationRun,
    CalibrationRunId,
    Progress,
    Refusal,
    RunState,
    Stage,
)
from exam_engine.calibration.store import responses as responses_store
from exam_engine.calibration.store import runs as store
from exam_engine.calibration.store.responses import CalibratedSitting
from exam_engine.enrolment import service as enrolment
from exam_engine.infra.queue import defer
from item_bank.messages import message

JOB = "calibration.run"


async def check_run(
    session: AsyncSession, exam_subject_id: UUID, settings: RunSettings
) -> tuple[RunSettings, Sequence[CalibratedSitting]]:
    """Check an order without writing anything; no sittings named means every stored one of the subject.

    Raises
    ------
    SittingsUnsuitable, SampleTooSmall
    """
    of_subject = await responses_store.load_sittings(session, exam_subject_id=exam_subject_id)
    wanted = set(settings.sitting_ids)
    unknown = wanted - {sitting.id for sitting in of_subject}
    if unknown:
        raise SittingsUnsuitable(str(min(unknown, key=str)), message("is no sitting of this subject"))
    chosen = [s for s in of_subject if s.id in wanted] if wanted else [s for s in of_subject if s.is_stored]
    for sitting in chosen:
        if not sitting.is_stored:
            raise SittingsUnsuitable(sitting.code, message("is not closed yet, or its answers are still on their way"))
    if not chosen:
        raise SittingsUnsuitable("", message("no sitting of this subject is closed"))
    family_for(settings.family, sum(sitting.n_finished for sitting in chosen))
    return msgspec.structs.replace(settings, sitting_ids=tuple(sitting.id for sitting in chosen)), chosen


async def request_run(
    session: AsyncSession, exam_subject_id: UUID, settings: RunSettings, *, actor: str, now: datetime
) -> CalibrationRun:
    """Ask for a run: the background job that works on it begins once this transaction commits.

    Raises
    ------
    SubjectUnknown, SittingsUnsuitable, SampleTooSmall
        Nothing was written.
    """
    subject = await enrolment.require_subject_by_id(session, exam_subject_id)
    exam = await enrolment.require_exam_by_id(session, subject.exam_id)
    settings, _ = await check_run(session, exam_subject_id, settings)
    run = CalibrationRun(
        id=CalibrationRunId(uuid4()),
        exam_subject_id=exam_subject_id,
        exam_code=exam.code,
        exam_name=exam.name,
        exam_unit_id=exam.unit_id,
        subject_code=subject.code,
        subject_name=subject.name,
        number=await store.next_number(session, exam_subject_id),
        settings=settings,
        state=RunState.WAITING,
        tries=0,
        is_cancel_asked=False,
        progress=Progress(),
        refusal=None,
        outcome=None,
        created_by=actor,
        created_at=now,
    )
    await store.insert_run(session, run)
    await defer(session, JOB, {"run_id": str(run.id)}, lock=f"calibration:{exam_subject_id}")
    facts = {
        "exam": exam.code,
        "subject": subject.code,
        "number": run.number,
        "family": settings.family,
        "anchors": settings.anchors,
        "sittings": len(settings.sitting_ids),
    }
    await audit.append(
        session, actor=actor, action="calibration.request", subject=f"calibration_run:{run.id}", facts=facts, now=now
    )
    return run


async def cancel_run(session: AsyncSession, run_id: UUID, *, actor: str, now: datetime) -> CalibrationRun:
    """Stop a run: at once if no worker has begun, else with the worker's next sign of life.

    Raises
    ------
    CalibrationRunUnknown, RunStateWrong
        There is none, or it is over.
    """
    run = await _lock(session, run_id)
    cancelled = model.cancel(run, now)
    await store.save_run(session, cancelled)
    facts = {"exam": run.exam_code, "subject": run.subject_code, "number": run.number}
    await audit.append(
        session, actor=actor, action="calibration.cancel", subject=f"calibration_run:{run.id}", facts=facts, now=now
    )
    return cancelled


async def begin(session: AsyncSession, run_id: UUID, *, now: datetime) -> CalibrationRun | None:
    """Take a run to work on; none if it is over. A run begun before, by a worker that died, begins anew."""
    run = await _lock(session, run_id)
    if run.is_over:
        return None
    begun = model.begin(run, now)
    await store.save_run(session, begun)
    return None if begun.is_over else begun


async def complete(
    session: AsyncSession, run: CalibrationRun, outcome: Outcome, items: Sequence[ItemReport], *, now: datetime
) -> bool:
    """Write a run with all its items at once; false if it was cancelled or begun anew in the meantime."""
    present = await _lock(session, run.id)
    if not present.is_at_try(run.tries) or present.is_cancel_asked:
        return False
    done = msgspec.structs.replace(
        present,
        state=RunState.COMPLETE,
        outcome=outcome,
        finished_at=now,
        progress=Progress(
            stage=Stage.DONE, cycle=outcome.n_iterations, log_likelihood=outcome.log_likelihood, share=1.0
        ),
    )
    await store.insert_items(session, run.id, items)
    await store.save_run(session, done)
    facts = {
        "exam": run.exam_code,
        "subject": run.subject_code,
        "number": run.number,
        "family": outcome.family,
        "candidates": outcome.n_candidates,
        "items": outcome.n_items,
        "converged": outcome.converged,
        "input_hash": outcome.input_hash,
    }
    await audit.append(
        session,
        actor=run.created_by,
        action="calibration.complete",
        subject=f"calibration_run:{run.id}",
        facts=facts,
        now=now,
    )
    return True


async def refuse(session: AsyncSession, run: CalibrationRun, refusal: Refusal, *, now: datetime) -> None:
    """End a run that its data or its order make impossible."""
    present = await _lock(session, run.id)
    if present.is_at_try(run.tries):
        await store.save_run(session, model.refuse(present, refusal, now))


async def end_cancelled(session: AsyncSession, run: CalibrationRun, *, now: datetime) -> None:
    """End a run that somebody asked to stop."""
    present = await _lock(session, run.id)
    if present.is_at_try(run.tries) and present.is_cancel_asked:
        await store.save_run(session, msgspec.structs.replace(present, state=RunState.CANCELLED, finished_at=now))


async def _lock(session: AsyncSession, run_id: UUID) -> CalibrationRun:
    run = await store.find_run(session, run_id, lock=True)
    if run is None:
        raise CalibrationRunUnknown(run_id)
    return run
