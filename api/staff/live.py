"""The live board of a room as server-sent events: plain HTTP, resumed by the browser itself with the last event's id.

Below the handler it is plain ASGI: one task sends, one notices that the browser is gone. The right to watch is asked
again every minute, and the stream ends by itself after a while, so that a browser comes back and proves who it is.
"""

import asyncio
import random
from typing import Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath
from litestar.types import Receive, Scope, Send

from api.acts import staff_act
from api.sessions import COOKIE
from api.staff.room_rights import require_room
from exam_engine.delivery.model import SittingId
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError, ServiceUnavailable
from exam_engine.invigilation.hub import Feed, Hub

ASK_AGAIN_SECONDS = 60.0
LONGEST_SECONDS = 20 * 60.0
RETRY_MS = (1_000, 4_000)  # spread, so that the boards of a stopped worker do not come back in one moment

Request_ = Request[Any, Any, Any]

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold small messages back
]


@get(
    "/api/sittings/{sitting_id:uuid}/rooms/{room_id:uuid}/events",
    include_in_schema=False,  # an answer without an end fits no schema; docs/live_board.md describes it
    media_type="text/event-stream",
)
async def room_events(request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]) -> "RoomStream":
    """Stream a room's board until the browser leaves, may no longer watch, or the worker stops."""
    await _require_right(request, sitting_id, room_id)
    return RoomStream(request, SittingId(sitting_id), room_id)


class RoomStream(Response[bytes]):
    """An answer that goes on."""

    def __init__(self, request: Request_, sitting_id: SittingId, room_id: UUID) -> None:
        super().__init__(b"", media_type="text/event-stream")
        self._request = request
        self._room = (sitting_id, room_id)

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """Answer by ourselves, without the framework's generators."""
        return self._answer

    async def _answer(self, _: Scope, receive: Receive, send: Send) -> None:
        hub: Hub = self._request.app.state.hub
        held = self._request.headers.get("last-event-id", "")[:40]
        with hub.watching(*self._room) as feed:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            sending = asyncio.create_task(_send(self._request, feed, held, send))
            leaving = asyncio.create_task(_wait_for_leaving(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                has_left = leaving.done()
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)
        if not has_left:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(request: Request_, feed: Feed, held: str, send: Send) -> None:
    sitting_id, room_id = feed.room
    clock = asyncio.get_running_loop().time
    began = asked = clock()
    retry = random.randint(*RETRY_MS)  # noqa: S311 (spreads a herd, guards nothing)
    await send({"type": "http.response.body", "body": b"retry: %d\n\n" % retry, "more_body": True})
    async for message in feed.follow(held):
        await send({"type": "http.response.body", "body": message, "more_body": True})
        now = clock()
        if now - began > LONGEST_SECONDS:
            return
        if now - asked > ASK_AGAIN_SECONDS:
            asked = now
            try:
                await _require_right(request, sitting_id, room_id)
            except ServiceUnavailable:
                continue  # nothing is known against the watcher, and a room must stay watched while PostgreSQL is away
            except (EngineError, NotAuthorizedException):
                return


async def _wait_for_leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _require_right(request: Request_, sitting_id: UUID, room_id: UUID | None) -> None:
    hub: Hub = request.app.state.hub
    async with hub.asking, staff_act(request, Permission.WATCH_ROOMS) as act:
        if room_id is None:
            raise PermissionDenied(Permission.WATCH_ROOMS)
        await require_room(act, sitting_id, room_id, Permission.WATCH_ROOMS)
    # The session was read when the stream began; signing out deletes it from the store.
    session_id = request.cookies.get(COOKIE, "")
    if not session_id or not await request.app.stores.get("sessions").exists(session_id):
        raise NotAuthorizedException
