"""SQL of figures."""

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring.model import (
    Media,
)
from exam_engine.authoring.tables import (
    MediaRow,
)
from item_bank.model.figures import Figure


async def save_figures(session: AsyncSession, figures: Iterable[Figure]) -> int:
    """Store figures under their hash; return how many were new."""
    new = 0
    for figure in figures:
        statement = upsert(MediaRow).values(
            sha256=figure.sha256,
            media_type=figure.media_type,
            content=figure.content,
            file_name=figure.file_name,
        )
        stored = await session.scalar(statement.on_conflict_do_nothing().returning(MediaRow.sha256))
        new += stored is not None
    return new


async def find_media(session: AsyncSession, sha256: str) -> Media | None:
    """Return a stored figure."""
    row = await session.get(MediaRow, sha256)
    return None if row is None else Media(row.sha256, row.media_type, row.content)
