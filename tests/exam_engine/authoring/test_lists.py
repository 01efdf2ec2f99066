"""The list of items: filters, search with and without diacritics, sorting, pages."""

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.authoring import service
from exam_engine.authoring.model import ItemPage, ItemQuery, ItemSort
from item_bank.interchange.rows import read_items
from item_bank.model.item import Level
from item_bank.model.review import ItemState
from tests.exam_engine.authoring.people import Room

ROWS = [
    {"code": "A-1", "kind": "tln", "topic": "1", "level": "know", "stem": "Tính diện tích phần tô màu", "key": "5"},
    {"code": "A-2", "kind": "tln", "topic": "2", "level": "apply", "stem": "Tính chu vi của phân xưởng", "key": "7"},
    {"code": "A-3", "kind": "essay", "topic": "2", "level": "apply", "stem": "Chứng minh $a<b$", "key": "Bài: 1"},
    {"code": "A-4", "kind": "tln", "topic": "2", "level": "know", "stem": "Giảm 5% và hoà vốn", "key": "9"},
]


@pytest.fixture(autouse=True)
async def items(session: AsyncSession, room: Room, now: datetime) -> None:
    for item in read_items(enumerate(ROWS, start=2)).items:
        await service.create_item(session, room.bank.id, item, actor=room.author, now=now)


async def codes(session: AsyncSession, room: Room, now: datetime, query: ItemQuery) -> list[str]:
    page = await service.list_items(session, query, actor=room.author)
    return [item.code for item in page.items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("phan", ["A-1", "A-2"], id="without marks every spelling"),
        pytest.param("phần", ["A-1"], id="with marks exactly"),
        pytest.param("phân", ["A-2"], id="another mark"),
        pytest.param("dien TICH", ["A-1"], id="every word, in any case"),
        pytest.param("tính chu", ["A-2"], id="words with and without marks"),
        pytest.param("a-3", ["A-3"], id="by code"),
        pytest.param("5%", ["A-4"], id="a per cent sign is itself"),
        pytest.param("_", [], id="an underscore is itself"),
        pytest.param("hòa", ["A-4"], id="hoà and hòa are one"),
        pytest.param("a<b", ["A-3"], id="inside a formula"),
        pytest.param("a\x00", [], id="a character no database holds"),
        pytest.param("", ["A-1", "A-2", "A-3", "A-4"], id="nothing asked"),
    ],
)
async def test_search(session: AsyncSession, room: Room, now: datetime, text: str, expected: list[str]) -> None:
    assert await codes(session, room, now, ItemQuery(text=text)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(ItemQuery(kind="essay"), ["A-3"], id="kind"),
        pytest.param(ItemQuery(topic="1"), ["A-1"], id="topic"),
        pytest.param(ItemQuery(level=Level.KNOW), ["A-1", "A-4"], id="level"),
        pytest.param(ItemQuery(state=ItemState.ACTIVE), [], id="state"),
        pytest.param(ItemQuery(topic="2", level=Level.APPLY, text="tinh"), ["A-2"], id="together"),
        pytest.param(ItemQuery(descending=True), ["A-4", "A-3", "A-2", "A-1"], id="descending"),
        pytest.param(ItemQuery(sort=ItemSort.KIND), ["A-3", "A-1", "A-2", "A-4"], id="by kind, then code"),
        pytest.param(ItemQuery(page=2, page_size=3), ["A-4"], id="second page"),
    ],
)
async def test_filters_and_order(
    session: AsyncSession, room: Room, now: datetime, query: ItemQuery, expected: list[str]
) -> None:
    assert await codes(session, room, now, query) == expected


async def test_a_page_tells_the_total_and_the_number_of_pages(session: AsyncSession, room: Room, now: datetime) -> None:
    page: ItemPage = await service.list_items(session, ItemQuery(page_size=3), actor=room.author)
    assert (page.total, page.pages, len(page.items)) == (4, 2, 3)
    assert page.items[0].bank_code == room.bank.code
    assert page.items[0].author == room.author.display_name


async def test_a_list_holds_only_what_a_person_may_read(session: AsyncSession, room: Room, now: datetime) -> None:
    page = await service.list_items(session, ItemQuery(), actor=room.stranger)
    assert page.total == 0
    assert await service.list_banks(session, actor=room.stranger) == []


async def test_banks_are_listed_with_their_items_by_state(session: AsyncSession, room: Room, now: datetime) -> None:
    (summary,) = await service.list_banks(session, actor=room.author)
    assert (summary.bank, summary.total, summary.active) == (room.bank, 4, 0)
