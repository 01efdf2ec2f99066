"""Release of a run: computed by one person, released by another, public from a set moment of the server's clock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import model, store
from exam_engine.admission.errors import RunUnknown
from exam_engine.admission.model import AllocationRun
from exam_engine.audit import service as audit


async def release_run(
    session: AsyncSession, run_id: UUID, *, release_at: datetime, actor: str, now: datetime
) -> AllocationRun:
    """Let a run become public at a moment.

    Raises
    ------
    RunUnknown, RunStateWrong, FourEyesNeeded
    """
    run = model.release(await _lock(session, run_id), actor, release_at)
    await store.save_state(session, run)
    facts = {"number": run.number, "release_at": release_at, "input_hash": run.input_hash}
    subject = f"exam:{run.exam_id}"
    await audit.append(session, actor=actor, action="admission.release", subject=subject, facts=facts, now=now)
    return run


async def withdraw_run(session: AsyncSession, run_id: UUID, *, reason: str, actor: str, now: datetime) -> AllocationRun:
    """Take a run back; an earlier released one shows again.

    Raises
    ------
    RunUnknown, RunStateWrong
    """
    run = model.withdraw(await _lock(session, run_id))
    await store.save_state(session, run)
    facts = {"number": run.number, "reason": reason}
    subject = f"exam:{run.exam_id}"
    await audit.append(session, actor=actor, action="admission.withdraw", subject=subject, facts=facts, now=now)
    return run


async def _lock(session: AsyncSession, run_id: UUID) -> AllocationRun:
    run = await store.find_run(session, run_id, is_locked=True)
    if run is None:
        raise RunUnknown(run_id)
    return run
