"""The page that takes in candidates' photos: one ZIP archive, named by candidate number, all or none."""

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, MultipartBody
from litestar.response import Template

from api.acts import staff_act
from api.pages.staff_page import done, refusal, staff_page
from api.pages.uploads import read_upload
from api.staff.exams import require_managed_exam
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.photo_files import read_photo_archive
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError, FileRefused, RowError
from exam_engine.infra.i18n import N_

Request_ = Request[Any, Any, Any]
NOTHING_CHOSEN = N_("choose a ZIP archive of photos")


class PhotoForm(msgspec.Struct, frozen=True):
    """An archive of photos."""

    file: UploadFile | None = None


class PhotoPages(Controller):
    """`/staff/exams/{code}/photos`."""

    path = "/staff/exams/{code:str}/photos"
    include_in_schema = False

    @get("/")
    async def form(self, request: Request_, code: FromPath[str]) -> Template:
        """Show the form."""
        return await _page(request, code)

    @post("/", status_code=200)
    async def take(self, request: Request_, code: FromPath[str], data: MultipartBody[PhotoForm]) -> Response[Any]:
        """Take the photos in; a refused archive says which files are wrong."""
        try:
            kept = await read_upload("file", data.file)
            if kept is None:
                raise FileRefused("", [RowError("file", NOTHING_CHOSEN, message=NOTHING_CHOSEN)])
            async with staff_act(request, Permission.MANAGE_EXAMS) as act:
                exam = await require_managed_exam(act, code)
                report = await enrolment.import_photos(
                    act.session,
                    exam,
                    read_photo_archive(kept.name, kept.content),
                    kept.name,
                    actor=act.actor,
                    now=act.now,
                )
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _page(request, code, problem=problem, status_code=status)
        said = N_("{photos} photos are stored; {without} candidates have none.")
        return done(request, f"/staff/exams/{code}/photos", said, photos=report.photos, without=report.without)


async def _page(
    request: Request_, code: str, *, problem: dict[str, Any] | None = None, status_code: int = 200
) -> Template:
    async with staff_act(request, Permission.MANAGE_EXAMS) as act:
        exam = await require_managed_exam(act, code)
        return staff_page(
            request, act.person, "staff/exams/photos.html", status_code=status_code, exam=exam, problem=problem
        )
