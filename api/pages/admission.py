"""Pages of admission: quotas, allocation runs with cut-offs, every applicant with the reason for each aspiration."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery, Parameter
from litestar.response import Template

from api.acts import staff_act
from api.language import language_of
from api.pages.staff_page import done, refusal, staff_page
from api.pages.table_imports import ConfirmForm, TableForm, TableImport, check_table, take_table
from api.pages.uploads import KeptFile
from api.staff.admission import import_choices
from api.staff.exams import require_exam_for
from exam_engine.admission import service as admission
from exam_engine.admission.explanations import reason_text
from exam_engine.admission.model import OutcomeOrder, OutcomeQuery
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import ExamKind, ImportReport
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, translator

PAGE_SIZE = 50
ORDERS = {order.value for order in OutcomeOrder}
WHAT = {"programmes": N_("Import programmes"), "aspirations": N_("Import aspirations")}
STATES = {"computed": N_("computed"), "released": N_("released"), "withdrawn": N_("withdrawn")}


class AdmissionPages(Controller):
    """`/staff/admission`."""

    path = "/staff/admission"
    include_in_schema = False

    @get("/")
    async def exams(self, request: Request[Any, Any, Any]) -> Template:
        """List intakes."""
        async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
            units = frozenset(map(UUID, map(str, await act.units(Permission.MANAGE_ADMISSION))))
            rows = [
                (
                    exam,
                    await admission.load_programmes(act.session, exam.id),
                    await admission.load_runs(act.session, exam.id),
                )
                for exam in await enrolment.load_exams(act.session, units)
                if exam.kind is ExamKind.INTAKE
            ]
            return staff_page(request, act.person, "staff/admission/list.html", rows=rows)

    @get("/{code:str}")
    async def exam(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        q: FromQuery[Annotated[str, Parameter(max_length=100)]] = "",
        programme: FromQuery[str] = "",
        decision: FromQuery[str] = "",
        sort: FromQuery[str] = "number",
        page: FromQuery[Annotated[int, Parameter(ge=1, le=100_000)]] = 1,
    ) -> Template:
        """Show an intake: programmes, the newest run, its cut-offs and outcomes."""
        return await _exam_page(request, code, q=q, programme=programme, decision=decision, sort=sort, page_number=page)

    @post("/{code:str}/import/{what:str}", status_code=200)
    async def import_table(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        what: FromPath[str],
        data: Annotated[TableForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Response[Any]:
        """Show what a file would change, or every place that is wrong; nothing is written yet."""
        return await check_table(request, data, _table(request, code, what))

    @post("/{code:str}/import/{what:str}/confirm", status_code=200)
    async def confirm_import(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        what: FromPath[str],
        data: Annotated[ConfirmForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Take a checked file in, whole."""
        return await take_table(request, data, _table(request, code, what))

    @post("/{code:str}/allocate", status_code=200)
    async def allocate(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Response[Any]:
        """Compute a new run."""
        try:
            async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
                exam = await require_exam_for(act, code, Permission.MANAGE_ADMISSION)
                run = await admission.run_allocation(act.session, exam, actor=act.actor, now=act.now)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, problem=problem, status_code=status)
        return done(
            request,
            f"/staff/admission/{code}",
            N_("{admitted} of {applicants} applicants have a place."),
            admitted=run.n_admitted,
            applicants=run.n_applicants,
        )

    @post("/{code:str}/runs/{run_id:uuid}/release", status_code=200)
    async def release(
        self, request: Request[Any, Any, Any], code: FromPath[str], run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Make the decisions of a run public."""
        try:
            async with staff_act(request, Permission.RELEASE_ADMISSION) as act:
                run = await admission.load_run(act.session, run_id)
                await require_exam_for(act, run.exam_id, Permission.RELEASE_ADMISSION)
                await admission.release_run(act.session, run_id, release_at=act.now, actor=act.actor, now=act.now)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, problem=problem, status_code=status)
        return done(request, f"/staff/admission/{code}", N_("The decisions are public."))


def _table(request: Request[Any, Any, Any], code: str, what: str) -> TableImport:
    """Return how one kind of table is imported into an exam; an unknown kind is no address of ours."""
    if what not in WHAT:
        raise NotFoundException

    async def run(file: KeptFile, is_dry_run: bool) -> ImportReport:
        return await import_choices(request, code, file.as_upload(), what, is_dry_run=is_dry_run)

    return TableImport(
        title=WHAT[what],
        crumbs=[
            ("/staff/admission", translator(language_of(request))(N_("Admission"))),
            (f"/staff/admission/{code}", code),
        ],
        action=f"/staff/admission/{code}/import/{what}/confirm",
        permission=Permission.MANAGE_ADMISSION,
        run=run,
        page=partial(_exam_page, request, code),
    )


async def _exam_page(
    request: Request[Any, Any, Any],
    code: str,
    *,
    q: str = "",
    programme: str = "",
    decision: str = "",
    sort: str = "number",
    page_number: int = 1,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    language = language_of(request)
    translate = translator(language)
    async with staff_act(request, Permission.MANAGE_ADMISSION) as act:
        exam = await require_exam_for(act, code, Permission.MANAGE_ADMISSION)
        runs = await admission.load_runs(act.session, exam.id)
        newest = runs[0] if runs else None
        query = OutcomeQuery(
            text=q,
            programme=programme or None,
            order=OutcomeOrder(sort.lstrip("-")) if sort.lstrip("-") in ORDERS else OutcomeOrder.NUMBER,
            is_descending=sort.startswith("-"),
            is_admitted={"admitted": True, "refused": False}.get(decision),
            offset=(page_number - 1) * PAGE_SIZE,
            limit=PAGE_SIZE,
        )
        outcomes = await admission.load_outcomes(act.session, newest.id, query) if newest else None
        return staff_page(
            request,
            act.person,
            "staff/admission/exam.html",
            status_code=status_code,
            exam=exam,
            programmes=await admission.load_programmes(act.session, exam.id),
            runs=runs,
            newest=newest,
            cut_offs=await admission.load_programme_results(act.session, newest.id) if newest else (),
            outcomes=outcomes,
            page_number=page_number,
            page_count=-(-outcomes.total // PAGE_SIZE) if outcomes else 0,
            explain=lambda reason: reason_text(reason, translate, language),
            states=STATES,
            problem=problem,
        )
