"""SQL of the audit record: one writer at a time, readers page by page."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit.model import EMPTY_HEAD, AuditEntry, AuditQuery, Head
from exam_engine.audit.tables import AuditEntryRow

CHAIN_LOCK = 0x61756469745F6C67  # "audit_lg"; any number, the same for every writer


async def lock_head(session: AsyncSession) -> Head:
    """Wait for the turn to write and return where the chain ends; the turn lasts until commit."""
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    return await load_head(session)


async def load_head(session: AsyncSession) -> Head:
    """Return where the chain ends just now."""
    found = await session.execute(
        select(AuditEntryRow.sequence, AuditEntryRow.hash).order_by(AuditEntryRow.sequence.desc()).limit(1)
    )
    row = found.one_or_none()
    return EMPTY_HEAD if row is None else Head(row.sequence, row.hash)


async def insert_entry(session: AsyncSession, entry: AuditEntry) -> None:
    """Write one entry."""
    await session.execute(insert(AuditEntryRow).values(msgspec.structs.asdict(entry)))


async def load_after(session: AsyncSession, sequence: int, limit: int) -> Sequence[AuditEntry]:
    """Return the entries that follow a sequence, in order."""
    return await _entries(
        session,
        select(*_COLUMNS).where(AuditEntryRow.sequence > sequence).order_by(AuditEntryRow.sequence).limit(limit),
    )


async def find_hash(session: AsyncSession, sequence: int) -> bytes | None:
    """Return the hash that stands at a sequence, if an entry stands there."""
    return await session.scalar(select(AuditEntryRow.hash).where(AuditEntryRow.sequence == sequence))


async def load_matching(session: AsyncSession, query: AuditQuery) -> Sequence[AuditEntry]:
    """Return one page of what a reader looks for, newest first."""
    statement = select(*_COLUMNS).order_by(AuditEntryRow.sequence.desc()).limit(query.limit)
    if query.actor:
        statement = statement.where(AuditEntryRow.actor == query.actor)
    if query.action and query.action.endswith("."):
        statement = statement.where(AuditEntryRow.action.startswith(query.action, autoescape=True))
    elif query.action:
        statement = statement.where(AuditEntryRow.action == query.action)
    if query.subject:
        statement = statement.where(AuditEntryRow.subject == query.subject)
    if query.since:
        statement = statement.where(AuditEntryRow.at >= query.since)
    if query.until:
        statement = statement.where(AuditEntryRow.at < query.until)
    if query.before_sequence is not None:
        statement = statement.where(AuditEntryRow.sequence < query.before_sequence)
    return await _entries(session, statement)


_COLUMNS = tuple(getattr(AuditEntryRow, name) for name in AuditEntry.__struct_fields__)


async def _entries(session: AsyncSession, statement: Any) -> Sequence[AuditEntry]:
    return [AuditEntry(**row._mapping) for row in await session.execute(statement)]  # noqa: SLF001 (SQLAlchemy's public name)
