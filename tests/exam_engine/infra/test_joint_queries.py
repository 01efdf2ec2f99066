"""Questions that share a statement, on a real PostgreSQL."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.infra.joint_queries import JointQuery

Sessions = async_sessionmaker[AsyncSession]


async def _double(session: AsyncSession, keys: Sequence[str]) -> Mapping[str, int]:
    rows = await session.execute(
        text("select key, 2 * cast(key as int) as doubled from unnest(cast(:keys as text[])) as key where key <> '7'"),
        {"keys": list(keys)},
    )
    return {row.key: row.doubled for row in rows}


async def test_who_asks_meanwhile_shares_the_next_statement(sessions: Sessions) -> None:
    asked: list[int] = []

    async def load(session: AsyncSession, keys: Sequence[str]) -> Mapping[str, int]:
        asked.append(len(keys))
        return await _double(session, keys)

    query = JointQuery(sessions, load)
    found = await asyncio.gather(*(query.ask(str(n % 20)) for n in range(40)))
    assert found == [None if n % 20 == 7 else 2 * (n % 20) for n in range(40)]
    assert asked == [20]
    assert await query.ask("3") == 6
    assert asked == [20, 1]


async def test_one_bad_key_refuses_no_other(sessions: Sessions) -> None:
    query = JointQuery(sessions, _double)
    found = await asyncio.gather(*(query.ask(key) for key in ("1", "ill", "3")), return_exceptions=True)
    assert [found[0], found[2]] == [2, 6]
    assert isinstance(found[1], DBAPIError)


async def test_who_leaves_takes_nobody_along(sessions: Sessions) -> None:
    query = JointQuery(sessions, _double)
    leaving, staying = (asyncio.ensure_future(query.ask("4")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 8
    with pytest.raises(asyncio.CancelledError):
        await leaving
