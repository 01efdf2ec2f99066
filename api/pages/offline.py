"""The page for a room whose network is out: its release code, and the hand-over files of its seats."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import staff_act
from api.pages.staff_page import refusal, staff_page
from api.pages.uploads import read_upload
from api.staff.offline import take_in, tell_code
from api.staff.room_rights import reach
from exam_engine.delivery import hand_over
from exam_engine.identity.errors import PermissionDenied
from exam_engine.identity.permissions import Permission
from exam_engine.infra.clock import from_milliseconds
from exam_engine.infra.errors import EngineError

Request_ = Request[Any, Any, Any]


class FileForm(msgspec.Struct, frozen=True):
    """A hand-over file."""

    file: UploadFile | None = None


class OfflinePages(Controller):
    """`/staff/sittings/{sitting_id}/offline`."""

    path = "/staff/sittings/{sitting_id:uuid}/offline"
    include_in_schema = False

    @get("/")
    async def offline(self, request: Request_, sitting_id: FromPath[UUID]) -> Template:
        """Show the rooms and the field for a file."""
        return await _offline_page(request, sitting_id)

    @post("/rooms/{room_id:uuid}/code", status_code=200)
    async def code(self, request: Request_, sitting_id: FromPath[UUID], room_id: FromPath[UUID]) -> Template:
        """Show a room's release code, large enough to read out."""
        try:
            async with staff_act(request, Permission.INVIGILATE) as act:
                told = await tell_code(request, act, sitting_id, room_id)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _offline_page(request, sitting_id, problem=problem, status_code=status)
        return await _offline_page(request, sitting_id, told=told)

    @post("/hand-over", status_code=200)
    async def take_file(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        data: Annotated[FileForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Template:
        """Take a hand-over file in and say what came of it."""
        upload = await read_upload("file", data.file)
        if upload is None:
            return await _offline_page(request, sitting_id)
        try:
            async with staff_act(request, Permission.INVIGILATE) as act:
                restored = await take_in(request, act, sitting_id, hand_over.read_file(upload.content))
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _offline_page(request, sitting_id, problem=problem, status_code=status)
        made_at = from_milliseconds(restored.made_at_ms)
        return await _offline_page(request, sitting_id, restored=restored, made_at=made_at)


async def _offline_page(request: Request_, sitting_id: UUID, *, status_code: int = 200, **more: Any) -> Template:
    async with staff_act(request, Permission.INVIGILATE) as act:
        reached = await reach(act, sitting_id, Permission.INVIGILATE)
        if not reached.rooms and not reached.is_whole:
            raise PermissionDenied(Permission.INVIGILATE)
        shown = {"told": None, "restored": None, "made_at": None, "problem": None, **more}
        return staff_page(
            request,
            act.person,
            "staff/sittings/offline.html",
            status_code=status_code,
            context=reached.context,
            rooms=reached.rooms,
            **shown,
        )
