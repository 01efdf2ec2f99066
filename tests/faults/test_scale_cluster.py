"""A cluster of six servers whose masters die or hang under load: what was acknowledged is there, without a refill."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from litestar.stores.redis import RedisStore
from redis.asyncio.cluster import ClusterNode
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from exam_engine.delivery.bulletins import Notice
from exam_engine.delivery.draining import drain, writer_signs
from exam_engine.delivery.hot_path import Delivery, open_delivery
from exam_engine.delivery.signs import Role, give_sign, load_signs
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.database import create_engine, create_pool, session_maker
from exam_engine.infra.rates import FailureCounts
from exam_engine.infra.redis_client import create_redis
from exam_engine.infra.redis_cluster import as_cluster
from exam_engine.infra.settings import Secret
from tests.faults.cluster import ValkeyCluster, open_cluster
from tests.faults.house import House, Seat, open_house
from tests.faults.test_kills import SECRET, after, ask_patiently, everything_stored, take_seats, work
from tests.faults.test_storm import open_room

pytestmark = pytest.mark.faults
SHARDS = 24  # spread over all three masters, more on each than a writer has connections
BETWEEN = 1000  # answers from one kill to the next


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    with open_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def house(cluster: ValkeyCluster) -> Iterator[House]:
    address = {"redis_url": Secret(cluster.url), "redis_cluster": True, "redis_replicas_to_wait": 1}
    with open_house(lambda _: address, with_valkey=False) as house:
        yield house


@pytest_asyncio.fixture(scope="module")
async def pool(house: House) -> AsyncIterator[Any]:
    pool = await create_pool(house.settings)
    yield pool
    pool.terminate()


@pytest_asyncio.fixture(scope="module")
async def sessions(house: House) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_engine(house.settings)
    yield session_maker(engine)
    await engine.dispose()


@pytest_asyncio.fixture(scope="module")
async def delivery(house: House, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[Delivery]:
    redis = create_redis(house.settings)
    async with open_delivery(clock=system_clock, sessions=sessions, redis=redis, master_secret=SECRET) as delivery:
        yield delivery
    await redis.aclose()


@pytest.mark.parametrize(
    ("ending", "word"),
    [pytest.param(signal.SIGKILL, "killed", id="killed"), pytest.param(signal.SIGSTOP, "hung", id="hung")],
)
async def test_masters_that_fail_one_after_the_other_lose_and_double_nothing(
    ending: signal.Signals,
    word: str,
    cluster: ValkeyCluster,
    delivery: Delivery,
    sessions: async_sessionmaker[AsyncSession],
    pool: Any,
    tell: Callable[[str], None],
) -> None:
    hall, seats = await take_seats(delivery, sessions, shards=SHARDS)
    client = as_cluster(delivery.register.redis)
    assert client is not None
    done = asyncio.Event()
    working = asyncio.create_task(work(seats, done))
    gaps: list[tuple[float, float]] = []
    began = time.monotonic()
    for victim in range(3):
        await after(working, seats, BETWEEN)
        stream = hall.place(victim).stream
        port = await cluster.master_of(client, stream)
        cluster.kill(port, ending)
        killed = time.monotonic()
        async with asyncio.timeout(60):
            while await cluster.master_of(client, stream) == port:
                await asyncio.sleep(0.05)
        promoted = time.monotonic() - killed
        cluster.bring_back(port)
        await everybody_answers(working, seats)
        gaps.append((promoted, time.monotonic() - killed))
    await after(working, seats, BETWEEN)
    seconds = time.monotonic() - began
    done.set()
    await working
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)
    events = await ask_patiently(
        pool,
        "select count(*) as events, count(distinct (attempt_id, sequence)) as answers"
        " from response_event where attempt_id = any($1)",
        [seat.attempt_id for seat in hall.seats],
    )
    acknowledged = sum(seat.acknowledged for seat in seats)
    assert (events[0]["events"], events[0]["answers"]) == (acknowledged, acknowledged)
    # Nobody had to begin again: no facts were lost either.
    assert [seat.starts for seat in seats] == [1] * len(seats)
    await asyncio.gather(*(seat.hand_in() for seat in seats))
    waits = ", ".join(f"{promoted:.1f} s until promoted, {whole:.1f} s until all save" for promoted, whole in gaps)
    tell(f"3 masters {word}, {acknowledged} answers in {seconds:.1f} s; {waits}")


async def test_an_answer_that_no_replica_has_is_not_acknowledged(
    cluster: ValkeyCluster, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall, seats = await take_seats(delivery, sessions, shards=1)
    client = as_cluster(delivery.register.redis)
    assert client is not None
    stream = hall.place().stream
    master = await cluster.master_of(client, stream)
    replica = await cluster.replica_of(master)
    await seats[0].answer()
    cluster.kill(replica, signal.SIGSTOP)
    answering = asyncio.create_task(seats[0].answer())
    async with asyncio.timeout(60):
        while not seats[0].refused and not answering.done():
            await asyncio.sleep(0.02)
    assert not answering.done()
    # The master dies with what nobody else has; the seat still holds it and brings it to the next master.
    cluster.kill(master)
    cluster.kill(replica, signal.SIGCONT)
    async with asyncio.timeout(60):
        while await cluster.master_of(client, stream) == master:
            await asyncio.sleep(0.05)
    cluster.start_again(master)
    await answering
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)


async def test_what_lies_on_a_master_that_is_gone_without_a_replica_holds_up_nobody_else(
    cluster: ValkeyCluster, delivery: Delivery, sessions: async_sessionmaker[AsyncSession], pool: Any
) -> None:
    hall, seats = await take_seats(delivery, sessions, shards=SHARDS)
    client = as_cluster(delivery.register.redis)
    assert client is not None
    masters = [await cluster.master_of(client, hall.place(position).stream) for position in range(len(seats))]
    gone = masters[0]
    replica = await cluster.replica_of(gone)
    cluster.kill(replica)
    cluster.kill(gone)
    others = [position for position, master in enumerate(masters) if master != gone]
    await asyncio.gather(*(seats[position].answer() for position in others))
    ids = [hall.attempt(position) for position in others]
    async with asyncio.timeout(30):
        while len(await ask_patiently(pool, "select 1 from response where attempt_id = any($1)", ids)) < len(others):
            await asyncio.sleep(0.05)
    cluster.start_again(gone)
    cluster.start_again(replica)
    await asyncio.gather(*(seat.answer() for seat in seats))
    await drain(delivery.register.redis, hall.sitting, 60)
    await everything_stored(pool, hall, seats)


async def test_sessions_uploads_limits_and_signs_of_life_live_on_a_cluster(house: House) -> None:
    redis = create_redis(house.settings)
    now, counts = system_clock(), FailureCounts(redis)
    for namespace in ("session", "upload"):
        store = RedisStore(redis, namespace=namespace)
        for position in range(30):  # on every master
            await store.set(f"{position}", b"kept", expires_in=60)
            assert await store.get(f"{position}", renew_for=600) == b"kept"
            assert (await store.expires_in(f"{position}") or 0) > 60
            await store.delete(f"{position}")
            assert await store.get(f"{position}") is None
    for position in range(30):
        for _ in range(2):
            await counts.add("sign-in", f"192.0.2.{position}", now)
        assert await counts.seconds_to_wait("sign-in", f"192.0.2.{position}", 2, now) > 0
    await give_sign(redis, Role.API, to_milliseconds(now))
    assert Role.API in {sign.role for sign in await load_signs(redis, to_milliseconds(now))}
    async with asyncio.timeout(30):
        while not await writer_signs(redis):
            await asyncio.sleep(0.05)
    await redis.aclose()


async def test_whoever_uses_a_connection_that_another_closes_has_lost_a_connection_and_nothing_else(
    house: House,
) -> None:
    client = as_cluster(create_redis(house.settings))
    assert client is not None
    answered, lost = 0, 0

    async def ask(node: ClusterNode, times: int) -> None:
        nonlocal answered, lost
        for _ in range(times):
            try:
                assert await node.execute_command("ECHO", str(times)) == str(times).encode()
                answered += 1
            except RedisConnectionError:
                lost += 1

    async def close(node: ClusterNode, asking: asyncio.Future[Any]) -> None:
        while not asking.done():
            await node.disconnect_free_connections()
            await asyncio.sleep(0)
            await node.disconnect()
            await asyncio.sleep(0.002)

    for node in await client.all_nodes():
        asking = asyncio.gather(*(ask(node, times) for times in range(40, 60)))
        await close(node, asking)
        await asking
    assert answered > 0
    assert lost > 0
    await client.aclose()


@pytest.mark.timeout(120)
async def test_a_room_over_http_goes_on_when_a_master_is_killed(cluster: ValkeyCluster, house: House) -> None:
    served = house.serve()
    async with open_room(house, served) as room:
        await room.begin()
        await room.answer(300)
        client = as_cluster(room.redis)
        assert client is not None
        port = await cluster.master_of(client, room.hall.place().stream)
        cluster.kill(port)
        async with asyncio.timeout(60):
            while await cluster.master_of(client, room.hall.place().stream) == port:
                await asyncio.sleep(0.05)
        cluster.start_again(port)
        await room.answer(300)
        await room.end()
        await room.settle()
    async with httpx.AsyncClient(base_url=served.base_url) as browser:
        assert (await browser.get("/health/ready")).is_success
        assert "exam_" in (await browser.get("/metrics")).text


async def everybody_answers(working: asyncio.Task[None], seats: list[Seat]) -> None:
    """Wait until every seat has had one more answer acknowledged."""
    before = [seat.acknowledged for seat in seats]
    async with asyncio.timeout(90):
        while any(seat.acknowledged == count for seat, count in zip(seats, before, strict=True)):
            if working.done():
                await working
            await asyncio.sleep(0.02)


async def test_a_shard_that_is_away_stops_the_notices_of_no_other(
    cluster: ValkeyCluster, delivery: Delivery, sessions: async_sessionmaker[AsyncSession]
) -> None:
    hall, _ = await take_seats(delivery, sessions, shards=SHARDS)
    client = as_cluster(delivery.register.redis)
    assert client is not None
    streams = (await delivery.roll(hall.sitting.id)).streams
    masters = {stream: await cluster.master_of(client, stream) for stream in streams}
    victim = masters[streams[0]]
    alive = next(stream for stream, port in masters.items() if port != victim)
    notice = Notice(sitting_id=hall.sitting.id, kind="message", text="x", created_by="test", created_ms=1)
    cluster.kill(victim, signal.SIGKILL)
    number = await delivery.register.post(alive, "a", 1, msgspec.json.encode(notice), is_kept=False)
    with suppress(RedisError, OSError):
        await delivery.exchange()
    assert delivery.bulletins.board(alive).newest == number
    async with asyncio.timeout(60):
        while await cluster.master_of(client, streams[0]) == victim:
            await asyncio.sleep(0.05)
    cluster.bring_back(victim)
