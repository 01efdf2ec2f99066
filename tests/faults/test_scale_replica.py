"""PostgreSQL's primary dies under load and its replica is promoted: nothing acknowledged is missing there."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exam_engine.delivery.draining import drain
from exam_engine.delivery.hot_path import Delivery, open_delivery
from exam_engine.infra.clock import system_clock
from exam_engine.infra.database import create_engine, create_pool, session_maker
from exam_engine.infra.redis_client import create_redis
from tests.exam_engine.delivery.halls import Hall
from tests.faults.house import House, Seat, open_house
from tests.faults.standby import PORT, PRIMARY_PORT, ask_server, both_addresses, plan_standby, until
from tests.faults.test_kills import SECRET, after, ask_patiently, everything_stored, take_seats, work

pytestmark = pytest.mark.faults
STREAMING = "select count(*) = 1 from pg_stat_replication where state = 'streaming'"


@pytest.fixture
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    # One house a test: after a promotion the old primary must never serve again.
    kept = {"stream_kept_seconds": request.param}
    with open_house(lambda servers: both_addresses(servers) | kept, plan_standby) as house:
        yield house


class Scene:
    """A room at work on two PostgreSQL servers."""

    def __init__(self, house: House, delivery: Delivery, pool: Any, hall: Hall, seats: list[Seat]) -> None:
        assert house.settings.database_url is not None
        hosts = parse_qs(urlsplit(house.settings.database_url.reveal()).query)["host"][0]
        self.house, self.delivery, self.pool, self.hall, self.seats = house, delivery, pool, hall, seats
        self.folder = hosts.split(",")[0]
        self.done = asyncio.Event()
        self.working = asyncio.create_task(work(seats, self.done))

    async def at(self, port: int, query: str) -> Any:
        rows = await ask_server(self.folder, port, query)
        return rows[0][0] if rows else None

    async def fail_over(self) -> float:
        """Kill the primary, promote the replica; seconds until answers are stored there."""
        assert self.house.kill("PostgreSQL")
        began = time.monotonic()
        await self.at(PORT, "select pg_promote()")
        await until(self.folder, PORT, "select not pg_is_in_recovery()")
        held = await self.at(PORT, "select count(*) from response_event")
        await until(self.folder, PORT, f"select count(*) > {held} from response_event")
        return time.monotonic() - began

    async def end(self) -> int:
        """Stop, and compare what the promoted server holds with what was acknowledged."""
        self.done.set()
        await self.working
        await asyncio.gather(*(seat.hand_in() for seat in self.seats))
        await drain(self.delivery.register.redis, self.hall.sitting, 60)
        await everything_stored(self.pool, self.hall, self.seats)
        counted = await ask_patiently(
            self.pool,
            "select count(*) as events, count(distinct (attempt_id, sequence)) as answers"
            " from response_event where attempt_id = any($1)",
            [seat.attempt_id for seat in self.hall.seats],
        )
        acknowledged = sum(seat.acknowledged for seat in self.seats)
        assert (counted[0]["events"], counted[0]["answers"]) == (acknowledged, acknowledged)
        states = await ask_patiently(
            self.pool, "select distinct state from attempt where id = any($1)", [s.attempt_id for s in self.hall.seats]
        )
        assert [row["state"] for row in states] == ["submitted"]
        # PostgreSQL is behind the hot path: no candidate was asked to wait.
        assert sum(seat.refused for seat in self.seats) == 0
        return acknowledged


@asynccontextmanager
async def at_work(house: House) -> AsyncIterator[Scene]:
    engine = create_engine(house.settings)
    sessions = session_maker(engine)
    pool = await create_pool(house.settings)
    redis = create_redis(house.settings)
    async with open_delivery(clock=system_clock, sessions=sessions, redis=redis, master_secret=SECRET) as delivery:
        hall, seats = await take_seats(delivery, sessions, shards=2)
        scene = Scene(house, delivery, pool, hall, seats)
        await until(scene.folder, PRIMARY_PORT, STREAMING)
        # No old primary may come back while another serves: nothing is started again until the end.
        with house.unsupervised():
            yield scene
    await redis.aclose()
    await engine.dispose()
    pool.terminate()


@pytest.mark.parametrize("house", [pytest.param(0, id="nothing kept")], indirect=True)
async def test_a_synchronous_replica_has_everything(house: House, tell: Callable[[str], None]) -> None:
    async with at_work(house) as scene:
        await scene.at(PRIMARY_PORT, "alter system set synchronous_standby_names = '*'")
        await scene.at(PRIMARY_PORT, "select pg_reload_conf()")
        await until(scene.folder, PRIMARY_PORT, "select bool_and(sync_state = 'sync') from pg_stat_replication")
        await after(scene.working, scene.seats, 2000)
        seconds = await scene.fail_over()
        await after(scene.working, scene.seats, 2000)
        acknowledged = await scene.end()
    tell(f"synchronous: {acknowledged} answers, storing went on {seconds:.1f} s after the primary died")


@pytest.mark.parametrize("house", [pytest.param(300, id="five minutes kept")], indirect=True)
async def test_what_an_asynchronous_replica_never_received_is_written_again_from_the_stream(
    house: House, tell: Callable[[str], None]
) -> None:
    async with at_work(house) as scene:
        await after(scene.working, scene.seats, 1000)
        await scene.at(PORT, "alter system set primary_conninfo = ''")
        await scene.at(PORT, "select pg_reload_conf()")
        await until(scene.folder, PORT, "select count(*) = 0 from pg_stat_wal_receiver")
        await after(scene.working, scene.seats, 2000)
        held = await scene.at(PORT, "select count(*) from response_event")
        await until(scene.folder, PRIMARY_PORT, f"select count(*) > {held + 500} from response_event")
        missing = await scene.at(PRIMARY_PORT, "select count(*) from response_event") - held
        seconds = await scene.fail_over()
        await after(scene.working, scene.seats, 1000)
        acknowledged = await scene.end()
    tell(
        f"asynchronous: {acknowledged} answers, {missing} unknown to the replica and written again,"
        f" storing went on {seconds:.1f} s after the primary died",
    )
