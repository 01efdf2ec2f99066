"""Scores by item response theory for staff: runs on a reporting scale, beside the raw score runs."""

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
from exam_engine.results.reporting import MOST_DECIMALS, Estimator, IrtOrder, IrtRun, IrtRunSummary, IrtScore
from scoring.standards import ReportingScale

Request_ = Request[Any, Any, Any]


Points = Annotated[float, msgspec.Meta(ge=-1_000_000, le=1_000_000)]


class ScaleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Score = intercept + slope × theta, rounded half up to so many decimals, kept between its ends."""

    intercept: Points = 500.0
    slope: Points = 100.0
    lowest: Points = 200.0
    highest: Points = 800.0
    decimals: Annotated[int, msgspec.Meta(ge=0, le=MOST_DECIMALS)] = 0

    def scale(self) -> ReportingScale:
        """Return the scale; one that contradicts itself is refused."""
        return ReportingScale(**msgspec.structs.asdict(self))


class IrtScoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sittings to score (none named: every closed one), how ability is estimated, on which scale, and why."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    sittings: tuple[UUID, ...] = ()
    estimator: Estimator = Estimator.EAP
    scale: ScaleBody = ScaleBody()
    is_partial: bool = False

    def order(self) -> IrtOrder:
        """Return the order as the room takes it."""
        return IrtOrder(estimator=self.estimator, scale=self.scale.scale(), is_partial=self.is_partial)


class IrtRunView(msgspec.Struct, frozen=True):
    """A run with the parameter versions it used, without the parameters themselves."""

    id: UUID
    sitting_id: UUID
    number: int
    estimator: Estimator
    scale: ReportingScale
    parameter_versions: dict[str, int]  # by item code
    key_version: int
    input_hash: str
    n_scored: int
    reliability: float | None
    reason: str

    @classmethod
    def of(cls, run: IrtRun) -> "IrtRunView":
        """Show a run."""
        return cls(
            run.id,
            run.sitting_id,
            run.number,
            run.estimator,
            run.scale,
            {item.code: item.parameter_version for item in run.items},
            run.key_version,
            run.input_hash,
            run.n_scored,
            run.reliability,
            run.reason,
        )


class IrtScoreView(msgspec.Struct, frozen=True):
    """One candidate's ability in logits, and the reported score in hundredths; each with its standard error."""

    theta: float
    se: float
    score: int
    score_se: int
    n_items: int

    @classmethod
    def of(cls, score: IrtScore) -> "IrtScoreView":
        """Show a score."""
        return cls(score.theta, score.se, score.score, score.score_se, score.n_items)


class IrtScoreController(Controller):
    """`/api/exams/{code}/irt-runs`, `/api/irt-runs/{id}/scores`."""

    path = "/api"
    tags = ("results",)

    @post("/exams/{code:str}/irt-runs", summary="Score closed sittings by item response theory")
    async def score_by_irt(
        self, request: Request_, code: FromPath[str], data: JSONBody[IrtScoreBody]
    ) -> list[IrtRunView]:
        """Score by the newest accepted parameters as new runs; raw scores stay as they are."""
        async with staff_act(request, Permission.RUN_SCORES) as act:
            runs = await score_exam_by_irt(request, act, code, data.order(), data.reason, data.sittings)
            return [IrtRunView.of(run) for run in runs]

    @get("/exams/{code:str}/irt-runs", summary="Runs of scores by item response theory")
    async def irt_runs(self, request: Request_, code: FromPath[str]) -> list[IrtRunSummary]:
        """Answer the runs, newest first."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.READ_RESULTS)
            return await results.load_irt_runs(act.session, exam.id)

    @get("/irt-runs/{run_id:uuid}/scores", summary="Abilities and scores of a run by candidate number")
    async def irt_scores(self, request: Request_, run_id: FromPath[UUID]) -> dict[str, IrtScoreView]:
        """Answer every candidate's ability and reported score with standard errors."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            run = await results.load_irt_run(act.session, run_id)
            context = await sittings.load_sitting(act.session, run.sitting_id)
            await require_exam_for(act, context.exam_code, Permission.READ_RESULTS)
            found = await results.load_irt_scores(act.session, run_id=run.id)
            return {number: IrtScoreView.of(score) for number, score in found.items()}


async def score_exam_by_irt(
    request: Request_, act: Act, code: str, order: IrtOrder, reason: str, wanted: tuple[UUID, ...] = ()
) -> list[IrtRun]:
    """Score the closed sittings of an exam; the JSON route and the page share this."""
    exam = await require_exam_for(act, code, Permission.RUN_SCORES)
    redis = engine_of(request).redis
    runs = []
    for context in await sittings.load_sittings(act.session, exam_id=exam.id):
        sitting = context.sitting
        if (wanted and sitting.id not in wanted) or (not wanted and sitting.state is not SittingState.CLOSED):
            continue
        runs.append(
            await results.score_by_irt(
                act.session,
                sitting.id,
                order,
                actor=act.actor,
                now=act.now,
                reason=reason,
                pending_writes=await waiting(redis, sitting),
            )
        )
    return runs
