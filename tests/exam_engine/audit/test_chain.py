"""The audit record: appended in order, chained by hash, and nothing changes it unseen."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.audit import AuditEntry, AuditQuery, Head, service
from exam_engine.audit.model import EMPTY_HEAD, expect_head, next_entry, verify_entries
from exam_engine.infra.database import transaction

NOW = datetime(2027, 6, 10, 0, 30, tzinfo=UTC)


def chain(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    head = EMPTY_HEAD
    for n in range(length):
        entry = next_entry(head, actor="person:an", action="form.seal", subject=f"form:{n}", facts={"n": n}, at=NOW)
        head = Head(entry.sequence, entry.hash)
        entries.append(entry)
    return entries


def test_an_untouched_chain_holds_to_its_head() -> None:
    entries = chain(5)
    found = verify_entries(entries)
    assert found.is_intact
    assert (found.count, found.head) == (5, Head(5, entries[-1].hash))


def test_an_empty_record_holds() -> None:
    assert verify_entries([]).is_intact


@given(
    st.integers(0, 4),
    st.sampled_from(["at", "actor", "action", "subject", "facts", "previous_hash", "hash", "sequence"]),
)
def test_any_change_of_any_entry_is_found_at_that_entry(index: int, field: str) -> None:
    entries = chain(5)
    old = getattr(entries[index], field)
    new = {
        "at": NOW + timedelta(microseconds=1),
        "facts": {"n": index, "more": None},
        "sequence": 99,
        "previous_hash": b"x" * 32,
        "hash": b"x" * 32,
    }.get(field, f"{old}!")
    entries[index] = msgspec.structs.replace(entries[index], **{field: new})
    found = verify_entries(entries)
    assert found.broken_sequence == (99 if field == "sequence" else index + 1)
    assert found.count == index


def test_a_removed_entry_is_found_at_the_one_after_it() -> None:
    entries = chain(5)
    del entries[2]
    found = verify_entries(entries)
    assert found.broken_sequence == 4
    assert "sequence 3 is missing" in found.reason


def test_verifying_page_by_page_finds_the_same() -> None:
    entries = chain(7)
    assert verify_entries(entries[4:], verify_entries(entries[:4])) == verify_entries(entries)


def test_a_head_noted_earlier_shows_that_the_end_was_cut_off() -> None:
    entries = chain(5)
    noted = Head(5, entries[4].hash)
    cut = verify_entries(entries[:3])
    assert cut.is_intact
    assert expect_head(cut, noted, None).broken_sequence == 5
    assert expect_head(cut, noted, b"x" * 32).reason == "it was rewritten"
    assert expect_head(verify_entries(entries), noted, entries[4].hash).is_intact


class Colour(StrEnum):
    RED = "red"


def test_facts_become_plain_values_that_the_database_gives_back_unchanged() -> None:
    facts = {
        "id": UUID(int=1),
        "at": NOW,
        "state": Colour.RED,
        "codes": ("0101", "0102"),
        "deep": {"n": None, "ok": True},
    }
    entry = next_entry(EMPTY_HEAD, actor="a", action="b", subject="c", facts=facts, at=NOW)
    assert entry.facts == {
        "id": str(UUID(int=1)),
        "at": "2027-06-10T00:30:00Z",
        "state": "red",
        "codes": ["0101", "0102"],
        "deep": {"n": None, "ok": True},
    }


def test_a_float_among_the_facts_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match=r"facts? score\[1\] is a float"):
        next_entry(EMPTY_HEAD, actor="a", action="b", subject="c", facts={"score": [1, 7.25]}, at=NOW)


def test_the_same_moment_in_another_zone_gives_the_same_hash() -> None:
    facts = {"actor": "a", "action": "b", "subject": "c", "facts": {}}
    hanoi = NOW.astimezone(timezone(timedelta(hours=7)))
    assert next_entry(EMPTY_HEAD, at=NOW, **facts) == next_entry(EMPTY_HEAD, at=hanoi, **facts)  # type: ignore[arg-type]


async def test_appended_entries_are_chained_and_verified(session: AsyncSession) -> None:
    before = await service.verify(session)
    for n in range(3):
        await service.append(
            session, actor="person:an", action="test.act", subject=f"thing:{n}", facts={"n": n, "ê": "ấ\x00"}, now=NOW
        )
    found = await service.verify(session)
    assert found.is_intact
    assert found.count == before.count + 3
    assert (await service.verify(session, noted=found.head)).is_intact
    assert not (await service.verify(session, noted=Head(found.head.sequence + 1, b""))).is_intact


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("update audit_entry set actor = 'someone else'", id="update"),
        pytest.param("delete from audit_entry", id="delete"),
        pytest.param("truncate audit_entry", id="truncate"),
    ],
)
async def test_the_database_refuses_to_change_the_record(session: AsyncSession, statement: str) -> None:
    await service.append(session, actor="person:an", action="test.act", subject="thing:1", facts={}, now=NOW)
    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(text(statement))


async def test_a_change_that_goes_round_the_trigger_is_found(session: AsyncSession) -> None:
    entry = await service.append(session, actor="person:an", action="test.act", subject="thing:1", facts={}, now=NOW)
    await service.append(session, actor="person:an", action="test.act", subject="thing:2", facts={}, now=NOW)
    await session.execute(text("alter table audit_entry disable trigger audit_entry_is_append_only"))
    change = text("update audit_entry set actor = 'person:binh' where sequence = :sequence")
    await session.execute(change, {"sequence": entry.sequence})
    found = await service.verify(session)
    assert found.broken_sequence == entry.sequence
    assert found.reason == "its content is not what was written"


async def test_writers_at_the_same_time_leave_one_chain_without_gaps(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    subject = f"thing:{uuid4()}"

    async def write(n: int) -> None:
        async with transaction(sessions) as session:
            await service.append(
                session, actor="person:an", action="test.race", subject=subject, facts={"n": n}, now=NOW
            )

    await asyncio.gather(*(write(n) for n in range(12)))
    async with transaction(sessions) as session:
        assert (await service.verify(session)).is_intact
        assert len(await service.load_entries(session, AuditQuery(subject=subject))) == 12


async def test_a_rolled_back_act_leaves_no_entry_and_no_gap(sessions: async_sessionmaker[AsyncSession]) -> None:
    subject = f"thing:{uuid4()}"
    async with sessions() as session:
        await service.append(session, actor="person:an", action="test.act", subject=subject, facts={}, now=NOW)
        await session.rollback()
    async with transaction(sessions) as session:
        assert not await service.load_entries(session, AuditQuery(subject=subject))
        assert (await service.verify(session)).is_intact


async def test_a_reader_finds_entries_by_actor_kind_of_act_subject_and_time(session: AsyncSession) -> None:
    mark = str(uuid4())
    for n, (actor, action) in enumerate([("an", "form.seal"), ("an", "form.change_key"), ("binh", "formula.x")]):
        await service.append(
            session,
            actor=f"person:{actor}{mark}",
            action=action,
            subject=f"form:{n}{mark}",
            facts={},
            now=NOW + timedelta(hours=n),
        )

    async def found(**filters: object) -> Sequence[str]:
        query = AuditQuery(**filters)  # type: ignore[arg-type]
        return [e.action for e in await service.load_entries(session, query) if e.subject.endswith(mark)]

    assert await found(actor=f"person:an{mark}") == ["form.change_key", "form.seal"]
    assert await found(action="form.") == ["form.change_key", "form.seal"]
    assert await found(action="form.seal") == ["form.seal"]
    assert await found(subject=f"form:2{mark}") == ["formula.x"]
    assert await found(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)) == ["form.change_key"]
    page = await service.load_entries(session, AuditQuery(limit=2))
    rest = await service.load_entries(session, AuditQuery(before_sequence=page[-1].sequence, limit=1))
    assert [e.action for e in (*page, *rest)] == ["formula.x", "form.change_key", "form.seal"]
