"""From a draft to an active version, by two people."""

from datetime import date, datetime
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.authoring import service, store
from exam_engine.authoring.errors import ItemExists, ItemNotSound, ItemUnknown, VersionOutdated
from exam_engine.authoring.model import ItemDetails
from exam_engine.identity import service as identity
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Role
from item_bank.errors import FourEyes, IllegalTransition
from item_bank.interchange.rows import read_items, read_topics
from item_bank.model.item import Item
from item_bank.model.review import ItemState
from tests.exam_engine.authoring.people import Room, person_with

CELLS = {
    "code": "T12-MC-001",
    "kind": "single_choice",
    "topic": "1.1",
    "level": "know",
    "stem": "Tiệm cận đứng của đồ thị $y=\\dfrac{x+1}{x-2}$ là",
    "option_a": "$x=2$",
    "option_b": "$x=1$",
    "key": "A",
}


def item_of(**changes: str) -> Item:
    (item,) = read_items([(2, {**CELLS, **changes})]).items
    return item


async def write(session: AsyncSession, room: Room, now: datetime, **changes: str) -> ItemDetails:
    return await service.create_item(session, room.bank.id, item_of(**changes), actor=room.author, now=now)


@pytest.fixture(autouse=True)
async def topic(session: AsyncSession, room: Room) -> None:
    topics = read_topics([(2, {"code": "1.1", "name": "Khảo sát hàm số"})]).topics
    await store.save_topics(session, room.bank.id, {uuid4(): topic for topic in topics})


async def test_a_new_item_is_a_draft_with_the_findings_of_its_text(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    details = await write(session, room, now, topic="9.9", code="X-1")
    assert details.newest.review.state is ItemState.DRAFT
    assert [finding.code for finding in details.findings] == ["unknown-topic"]
    assert details.people[room.author.id] == room.author.display_name


async def test_two_people_make_an_item_active(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    await service.approve_items(session, [item_id], actor=room.reviewer, now=now)
    details = await service.load_item(session, item_id, actor=room.author)
    assert details.active is not None
    assert details.newest.review.approved_by == room.reviewer.id
    (frozen,) = await service.active_versions(session, room.bank.id)
    assert frozen.item == details.newest.item
    assert await service.frozen_versions(session, [frozen.item_version_id]) == {frozen.item_version_id: frozen}


async def test_an_item_with_errors_cannot_be_submitted(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now, key="C")).id
    with pytest.raises(ItemNotSound) as refused:
        await service.submit_items(session, [item_id], actor=room.author, now=now)
    assert [finding.code for finding in refused.value.findings] == ["key-unknown-option"]


async def test_who_wrote_or_submitted_an_item_cannot_approve_it(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    unit = await identity.load_unit(session, room.bank.unit_id)
    both = await person_with(session, Role.AUTHOR, unit, now)
    await identity.grant_role(
        session, both, Role.REVIEWER, unit, valid_from=date(2026, 1, 1), actor="system:test", now=now
    )
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=both, now=now)
    with pytest.raises(FourEyes):
        await service.approve_items(session, [item_id], actor=both, now=now)


async def test_a_step_that_does_not_exist_is_refused(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    with pytest.raises(IllegalTransition):
        await service.approve_items(session, [item_id], actor=room.reviewer, now=now)


async def test_a_draft_of_ones_own_changes_in_place_and_a_frozen_version_gets_a_successor(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    item_id = (await write(session, room, now)).id
    changed = await service.update_item(
        session, item_id, item_of(option_b="$x=-1$"), expected=1, actor=room.author, now=now
    )
    assert [version.number for version in changed.versions] == [1]
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    await service.approve_items(session, [item_id], actor=room.reviewer, now=now)
    again = await service.update_item(
        session, item_id, item_of(option_b="$x=0$"), expected=1, actor=room.author, now=now
    )
    assert [(v.number, v.review.state) for v in again.versions] == [(2, ItemState.DRAFT), (1, ItemState.ACTIVE)]
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    await service.approve_items(session, [item_id], actor=room.reviewer, now=now)
    final = await service.load_item(session, item_id, actor=room.author)
    assert [v.review.state for v in final.versions] == [ItemState.ACTIVE, ItemState.RETIRED]


async def test_an_edit_of_somebody_elses_draft_is_a_version_of_its_own(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    item_id = (await write(session, room, now)).id
    details = await service.update_item(
        session, item_id, item_of(option_b="$x=0$"), expected=1, actor=room.second_author, now=now
    )
    assert [(v.number, v.review.author) for v in details.versions] == [
        (2, room.second_author.id),
        (1, room.author.id),
    ]
    assert details.versions[1].review.state is ItemState.RETIRED


async def test_an_edit_that_changes_nothing_writes_nothing(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    details = await service.update_item(session, item_id, item_of(), expected=1, actor=room.author, now=now)
    assert len(details.versions) == 1


async def test_an_edit_of_an_outdated_version_is_refused(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    with pytest.raises(VersionOutdated):
        await service.update_item(session, item_id, item_of(), expected=2, actor=room.author, now=now)


async def test_a_returned_item_is_repaired_in_a_new_version(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    returned = await service.return_item(session, item_id, "Thiếu đơn vị", actor=room.reviewer, now=now)
    assert returned.newest.review.state is ItemState.DRAFT
    assert returned.newest.review.returned_comment == "Thiếu đơn vị"
    repaired = await service.update_item(
        session, item_id, item_of(option_b="$x=0$"), expected=1, actor=room.author, now=now
    )
    assert [v.number for v in repaired.versions] == [2, 1]


async def test_a_retired_item_is_not_drawn_any_more(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    await service.approve_items(session, [item_id], actor=room.reviewer, now=now)
    await service.retire_item(session, item_id, actor=room.reviewer, now=now)
    assert await service.active_versions(session, room.bank.id) == []


async def test_the_database_itself_refuses_to_change_a_frozen_version(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    item_id = (await write(session, room, now)).id
    await service.submit_items(session, [item_id], actor=room.author, now=now)
    with pytest.raises(DBAPIError, match="is frozen"):
        await session.execute(text("update item_version set content = '{}' where item_id = :id"), {"id": item_id})


async def test_nobody_from_another_unit_reads_or_writes(session: AsyncSession, room: Room, now: datetime) -> None:
    item_id = (await write(session, room, now)).id
    with pytest.raises(PermissionDenied):
        await service.load_item(session, item_id, actor=room.stranger)
    with pytest.raises(PermissionDenied):
        await service.create_item(session, room.bank.id, item_of(code="Y-1"), actor=room.stranger, now=now)
    with pytest.raises(PermissionDenied):
        await service.approve_items(session, [item_id], actor=room.author, now=now)


async def test_a_code_stands_once_in_a_bank(session: AsyncSession, room: Room, now: datetime) -> None:
    await write(session, room, now)
    with pytest.raises(ItemExists):
        await write(session, room, now)
    with pytest.raises(ItemUnknown):
        await service.find_item(session, room.bank.id, "nowhere")


async def test_every_step_is_in_the_audit_record_with_the_fingerprint_and_without_the_text(
    session: AsyncSession, room: Room, now: datetime
) -> None:
    details = await write(session, room, now)
    await service.submit_items(session, [details.id], actor=room.author, now=now)
    await service.approve_items(session, [details.id], actor=room.reviewer, now=now)
    entries = await audit.load_entries(session, AuditQuery(subject=f"bank:{room.bank.code}"))
    assert [e.action for e in reversed(entries)] == ["bank.create", "item.create", "item.submit", "item.approve"]
    assert entries[0].facts["items"]["T12-MC-001"]["hash"] == details.newest.content_hash
    assert b"dfrac" not in msgspec.json.encode([entry.facts for entry in entries])


async def test_the_preview_is_the_keyless_item_of_a_form(session: AsyncSession, room: Room, now: datetime) -> None:
    details = await write(session, room, now)
    preview = await service.preview(session, details.id, actor=room.author)
    shown = msgspec.to_builtins(preview.item)
    assert shown["kind"] == "single_choice"
    assert set(shown) == {"kind", "slot", "part", "stimulus", "stem", "options"}
    assert [option["id"] for option in shown["options"]] == ["A", "B"]
