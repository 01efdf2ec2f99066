"""Lists of candidates as people ask for them: search with and without marks, filters, order, page by page."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import store
from exam_engine.enrolment.model import Candidate
from exam_engine.enrolment.tables import CandidateRow, CandidateSubjectRow, SeatRow
from exam_engine.infra.vietnamese import query_words


class CandidateOrder(StrEnum):
    """In what order a list stands."""

    NUMBER = "number"
    NAME = "name"  # a class list: by given name, then the rest


class CandidateQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader of the list looks for; what is left out does not filter."""

    text: str = ""  # number, or words of the name; words with marks match marks
    school_unit_id: UUID | None = None
    exam_subject_id: UUID | None = None
    room_id: UUID | None = None
    has_number: bool | None = None
    order: CandidateOrder = CandidateOrder.NUMBER
    is_descending: bool = False
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class CandidatePage(msgspec.Struct, frozen=True):
    """One page, and how many there are in all."""

    total: int
    candidates: Sequence[Candidate]


async def load_page(session: AsyncSession, exam_id: UUID, query: CandidateQuery) -> CandidatePage:
    """Return one page of the candidates of an exam."""
    conditions = [CandidateRow.exam_id == exam_id, *_conditions(query)]
    total = await session.scalar(select(func.count()).select_from(CandidateRow).where(*conditions))
    is_by_name = query.order is CandidateOrder.NAME
    columns = store.BY_NAME if is_by_name else store.BY_NUMBER
    leading = CandidateRow.sort_key if is_by_name else CandidateRow.number
    first = leading.desc().nulls_last() if query.is_descending else columns[0]
    statement = select(*store.CANDIDATE_COLUMNS).where(*conditions).order_by(first, *columns[1:])
    found = await store.candidates_of(session, statement.offset(query.offset).limit(query.limit))
    return CandidatePage(total or 0, found)


def name_conditions(text: str) -> list[ColumnElement[bool]]:
    """Return the conditions on candidates for a number or words of a name."""
    text = text.replace("\x00", "").strip()[:100]
    if text.isdecimal():
        return [CandidateRow.number.startswith(text, autoescape=True)]
    plain, exact = literal(" ") + CandidateRow.folded_name, literal(" ") + CandidateRow.lower_name
    return [
        and_(or_(*((exact if marked else plain).contains(f" {word}", autoescape=True) for word in words)))
        for words, marked in query_words(text)
    ]


def _conditions(query: CandidateQuery) -> list[ColumnElement[bool]]:
    conditions = name_conditions(query.text)
    if query.school_unit_id is not None:
        conditions.append(CandidateRow.school_unit_id == query.school_unit_id)
    if query.exam_subject_id is not None:
        registered = select(CandidateSubjectRow.candidate_id).where(
            CandidateSubjectRow.exam_subject_id == query.exam_subject_id
        )
        conditions.append(CandidateRow.id.in_(registered))
    if query.room_id is not None:
        conditions.append(CandidateRow.id.in_(select(SeatRow.candidate_id).where(SeatRow.room_id == query.room_id)))
    if query.has_number is not None:
        conditions.append(CandidateRow.number.is_not(None) if query.has_number else CandidateRow.number.is_(None))
    return conditions
