"""Use cases of the audit record: append, verify, read.

An append is the last statement of a use case: from it until the commit, every other writer waits.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import model, store
from exam_engine.audit.model import AuditEntry, AuditQuery, Head, Verification

PAGE = 2000
"""Entries read at once while verifying."""


async def append(
    session: AsyncSession, *, actor: str, action: str, subject: str, facts: Mapping[str, Any], now: datetime
) -> AuditEntry:
    """Record one act in the transaction of the act itself.

    Facts are plain values (no floats; UUIDs, moments and states become text) and never a response, key or password.
    """
    head = await store.lock_head(session)
    entry = model.next_entry(head, actor=actor, action=action, subject=subject, facts=facts, at=now)
    await store.insert_entry(session, entry)
    return entry


async def verify(
    session: AsyncSession, *, noted: Head | None = None, progress: Callable[[int], None] | None = None
) -> Verification:
    """Recompute the whole chain; with `noted`, also that an earlier head still stands."""
    state: Verification | None = None
    while True:
        page = await store.load_after(session, state.head.sequence if state else 0, PAGE)
        state = model.verify_entries(page, state)
        if progress:
            progress(state.count)
        if not state.is_intact or len(page) < PAGE:
            break
    if noted is not None:
        state = model.expect_head(state, noted, await store.find_hash(session, noted.sequence))
    return state


async def load_entries(session: AsyncSession, query: AuditQuery) -> Sequence[AuditEntry]:
    """Return one page of entries, newest first."""
    return await store.load_matching(session, model.cleaned(query))
