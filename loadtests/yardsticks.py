"""Servers to measure ours against: what a save costs at the least, and what it costs done plainly.

Both take the same request, keep the same token, and call the same script on the same keys as the product.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Litestar, Request, post
from litestar.params import FromPath, JSONBody

from exam_engine.delivery import tokens
from exam_engine.delivery.packing import pack_response
from exam_engine.delivery.places import PACKAGE, place_of
from exam_engine.delivery.wire import SaveBody
from exam_engine.infra.clock import system_clock, to_milliseconds
from exam_engine.infra.redis_client import Batcher, Durability, ScriptRunner, create_redis, load_script
from exam_engine.infra.secrets import derive_key, load_master_secret
from exam_engine.infra.settings import load_settings

SITTING = "BENCH_SITTING"
_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
_ID = slice(len("/api/attempts/"), len("/api/attempts/") + 36)

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def bare() -> Asgi:
    """Build the bare server: a token, a decoded body, one batched script; nothing else is looked at."""
    settings = load_settings({name: text for name, text in os.environ.items() if name.startswith("EXAM_")})
    key = derive_key(load_master_secret(settings), tokens.PURPOSE)
    redis = create_redis(settings)
    saves = Batcher(ScriptRunner(redis, Durability(waits_for_aof=False)), load_script(PACKAGE, "save"))
    decode = msgspec.json.Decoder(SaveBody).decode
    encode = msgspec.json.Encoder().encode
    stream = place_of(UUID(os.environ[SITTING]), 1, UUID(int=0)).stream
    gates: dict[str, bytes] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if not scope["path"].startswith("/api/attempts/"):
            await _answer(send, b"{}")
            return
        token = next(value for name, value in scope["headers"] if name == b"authorization")
        now_ms = to_milliseconds(system_clock())
        tokens.check_token(key, token[7:].decode(), now_ms)
        body = decode((await receive())["body"])
        arguments: list[Any] = []
        for response in body.responses:
            arguments += (response.slot, _packed(response))
        attempt, entry = scope["path"][_ID], (f"{body.lease} {now_ms} {body.responses[0].sequence}", *arguments)
        reply = await saves.put(stream, attempt, gates.get(attempt, b""), *entry)
        if isinstance(reply, bytes):
            gates[attempt] = reply
            reply = await saves.put(stream, attempt, reply, *entry)
        await _answer(send, encode({"saved": [response.sequence for response in body.responses], "newest": reply}))

    return app


def plain() -> Litestar:
    """Build the plain server: the framework, and one call of redis-py for each save."""
    settings = load_settings({name: text for name, text in os.environ.items() if name.startswith("EXAM_")})
    key = derive_key(load_master_secret(settings), tokens.PURPOSE)
    script = create_redis(settings).register_script(load_script(PACKAGE, "save").text)
    stream = place_of(UUID(os.environ[SITTING]), 1, UUID(int=0)).stream
    gates: dict[str, bytes] = {}

    @post("/api/attempts/{attempt_id:uuid}/responses", status_code=200)
    async def save(
        request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[SaveBody]
    ) -> dict[str, Any]:
        now_ms = to_milliseconds(system_clock())
        tokens.check_token(key, request.headers["authorization"][7:], now_ms)
        arguments: list[Any] = []
        for response in data.responses:
            arguments += (response.slot, _packed(response))
        attempt, entry = str(attempt_id), (f"{data.lease} {now_ms} {data.responses[0].sequence}", *arguments)
        (reply,) = await script(keys=[stream], args=[len(entry) + 2, attempt, gates.get(attempt, b""), *entry])
        if isinstance(reply, bytes):
            gates[attempt] = reply
            (reply,) = await script(keys=[stream], args=[len(entry) + 2, attempt, reply, *entry])
        return {"saved": [response.sequence for response in data.responses], "newest": reply}

    return Litestar([save], logging_config=None, openapi_config=None)


def _packed(response: Any) -> bytes:
    return pack_response(response.sequence, response.client_time_ms, msgspec.json.encode(response.value), True)


async def _answer(send: Any, body: bytes) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
