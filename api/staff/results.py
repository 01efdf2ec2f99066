"""Scores for staff: score runs with what changed, graduation runs, releases prepared by one and approved by another."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, JSONBody

from api.acts import Act, engine_of, staff_act
from api.staff.exams import require_exam_for
from exam_engine.delivery import service as sittings
from exam_engine.delivery.draining import waiting
from exam_engine.delivery.model import SittingState
from exam_engine.identity.permissions import Permission
from exam_engine.results import service as results
from exam_engine.results.model import GraduationRun, Release, RunSummary, ScoreRun
from scoring.rescoring import Rescoring

Request_ = Request[Any, Any, Any]


class ScoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sittings to score (none named: every closed one of the exam), and why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    sittings: tuple[UUID, ...] = ()


class GraduationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which rules; none named: those of the exam."""

    rule_set: str | None = None


class ReleaseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When results become public; none given: the moment of the exam."""

    release_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    graduation_run_id: UUID | None = None


class RunView(msgspec.Struct, frozen=True):
    """A score run, without its key."""

    id: UUID
    sitting_id: UUID
    number: int
    key_version: int
    rule_version: str
    input_hash: str
    n_scored: int
    n_changed: int
    reason: str

    @classmethod
    def of(cls, run: ScoreRun) -> "RunView":
        """Show a run."""
        return cls(
            run.id,
            run.sitting_id,
            run.number,
            run.key_version,
            run.rule_version,
            run.input_hash,
            run.n_scored,
            run.n_changed,
            run.reason,
        )


class ScoreView(msgspec.Struct, frozen=True):
    """One candidate's score in a run; hundredths, slots as decimals."""

    total: int
    slots: dict[int, str]


class ResultController(Controller):
    """`/api/exams/{code}/…runs`, `/api/releases`, `/api/score-runs`."""

    path = "/api"
    tags = ("results",)

    @post("/exams/{code:str}/score-runs", summary="Score closed sittings")
    async def score(self, request: Request_, code: FromPath[str], data: JSONBody[ScoreBody]) -> list[RunView]:
        """Score as new runs; what was scored before stays as it is."""
        async with staff_act(request, Permission.RUN_SCORES) as act:
            return [RunView.of(run) for run in await score_exam(request, act, code, data.reason, data.sittings)]

    @get("/exams/{code:str}/score-runs", summary="Score runs of an exam")
    async def runs(self, request: Request_, code: FromPath[str]) -> list[RunSummary]:
        """Answer the runs, newest first."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.READ_RESULTS)
            return await results.load_runs(act.session, exam.id)

    @get("/score-runs/{run_id:uuid}/scores", summary="Scores of a run by candidate number")
    async def scores(self, request: Request_, run_id: FromPath[UUID]) -> dict[str, ScoreView]:
        """Answer every candidate's total and slots."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            await _require_run(act, run_id)
            found = await results.load_scores(act.session, run_id)
            return {
                number: ScoreView(score.total, {slot: str(value) for slot, value in score.slots.items()})
                for number, score in found.items()
            }

    @get("/score-runs/{run_id:uuid}/changes", summary="What a run changed against the one before")
    async def changes(self, request: Request_, run_id: FromPath[UUID]) -> Rescoring:
        """Answer the before/after list with the cause per slot."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            await _require_run(act, run_id)
            return await results.compare_runs(act.session, run_id)

    @post("/exams/{code:str}/graduation-runs", summary="Compute graduation scores")
    async def graduate(self, request: Request_, code: FromPath[str], data: JSONBody[GraduationBody]) -> GraduationRun:
        """Compute every candidate's graduation score with its trace."""
        async with staff_act(request, Permission.RUN_SCORES) as act:
            exam = await require_exam_for(act, code, Permission.RUN_SCORES)
            return await results.compute_graduation(
                act.session, exam.id, rule_set=data.rule_set, actor=act.actor, now=act.now
            )

    @post("/exams/{code:str}/releases", summary="Prepare a release")
    async def prepare(self, request: Request_, code: FromPath[str], data: JSONBody[ReleaseBody]) -> Release:
        """Freeze the results that will be shown; somebody else approves them."""
        async with staff_act(request, Permission.RELEASE_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.RELEASE_RESULTS)
            return await results.prepare_release(
                act.session,
                exam.id,
                release_at=data.release_at,
                graduation_run_id=data.graduation_run_id,
                actor=act.actor,
                now=act.now,
            )

    @get("/exams/{code:str}/releases", summary="Releases of an exam")
    async def releases(self, request: Request_, code: FromPath[str]) -> list[Release]:
        """Answer the releases, newest first."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.READ_RESULTS)
            return await results.load_releases(act.session, exam.id)

    @post("/releases/{release_id:uuid}/approve", summary="Approve a release", status_code=200)
    async def approve(self, request: Request_, release_id: FromPath[UUID]) -> Release:
        """Let a release become public at its moment; never by who prepared it."""
        async with staff_act(request, Permission.RELEASE_RESULTS) as act:
            await require_release(act, release_id)
            return await results.approve_release(act.session, release_id, actor=act.actor, now=act.now)


async def score_exam(
    request: Request_, act: Act, code: str, reason: str, wanted: tuple[UUID, ...] = ()
) -> list[ScoreRun]:
    """Score the closed sittings of an exam; the JSON route and the page share this."""
    exam = await require_exam_for(act, code, Permission.RUN_SCORES)
    redis = engine_of(request).redis
    runs = []
    for context in await sittings.load_sittings(act.session, exam_id=exam.id):
        sitting = context.sitting
        if (wanted and sitting.id not in wanted) or (not wanted and sitting.state is not SittingState.CLOSED):
            continue
        pending = await waiting(redis, sitting)
        runs.append(
            await results.score_sitting(
                act.session, sitting.id, actor=act.actor, now=act.now, reason=reason, pending_writes=pending
            )
        )
    return runs


async def require_release(act: Act, release_id: UUID) -> Release:
    """Return a release of an exam in the person's units."""
    release, _ = await results.load_release(act.session, release_id)
    await require_exam_for(act, release.exam_id, Permission.RELEASE_RESULTS)
    return release


async def _require_run(act: Act, run_id: UUID) -> None:
    run = await results.load_run(act.session, run_id)
    context = await sittings.load_sitting(act.session, run.sitting_id)
    await require_exam_for(act, context.exam_code, Permission.READ_RESULTS)
