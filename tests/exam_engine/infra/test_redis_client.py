"""The client, the durability check, script loading and the group-commit batcher, on a real Valkey."""

import asyncio
import hashlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.errors import Busy, RedisNotDurable, ServiceUnavailable
from exam_engine.infra.redis_client import (
    Batcher,
    Durability,
    Script,
    ScriptRunner,
    create_redis,
    load_script,
    require_durable,
)
from exam_engine.infra.settings import Secret, Settings

COUNTING = """
-- Appends each entry's argument to the list, and answers with the size of the call.
local replies, at, entries = {}, 1, 0
while at <= #ARGV do
  entries = entries + 1
  at = at + tonumber(ARGV[at]) + 1
end
at = 1
while at <= #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[at + 1])
  replies[#replies + 1] = entries
  at = at + tonumber(ARGV[at]) + 1
end
return replies
"""


def _script(text: str) -> Script:
    return Script("test", text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


@pytest_asyncio.fixture
async def runner(settings: Settings, redis: Redis) -> AsyncIterator[ScriptRunner]:
    client = create_redis(settings)
    yield ScriptRunner(client, Durability(waits_for_aof=False))
    await client.aclose()


async def test_entries_of_one_turn_share_a_script_call_and_each_gets_its_reply(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    sizes = await asyncio.gather(*(batcher.put("list", str(n)) for n in range(16)))
    assert sizes == [16] * 16
    assert await runner.redis.lrange("list", 0, -1) == [str(n).encode() for n in range(16)]
    await batcher.close()


async def test_many_entries_of_one_turn_are_shared_out_among_the_calls_that_may_be_under_way(
    runner: ScriptRunner,
) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    sizes = await asyncio.gather(*(batcher.put("list", str(n)) for n in range(50)))
    assert sizes == [25] * 50
    assert await runner.redis.lrange("list", 0, -1) == [str(n).encode() for n in range(50)]
    await batcher.close()


async def test_a_call_takes_no_more_than_its_limit_of_entries_and_bytes(runner: ScriptRunner) -> None:
    by_count = Batcher(runner, _script(COUNTING), batch=16)
    assert sorted(await asyncio.gather(*(by_count.put("a", "x") for _ in range(40)))) == [8] * 8 + [16] * 32
    by_weight = Batcher(runner, _script(COUNTING), batch_bytes=100)
    assert set(await asyncio.gather(*(by_weight.put("b", "x", weight=40) for _ in range(6)))) == {2}
    heavy = await asyncio.gather(by_weight.put("b", "x", weight=1000), by_weight.put("b", "x", weight=1000))
    assert heavy == [1, 1]


async def test_keys_have_calls_of_their_own(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    assert await asyncio.gather(batcher.put("a", "1"), batcher.put("b", "1"), batcher.put("a", "2")) == [2, 1, 2]


async def test_a_full_queue_refuses_and_what_was_accepted_is_written(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING), capacity=5)
    accepted = [batcher.put("list", str(n)) for n in range(5)]
    with pytest.raises(Busy):
        batcher.put("list", "refused")
    await asyncio.gather(*accepted)
    assert batcher.waiting == 0
    await batcher.put("list", "welcome again")
    assert await runner.redis.llen("list") == 6


async def test_a_waiter_that_leaves_does_not_take_its_write_along(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))

    async def waiter(text: str) -> None:
        await batcher.put("list", text)

    tasks = [asyncio.create_task(waiter(str(n))) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await batcher.close()
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 10
    assert sorted(map(int, await runner.redis.lrange("list", 0, -1))) == list(range(20))


async def test_closing_waits_for_what_was_accepted_and_accepts_no_more(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    accepted = batcher.put("list", "1")
    await batcher.close()
    assert accepted.done()
    with pytest.raises(Busy):
        batcher.put("list", "2")


async def test_a_script_the_server_has_forgotten_is_sent_again(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    await batcher.put("list", "1")
    await runner.redis.script_flush()
    await batcher.put("list", "2")
    assert await runner.redis.llen("list") == 2


async def test_a_script_that_fails_fails_for_everyone_in_the_call_and_only_for_them(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script(COUNTING))
    await runner.redis.set("word", "not a list")
    outcomes = await asyncio.gather(*(batcher.put("word", "x") for _ in range(3)), return_exceptions=True)
    assert all("WRONGTYPE" in str(outcome) for outcome in outcomes)
    assert await batcher.put("list", "x") == 1


async def test_a_call_that_answers_too_little_is_an_error_and_nobody_waits_for_ever(runner: ScriptRunner) -> None:
    batcher = Batcher(runner, _script("return {1}"))
    outcomes = await asyncio.gather(*(batcher.put("list", "x") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, RuntimeError) for outcome in outcomes)


async def test_a_server_that_is_away_is_said_after_the_time_given(tmp_path: Path) -> None:
    client = create_redis(Settings(redis_url=Secret(f"unix://{tmp_path}/nobody.sock")))
    batcher = Batcher(ScriptRunner(client, Durability(waits_for_aof=False)), _script(COUNTING), retry_seconds=0.2)
    outcomes = await asyncio.gather(*(batcher.put("list", "x") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, ServiceUnavailable) for outcome in outcomes)
    with pytest.raises(ServiceUnavailable):
        await require_durable(client)
    await client.aclose()


async def test_a_script_is_found_by_package_and_name() -> None:
    script = load_script("exam_engine.delivery", "save")
    assert script.text.startswith("-- Save answers")
    assert len(script.sha) == 40


async def test_our_own_valkey_is_durable(runner: ScriptRunner) -> None:
    assert await require_durable(runner.redis) == Durability(waits_for_aof=False)


@pytest.fixture
def other_valkey(servers: EmbeddedServers, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Start a Valkey with other settings; the test gives them."""
    started: list[subprocess.Popen[bytes]] = []

    async def start(**options: str) -> Redis:
        path = tmp_path / f"v{len(started)}.sock"
        command = [str(servers.places.binaries.valkey_server), "--port", "0", "--unixsocket", str(path)]
        command += ["--dir", str(tmp_path), "--save", "", "--appenddirname", f"aof{len(started)}"]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", value]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        client = create_redis(Settings(redis_url=Secret(f"unix://{path}")))
        for _ in range(200):
            try:
                await client.ping()
            except RedisError:
                await asyncio.sleep(0.02)
            else:
                return client
        raise AssertionError("it did not start")

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        pytest.param({"appendonly": "no"}, "appendonly yes", id="no file at all"),
        pytest.param({"appendonly": "yes", "appendfsync": "no"}, "appendfsync always", id="no fsync"),
        pytest.param(
            {"appendonly": "yes", "appendfsync": "always", "maxmemory_policy": "allkeys-lru"},
            "maxmemory-policy noeviction",
            id="eviction",
        ),
        pytest.param(
            {"appendonly": "yes", "appendfsync": "always", "no_appendfsync_on_rewrite": "yes"},
            "no-appendfsync-on-rewrite no",
            id="no fsync while rewriting",
        ),
    ],
)
async def test_a_redis_that_would_lose_answers_is_refused_with_what_to_set(
    other_valkey,  # type: ignore[no-untyped-def]
    options: dict[str, str],
    finding: str,
) -> None:
    client = await other_valkey(**options)
    with pytest.raises(RedisNotDurable, match=finding):
        await require_durable(client)
    await client.aclose()


async def test_with_fsync_every_second_an_acknowledgement_waits_for_the_file(other_valkey) -> None:  # type: ignore[no-untyped-def]
    client = await other_valkey(appendonly="yes", appendfsync="everysec")
    durability = await require_durable(client)
    assert durability.waits_for_aof
    batcher = Batcher(ScriptRunner(client, durability), _script(COUNTING))
    assert await asyncio.gather(*(batcher.put("list", str(n)) for n in range(5))) == [5] * 5
    info = await client.info("persistence")
    assert info["aof_pending_bio_fsync"] == 0
    await client.aclose()


async def test_a_master_that_becomes_a_replica_before_a_write_is_safe_is_away(other_valkey) -> None:  # type: ignore[no-untyped-def]
    client = await other_valkey(appendonly="yes")
    await client.script_load(COUNTING)
    batcher = Batcher(ScriptRunner(client, Durability(False, replicas=1)), _script(COUNTING), retry_seconds=0.1)
    writing = batcher.put("list", "1")
    async with asyncio.timeout(30):
        while not (await client.info("clients"))["blocked_clients"]:
            await asyncio.sleep(0.01)
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(ServiceUnavailable):
        await writing
    with pytest.raises(ServiceUnavailable):
        await batcher.put("list", "2")
    await client.aclose()


async def test_calls_on_one_connection_get_their_own_replies_and_errors(runner: ScriptRunner) -> None:
    echo = _script("return ARGV[1] == 'ill' and redis.error_reply('ILL') or ARGV[1]")
    asked = [str(n) if n % 7 else "ill" for n in range(100)]
    found = await asyncio.gather(*(runner.read(echo, "k", [text]) for text in asked), return_exceptions=True)
    assert [str(one) if isinstance(one, RedisError) else one.decode() for one in found] == [
        "ILL" if text == "ill" else text for text in asked
    ]


async def test_a_connection_that_the_server_closes_is_opened_anew(runner: ScriptRunner, redis: Redis) -> None:
    number = _script("return redis.call('INCR', KEYS[1])")
    assert await runner.read(number, "n", []) == 1
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await asyncio.gather(*(runner.read(number, "n", []) for _ in range(3))) == [2, 3, 4]


async def test_who_leaves_does_not_take_the_reply_of_the_next(runner: ScriptRunner) -> None:
    echo = _script("return ARGV[1]")
    assert await runner.read(echo, "k", ["first"]) == b"first"
    leaving = asyncio.ensure_future(runner.read(echo, "k", ["left"]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await runner.read(echo, "k", ["next"]) == b"next"
