"""Pages of scores: exams, one exam's runs with what changed, graduation, releases."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import actor_names, engine_of, staff_act
from api.pages.staff_page import done, refusal, staff_page
from api.staff.exams import require_exam_for
from api.staff.irt_scores import score_exam_by_irt
from api.staff.results import require_release, score_exam
from exam_engine.delivery import service as sittings
from exam_engine.enrolment import service as enrolment
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_
from exam_engine.results import service as results
from exam_engine.results.reporting import MOST_DECIMALS, STANDARD_SCALE, Estimator, IrtOrder
from scoring.errors import ScaleInvalid, ScoringError
from scoring.standards import ReportingScale

STATES = {"prepared": N_("prepared"), "approved": N_("approved"), "withdrawn": N_("withdrawn")}
LARGEST_POINT = 1_000_000
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class ResultPages(Controller):
    """`/staff/results`."""

    path = "/staff/results"
    include_in_schema = False

    @get("/")
    async def exams(self, request: Request[Any, Any, Any]) -> Template:
        """List exams with how far their scores are."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            units = frozenset(map(UUID, map(str, await act.units(Permission.READ_RESULTS))))
            rows = [
                (
                    exam,
                    await results.load_runs(act.session, exam.id),
                    await results.load_releases(act.session, exam.id),
                )
                for exam in await enrolment.load_exams(act.session, units)
            ]
            return staff_page(request, act.person, "staff/results/list.html", rows=rows)

    @get("/{code:str}")
    async def exam(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Template:
        """Show the runs, graduation runs and releases of an exam, and the next step."""
        return await _exam_page(request, code)

    @post("/{code:str}/score", status_code=200)
    async def score(self, request: Request[Any, Any, Any], code: FromPath[str], data: Form) -> Response[Any]:
        """Score the closed sittings as new runs."""
        try:
            async with staff_act(request, Permission.RUN_SCORES) as act:
                reason = data.get("reason", "").strip() or "first scoring"
                runs = await score_exam(request, act, code, reason)
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, typed=data, problem=problem, status_code=status)
        scored = sum(run.n_scored for run in runs)
        changed = sum(run.n_changed for run in runs)
        return done(
            request,
            f"/staff/results/{code}",
            N_("{scored} attempts scored, {changed} scores changed."),
            scored=scored,
            changed=changed,
        )

    @post("/{code:str}/score-irt", status_code=200)
    async def score_irt(self, request: Request[Any, Any, Any], code: FromPath[str], data: Form) -> Response[Any]:
        """Score the closed sittings by item response theory on a reporting scale."""
        try:
            async with staff_act(request, Permission.RUN_SCORES) as act:
                reason = data.get("reason", "").strip() or "first scoring"
                runs = await score_exam_by_irt(request, act, code, _irt_order(data), reason)
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, typed=data, problem=problem, status_code=status)
        return done(
            request,
            f"/staff/results/{code}",
            N_("{scored} attempts scored by item response theory."),
            scored=sum(run.n_scored for run in runs),
        )

    @post("/{code:str}/graduate", status_code=200)
    async def graduate(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Response[Any]:
        """Compute graduation scores."""
        try:
            async with staff_act(request, Permission.RUN_SCORES) as act:
                exam = await require_exam_for(act, code, Permission.RUN_SCORES)
                run = await results.compute_graduation(act.session, exam.id, actor=act.actor, now=act.now)
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, problem=problem, status_code=status)
        return done(
            request,
            f"/staff/results/{code}",
            N_("{complete} complete records, {passed} passed."),
            complete=run.n_complete,
            passed=run.n_passed,
        )

    @post("/{code:str}/release", status_code=200)
    async def release(self, request: Request[Any, Any, Any], code: FromPath[str], data: Form) -> Response[Any]:
        """Prepare a release for a moment; empty means now."""
        zone = ZoneInfo(engine_of(request).settings.time_zone)
        try:
            async with staff_act(request, Permission.RELEASE_RESULTS) as act:
                exam = await require_exam_for(act, code, Permission.RELEASE_RESULTS)
                typed = data.get("release_at", "")
                moment = datetime.fromisoformat(typed).replace(tzinfo=zone) if typed else act.now
                await results.prepare_release(act.session, exam.id, release_at=moment, actor=act.actor, now=act.now)
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, typed=data, problem=problem, status_code=status)
        return done(request, f"/staff/results/{code}", N_("The release is prepared. Somebody else approves it."))

    @post("/{code:str}/releases/{release_id:uuid}/{step:str}", status_code=200)
    async def decide(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        release_id: FromPath[UUID],
        step: FromPath[str],
        data: Form,
    ) -> Response[Any]:
        """Approve or withdraw a release."""
        try:
            async with staff_act(request, Permission.RELEASE_RESULTS) as act:
                await require_release(act, release_id)
                if step == "approve":
                    await results.approve_release(act.session, release_id, actor=act.actor, now=act.now)
                else:
                    await results.withdraw_release(
                        act.session, release_id, reason=data.get("reason", ""), actor=act.actor, now=act.now
                    )
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _exam_page(request, code, problem=problem, status_code=status)
        said = N_("The release is approved.") if step == "approve" else N_("The release was withdrawn.")
        return done(request, f"/staff/results/{code}", said)

    @get("/{code:str}/irt-runs/{run_id:uuid}")
    async def irt_run(self, request: Request[Any, Any, Any], code: FromPath[str], run_id: FromPath[UUID]) -> Template:
        """Show a run by item response theory: every score with its standard error, the parameters it used."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.READ_RESULTS)
            run = await results.load_irt_run(act.session, run_id)
            context = await sittings.load_sitting(act.session, run.sitting_id)
            await require_exam_for(act, context.exam_code, Permission.READ_RESULTS)
            return staff_page(
                request,
                act.person,
                "staff/results/irt_run.html",
                exam=exam,
                run=run,
                context=context,
                scores=await results.load_irt_scores(act.session, run_id=run.id),
            )

    @get("/{code:str}/runs/{run_id:uuid}")
    async def run(self, request: Request[Any, Any, Any], code: FromPath[str], run_id: FromPath[UUID]) -> Template:
        """Show a run: every score, and what changed against the run before."""
        async with staff_act(request, Permission.READ_RESULTS) as act:
            exam = await require_exam_for(act, code, Permission.READ_RESULTS)
            run = await results.load_run(act.session, run_id)
            context = await sittings.load_sitting(act.session, run.sitting_id)
            scores = await results.load_scores(act.session, run_id) if context.exam_id == exam.id else {}
            changes = await results.compare_runs(act.session, run_id) if run.previous_run_id else None
            return staff_page(
                request,
                act.person,
                "staff/results/run.html",
                exam=exam,
                run=run,
                context=context,
                scores=scores,
                irt_scores=await results.load_irt_scores(act.session, sitting_id=run.sitting_id),
                changes=changes,
            )


async def _exam_page(
    request: Request[Any, Any, Any],
    code: str,
    *,
    typed: dict[str, str] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.READ_RESULTS) as act:
        exam = await require_exam_for(act, code, Permission.READ_RESULTS)
        return staff_page(
            request,
            act.person,
            "staff/results/exam.html",
            status_code=status_code,
            exam=exam,
            sittings=await sittings.load_sittings(act.session, exam_id=exam.id),
            runs=await results.load_runs(act.session, exam.id),
            irt_runs=await results.load_irt_runs(act.session, exam.id),
            scale=STANDARD_SCALE,
            graduation_runs=await results.load_graduation_runs(act.session, exam.id),
            releases=await results.load_releases(act.session, exam.id),
            may_score=act.person.may_somewhere(Permission.RUN_SCORES),
            may_release=act.person.may_somewhere(Permission.RELEASE_RESULTS),
            states=STATES,
            actor_name=await actor_names(act),
            typed=typed or {},
            problem=problem,
        )


def _irt_order(data: dict[str, str]) -> IrtOrder:
    """Read "500", "99,5"; what is no number is refused by its name.

    Raises
    ------
    ScaleInvalid
    """
    numbers: dict[str, float] = {}
    for name in ("intercept", "slope", "lowest", "highest"):
        text = data.get(name, "").strip().replace(",", ".")
        try:
            numbers[name] = float(text)
        except ValueError:
            raise ScaleInvalid(name, f"is {text[:20]!r}, not a number") from None
        if abs(numbers[name]) > LARGEST_POINT:
            raise ScaleInvalid(name, f"is beyond {LARGEST_POINT:,}")
    decimals = data.get("decimals", "0")
    return IrtOrder(
        estimator=Estimator.WLE if data.get("estimator") == Estimator.WLE.value else Estimator.EAP,
        scale=ReportingScale(**numbers, decimals=min(int(decimals), MOST_DECIMALS) if decimals.isdecimal() else 0),
        is_partial=bool(data.get("is_partial")),
    )
