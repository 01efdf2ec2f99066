"""Releases: frozen by one person, approved by another, public from a set moment of the server's clock."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import service as enrolment
from exam_engine.results import model
from exam_engine.results.errors import (
    GraduationRunUnknown,
    NothingToRelease,
    ReleaseMomentMissing,
    ReleaseUnknown,
)
from exam_engine.results.model import GraduationRunId, PublishedResult, Release, ReleaseId, ReleaseState
from exam_engine.results.publication import Publication
from exam_engine.results.service.marks import load_marks
from exam_engine.results.store import graduation_runs
from exam_engine.results.store import releases as store


async def prepare_release(
    session: AsyncSession,
    exam_id: UUID,
    *,
    actor: str,
    now: datetime,
    release_at: datetime | None = None,
    graduation_run_id: UUID | None = None,
) -> Release:
    """Freeze the results of an exam as they are now; nothing is visible before somebody else approves it.

    Parameters
    ----------
    release_at : datetime, optional
        When it becomes public; else the moment set at the exam.
    graduation_run_id : UUID, optional
        The run whose scores are shown; else the newest of the exam, if there is one.

    Raises
    ------
    ExamUnknown, ReleaseMomentMissing, GraduationRunUnknown, NothingToRelease
    """
    exam = await enrolment.require_exam_by_id(session, exam_id)
    moment = release_at or exam.results_release_at
    if moment is None:
        raise ReleaseMomentMissing(exam.code)
    marks, runs = await load_marks(session, exam_id)
    run_id = await _graduation_run(session, exam_id, graduation_run_id)
    outcomes = {} if run_id is None else await graduation_runs.load_outcomes(session, run_id)
    number = await store.next_number(session, exam_id)
    publication = Publication(exam, await enrolment.load_subjects(session, exam_id), number, moment)
    results = [
        (candidate.id, publication.result(candidate, marks[candidate.id], outcomes.get(candidate.id)))
        for candidate in await enrolment.load_candidates(session, exam_id)
        if candidate.number is not None
    ]
    if not any(result.subjects or result.graduation for _, result in results):
        raise NothingToRelease(exam.code)
    release = Release(
        id=ReleaseId(uuid4()),
        exam_id=exam.id,
        number=number,
        release_at=moment,
        score_run_ids=tuple(run.id for run in runs),
        graduation_run_id=run_id,
        state=ReleaseState.PREPARED,
        n_published=len(results),
        content_hash=model.content_hash(result for _, result in results),
        created_by=actor,
        created_at=now,
    )
    await store.insert_release(session, release, results, publication.distributions(marks.values()))
    await _append(session, "release.prepare", release, actor, now)
    return release


async def approve_release(session: AsyncSession, release_id: UUID, *, actor: str, now: datetime) -> Release:
    """Let a prepared release become public at its moment.

    Raises
    ------
    ReleaseUnknown, ReleaseStateWrong, FourEyesNeeded
    """
    release = model.approve(await _lock(session, release_id), actor, now)
    await store.save_state(session, release)
    await _append(session, "release.approve", release, actor, now)
    return release


async def withdraw_release(
    session: AsyncSession, release_id: UUID, *, actor: str, reason: str, now: datetime
) -> Release:
    """Take a release back; what it showed is kept, an earlier approved one shows again.

    Raises
    ------
    ReleaseUnknown, ReleaseStateWrong
    """
    release = model.withdraw(await _lock(session, release_id))
    await store.save_state(session, release)
    await _append(session, "release.withdraw", release, actor, now, reason=reason)
    return release


async def load_releases(session: AsyncSession, exam_id: UUID) -> list[Release]:
    """Return the releases of an exam, newest first."""
    return await store.load_releases(session, exam_id)


async def load_release(session: AsyncSession, release_id: UUID) -> tuple[Release, list[PublishedResult]]:
    """Return a release with everything it shows, for staff before it is public.

    Raises
    ------
    ReleaseUnknown
    """
    release = await _lock(session, release_id)
    return release, await store.load_results(session, release_id)


async def release_holds(session: AsyncSession, release_id: UUID) -> bool:
    """Recompute the hash of what a release shows: false when it was altered in the database.

    Raises
    ------
    ReleaseUnknown
    """
    release, results = await load_release(session, release_id)
    return model.content_hash(results) == release.content_hash


async def _lock(session: AsyncSession, release_id: UUID) -> Release:
    release = await store.lock_release(session, release_id)
    if release is None:
        raise ReleaseUnknown(release_id)
    return release


async def _graduation_run(session: AsyncSession, exam_id: UUID, wanted: UUID | None) -> GraduationRunId | None:
    runs = await graduation_runs.load_runs(session, exam_id)
    if wanted is None:
        return runs[0].id if runs else None
    if wanted not in {run.id for run in runs}:
        raise GraduationRunUnknown(wanted)
    return GraduationRunId(wanted)


async def _append(session: AsyncSession, action: str, release: Release, actor: str, now: datetime, **more: str) -> None:
    facts = {
        "number": release.number,
        "release_at": release.release_at.isoformat(),
        "published": release.n_published,
        "content_hash": release.content_hash,
        **more,
    }
    await audit.append(session, actor=actor, action=action, subject=f"release:{release.id}", facts=facts, now=now)
