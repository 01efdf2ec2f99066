"""Calibration for staff: ask for a run, watch it, read its items, accept or hold their parameters."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, JSONBody

from api.acts import Act, staff_act
from api.staff.exams import require_exam_for
from exam_engine.calibration import service as calibration
from exam_engine.calibration.choices import AnchorUse, Blank, ModelFamily, RunSettings
from exam_engine.calibration.findings import ItemReport, Outcome
from exam_engine.calibration.model import CalibrationItem, CalibrationRun, Decision, Progress, Refusal, RunState
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import ExamSubject
from exam_engine.identity.permissions import Permission

Request_ = Request[Any, Any, Any]
Names = Annotated[tuple[str, ...], msgspec.Meta(max_length=2000)]


class CalibrationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to calibrate and how; no sittings named means every closed one of the subject."""

    sittings: tuple[UUID, ...] = ()
    family: ModelFamily = ModelFamily.AUTO
    omitted: Blank = Blank.WRONG
    not_reached: Blank = Blank.MISSING
    anchors: AnchorUse = AnchorUse.NONE
    anchor_items: Names = ()
    groups_by: Annotated[str, msgspec.Meta(max_length=100)] = ""

    def settings(self) -> RunSettings:
        """Return the order as the room takes it."""
        return RunSettings(
            sitting_ids=self.sittings,
            family=self.family,
            omitted=self.omitted,
            not_reached=self.not_reached,
            anchors=self.anchors,
            anchor_items=self.anchor_items,
            groups_by=self.groups_by.replace("\x00", ""),
        )


class AcceptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items by name; none named: all open ones that nothing speaks against."""

    items: Names | None = None


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items by name, and why."""

    items: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=2000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class CalibrationView(msgspec.Struct, frozen=True):
    """A run with how far it is, and what came of it."""

    id: UUID
    exam: str
    subject: str
    number: int
    state: RunState
    progress: Progress
    is_cancel_asked: bool
    settings: RunSettings
    refusal: Refusal | None
    outcome: Outcome | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: CalibrationRun) -> "CalibrationView":
        """Show a run."""
        return cls(
            run.id,
            run.exam_code,
            run.subject_code,
            run.number,
            run.state,
            run.progress,
            run.is_cancel_asked,
            run.settings,
            run.refusal,
            run.outcome,
            run.created_by,
            run.created_at,
            run.finished_at,
        )


class CalibrationItemView(msgspec.Struct, frozen=True):
    """One item of a run with the decision on it."""

    report: ItemReport
    decision: Decision
    decided_by: str | None
    decided_at: datetime | None
    comment: str

    @classmethod
    def of(cls, item: CalibrationItem) -> "CalibrationItemView":
        """Show an item."""
        return cls(item.report, item.decision, item.decided_by, item.decided_at, item.comment)


class CalibrationController(Controller):
    """`/api/exams/{code}/subjects/{subject}/calibration-runs`, `/api/calibration-runs`."""

    path = "/api"
    tags = ("calibration",)

    @post("/exams/{code:str}/subjects/{subject:str}/calibration-runs", summary="Ask for a calibration run")
    async def request_run(
        self, request: Request_, code: FromPath[str], subject: FromPath[str], data: JSONBody[CalibrationBody]
    ) -> CalibrationView:
        """Ask for a run; a background job works on it, and its progress is read by its id."""
        async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
            found = await require_subject_for(act, code, subject, Permission.CALIBRATE_ITEMS)
            run = await calibration.request_run(act.session, found.id, data.settings(), actor=act.actor, now=act.now)
            return CalibrationView.of(run)

    @get("/exams/{code:str}/subjects/{subject:str}/calibration-runs", summary="Calibration runs of a subject")
    async def runs(self, request: Request_, code: FromPath[str], subject: FromPath[str]) -> list[CalibrationView]:
        """Answer the runs, newest first."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            found = await require_subject_for(act, code, subject, Permission.READ_STATISTICS)
            runs = await calibration.load_runs(act.session, exam_subject_id=found.id)
            return [CalibrationView.of(run) for run in runs]

    @get("/calibration-runs/{run_id:uuid}", summary="A calibration run with its progress")
    async def run(self, request: Request_, run_id: FromPath[UUID]) -> CalibrationView:
        """Answer cycle, log-likelihood and share done while it runs, the outcome afterwards."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            return CalibrationView.of(await require_run_for(act, run_id, Permission.READ_STATISTICS))

    @get("/calibration-runs/{run_id:uuid}/items", summary="Items of a calibration run")
    async def items(self, request: Request_, run_id: FromPath[UUID]) -> list[CalibrationItemView]:
        """Answer every item's parameters, fit, statistics and troubles, the most troubled first."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            run = await require_run_for(act, run_id, Permission.READ_STATISTICS)
            return [CalibrationItemView.of(item) for item in await calibration.load_items(act.session, run.id)]

    @post("/calibration-runs/{run_id:uuid}/cancel", summary="Cancel a calibration run", status_code=200)
    async def cancel(self, request: Request_, run_id: FromPath[UUID]) -> CalibrationView:
        """Stop a run; nothing of it is kept but that it was asked for."""
        async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
            run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
            return CalibrationView.of(await calibration.cancel_run(act.session, run.id, actor=act.actor, now=act.now))

    @post("/calibration-runs/{run_id:uuid}/accept", summary="Accept item parameters", status_code=200)
    async def accept(
        self, request: Request_, run_id: FromPath[UUID], data: JSONBody[AcceptBody]
    ) -> list[CalibrationItemView]:
        """Make parameters the newest version of their items; what was accepted before stays in their history."""
        async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
            run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
            accepted = await calibration.accept_items(act.session, run.id, data.items, actor=act.person, now=act.now)
            return [CalibrationItemView.of(item) for item in accepted]

    @post("/calibration-runs/{run_id:uuid}/hold", summary="Hold item parameters", status_code=200)
    async def hold(
        self, request: Request_, run_id: FromPath[UUID], data: JSONBody[ReasonBody]
    ) -> list[CalibrationItemView]:
        """Keep parameters from use, with the reason."""
        async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
            run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
            held = await calibration.hold_items(
                act.session, run.id, data.items, reason=data.reason, actor=act.person, now=act.now
            )
            return [CalibrationItemView.of(item) for item in held]

    @post("/calibration-runs/{run_id:uuid}/reopen", summary="Take decisions back", status_code=200)
    async def reopen(
        self, request: Request_, run_id: FromPath[UUID], data: JSONBody[ReasonBody]
    ) -> list[CalibrationItemView]:
        """Undo by a new version: of accepted items, what held before holds again."""
        async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
            run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
            reopened = await calibration.reopen_items(
                act.session, run.id, data.items, reason=data.reason, actor=act.person, now=act.now
            )
            return [CalibrationItemView.of(item) for item in reopened]


async def require_subject_for(act: Act, code: str, subject: str, permission: Permission) -> ExamSubject:
    """Return a subject of an exam on whose unit the person holds a permission."""
    exam = await require_exam_for(act, code, permission)
    return await enrolment.require_subject(act.session, exam.id, subject)


async def require_run_for(act: Act, run_id: UUID, permission: Permission) -> CalibrationRun:
    """Return a run of an exam on whose unit the person holds a permission."""
    run = await calibration.load_run(act.session, run_id)
    await require_exam_for(act, run.exam_code, permission)
    return run
