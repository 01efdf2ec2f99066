"""Pages of exams: list, one exam with what is still to do, candidates, files in, cards."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
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
from api.staff.exams import PAGE_SIZE, import_file, require_managed_exam, require_readable_exam
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.birth_dates import show_birth_date
from exam_engine.enrolment.candidate_lists import CandidateOrder, CandidateQuery
from exam_engine.enrolment.errors import EnrolmentError
from exam_engine.enrolment.model import ImportReport, SeatingRules
from exam_engine.identity import service as identity
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_, translator

KINDS = {
    "graduation": N_("Graduation"),
    "intake": N_("Intake"),
    "assessment": N_("Assessment"),
    "practice": N_("Practice"),
}
STATES = {"planned": N_("Planned"), "open": N_("Open"), "closed": N_("Closed")}
WHAT = {"candidates": N_("Import candidates"), "marks": N_("Import marks")}


class NumberForm(msgspec.Struct, frozen=True):
    """Two digits in front of the serial number."""

    prefix: str = ""


class SeatForm(msgspec.Struct, frozen=True):
    """How rooms are filled."""

    capacity: str = "24"
    last_room_capacity: str = "28"


class ExamPages(Controller):
    """`/staff/exams`."""

    path = "/staff/exams"
    include_in_schema = False

    @get("/")
    async def exams(self, request: Request[Any, Any, Any]) -> Template:
        """List the exams the person may see."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            units = frozenset(map(UUID, map(str, await act.units(Permission.READ_EXAMS))))
            found = await enrolment.load_exams(act.session, units)
            rows = []
            for exam in found:
                page = await enrolment.list_candidates(act.session, exam.id, CandidateQuery(limit=1))
                rows.append((exam, await enrolment.load_subjects(act.session, exam.id), page.total))
            return staff_page(request, act.person, "staff/exams/list.html", rows=rows, kinds=KINDS, states=STATES)

    @get("/{code:str}")
    async def exam(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Template:
        """Show one exam: its subjects, its candidates in figures, and the next step."""
        return await _exam_page(request, code)

    @get("/{code:str}/candidates")
    async def candidates(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        q: FromQuery[Annotated[str, Parameter(max_length=100)]] = "",
        school: FromQuery[str] = "",
        subject: FromQuery[str] = "",
        sort: FromQuery[str] = "number",
        page: FromQuery[Annotated[int, Parameter(ge=1, le=100_000)]] = 1,
    ) -> Template:
        """List candidates with search, filters, order and pages."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            exam = await require_readable_exam(act, code)
            subjects = await enrolment.load_subjects(act.session, exam.id)
            units = {UUID(str(unit.id)): unit for unit in await identity.load_units(act.session)}
            school_ids = {unit.code: unit_id for unit_id, unit in units.items()}
            subject_ids = {s.code: s.id for s in subjects}
            query = CandidateQuery(
                text=q,
                school_unit_id=school_ids.get(school),
                exam_subject_id=subject_ids.get(subject),
                order=CandidateOrder.NAME if sort.lstrip("-") == "name" else CandidateOrder.NUMBER,
                is_descending=sort.startswith("-"),
                offset=(page - 1) * PAGE_SIZE,
                limit=PAGE_SIZE,
            )
            found = await enrolment.list_candidates(act.session, exam.id, query)
            schools = sorted(
                {c.school_unit_id for c in await enrolment.load_candidates(act.session, exam.id) if c.school_unit_id},
                key=lambda unit_id: units[unit_id].name if unit_id in units else "",
            )
            return staff_page(
                request,
                act.person,
                "staff/exams/candidates.html",
                may_manage=act.person.may_somewhere(Permission.MANAGE_EXAMS),
                exam=exam,
                subjects=subjects,
                units=units,
                schools=[units[unit_id] for unit_id in schools if unit_id in units],
                found=found,
                birth_date=show_birth_date,
                page_number=page,
                page_count=-(-found.total // PAGE_SIZE),
            )

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

    @post("/{code:str}/numbers", status_code=200)
    async def number(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        data: Annotated[NumberForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Number the candidates who have none."""
        try:
            async with staff_act(request, Permission.MANAGE_EXAMS) as act:
                exam = await require_managed_exam(act, code)
                report = await enrolment.assign_numbers(
                    act.session, exam, data.prefix.strip(), actor=act.actor, now=act.now
                )
        except EnrolmentError as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, typed=msgspec.to_builtins(data), status_code=status, problem=problem)
        return done(request, f"/staff/exams/{code}", N_("{given} numbers were given."), given=report.given)

    @post("/{code:str}/seats", status_code=200)
    async def seat(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        data: Annotated[SeatForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Give rooms and seats in the subjects sat on line."""
        try:
            async with staff_act(request, Permission.MANAGE_EXAMS) as act:
                exam = await require_managed_exam(act, code)
                rules = SeatingRules(capacity=_whole(data.capacity), last_room_capacity=_whole(data.last_room_capacity))
                report = await enrolment.assign_rooms(act.session, exam, rules, actor=act.actor, now=act.now)
        except EnrolmentError as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, typed=msgspec.to_builtins(data), status_code=status, problem=problem)
        return done(
            request,
            f"/staff/exams/{code}",
            N_("{seats} seats in {rooms} rooms."),
            seats=report.seats,
            rooms=report.rooms,
        )


def _table(request: Request[Any, Any, Any], code: str, what: str) -> TableImport:
    """Return how one kind of table is imported into an exam; an unknown kind is no address of ours."""
    if what not in WHAT:
        raise NotFoundException

    async def run(file: KeptFile, is_dry_run: bool) -> ImportReport:
        return await import_file(request, code, file.as_upload(), what, is_dry_run=is_dry_run)

    return TableImport(
        title=WHAT[what],
        crumbs=[
            ("/staff/exams", translator(language_of(request))(N_("Exams and candidates"))),
            (f"/staff/exams/{code}", code),
        ],
        action=f"/staff/exams/{code}/import/{what}/confirm",
        permission=Permission.MANAGE_EXAMS,
        run=run,
        page=partial(_exam_page, request, code),
    )


async def _exam_page(
    request: Request[Any, Any, Any],
    code: str,
    *,
    typed: dict[str, str] | None = None,
    status_code: int = 200,
    problem: dict[str, Any] | None = None,
) -> Template:
    async with staff_act(request, Permission.READ_EXAMS) as act:
        exam = await require_readable_exam(act, code)
        everybody = await enrolment.list_candidates(act.session, exam.id, CandidateQuery(limit=1))
        unnumbered = await enrolment.list_candidates(act.session, exam.id, CandidateQuery(has_number=False, limit=1))
        rooms = await enrolment.load_rooms(act.session, exam.id)
        return staff_page(
            request,
            act.person,
            "staff/exams/exam.html",
            status_code=status_code,
            exam=exam,
            subjects=await enrolment.load_subjects(act.session, exam.id),
            n_candidates=everybody.total,
            n_unnumbered=unnumbered.total,
            rooms=rooms,
            may_manage=act.person.may_somewhere(Permission.MANAGE_EXAMS),
            kinds=KINDS,
            states=STATES,
            typed=typed or {},
            problem=problem,
        )


def _whole(text: str) -> int:
    return int(text) if text.strip().isdecimal() and len(text) < 6 else 0
