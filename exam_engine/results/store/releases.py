"""SQL of releases and of the frozen results they show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.cards import CARDS, Card, CardKey, wanted_cards
from exam_engine.enrolment.model import CandidateId, ExamId
from exam_engine.enrolment.tables import CandidateRow, ExamRow
from exam_engine.results.distribution import Distribution
from exam_engine.results.model import (
    GraduationRunId,
    PublishedResult,
    Release,
    ReleaseId,
    ReleaseState,
    ScoreRunId,
)
from exam_engine.results.tables import PublishedDistributionRow, PublishedResultRow, ReleaseRow

ROWS_AT_ONCE = 2000


class Shown(msgspec.Struct, frozen=True):
    """A card, and what its exam shows of its holder; None: nothing yet."""

    card: Card
    result: PublishedResult | None


async def next_number(session: AsyncSession, exam_id: UUID) -> int:
    """Return the number of the next release of an exam."""
    highest = select(func.max(ReleaseRow.number)).where(ReleaseRow.exam_id == exam_id)
    return ((await session.execute(highest)).scalar() or 0) + 1


async def insert_release(
    session: AsyncSession,
    release: Release,
    results: Sequence[tuple[CandidateId, PublishedResult]],
    distributions: Mapping[str, Distribution],
) -> None:
    """Keep a release with everything it will show."""
    session.add(ReleaseRow(**_values(release)))
    await session.flush()
    rows: list[dict[str, Any]] = [
        {
            "release_id": release.id,
            "candidate_number": result.candidate_number,
            "candidate_id": candidate_id,
            "content": msgspec.to_builtins(result, str_keys=True),
        }
        for candidate_id, result in results
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        await session.execute(insert(PublishedResultRow), rows[start : start + ROWS_AT_ONCE])
    if distributions:
        charts = [
            {"release_id": release.id, "subject_code": code, "content": msgspec.to_builtins(distribution)}
            for code, distribution in distributions.items()
        ]
        await session.execute(insert(PublishedDistributionRow), charts)


async def lock_release(session: AsyncSession, release_id: UUID) -> Release | None:
    """Lock a release by id."""
    statement = select(ReleaseRow).where(ReleaseRow.id == release_id).with_for_update()
    row = (await session.execute(statement)).scalar_one_or_none()
    return None if row is None else _release(row)


async def save_state(session: AsyncSession, release: Release) -> None:
    """Keep the state of a release; what it shows stays as it was prepared."""
    values = {"state": release.state.value, "approved_by": release.approved_by, "approved_at": release.approved_at}
    await session.execute(update(ReleaseRow).where(ReleaseRow.id == release.id).values(**values))


async def load_releases(session: AsyncSession, exam_id: UUID) -> list[Release]:
    """Return the releases of an exam, newest first."""
    statement = select(ReleaseRow).where(ReleaseRow.exam_id == exam_id).order_by(ReleaseRow.number.desc())
    return [_release(row) for row in await session.scalars(statement)]


async def find_public(session: AsyncSession, exam_id: UUID, now: datetime) -> Release | None:
    """Return the release an exam shows now: the newest approved one whose moment has come."""
    row = (await session.execute(_public(select(ReleaseRow), exam_id, now))).scalar_one_or_none()
    return None if row is None else _release(row)


async def find_next_moment(session: AsyncSession, exam_id: UUID, now: datetime) -> datetime | None:
    """Return when the next approved release becomes public."""
    statement = select(func.min(ReleaseRow.release_at)).where(
        ReleaseRow.exam_id == exam_id, ReleaseRow.state == ReleaseState.APPROVED.value, ReleaseRow.release_at > now
    )
    moment: datetime | None = (await session.execute(statement)).scalar()
    return moment


async def load_announced(session: AsyncSession, now: datetime) -> list[tuple[str, str, bool, datetime]]:
    """Return code, name, whether it is public and the moment, of every exam with an approved release."""
    is_public = func.bool_or(ReleaseRow.release_at <= now)
    moment = func.coalesce(
        func.max(ReleaseRow.release_at).filter(ReleaseRow.release_at <= now), func.min(ReleaseRow.release_at)
    )
    statement = (
        select(ExamRow.code, ExamRow.name, is_public, moment)
        .join(ReleaseRow, ReleaseRow.exam_id == ExamRow.id)
        .where(ReleaseRow.state == ReleaseState.APPROVED.value)
        .group_by(ExamRow.id)
        .order_by(ExamRow.name)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(statement)]


async def load_shown(session: AsyncSession, keys: Sequence[CardKey], now: datetime) -> Mapping[CardKey, Shown]:
    """Load cards with what the release that their exam shows now holds of each, by one statement."""
    release_id = _public(select(ReleaseRow.id), ExamRow.id, now).correlate(ExamRow).scalar_subquery()
    content = (
        select(PublishedResultRow.content)
        .where(
            PublishedResultRow.release_id == release_id,
            PublishedResultRow.candidate_number == CandidateRow.number,
        )
        .correlate(ExamRow, CandidateRow)
        .scalar_subquery()
    )
    rows = await session.execute(CARDS.add_columns(content.label("content")), wanted_cards(keys))
    shown = {}
    for row in rows.mappings():
        card = Card(**{name: row[name] for name in Card.__struct_fields__})
        result = None if row["content"] is None else _result(row["content"])
        shown[(card.exam_code, card.number)] = Shown(card, result)
    return shown


async def load_results(session: AsyncSession, release_id: UUID) -> list[PublishedResult]:
    """Return everything a release shows, by candidate number."""
    statement = (
        select(PublishedResultRow.content)
        .where(PublishedResultRow.release_id == release_id)
        .order_by(PublishedResultRow.candidate_number)
    )
    return [_result(content) for content in await session.scalars(statement)]


async def load_distributions(session: AsyncSession, release_id: UUID) -> dict[str, Distribution]:
    """Return the distributions of a release, by subject code."""
    statement = select(PublishedDistributionRow).where(PublishedDistributionRow.release_id == release_id)
    return {row.subject_code: msgspec.convert(row.content, Distribution) for row in await session.scalars(statement)}


def _public(statement: Select[Any], exam_id: Any, now: datetime) -> Select[Any]:
    return (
        statement.where(
            ReleaseRow.exam_id == exam_id,
            ReleaseRow.state == ReleaseState.APPROVED.value,
            ReleaseRow.release_at <= now,
        )
        .order_by(ReleaseRow.number.desc())
        .limit(1)
    )


def _result(content: dict[str, Any]) -> PublishedResult:
    return msgspec.convert(content, PublishedResult, str_keys=True)


def _values(release: Release) -> dict[str, Any]:
    values = msgspec.structs.asdict(release)
    values["state"] = release.state.value
    values["score_run_ids"] = [str(run_id) for run_id in release.score_run_ids]
    return values


def _release(row: ReleaseRow) -> Release:
    return Release(
        id=ReleaseId(row.id),
        exam_id=ExamId(row.exam_id),
        number=row.number,
        release_at=row.release_at,
        score_run_ids=tuple(ScoreRunId(UUID(run_id)) for run_id in row.score_run_ids),
        graduation_run_id=None if row.graduation_run_id is None else GraduationRunId(row.graduation_run_id),
        state=ReleaseState(row.state),
        n_published=row.n_published,
        content_hash=row.content_hash,
        created_by=row.created_by,
        created_at=row.created_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
    )
