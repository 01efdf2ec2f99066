"""Exams and their candidates for staff: lists, files in, numbers, seats, cards."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, JSONBody, MultipartBody, Parameter

from api.acts import Act, engine_of, staff_act
from api.language import language_of
from api.staff.sittings import desk_of
from exam_engine.delivery import service as sittings
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.candidate_lists import CandidateOrder, CandidateQuery
from exam_engine.enrolment.model import (
    Candidate,
    Exam,
    ExamPlan,
    ExamSubject,
    ImportReport,
    NumberingReport,
    SeatingReport,
    SeatingRules,
)
from exam_engine.enrolment.time_factors import show_time_factor
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission
from exam_engine.infra.files import read_table

PAGE_SIZE = 50
FileName = Annotated[str, Parameter(max_length=200)]


class ExamView(msgspec.Struct, frozen=True, kw_only=True):
    """An exam with its subjects."""

    id: UUID
    code: str
    name: str
    year: int
    kind: str
    state: str
    rule_set: str | None
    subjects: list["SubjectView"]

    @classmethod
    def of(cls, exam: Exam, subjects: list[ExamSubject]) -> "ExamView":
        """Show an exam."""
        return cls(
            id=exam.id,
            code=exam.code,
            name=exam.name,
            year=exam.year,
            kind=exam.kind.value,
            state=exam.state.value,
            rule_set=exam.rule_set,
            subjects=[SubjectView(s.id, s.code, s.name, s.mode.value, s.minutes, s.maximum) for s in subjects],
        )


class SubjectView(msgspec.Struct, frozen=True):
    """What is examined in an exam."""

    id: UUID
    code: str
    name: str
    mode: str
    minutes: int
    maximum: int  # hundredths


class CandidateRow(msgspec.Struct, frozen=True):
    """One line of a candidate list; never a code."""

    id: UUID
    number: str | None
    full_name: str
    date_of_birth: str | None
    subjects: tuple[str, ...]
    time_factor: str  # of everybody's time, such as 1.25

    @classmethod
    def of(cls, candidate: Candidate) -> "CandidateRow":
        """Show a candidate."""
        return cls(
            candidate.id,
            candidate.number,
            candidate.full_name,
            candidate.date_of_birth,
            tuple(candidate.subjects),
            show_time_factor(candidate.time_factor),
        )


class TimeFactorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A factor on everybody's time, from 1 to 3, and why."""

    factor: Annotated[str, msgspec.Meta(min_length=1, max_length=10)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class CandidateList(msgspec.Struct, frozen=True):
    """One page of candidates, and how many there are in all."""

    total: int
    candidates: list[CandidateRow]


class UploadBody(msgspec.Struct, frozen=True):
    """A table from outside, CSV or XLSX."""

    file: UploadFile


class NumberBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How candidates are numbered."""

    prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=4, pattern=r"^\d+$", examples=["31"])]
    is_anew: bool = False


class ExamController(Controller):
    """`/api/exams`."""

    path = "/api/exams"
    tags = ("exams",)

    @get("/", summary="Exams I may see")
    async def exams(self, request: Request[Any, Any, Any]) -> list[ExamView]:
        """Answer the exams of the units on which the person may read exams."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            units = frozenset(map(UUID, map(str, await act.units(Permission.READ_EXAMS))))
            found = await enrolment.load_exams(act.session, units)
            return [ExamView.of(exam, list(await enrolment.load_subjects(act.session, exam.id))) for exam in found]

    @post("/", summary="Create an exam with its subjects")
    async def create(self, request: Request[Any, Any, Any], data: JSONBody[ExamPlan]) -> ExamView:
        """Create an exam; all of it or nothing."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await enrolment.create_exam(act.session, data, actor=act.actor, now=act.now)
            await act.require(Permission.MANAGE_EXAMS, UnitId(exam.unit_id))
            return ExamView.of(exam, list(await enrolment.load_subjects(act.session, exam.id)))

    @get("/{code:str}", summary="One exam")
    async def exam(self, request: Request[Any, Any, Any], code: FromPath[str]) -> ExamView:
        """Answer an exam with its subjects."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            exam = await require_readable_exam(act, code)
            return ExamView.of(exam, list(await enrolment.load_subjects(act.session, exam.id)))

    @get("/{code:str}/candidates", summary="Candidates of an exam")
    async def candidates(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        q: FromQuery[Annotated[str, Parameter(max_length=100)]] = "",
        sort: FromQuery[CandidateOrder] = CandidateOrder.NUMBER,
        page: FromQuery[Annotated[int, Parameter(ge=1, le=100_000)]] = 1,
    ) -> CandidateList:
        """Search by number or by words of the name, with or without marks."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            exam = await require_readable_exam(act, code)
            query = CandidateQuery(text=q, order=sort, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE)
            found = await enrolment.list_candidates(act.session, exam.id, query)
            return CandidateList(found.total, [CandidateRow.of(candidate) for candidate in found.candidates])

    @post("/{code:str}/candidates", summary="Import candidates from CSV or XLSX", status_code=200)
    async def import_candidates(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        data: MultipartBody[UploadBody],
        dry_run: FromQuery[bool] = False,
    ) -> ImportReport:
        """Import all rows or none; every wrong cell is named."""
        return await import_file(request, code, data.file, "candidates", is_dry_run=dry_run)

    @post("/{code:str}/candidates/{number:str}/time-factor", summary="Give a candidate more time", status_code=200)
    async def time_factor(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        number: FromPath[str],
        data: JSONBody[TimeFactorBody],
    ) -> CandidateRow:
        """Set the factor of a candidate for all subjects; seats of open sittings get exactly the difference."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            candidate = await enrolment.require_candidate(act.session, exam.id, number)
            changed = await enrolment.set_time_factor(
                act.session, exam, candidate, data.factor, reason=data.reason, actor=act.actor, now=act.now
            )
            await sittings.reach_open_sittings(desk_of(request, act), exam, {changed.id}, data.reason)
            return CandidateRow.of(changed)

    @post("/{code:str}/marks", summary="Import marks from CSV or XLSX", status_code=200)
    async def import_marks(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        data: MultipartBody[UploadBody],
        dry_run: FromQuery[bool] = False,
    ) -> ImportReport:
        """Import all marks or none; every wrong cell is named."""
        return await import_file(request, code, data.file, "marks", is_dry_run=dry_run)

    @post("/{code:str}/numbers", summary="Number the candidates by name", status_code=200)
    async def number(
        self, request: Request[Any, Any, Any], code: FromPath[str], data: JSONBody[NumberBody]
    ) -> NumberingReport:
        """Number candidates in the order of their names."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            return await enrolment.assign_numbers(
                act.session, exam, data.prefix, is_anew=data.is_anew, actor=act.actor, now=act.now
            )

    @post("/{code:str}/seats", summary="Give rooms and seats", status_code=200)
    async def seat(
        self, request: Request[Any, Any, Any], code: FromPath[str], data: JSONBody[SeatingRules]
    ) -> SeatingReport:
        """Fill rooms by number, the last room by its own rule."""
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            return await enrolment.assign_rooms(act.session, exam, data, actor=act.actor, now=act.now)

    @get("/{code:str}/cards.pdf", summary="Candidate cards to print", media_type="application/pdf")
    async def cards(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Response[bytes]:
        """Answer the cards with their codes; reading them is recorded."""
        from exam_engine.enrolment.documents import candidate_cards

        engine = engine_of(request)
        async with staff_act(request, Permission.MANAGE_EXAMS) as act:
            exam = await require_managed_exam(act, code)
            cards = await enrolment.candidates_for_cards(
                act.session,
                exam,
                secret=engine.master_secret,
                base_url=engine.settings.base_url,
                actor=act.actor,
                now=act.now,
            )
        body = candidate_cards(cards, language_of(request))
        headers = {"Content-Disposition": f'inline; filename="{exam.code}-cards.pdf"', "Cache-Control": "no-store"}
        return Response(body, media_type="application/pdf", headers=headers)


async def require_readable_exam(act: Act, code: str) -> Exam:
    """Return an exam the person may read."""
    return await require_exam_for(act, code, Permission.READ_EXAMS)


async def require_managed_exam(act: Act, code: str) -> Exam:
    """Return an exam the person may manage."""
    return await require_exam_for(act, code, Permission.MANAGE_EXAMS)


async def import_file(
    request: Request[Any, Any, Any], code: str, file: UploadFile, what: str, *, is_dry_run: bool
) -> ImportReport:
    """Import an uploaded table into an exam; the JSON route and the page share this."""
    content = await file.read()
    async with staff_act(request, Permission.MANAGE_EXAMS) as act:
        exam = await require_managed_exam(act, code)
        table = read_table(content, file.filename)
        run = enrolment.import_candidates if what == "candidates" else enrolment.import_marks
        report = await run(act.session, exam, table, is_dry_run=is_dry_run, actor=act.actor, now=act.now)
        await sittings.reach_after_import(desk_of(request, act), exam, report)
        return report


async def require_exam_for(act: Act, reference: str | UUID, permission: Permission) -> Exam:
    """Return an exam, by code or id, on whose unit the person holds a permission."""
    if isinstance(reference, UUID):
        exam = await enrolment.require_exam_by_id(act.session, reference)
    else:
        exam = await enrolment.require_exam(act.session, reference)
    await act.require(permission, UnitId(exam.unit_id))
    return exam
