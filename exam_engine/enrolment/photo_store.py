"""SQL of candidates' photos."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.photo_files import Photo
from exam_engine.enrolment.tables import CandidatePhotoRow, CandidateRow


async def save_photo(session: AsyncSession, candidate_id: UUID, photo: Photo, source: str, now: datetime) -> None:
    """Store a candidate's photo in place of an earlier one."""
    values = {
        "sha256": photo.sha256,
        "content": photo.content,
        "width": photo.width,
        "height": photo.height,
        "source_file": source,
        "stored_at": now,
    }
    statement = upsert(CandidatePhotoRow).values(candidate_id=candidate_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["candidate_id"], set_=values))


async def count_photos(session: AsyncSession, exam_id: UUID) -> int:
    """Return how many candidates of an exam have a photo."""
    query = (
        select(func.count())
        .select_from(CandidatePhotoRow)
        .join(CandidateRow, CandidateRow.id == CandidatePhotoRow.candidate_id)
        .where(CandidateRow.exam_id == exam_id)
    )
    return int(await session.scalar(query) or 0)


async def load_photos(session: AsyncSession, candidates: Collection[UUID]) -> Mapping[UUID, bytes]:
    """Return the photos of some candidates as JPEG; who has none is left out."""
    ids = any_(bindparam(None, list(candidates), type_=ARRAY(Uuid())))
    query = select(CandidatePhotoRow.candidate_id, CandidatePhotoRow.content).where(
        CandidatePhotoRow.candidate_id == ids
    )
    return dict((await session.execute(query)).tuples().all())
