"""The candidate's routes: sign in with the card, start, fetch the paper, save, ask the time, hand in.

A bearer token stands for the candidate; there is no cookie, so there is nothing to forge. A front dispatcher may serve
the same `Delivery` calls without this framework; these routes own the types and the document.
"""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, Parameter

from api.acts import delivery_of
from api.limits import limited_failures
from api.security import bearer_token
from exam_engine.delivery import prefetching, wire
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptId
from exam_engine.delivery.offline_starts import StartClaim
from exam_engine.delivery.tokens import CandidatePass
from item_bank.forms.paper import CandidateForm

MAXIMUM_BODY_BYTES = 768 * 1024  # all answers of a paper with several essays, sent anew after a long outage
MAXIMUM_EVENTS_BYTES = 32 * 1024  # a hundred of them, as an honest page writes them
FAILURES_PER_MINUTE = 60  # a whole lab mistypes behind one address; a code has sixty bits


class CandidateController(Controller):
    """`/api/candidate`, `/api/attempts`, `/api/forms`."""

    path = "/api"
    tags = ("candidate",)
    request_max_body_size = MAXIMUM_BODY_BYTES

    @post("/candidate/sign-in", summary="Sign in with the number and code of the card", status_code=200)
    async def sign_in(self, request: Request[Any, Any, Any], data: JSONBody[wire.SignInBody]) -> wire.SignedIn:
        """Answer a token and the candidate's papers; whatever is wrong, the refusal is the same."""
        return await let_in(request, data)

    @get("/candidate/attempts", summary="My papers")
    async def attempts(self, request: Request[Any, Any, Any]) -> wire.AttemptList:
        """Answer the candidate's papers and the server's time; the waiting room asks this."""
        return await delivery_of(request).attempts_of(_pass(request))

    @post("/attempts/{attempt_id:uuid}/start", summary="Start, resume or take over", status_code=200)
    async def start(
        self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[wire.StartBody]
    ) -> wire.Envelope:
        """Answer everything of the paper that belongs to this candidate alone."""
        return await start_paper(delivery_of(request), _pass(request), AttemptId(attempt_id), data)

    @get("/papers/{sealed_hash:str}", summary="The sealed paper", media_type="application/octet-stream")
    async def sealed_paper(self, request: Request[Any, Any, Any], sealed_hash: FromPath[str]) -> Response[bytes]:
        """Answer the sealed form to a candidate who waits for it; it never changes under its hash."""
        sealed = await prefetching.sealed_paper(delivery_of(request), _pass(request), sealed_hash)
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        return Response(sealed, media_type="application/octet-stream", headers=headers)

    @get("/attempts/{attempt_id:uuid}/sealed-start", summary="A start for a seat without a network")
    async def sealed_start(self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID]) -> wire.SealedStart:
        """Answer what the room's release code will open."""
        return await prefetching.sealed_start(delivery_of(request), _pass(request), AttemptId(attempt_id))

    @get(
        "/forms/{form_hash:str}",
        summary="The keyless form",
        media_type="application/json",
        responses={200: ResponseSpec(CandidateForm, generate_examples=False, description="The form, without any key")},
    )
    async def form(self, request: Request[Any, Any, Any], form_hash: FromPath[str]) -> Response[bytes]:
        """Answer the compiled form, compressed once at assembly; it never changes under its hash."""
        accepted = request.headers.get("accept-encoding", "")
        body, headers = await form_answer(delivery_of(request), _pass(request), form_hash, accepted)
        return Response(body, media_type="application/json", headers=headers)

    @post("/attempts/{attempt_id:uuid}/responses", summary="Save answers", status_code=200)
    async def save(
        self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[wire.SaveBody]
    ) -> wire.SaveReply:
        """Acknowledge after the answers are on disk; an older sequence never replaces a newer one."""
        return await delivery_of(request).save(_pass(request), AttemptId(attempt_id), data)

    @get("/attempts/{attempt_id:uuid}/time", summary="Time left and notices")
    async def time(
        self,
        request: Request[Any, Any, Any],
        attempt_id: FromPath[UUID],
        after: FromQuery[Annotated[int, Parameter(ge=0, le=2**53)]] = 0,
        lease: FromQuery[Annotated[int | None, Parameter(ge=0, le=2**31 - 1)]] = None,
    ) -> wire.TimeReply:
        """Answer an idle seat from the worker's memory."""
        return await delivery_of(request).time(_pass(request), AttemptId(attempt_id), after, lease)

    @post("/attempts/{attempt_id:uuid}/submission", summary="Hand the paper in", status_code=200)
    async def submit(
        self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[wire.SubmitBody]
    ) -> wire.SubmitReply:
        """Accept the paper only when the server holds every answer the seat holds."""
        return await delivery_of(request).submit(_pass(request), AttemptId(attempt_id), data)

    @get("/attempts/{attempt_id:uuid}/receipt", summary="The signed receipt of a paper that has ended")
    async def receipt(self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID]) -> wire.ReceiptReply:
        """Answer the receipt, also of a paper that time or people have closed; the same paper gives the same text."""
        return await delivery_of(request).receipt(_pass(request), AttemptId(attempt_id))

    @post(
        "/attempts/{attempt_id:uuid}/events",
        summary="What the seat noticed",
        status_code=202,
        request_max_body_size=MAXIMUM_EVENTS_BYTES,
    )
    async def events(
        self, request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[wire.EventsBody]
    ) -> None:
        """Keep events of the seat; none of them ends an attempt."""
        await delivery_of(request).events(_pass(request), AttemptId(attempt_id), data)


async def let_in(request: Request[Any, Any, Any], body: wire.SignInBody) -> wire.SignedIn:
    """Sign a candidate in, counting the failures of this source; both ways to the route share this."""
    async with limited_failures(request, "candidate-sign-in", FAILURES_PER_MINUTE, admits_right=True):
        return await delivery_of(request).sign_in(body)


async def start_paper(
    delivery: Delivery, candidate: CandidatePass, attempt_id: AttemptId, body: wire.StartBody
) -> wire.Envelope:
    """Start; both ways to the route share this."""
    claim = StartClaim(body.started_at_ms, body.proof) if body.started_at_ms else None
    return await delivery.start(candidate, attempt_id, body.client_id, claim)


async def form_answer(
    delivery: Delivery, candidate: CandidatePass, form_hash: str, accepted: str
) -> tuple[bytes, dict[str, str]]:
    """Return a form and its headers in the smallest encoding accepted; both ways to the route share this.

    Raises
    ------
    CompiledFormUnknown
    """
    body, encoding = await delivery.form_blob(candidate, form_hash, accepted)
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if encoding:
        headers["Content-Encoding"] = encoding
    return body, headers


def _pass(request: Request[Any, Any, Any]) -> CandidatePass:
    return delivery_of(request).authenticate(bearer_token(request))
