"""Public look-up as JSON: results and their distributions, by exam, candidate number and the code on the card."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody, Parameter

from api.acts import engine_of
from api.limits import limited_failures
from exam_engine.admission import service as admission
from exam_engine.admission.model import Decision
from exam_engine.infra.database import transaction
from exam_engine.results import look_up
from exam_engine.results.look_up import Announcement, ResultDesk, SubjectDistribution
from exam_engine.results.model import PublishedResult

FAILURES_PER_MINUTE = 30

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class LookUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands on the card."""

    exam: Annotated[Text, msgspec.Meta(examples=["thi-thu-tn-2027"])]
    candidate_number: Annotated[Text, msgspec.Meta(examples=["31000001"])]
    code: Annotated[Text, msgspec.Meta(examples=["7KQ2-M4XV-0ZHT"])]


class PublicController(Controller):
    """`/api/results`, `/api/announcements`, `/api/exams/{code}/distribution`."""

    path = "/api"
    tags = ("public",)

    @post("/results/look-up", summary="Look a result up", status_code=200)
    async def result(self, request: Request[Any, Any, Any], data: JSONBody[LookUpBody]) -> PublishedResult:
        """Answer the result; an unknown number answers as a wrong code does."""
        return await find_result(request, data)

    @post("/admission/look-up", summary="Look an admission decision up", status_code=200)
    async def decision(self, request: Request[Any, Any, Any], data: JSONBody[LookUpBody]) -> Decision:
        """Answer the decision with its reasons; an unknown number answers as a wrong code does."""
        return await find_decision(request, data)

    @get("/announcements", summary="Exams whose results are out or announced")
    async def announcements(self, request: Request[Any, Any, Any]) -> list[Announcement]:
        """Answer the exams of the public page."""
        engine = engine_of(request)
        async with transaction(engine.sessions) as session:
            return await look_up.load_announcements(session, now=engine.clock())

    @get("/exams/{code:str}/distribution", summary="Score distributions of an exam")
    async def distribution(
        self,
        request: Request[Any, Any, Any],
        code: FromPath[str],
        subject: FromQuery[Annotated[str | None, Parameter(max_length=40)]] = None,
    ) -> list[SubjectDistribution]:
        """Answer the distributions by subject; small cells are hidden."""
        engine = engine_of(request)
        async with transaction(engine.sessions) as session:
            return await look_up.load_distributions(session, code, subject_code=subject, now=engine.clock())


async def find_result(request: Request[Any, Any, Any], claim: LookUpBody) -> PublishedResult:
    """Look a result up, counting the failures of this source; the JSON route and the page share this."""
    desk: ResultDesk = request.app.state.results
    async with limited_failures(request, "look-up", FAILURES_PER_MINUTE):
        return await desk.look_up(exam_code=claim.exam, candidate_number=claim.candidate_number, code=claim.code)


async def find_decision(request: Request[Any, Any, Any], claim: LookUpBody) -> Decision:
    """Look a decision up, counting the failures of this source; the JSON route and the page share this."""
    engine = engine_of(request)
    async with limited_failures(request, "look-up", FAILURES_PER_MINUTE), transaction(engine.sessions) as session:
        return await admission.look_up(
            session,
            exam_code=claim.exam,
            candidate_number=claim.candidate_number,
            code=claim.code,
            secret=engine.master_secret,
            now=engine.clock(),
        )
