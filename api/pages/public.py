"""Public pages, working without script: the first page, results, distributions."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Template

from api.acts import engine_of
from api.language import language_of
from api.pages.staff_page import refusal
from api.pages.templating import page
from api.public import LookUpBody, find_decision, find_result
from exam_engine.admission.explanations import reason_text
from exam_engine.infra.database import transaction
from exam_engine.infra.errors import EngineError
from exam_engine.infra.i18n import translator
from exam_engine.results import look_up
from exam_engine.results.chart import chart, describe
from exam_engine.results.explanation import MARK_STATES, shown_lines, shown_reason, verdict
from exam_engine.results.model import PublishedResult

Found = TypeVar("Found")


class LookUpForm(msgspec.Struct, frozen=True):
    """The look-up form; what was typed comes back when it is refused."""

    exam: str = ""
    candidate_number: str = ""
    code: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing is shown; the form comes back with what was typed."""

    status: int
    problem: dict[str, Any]


class PublicPages(Controller):
    """`/`, `/results`, `/distribution/{exam}`."""

    path = "/"
    include_in_schema = False

    @get("/")
    async def home(self, request: Request[Any, Any, Any]) -> Template:
        """Show the doors: candidates, parents, applicants, staff."""
        return page(request, "public/home.html", announcements=await _announcements(request))

    @get("/results")
    async def form(
        self, request: Request[Any, Any, Any], exam: FromQuery[str] = "", number: FromQuery[str] = ""
    ) -> Template:
        """Show the look-up form; a QR code fills in exam and number, never the code."""
        typed = LookUpForm(exam=exam[:60], candidate_number=number[:60])
        return await _form(request, typed)

    @post("/results", status_code=200)
    async def result(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[LookUpForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Show a result in one screen, its graduation score line by line."""
        found = await _looked_up(request, data, find_result)
        if isinstance(found, Refusal):
            return await _form(request, data, problem=found.problem, status_code=found.status)
        answer = page(request, "public/result.html", typed=data, **_shown(request, found))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @post("/results/slip", status_code=200)
    async def slip(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[LookUpForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Answer the result as a slip to keep; the code is asked for again, it never stands in an address."""
        from exam_engine.results.documents import Issue, result_slip

        found = await _looked_up(request, data, find_result)
        if isinstance(found, Refusal):
            return await _form(request, data, problem=found.problem, status_code=found.status)
        settings = engine_of(request).settings
        again = urlencode({"exam": found.exam_code, "number": found.candidate_number})
        issue = Issue(
            look_up_url=f"{settings.base_url}/results?{again}",
            time_zone=settings.time_zone,
            language=language_of(request),
        )
        name = f"{found.exam_code}-{found.candidate_number}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(result_slip(found, issue), media_type="application/pdf", headers=headers)

    @get("/admission")
    async def admission_form(
        self, request: Request[Any, Any, Any], exam: FromQuery[str] = "", number: FromQuery[str] = ""
    ) -> Template:
        """Show the look-up form of admission."""
        typed = LookUpForm(exam=exam[:60], candidate_number=number[:60])
        return page(request, "public/admission.html", typed=typed, problem=None)

    @post("/admission", status_code=200)
    async def decision(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[LookUpForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Show the decision with the reason for every aspiration."""
        found = await _looked_up(request, data, find_decision)
        if isinstance(found, Refusal):
            return page(request, "public/admission.html", status_code=found.status, typed=data, problem=found.problem)
        language = language_of(request)
        translate = translator(language)
        answer = page(
            request,
            "public/decision.html",
            decision=found,
            reasons=[(reason, reason_text(reason, translate, language)) for reason in found.reasons],
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @get("/distribution/{exam:str}")
    async def distribution(self, request: Request[Any, Any, Any], exam: FromPath[str]) -> Template:
        """Show the score distributions of an exam as charts with their figures in words."""
        engine = engine_of(request)
        language = language_of(request)
        translate = translator(language)
        async with transaction(engine.sessions) as session:
            found = await look_up.load_distributions(session, exam, now=engine.clock())
        charts = [
            (
                entry,
                chart(
                    entry.distribution,
                    subject=entry.subject_name,
                    chart_id=f"c{index}",
                    language=language,
                    translate=translate,
                ),
                describe(entry.distribution, language, translate),
            )
            for index, entry in enumerate(found)
        ]
        announced = next((a for a in await _announcements(request) if a.exam_code == exam), None)
        return page(request, "public/distribution.html", charts=charts, exam_code=exam, announced=announced)


async def _looked_up(
    request: Request[Any, Any, Any],
    data: LookUpForm,
    find: Callable[[Request[Any, Any, Any], LookUpBody], Awaitable[Found]],
) -> Found | Refusal:
    """Find what belongs to a typed card."""
    try:
        return await find(request, msgspec.convert(msgspec.to_builtins(data), LookUpBody))
    except (EngineError, HTTPException, msgspec.ValidationError) as error:
        return Refusal(*refusal(request, error))


async def _form(
    request: Request[Any, Any, Any],
    typed: LookUpForm,
    *,
    problem: dict[str, Any] | None = None,
    status_code: int = 200,
) -> Template:
    return page(
        request,
        "public/results.html",
        status_code=status_code,
        typed=typed,
        problem=problem,
        announcements=await _announcements(request),
    )


async def _announcements(request: Request[Any, Any, Any]) -> list[look_up.Announcement]:
    engine = engine_of(request)
    async with transaction(engine.sessions) as session:
        return await look_up.load_announcements(session, now=engine.clock())


def _shown(request: Request[Any, Any, Any], found: PublishedResult) -> dict[str, Any]:
    language = language_of(request)
    translate = translator(language)
    graduation = found.graduation
    return {
        "result": found,
        "mark_states": MARK_STATES,
        "verdict": verdict(graduation, translate) if graduation else "",
        "lines": shown_lines(graduation.lines, language, translate) if graduation else [],
        "reasons": [shown_reason(reason, language, translate) for reason in graduation.reasons] if graduation else [],
    }
