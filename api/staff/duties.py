"""Room duties over HTTP: who watches which room of a sitting."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from api.acts import staff_act
from api.staff.exams import UploadBody
from api.staff.sittings import require_sitting
from exam_engine.delivery.model import SittingId
from exam_engine.enrolment.model import ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import read_table
from exam_engine.invigilation import service as invigilation
from exam_engine.invigilation.duties import DutyPlan, RoomDuty

Request_ = Request[Any, Any, Any]


class DutyView(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one room."""

    room_id: UUID
    user_name: str
    display_name: str
    duty: str
    given_by: str
    given_at: datetime

    @classmethod
    def of(cls, duty: RoomDuty) -> "DutyView":
        """Show a duty."""
        return cls(
            room_id=duty.room_id,
            user_name=duty.user_name,
            display_name=duty.display_name,
            duty=duty.duty.value,
            given_by=duty.given_by,
            given_at=duty.given_at,
        )


class TakeDutyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who no longer watches a room."""

    room_id: UUID
    user_name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class DutyController(Controller):
    """`/api/sittings/{sitting}/duties`."""

    path = "/api/sittings/{sitting_id:uuid}/duties"
    tags = ("sittings",)

    @get("/", summary="Who watches which room")
    async def duties(self, request: Request_, sitting_id: FromPath[UUID]) -> list[DutyView]:
        """Answer the duties of a sitting."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            return [DutyView.of(duty) for duty in await invigilation.load_duties(act.session, SittingId(sitting_id))]

    @post("/", summary="Let somebody watch a room", status_code=200)
    async def give_duty(
        self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[DutyPlan]
    ) -> list[DutyView]:
        """Give a duty; it opens the room to the person for this sitting, wherever their role was granted."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            await invigilation.give_duty(
                act.session, SittingId(sitting_id), data, on=act.today, actor=act.actor, now=act.now
            )
            return [DutyView.of(duty) for duty in await invigilation.load_duties(act.session, SittingId(sitting_id))]

    @post("/take", summary="Take a duty back", status_code=200)
    async def take_duty(
        self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[TakeDutyBody]
    ) -> list[DutyView]:
        """Take a duty back; a console that is open ends within a minute."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            await invigilation.take_duty(
                act.session,
                SittingId(sitting_id),
                data.room_id,
                data.user_name,
                on=act.today,
                actor=act.actor,
                now=act.now,
            )
            return [DutyView.of(duty) for duty in await invigilation.load_duties(act.session, SittingId(sitting_id))]

    @post("/import", summary="Import duties from CSV or XLSX", status_code=200)
    async def import_table(
        self,
        request: Request_,
        sitting_id: FromPath[UUID],
        data: MultipartBody[UploadBody],
        dry_run: FromQuery[bool] = False,
    ) -> ImportReport:
        """Import all rows or none; every wrong cell is named."""
        content = await data.file.read()
        return await import_duties(request, sitting_id, content, data.file.filename, is_dry_run=dry_run)


async def import_duties(
    request: Request_, sitting_id: UUID, content: bytes, name: str, *, is_dry_run: bool
) -> ImportReport:
    """Import an uploaded table of duties; the JSON route and the page share this."""
    async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
        await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
        return await invigilation.import_duties(
            act.session,
            SittingId(sitting_id),
            read_table(content, name),
            on=act.today,
            is_dry_run=is_dry_run,
            actor=act.actor,
            now=act.now,
        )
