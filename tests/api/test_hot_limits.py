"""Limits are alike on both ways to a hot route: how much, how slowly, how often, and what a server in need can take."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.candidate import FAILURES_PER_MINUTE
from api.candidate import MAXIMUM_BODY_BYTES as LARGEST
from api.hot import HotRoutes, create_server
from exam_engine.delivery.packing import unpack_response
from exam_engine.infra.redis_client import Batcher
from tests.api.conftest import House, Serving, free_port
from tests.api.test_abuse import Scene, answer, save, scene
from tests.api.test_hot import BEHIND, assert_alike, both_ways, headers_of, plain

__all__ = ["scene"]
EXAM = "lam-quen-2027"
CAPACITY = 8
MANY = 60


def narrow_server() -> HotRoutes:
    """The product's server, but for how many writes may wait in it."""
    assert Batcher.__init__.__kwdefaults__ is not None
    Batcher.__init__.__kwdefaults__["capacity"] = CAPACITY
    return create_server()


@pytest.mark.parametrize("what", ["responses", "start", "submission"])
async def test_a_body_beyond_the_limit_is_refused_alike(scene: Scene, what: str) -> None:
    sent = {"Content-Type": "application/json"}
    async with scene.seat(scene.hall, 0) as seat, scene.refused("too-large") as answers:
        for content in (b" " * (LARGEST + 1), b"{" * 1_050_000):
            front, behind = await both_ways(seat, "POST", scene.path(what), content=content, headers=sent)
            assert front.status_code == 413
            assert_alike(front, behind)
            answers += [front, behind]


async def test_a_body_that_trickles_is_given_up_alike(scene: Scene, tmp_path: Path) -> None:
    own = msgspec.structs.replace(scene.house.settings, http_port=free_port())
    whole = json.dumps(save(1, answer(2, 9, "B"))).encode()
    log = tmp_path / "impatient.log"
    with Serving(own, log, factory="tests.api.test_abuse:impatient_server"):
        async with scene.seat(scene.hall, 0, own.base_url) as seat, scene.refused(None):
            told = []
            for query in ("", "?way=behind"):
                path = scene.path("responses") + query
                head = (
                    f"POST {path} HTTP/1.1\r\nHost: seat\r\nContent-Type: application/json\r\n"
                    f"Authorization: {seat.headers['Authorization']}\r\nContent-Length: {len(whole)}\r\n\r\n"
                )
                reader, writer = await asyncio.open_connection("127.0.0.1", own.http_port)
                writer.write(head.encode() + whole[:10])
                async with asyncio.timeout(30):
                    status = await reader.readline()
                    fields = [line async for line in _lines_of_head(reader)]
                    length = next(int(line.split(b":")[1]) for line in fields if line.startswith(b"content-length"))
                    body = json.loads(await reader.readexactly(length))
                writer.close()
                # Whether the connection lives on is the server's own affair.
                names = {line.split(b":")[0] for line in fields} - {b"connection"}
                told.append((status, {**body, "instance": ""}, names))
    assert told[0] == told[1]
    assert b" 408 " in told[0][0]
    assert told[0][1]["code"] == "request-timeout"
    assert log.read_text("utf-8", errors="replace").count("request-timeout") == 2


async def test_who_mistypes_too_often_waits_alike(house: House, visitor: httpx.AsyncClient, fresh_limits: None) -> None:
    card = await house.card(EXAM, 0)
    path = "/api/candidate/sign-in"
    wrong = card.claim("0000-0000-0000")
    for _ in range(FAILURES_PER_MINUTE + 1):  # pairs: the minute may turn once on the way
        front, behind = await both_ways(visitor, "POST", path, json=wrong)
        if (front.status_code, behind.status_code) == (429, 429):
            break
    assert (front.status_code, behind.status_code) == (429, 429)
    for one in (front, behind):
        assert 1 <= int(one.headers.pop("retry-after")) <= 60
    assert headers_of(front) == headers_of(behind)
    assert {**plain(front), "detail": "", "retry_after_seconds": 0} == {
        **plain(behind),
        "detail": "",
        "retry_after_seconds": 0,
    }


async def test_a_full_queue_refuses_aloud_on_both_ways_and_keeps_exactly_what_it_acknowledged(
    scene: Scene, tmp_path: Path
) -> None:
    own = msgspec.structs.replace(scene.house.settings, http_port=free_port())
    redis = scene.house.engine.redis
    with Serving(own, tmp_path / "narrow.log", factory="tests.api.test_hot_limits:narrow_server"):
        async with scene.seat(scene.hall, 0, own.base_url) as seat:
            path = scene.path("responses")
            assert (await seat.post(path, json=save(1, answer(1, 10, "B")))).status_code == 200
            answered: list[httpx.Response] = []

            async def send(number: int) -> None:
                body = save(1, answer(1 + number % 8, 100 + number, "ABCD"[number % 4]))
                answered.append(await seat.post(path, json=body, params=BEHIND if number % 2 else None))

            await redis.client_pause(60_000, all=False)
            try:
                sending = asyncio.gather(*(send(number) for number in range(MANY)))
                async with asyncio.timeout(30):
                    while len(answered) < MANY - CAPACITY:
                        await asyncio.sleep(0.01)
                refused = list(answered)
            finally:
                await redis.client_unpause()
            await sending
    assert len(refused) == MANY - CAPACITY
    assert {one.status_code for one in refused} == {503}
    assert {(one.json()["code"], one.headers["retry-after"]) for one in refused} == {("busy", "1")}
    assert len({bool(one.request.url.query) for one in refused}) == 2
    taken = [one for one in answered if one.status_code == 200]
    assert len(taken) == CAPACITY
    assert await _held(scene) == {1: 10} | _newest(taken)


def _newest(answers: list[httpx.Response]) -> dict[int, int]:
    newest: dict[int, int] = {}
    for one in answers:
        (sent,) = json.loads(one.request.content)["responses"]
        newest[sent["slot"]] = max(sent["sequence"], newest.get(sent["slot"], 0))
    return newest


async def _held(scene: Scene) -> dict[int, Any]:
    held = await scene.register.look(scene.hall.place(), "r")
    return {slot: unpack_response(packed)[0] for slot, packed in held.responses.items()}


async def _lines_of_head(reader: asyncio.StreamReader) -> Any:
    while (line := (await reader.readline()).strip().lower()) != b"":
        yield line
