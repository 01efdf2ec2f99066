"""SQL of the list of items: filters, search, sorting, pages."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from exam_engine.authoring.model import (
    BankId,
    ItemId,
    ItemPage,
    ItemQuery,
    ItemSort,
    ItemSummary,
)
from exam_engine.authoring.tables import (
    BankRow,
    ItemRow,
    ItemVersionRow,
    TopicRow,
)
from exam_engine.identity.tables import PersonRow
from exam_engine.infra.vietnamese import query_words
from item_bank.model.item import Level
from item_bank.model.review import ItemState

_SORTS: Mapping[ItemSort, InstrumentedAttribute[Any]] = {
    ItemSort.CODE: ItemRow.code,
    ItemSort.UPDATED: ItemRow.updated_at,
    ItemSort.STATE: ItemRow.state,
    ItemSort.KIND: ItemRow.kind,
    ItemSort.TOPIC: ItemRow.topic,
    ItemSort.LEVEL: ItemRow.level,
}


async def load_page(session: AsyncSession, query: ItemQuery, banks: Collection[BankId]) -> ItemPage:
    """Return one page of the items of some banks that a query asks for."""
    if any("\x00" in text for text in (query.kind, query.topic, query.stimulus, query.text)):
        return ItemPage((), 0, query.page, query.page_size)  # PostgreSQL holds no such text, and refuses to compare it
    condition = and_(ItemRow.bank_id.in_(banks), *_conditions(query))
    total = await session.scalar(select(func.count()).select_from(ItemRow).where(condition)) or 0
    number = (
        select(func.max(ItemVersionRow.number)).where(ItemVersionRow.item_id == ItemRow.id).scalar_subquery()
    )  # fmt: skip
    column = _SORTS[query.sort]
    order = column.desc() if query.descending else column.asc()
    rows = await session.execute(
        select(ItemRow, BankRow.code, TopicRow.name, PersonRow.display_name, number)
        .join(BankRow, BankRow.id == ItemRow.bank_id)
        .join(PersonRow, PersonRow.id == ItemRow.created_by)
        .outerjoin(TopicRow, and_(TopicRow.bank_id == ItemRow.bank_id, TopicRow.code == ItemRow.topic))
        .where(condition)
        .order_by(order, ItemRow.code, ItemRow.id)
        .limit(query.page_size)
        .offset((query.page - 1) * query.page_size)
    )
    return ItemPage(tuple(_summary(*row) for row in rows), total, query.page, query.page_size)


def _conditions(query: ItemQuery) -> list[Any]:
    wanted = {
        ItemRow.bank_id: query.bank_id,
        ItemRow.state: query.state.value if query.state else None,
        ItemRow.kind: query.kind or None,
        ItemRow.topic: query.topic or None,
        ItemRow.level: query.level.value if query.level else None,
        ItemRow.stimulus_code: query.stimulus or None,
    }
    conditions: list[Any] = [column == value for column, value in wanted.items() if value is not None]
    for spellings, has_marks in query_words(query.text):
        column = ItemRow.marked_text if has_marks else ItemRow.search_text
        conditions.append(or_(*(column.contains(spelling, autoescape=True) for spelling in spellings)))
    return conditions


def _summary(row: ItemRow, bank_code: str, topic_name: str | None, author: str, number: int) -> ItemSummary:
    return ItemSummary(
        id=ItemId(row.id),
        bank_id=BankId(row.bank_id),
        bank_code=bank_code,
        code=row.code,
        state=ItemState(row.state),
        kind=row.kind,
        topic=row.topic,
        topic_name=topic_name,
        level=Level(row.level),
        stimulus=row.stimulus_code,
        title=row.title,
        number=number,
        updated_at=row.updated_at,
        author=author,
    )
