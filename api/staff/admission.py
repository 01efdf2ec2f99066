"""Admission for staff: programmes and aspirations in, allocation runs, their release."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody

from api.acts import staff_act
from api.staff.exams import UploadBody, require_exam_for
from exam_engine.admission import service as admission
from exam_engine.admission.model import AllocationRun, OutcomePage, OutcomeQuery, ProgrammeResult
from exam_engine.admission.service.runs import DEFAULT_RULES
from exam_engine.enrolment.model import ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import read_table

Request_ = Request[Any, Any, Any]


class AllocateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which rule file to allocate."""

    rules: str = DEFAULT_RULES


class DecideBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When decisions become public; none given: now."""

    release_at: datetime | None = None


class AdmissionController(Controller):
    """`/api/exams/{code}/…`, `/api/allocation-runs/…`."""

    path = "/api"
    tags = ("admission",)

    @post("/exams/{code:str}/programmes", summary="Import programmes", status_code=200)
    async def programmes(
        self, request: Request_, code: FromPath[str], data: MultipartBody[UploadBody], dry_run: FromQuery[bool] = False
    ) -> ImportReport:
        """Import programmes with quotas and floors; all rows or none."""
        return await import_choices(request, code, data.file, "programmes", is_dry_run=dry_run)

    @post("/exams/{code:str}/aspirations", summary="Import aspirations", status_code=200)
    async def aspirations(
        self, request: Request_, code: FromPath[str], data: MultipartBody[UploadBody], dry_run: FromQuery[bool] = False
    ) -> ImportReport:
        """Import ranked aspirations; all rows or none."""
        return await import_choices(request, code, data.file, "aspirations", is_dry_run=dry_run)

    @post("/exams/{code:str}/allocation-runs", summary="Allocate")
    async def allocate(self, request: Request_, code: FromPath[str], data: JSONBody[AllocateBody]) -> AllocationRun:
        """Compute a new run; the runs before it stay."""
        async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
            exam = await require_exam_for(act, code, Permission.MANAGE_ADMISSION)
            return await admission.run_allocation(
                act.session, exam, rules_name=data.rules, actor=act.actor, now=act.now
            )

    @get("/exams/{code:str}/allocation-runs", summary="Allocation runs of an exam")
    async def runs(self, request: Request_, code: FromPath[str]) -> list[AllocationRun]:
        """Answer the runs, newest first."""
        async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
            exam = await require_exam_for(act, code, Permission.MANAGE_ADMISSION)
            return list(await admission.load_runs(act.session, exam.id))

    @get("/allocation-runs/{run_id:uuid}/programmes", summary="Cut-offs of a run")
    async def cut_offs(self, request: Request_, run_id: FromPath[UUID]) -> list[ProgrammeResult]:
        """Answer the programmes with their cut-offs."""
        async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
            run = await admission.load_run(act.session, run_id)
            await require_exam_for(act, run.exam_id, Permission.MANAGE_ADMISSION)
            return list(await admission.load_programme_results(act.session, run_id))

    @get("/allocation-runs/{run_id:uuid}/outcomes", summary="Outcomes of a run")
    async def outcomes(self, request: Request_, run_id: FromPath[UUID], q: FromQuery[str] = "") -> OutcomePage:
        """Answer applicants with decision and reasons."""
        async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
            run = await admission.load_run(act.session, run_id)
            await require_exam_for(act, run.exam_id, Permission.MANAGE_ADMISSION)
            return await admission.load_outcomes(act.session, run_id, OutcomeQuery(text=q, limit=500))

    @post("/allocation-runs/{run_id:uuid}/release", summary="Release the decisions of a run", status_code=200)
    async def release(self, request: Request_, run_id: FromPath[UUID], data: JSONBody[DecideBody]) -> AllocationRun:
        """Let decisions become public; never by who computed the run."""
        async with staff_act(request, Permission.RELEASE_ADMISSION) as act:
            run = await admission.load_run(act.session, run_id)
            await require_exam_for(act, run.exam_id, Permission.RELEASE_ADMISSION)
            return await admission.release_run(
                act.session, run_id, release_at=data.release_at or act.now, actor=act.actor, now=act.now
            )


async def import_choices(
    request: Request_, code: str, file: UploadFile, what: str, *, is_dry_run: bool
) -> ImportReport:
    """Import an uploaded table; the JSON route and the page share this."""
    content = await file.read()
    async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
        exam = await require_exam_for(act, code, Permission.MANAGE_ADMISSION)
        run = admission.import_programmes if what == "programmes" else admission.import_aspirations
        return await run(
            act.session,
            exam,
            read_table(content, file.filename),
            is_dry_run=is_dry_run,
            actor=act.actor,
            now=act.now,
        )
