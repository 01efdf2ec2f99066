"""PostgreSQL answers and cannot write: locked rows, deadlocks, a full disk. Candidates notice none of it."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest

from exam_engine.infra.settings import Settings
from tests.faults.house import House, open_house
from tests.faults.test_storm import Room, open_room

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with open_house() as house:
        yield house


@pytest.fixture(scope="module")
def served(house: House) -> Settings:
    return house.serve()


@asynccontextmanager
async def nothing_to_notice(house: House, served: Settings) -> AsyncIterator[Room]:
    """A room at work whose seats see no error, and of which everything is stored in the end."""
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(200)
        before = sum(room.tally.failures.values())
        yield room
        assert sum(room.tally.failures.values()) == before, room.tally.failures
        await room.settle()


async def test_a_table_that_is_locked_for_long_is_written_when_it_is_free(house: House, served: Settings) -> None:
    async with (
        nothing_to_notice(house, served) as room,
        room.pool.acquire() as connection,
        connection.transaction(),
    ):
        # In the order in which the write-behind writes, or the two would wait for each other.
        await connection.execute("lock table response_event, response, attempt in access exclusive mode")
        held = await connection.fetchval("select count(*) from response_event")
        await room.answer(2000)
        await room.end()
        assert await connection.fetchval("select count(*) from response_event") == held


async def test_a_storm_of_deadlocks_stores_everything_once(house: House, served: Settings) -> None:
    async with nothing_to_notice(house, served) as room:
        await room.pool.execute("alter system set deadlock_timeout = '20ms'")
        await room.pool.execute("select pg_reload_conf()")
        deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
        before = await room.pool.fetchval(deadlocks)
        storm = asyncio.gather(*(_cross(room, random.Random(number)) for number in range(3)))
        async with asyncio.timeout(60):
            while await room.pool.fetchval(deadlocks) < before + 10:
                await room.answer(100)
        storm.cancel()
        with suppress(asyncio.CancelledError):
            await storm
        await room.end()


async def test_a_full_disk_of_postgresql_is_noticed_by_nobody(house: House, served: Settings) -> None:
    async with nothing_to_notice(house, served) as room:
        starts = house.child("PostgreSQL").starts
        house.fill_the_disk_of("PostgreSQL")
        async with asyncio.timeout(120):
            while house.child("PostgreSQL").starts == starts:
                await room.answer(50)
        await room.end()


async def _cross(room: Room, chance: random.Random) -> None:
    """Lock rows of answers in an order of one's own, again and again, against the writer and each other."""
    ids: list[Any] = [seat.attempt_id for seat in room.hall.seats]
    while True:
        chance.shuffle(ids)
        with suppress(asyncpg.PostgresError):
            async with room.pool.acquire() as connection, connection.transaction():
                for attempt_id in ids:
                    await connection.execute("select 1 from response where attempt_id = $1 for update", attempt_id)
