"""Rooms whose network is out: the code that opens the papers they have fetched, and answers that come on a stick."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, post
from litestar.params import FromPath, JSONBody

from api.acts import Act, delivery_of, engine_of, staff_act
from api.staff.room_rights import require_room
from api.staff.sittings import desk_of, require_sitting
from exam_engine.delivery import hand_over
from exam_engine.delivery.hand_over import HandOverFile, Restored
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.service.release import ReleaseCode, release_code
from exam_engine.identity.permissions import Permission

Request_ = Request[Any, Any, Any]


class OfflineController(Controller):
    """`/api/sittings/{sitting_id}/rooms/{room_id}/release-code` and `/api/sittings/{sitting_id}/hand-over`."""

    path = "/api/sittings/{sitting_id:uuid}"
    tags = ("sittings",)

    @post("/rooms/{room_id:uuid}/release-code", summary="The release code of a room", status_code=200)
    async def code(self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]) -> ReleaseCode:
        """Tell the code once the sitting has started there; who asked is written into the record."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            return await tell_code(request, act, sitting_id, room_id)

    @post("/hand-over", summary="Answers from a hand-over file", status_code=200)
    async def hand_over(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[HandOverFile]) -> Restored:
        """Save a seat's answers by the rules of every save; edited files are refused, a second time changes nothing."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            return await take_in(request, act, sitting_id, data)


async def tell_code(request: Request_, act: Act, sitting_id: UUID, room_id: UUID) -> ReleaseCode:
    """Tell the release code to somebody who may invigilate in the room."""
    _, room = await require_room(act, sitting_id, room_id, Permission.INVIGILATE)
    secret = engine_of(request).master_secret
    return await release_code(desk_of(request, act), SittingId(sitting_id), room.code, secret)


async def take_in(request: Request_, act: Act, sitting_id: UUID, file: HandOverFile) -> Restored:
    """Take a hand-over file in for somebody who may invigilate where that candidate sits."""
    await _require_place(request, act, sitting_id, AttemptId(file.attempt_id))
    return await hand_over.restore_file(delivery_of(request), desk_of(request, act), SittingId(sitting_id), file)


async def _require_place(request: Request_, act: Act, sitting_id: UUID, attempt_id: AttemptId) -> None:
    """Refuse who may invigilate neither on the exam's unit nor at the site of this candidate's room."""
    roll = await delivery_of(request).roll(SittingId(sitting_id))
    seat = roll.seats.get(attempt_id)
    if seat is None or seat.room_id is None:
        await require_sitting(act, sitting_id, Permission.INVIGILATE)
    else:
        await require_room(act, sitting_id, seat.room_id, Permission.INVIGILATE)
