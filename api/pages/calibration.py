"""Pages of calibration: subjects, a subject's runs, one run with its items by trouble, one item with its figures."""

import re
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import ValidationException
from litestar.params import Body, FromPath
from litestar.response import Template

from api.acts import Act, actor_names, staff_act
from api.language import language_of
from api.pages.calibration_words import (
    ANCHORS,
    BLANKS,
    DECISIONS,
    FAMILIES,
    GROUPS,
    MODELS,
    SCALES,
    STAGES,
    STATES,
)
from api.pages.items import KINDS
from api.pages.staff_page import done, refusal, staff_page
from api.pages.templating import page
from api.problem_tables import PROBLEMS
from api.staff.calibration import require_run_for, require_subject_for
from exam_engine.calibration import service as calibration
from exam_engine.calibration.choices import (
    FEWEST_CANDIDATES,
    NAMES,
    SUITABLE_CANDIDATES,
    ModelFamily,
    RunSettings,
    suggested_family,
)
from exam_engine.calibration.figures import svg
from exam_engine.calibration.model import CalibrationRun, Refusal, acceptable
from exam_engine.calibration.pictures import item_pictures, whole_pictures
from exam_engine.delivery import service as delivery
from exam_engine.enrolment import service as enrolment
from exam_engine.identity.permissions import Permission
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import N_, translator
from item_bank.messages import Message
from scoring.errors import ScoringError

Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Request_ = Request[Any, Any, Any]
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"(?<![\d.])-?\d+\.\d+(?![\d.])")


class CalibrationPages(Controller):
    """`/staff/calibration`."""

    path = "/staff/calibration"
    include_in_schema = False

    @get("/")
    async def subjects(self, request: Request_) -> Template:
        """List the subjects that have closed sittings, with the newest run of each."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            units = frozenset(map(UUID, map(str, await act.units(Permission.READ_STATISTICS))))
            runs = await calibration.load_runs(act.session, unit_ids=units)
            newest: dict[UUID, CalibrationRun] = {}
            for run in runs:
                newest.setdefault(run.exam_subject_id, run)
            rows = []
            for exam in await enrolment.load_exams(act.session, units):
                for subject in await enrolment.load_subjects(act.session, exam.id):
                    sittings = [s for s in await calibration.load_sittings(act.session, subject.id) if s.is_stored]
                    if sittings or subject.id in newest:
                        finished = sum(sitting.n_finished for sitting in sittings)
                        rows.append((exam, subject, len(sittings), finished, newest.get(subject.id)))
            return staff_page(
                request, act.person, "staff/calibration/subjects.html", rows=rows, states=STATES, families=NAMES
            )

    @get("/{code:str}/{subject:str}")
    async def subject(self, request: Request_, code: FromPath[str], subject: FromPath[str]) -> Template:
        """Show the runs of a subject, and the form that asks for another."""
        return await _subject_page(request, code, subject)

    @post("/{code:str}/{subject:str}", status_code=200)
    async def request_run(
        self, request: Request_, code: FromPath[str], subject: FromPath[str], data: Form
    ) -> Response[Any]:
        """Ask for a run; a refused order keeps what was typed."""
        try:
            async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
                found = await require_subject_for(act, code, subject, Permission.CALIBRATE_ITEMS)
                run = await calibration.request_run(
                    act.session, found.id, _settings(data), actor=act.actor, now=act.now
                )
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _subject_page(request, code, subject, typed=data, problem=problem, status_code=status)
        return done(request, f"/staff/calibration/runs/{run.id}", N_("Run {number} is asked for."), number=run.number)

    @get("/runs/{run_id:uuid}")
    async def run(self, request: Request_, run_id: FromPath[UUID]) -> Template:
        """Show how far a run is, or what came of it."""
        return await _run_page(request, run_id)

    @get("/runs/{run_id:uuid}/progress")
    async def progress(self, request: Request_, run_id: FromPath[UUID]) -> Template | Response[str]:
        """Answer the progress alone, for the page that watches; once the run is over, the page loads itself anew."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            run = await require_run_for(act, run_id, Permission.READ_STATISTICS)
        if run.is_over:
            return Response("", headers={"HX-Refresh": "true"}, media_type="text/html")
        return page(request, "staff/calibration/progress.html", run=run, stages=STAGES, states=STATES)

    @post("/runs/{run_id:uuid}/cancel", status_code=200)
    async def cancel(self, request: Request_, run_id: FromPath[UUID]) -> Response[Any]:
        """Stop a run."""
        try:
            async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
                run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
                await calibration.cancel_run(act.session, run.id, actor=act.actor, now=act.now)
        except EngineError as error:
            status, problem = refusal(request, error)
            return await _run_page(request, run_id, problem=problem, status_code=status)
        return done(request, f"/staff/calibration/runs/{run_id}", N_("The run is told to stop."))

    @post("/runs/{run_id:uuid}/decide", status_code=200)
    async def decide(self, request: Request_, run_id: FromPath[UUID], data: Form) -> Response[Any]:
        """Accept, hold or reopen the chosen items, or accept all good ones; back to where it was asked."""
        chosen = data.get("item", [])
        names = [chosen] if isinstance(chosen, str) else list(chosen)
        verb, reason = str(data.get("verb", "")), str(data.get("reason", ""))
        try:
            async with staff_act(request, Permission.CALIBRATE_ITEMS) as act:
                run = await require_run_for(act, run_id, Permission.CALIBRATE_ITEMS)
                said, count = await _decide(act, run, verb, names, reason)
        except (EngineError, ScoringError) as error:
            status, problem = refusal(request, error)
            return await _run_page(request, run_id, problem=problem, status_code=status, typed=data)
        back = data.get("item_version")
        href = f"/staff/calibration/runs/{run_id}" + (f"/items/{back}" if _is_identifier(back) else "")
        return done(request, href, said, count=count)

    @get("/runs/{run_id:uuid}/items/{item_version_id:uuid}")
    async def item(self, request: Request_, run_id: FromPath[UUID], item_version_id: FromPath[UUID]) -> Template:
        """Show one item of a run: curves, fit, options, groups, history."""
        async with staff_act(request, Permission.READ_STATISTICS) as act:
            await require_run_for(act, run_id, Permission.READ_STATISTICS)
            history = await calibration.load_item_history(act.session, run_id, item_version_id)
            pictures = item_pictures(history.item.report, language_of(request))
            return staff_page(
                request,
                act.person,
                "staff/calibration/item.html",
                history=history,
                run=history.run,
                item=history.item,
                report=history.item.report,
                pictures={name: svg(figure, f"figure-{name}") for name, figure in pictures.items()},
                may_decide=act.person.may_somewhere(Permission.CALIBRATE_ITEMS),
                may_read_items=act.person.may_somewhere(Permission.READ_ITEMS),
                actor_name=await actor_names(act),
                **_words(request),
            )


async def _subject_page(
    request: Request_,
    code: str,
    subject_code: str,
    *,
    typed: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    async with staff_act(request, Permission.READ_STATISTICS) as act:
        subject = await require_subject_for(act, code, subject_code, Permission.READ_STATISTICS)
        exam = await enrolment.require_exam_by_id(act.session, subject.exam_id)
        sittings = await calibration.load_sittings(act.session, subject.id)
        finished = sum(sitting.n_finished for sitting in sittings if sitting.is_stored)
        return staff_page(
            request,
            act.person,
            "staff/calibration/subject.html",
            status_code=status_code,
            exam=exam,
            subject=subject,
            sittings=sittings,
            finished=finished,
            suggested=suggested_family(finished),
            needs=[(family, FEWEST_CANDIDATES[family], SUITABLE_CANDIDATES[family]) for family in NAMES],
            runs=await calibration.load_runs(act.session, exam_subject_id=subject.id),
            groups=await calibration.group_names(act.session, exam.id),
            may_run=act.person.may_somewhere(Permission.CALIBRATE_ITEMS),
            actor_name=await actor_names(act),
            typed=typed or {},
            problem=problem,
            **_words(request),
        )


async def _run_page(
    request: Request_,
    run_id: UUID,
    *,
    typed: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    language = language_of(request)
    async with staff_act(request, Permission.READ_STATISTICS) as act:
        run = await require_run_for(act, run_id, Permission.READ_STATISTICS)
        items = await calibration.load_items(act.session, run.id)
        reports = [item.report for item in items]
        pictures = whole_pictures(run.outcome, reports, language) if run.outcome is not None and reports else {}
        sittings = [(await delivery.load_sitting(act.session, s)).sitting.code for s in run.settings.sitting_ids]
        return staff_page(
            request,
            act.person,
            "staff/calibration/run.html",
            status_code=status_code,
            run=run,
            items=items,
            sittings=sittings,
            n_good=len(acceptable(run, items)),
            pictures={name: svg(figure, f"figure-{name}") for name, figure in pictures.items()},
            refusal=_refusal(run.refusal, language) if run.refusal else None,
            may_decide=act.person.may_somewhere(Permission.CALIBRATE_ITEMS),
            actor_name=await actor_names(act),
            typed=typed or {},
            problem=problem,
            **_words(request),
        )


async def _decide(act: Act, run: CalibrationRun, verb: str, names: list[str], reason: str) -> tuple[str, int]:
    if verb == "accept-good":
        accepted = await calibration.accept_items(act.session, run.id, None, actor=act.person, now=act.now)
        return N_("{count} items were accepted."), len(accepted)
    if verb == "accept":
        accepted = await calibration.accept_items(act.session, run.id, names, actor=act.person, now=act.now)
        return N_("{count} items were accepted."), len(accepted)
    if verb == "hold":
        held = await calibration.hold_items(act.session, run.id, names, reason=reason, actor=act.person, now=act.now)
        return N_("{count} items are held."), len(held)
    reopened = await calibration.reopen_items(act.session, run.id, names, reason=reason, actor=act.person, now=act.now)
    return N_("{count} decisions were taken back."), len(reopened)


def _settings(data: dict[str, Any]) -> RunSettings:
    """Read the form; a choice that is none of ours did not come from our page."""
    chosen = data.get("sitting", [])
    values = {
        "sitting_ids": [chosen] if isinstance(chosen, str) else list(chosen),
        "family": data.get("family", ModelFamily.AUTO.value),
        "omitted": data.get("omitted", "wrong"),
        "not_reached": data.get("not_reached", "missing"),
        "anchors": data.get("anchors", "none"),
        "anchor_items": [name for name in re.split(r"[\s,;]+", str(data.get("anchor_items", ""))) if name],
        "groups_by": str(data.get("groups_by", "")).replace("\x00", ""),
    }
    try:
        return msgspec.convert(values, RunSettings)
    except msgspec.ValidationError as error:
        raise ValidationException(str(error)) from None


def _is_identifier(text: object) -> bool:
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def _refusal(refused: Refusal, language: str) -> dict[str, str]:
    """Say a kept refusal in the reader's language."""
    translate = translator(language)
    problem = next((found for kind, found in PROBLEMS.items() if kind.__name__ == refused.kind), None)
    if problem is None:
        return {"title": refused.said}
    facts = {
        name: value.translated(translate) if isinstance(value, Message) else value
        for name, value in refused.facts.items()
    }
    try:
        return {"title": translate(problem.title), "detail": translate(problem.detail).format(**facts)}
    except KeyError:
        return {"title": translate(problem.title), "detail": refused.said}


def _words(request: Request_) -> dict[str, Any]:
    """Words and ways to say findings that the templates of this part share."""
    language = language_of(request)
    translate = translator(language)

    def told(message: str, facts: dict[str, str]) -> str:
        shown = {name: _localised(value, language) for name, value in facts.items()}
        return translate(message, **shown) if shown else translate(message)

    return {
        "states": STATES,
        "stages": STAGES,
        "families": FAMILIES,
        "names": NAMES,
        "models": MODELS,
        "decisions": DECISIONS,
        "anchor_uses": ANCHORS,
        "blanks": BLANKS,
        "group_words": GROUPS,
        "scales": SCALES,
        "kinds": KINDS,
        "told": told,
        "fixed": lambda value, places=2: _fixed(value, places, language),
    }


def _fixed(value: float | None, places: int, language: str) -> str:
    """Write a number to so many decimals, as the language does; a dash where there is none."""
    return "–" if value is None else _localised(f"{value:.{places}f}", language)


def _localised(text: str, language: str) -> str:
    return _NUMBER.sub(lambda found: found.group().replace(".", ","), text) if language == "vi" else text
