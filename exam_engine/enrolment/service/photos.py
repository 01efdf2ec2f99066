"""Photos of candidates: imported by number, all or none."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import photo_store, store
from exam_engine.enrolment.model import Exam
from exam_engine.enrolment.photo_files import PhotoFile, re_encode
from exam_engine.infra.errors import FileRefused, RowError
from exam_engine.infra.i18n import N_

UNKNOWN = N_("there is no candidate {number} in this exam")
MOST_NAMED = 50


class PhotoReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import of photos came to."""

    photos: int
    without: int  # candidates of the exam who still have none
    is_dry_run: bool


async def import_photos(
    session: AsyncSession,
    exam: Exam,
    files: Iterable[PhotoFile],
    source: str,
    *,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> PhotoReport:
    """Store the photos of an exam's candidates in place of earlier ones; one mistake anywhere refuses them all.

    Raises
    ------
    FileRefused
        A picture cannot be read, or its name is no candidate number of the exam.
    """
    people = {one.number: one.id for one in await store.load_candidates(session, exam.id) if one.number}
    wrong: list[RowError] = []
    stored = 0
    for file in files:
        candidate_id = people.get(file.number)
        if candidate_id is None:
            facts: dict[str, str | int] = {"number": file.number}
            wrong.append(RowError(file.name, UNKNOWN.format(**facts), message=UNKNOWN, facts=facts))
            continue
        try:
            # In a thread: a large picture takes long, and seats are served by this very loop.
            photo = await asyncio.to_thread(re_encode, file)
        except FileRefused as error:
            wrong += [msgspec.structs.replace(reason, place=file.name) for reason in error.errors]
            continue
        if not wrong and not is_dry_run:
            await photo_store.save_photo(session, candidate_id, photo, file.name, now)
        stored += 1
        progress(1)
    if wrong:
        raise FileRefused(source, wrong[:MOST_NAMED])
    if not is_dry_run:
        facts = {"exam": exam.code, "photos": stored, "file": source}
        await audit.append(
            session, actor=actor, action="candidate.photos", subject=exam.audit_subject, facts=facts, now=now
        )
    held = await photo_store.count_photos(session, exam.id)
    return PhotoReport(photos=stored, without=max(len(people) - held, 0), is_dry_run=is_dry_run)


async def load_photos(session: AsyncSession, candidates: Collection[UUID]) -> Mapping[UUID, bytes]:
    """Return the photos of some candidates as JPEG; who has none is left out."""
    return await photo_store.load_photos(session, candidates)
