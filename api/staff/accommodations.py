"""Accommodations of an exam: list, grant, withdraw, import; before a sitting and while it runs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from api.acts import staff_act
from api.staff.exams import UploadBody, require_managed_exam
from api.staff.sittings import desk_of
from exam_engine.delivery import service as sittings
from exam_engine.delivery.service import Reached
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.accommodations import AccommodationLine, TypedAccommodation
from exam_engine.enrolment.model import ImportReport
from exam_engine.enrolment.time_factors import show_time_factor
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import read_table

Request_ = Request[Any, Any, Any]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class AccommodationView(msgspec.Struct, frozen=True, kw_only=True):
    """One accommodation; no subject: all that have none of their own."""

    id: UUID
    candidate_number: str | None
    full_name: str
    subject: str | None
    time_factor: str  # such as 1.25
    extra_minutes: int
    note: str
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, line: AccommodationLine) -> "AccommodationView":
        """Show an accommodation."""
        return cls(
            id=line.id,
            candidate_number=line.number,
            full_name=line.full_name,
            subject=line.subject,
            time_factor=show_time_factor(line.granted.time_factor),
            extra_minutes=line.granted.extra_minutes,
            note=line.granted.note,
            changed_by=line.changed_by,
            changed_at=line.changed_at,
        )


class AccommodateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a candidate is granted in a subject, or (no subject) in all that have none of their own, and why."""

    candidate_number: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    subject: Annotated[str, msgspec.Meta(max_length=40)] = ""
    time_factor: Annotated[str, msgspec.Meta(max_length=10)] = ""
    extra_minutes: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    reason: Reason

    def typed(self) -> TypedAccommodation:
        """Return it as the use case takes it."""
        return TypedAccommodation(
            number=self.candidate_number,
            subject=self.subject,
            factor=self.time_factor,
            minutes=str(self.extra_minutes),
            note=self.note,
        )


class WithdrawBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an accommodation is taken back."""

    reason: Reason


class AccommodationImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, and which seats it reached."""

    report: ImportReport
    reached: Reached


class AccommodationController(Controller):
    """`/api/exams/{code}/accommodations`."""

    path = "/api/exams/{code:str}/accommodations"
    tags = ("exams",)

    @get("/", summary="Accommodations of an exam")
    async def accommodations(self, request: Request_, code: FromPath[str]) -> list[AccommodationView]:
        """Answer the accommodations by candidate number; to who manages the exam, since notes may tell of illnesses."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            return [AccommodationView.of(line) for line in await enrolment.load_accommodations(act.session, exam.id)]

    @post("/", summary="Grant an accommodation", status_code=200)
    async def accommodate(self, request: Request_, code: FromPath[str], data: JSONBody[AccommodateBody]) -> Reached:
        """Grant it in place of the one in the same subject; seats of open sittings get exactly the difference."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            _, reached = await sittings.accommodate(desk_of(request, act), exam, data.typed(), data.reason)
            return reached

    @post("/{accommodation_id:uuid}/withdraw", summary="Take an accommodation back", status_code=200)
    async def withdraw(
        self, request: Request_, code: FromPath[str], accommodation_id: FromPath[UUID], data: JSONBody[WithdrawBody]
    ) -> Reached:
        """Take it back; never below what would end a paper that is being written."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            desk = desk_of(request, act)
            _, reached = await sittings.withdraw_accommodation(desk, exam, accommodation_id, data.reason)
            return reached

    @post("/import", summary="Import accommodations from CSV or XLSX", status_code=200)
    async def import_table(
        self,
        request: Request_,
        code: FromPath[str],
        data: MultipartBody[UploadBody],
        dry_run: FromQuery[bool] = False,
    ) -> AccommodationImportView:
        """Import all rows or none; every wrong cell is named."""
        report, reached = await import_accommodations(
            request, code, await data.file.read(), data.file.filename, is_dry_run=dry_run
        )
        return AccommodationImportView(report=report, reached=reached)


async def import_accommodations(
    request: Request_, code: str, content: bytes, name: str, *, is_dry_run: bool
) -> tuple[ImportReport, Reached]:
    """Import an uploaded table of accommodations; the JSON route and the page share this."""
    async with staff_act(request, Permission.MANAGE_EXAMS) as act:
        exam = await require_managed_exam(act, code)
        table = read_table(content, name)
        if not is_dry_run:
            return await sittings.import_accommodations(desk_of(request, act), exam, table)
        done = await enrolment.import_accommodations(
            act.session, exam, table, is_dry_run=True, actor=act.actor, now=act.now
        )
        return done.report, Reached()
