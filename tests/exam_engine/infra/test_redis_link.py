"""One connection for many calls, on a real Valkey that closes it, or hangs, in the midst of them."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from exam_engine.infra import redis_link
from exam_engine.infra.embedded.servers import EmbeddedServers
from exam_engine.infra.redis_client import create_redis
from exam_engine.infra.redis_link import Link
from exam_engine.infra.settings import Secret, Settings

CALLERS, KILLS = 12, 120


async def test_nobody_gets_the_reply_of_another_however_often_the_connection_is_closed(
    settings: Settings, redis: Redis
) -> None:
    client = create_redis(settings)
    link = Link(client)
    answered = asyncio.Semaphore(0)
    is_over = False

    async def ask(caller: int) -> None:
        number = 0
        while not is_over:
            number += 1
            asked = f"{caller} {number}".encode()
            try:
                assert await link.call("ECHO", asked) == asked
            except RedisConnectionError:
                continue  # as it may be: the connection was closed twice
            finally:
                answered.release()
            for _ in range(number % 4):  # so that some begin while others have just failed
                await asyncio.sleep(0)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for caller in range(CALLERS):
            group.create_task(ask(caller))
        for _ in range(KILLS):
            await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            for _ in range(10 * CALLERS):
                await answered.acquire()
        is_over = True
    await client.aclose()


async def test_a_server_that_hangs_keeps_nobody_waiting_who_has_much_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "REPLY_SECONDS", 0.1)
    with EmbeddedServers(tmp_path, with_postgresql=False) as servers:
        client = create_redis(Settings(redis_url=Secret(str(servers.redis_url))))
        link = Link(client)
        process = (await client.info("server"))["process_id"]
        os.kill(process, signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                with pytest.raises(RedisTimeoutError):
                    await link.call("SET", "key", b"x" * 3_000_000)
        finally:
            os.kill(process, signal.SIGCONT)
        assert await link.call("EXISTS", "key") == 0
        await client.aclose()
