"""What the OpenAPI document adds to the routes: stable names, who may ask, an example a body, every refusal once.

The types of bodies and answers come from the handlers themselves; a refusal is always a problem of RFC 9457.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
    Tag,
)
from litestar.plugins.base import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from api.document_examples import BODIES
from api.sessions import COOKIE

if TYPE_CHECKING:
    from litestar.types import Method

CANDIDATE, STAFF, CSRF = "candidate", "staff", "csrf"
STAFF_TAGS = frozenset({"staff", "exams", "items", "forms", "sittings", "results", "calibration", "admission"})
OPEN_DOORS = frozenset({"candidate_sign_in", "candidate_media", "staff_sign_in", "staff_sign_out"})
LIMITED = frozenset({"candidate_sign_in", "staff_sign_in", "public_result", "public_decision"})
SAFE = frozenset({"GET", "HEAD"})

TAGS = {
    "candidate": "A seat: sign in with the card, start, save, hand in. A bearer token stands for the candidate.",
    "public": "Parents and applicants: results, decisions and distributions, by the card.",
    "receipts": "Public keys, so that anybody can verify a receipt or a statement without asking us.",
    "staff": "Sign in and out. Every changing request of staff repeats the cookie `csrftoken` as `x-csrftoken`.",
    "exams": "Exams, their candidates, marks, rooms and seats.",
    "items": "Banks and items: write, hand in, review.",
    "forms": "Blueprints, forms, paper codes and keys.",
    "sittings": "Sittings: open, watch, extend, close, reconcile.",
    "results": "Score runs, graduation runs, releases.",
    "calibration": "Calibration runs, their items, accepted and held item parameters.",
    "admission": "Programmes, aspirations, allocation runs, decisions.",
    "health": "Is it alive, is it ready, how much did it do.",
}

REFUSALS: Mapping[int, tuple[str, str, str]] = {
    400: ("RequestInvalid", "The request is not understood; `errors` names the places", "request-invalid"),
    401: ("SignInNeeded", "Nobody is signed in, or what was shown is wrong or has expired", "sign-in-needed"),
    403: ("NotAllowed", "Who is signed in may not do this, or a code does not belong to its number", "not-allowed"),
    404: ("NotFound", "There is no such thing", "exam-unknown"),
    409: ("Conflict", "What is asked does not fit the present state", "attempt-closed"),
    408: ("TooSlow", "The body stopped coming, or took too long to arrive; send it again", "request-timeout"),
    413: ("TooLarge", "What was sent is too large", "too-large"),
    415: ("WrongMediaType", "This kind of content is not understood", "wrong-media-type"),
    422: ("Unprocessable", "Understood, and refused: facts name the place and the reason", "unknown-slot"),
    429: (
        "TooManyRequests",
        "Too many failures of this source; `Retry-After` says how long to wait",
        "too-many-requests",
    ),
    503: (
        "Unavailable",
        "A server behind this one is away; `Retry-After` says when to try again",
        "service-unavailable",
    ),
}


@dataclass
class DocumentedOperation(Operation):
    """An operation with its refusals and the example of its body."""

    def __post_init__(self) -> None:
        name = self.operation_id or ""
        own = {status: answer for status, answer in (self.responses or {}).items() if int(status) < 400}
        refused = refusals_of(name, set(self.tags or ()), self.parameters or (), self.request_body)
        self.responses = {
            **own,
            **{
                str(status): Reference(ref=f"#/components/responses/{REFUSALS[status][0]}")
                for status in sorted(refused)
            },
        }
        if isinstance(self.request_body, RequestBody) and name in BODIES:
            for content in self.request_body.content.values():
                content.examples = {"example": Example(value=BODIES[name])}


class DocumentPlugin(ReceiveRoutePlugin):
    """Gives every documented route the operation class of ours and the security it asks for."""

    def receive_route(self, route: BaseRoute) -> None:
        """Dress the handlers of one route."""
        if not isinstance(route, HTTPRoute):
            return
        for handler in route.route_handlers:
            if not handler.resolve_include_in_schema():
                continue
            handler.operation_class = DocumentedOperation
            handler.security = _security_of(handler)


def refusals_of(
    name: str,
    tags: set[str],
    parameters: Sequence[Parameter | Reference] | Iterable[Parameter | Reference],
    body: RequestBody | Reference | None,
) -> set[int]:
    """Return the statuses with which an operation may refuse."""
    if "health" in tags:
        return set()
    is_staff = bool(tags & STAFF_TAGS)
    asked = [parameter for parameter in parameters if isinstance(parameter, Parameter)]
    refused = {503}
    if asked or body is not None:
        refused.add(400)
    if body is not None:
        refused |= {408, 409, 413, 415, 422}
    if any(parameter.param_in == "path" for parameter in asked) or name in {"public_result", "public_decision"}:
        refused |= {404, 409}
    if name not in OPEN_DOORS and (is_staff or "candidate" in tags):
        refused |= {401, 403}
    if is_staff and (asked or body is not None):
        refused |= {404, 409, 422}
    if is_staff or name in LIMITED:
        refused.add(403)
    if name in LIMITED:
        refused |= {401, 429}
    return refused


def operation_name(handler: HTTPRouteHandler, _: "Method", __: object) -> str:
    """Name an operation by its tag and its function: a route may move, its name stays."""
    tags = sorted(handler.resolve_tags())
    return f"{tags[0]}_{handler.handler_name}" if tags else handler.handler_name


def document() -> OpenAPIConfig:
    """Configure the document, served below /api/schema."""
    return OpenAPIConfig(
        title="Examination engine",
        version="1",
        description=(
            "From the item to the admission letter. Every refusal is a problem document of RFC 9457 "
            "(`application/problem+json`) with a stable `code`, in the language of `Accept-Language` (vi, en)."
        ),
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        use_handler_docstrings=True,
        operation_id_creator=operation_name,
        components=Components(
            responses={name: _refusal(status, text, code) for status, (name, text, code) in REFUSALS.items()},
            security_schemes={
                CANDIDATE: SecurityScheme(type="http", scheme="bearer", description="The token of the card's sign-in"),
                STAFF: SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
                CSRF: SecurityScheme(type="apiKey", name="x-csrftoken", security_scheme_in="header"),
            },
        ),
        path="/api/schema",
        render_plugins=[JsonRenderPlugin()],
    )


def _security_of(handler: HTTPRouteHandler) -> "list[dict[str, list[str]]]":
    tags = set(handler.resolve_tags())
    name = operation_name(handler, "GET", ())
    if tags & STAFF_TAGS:
        held: dict[str, list[str]] = {} if name in OPEN_DOORS else {STAFF: []}
        return [held if handler.http_methods <= SAFE else held | {CSRF: []}]
    if "candidate" in tags and name not in OPEN_DOORS:
        return [{CANDIDATE: []}]
    return []


def _refusal(status: int, text: str, code: str) -> OpenAPIResponse:
    is_later = status in (429, 503)
    example = {
        "type": f"urn:exam-engine:problem:{code}",
        "title": text.partition(";")[0],
        "status": status,
        "code": code,
    }
    return OpenAPIResponse(
        description=f"{HTTPStatus(status).phrase}: {text}",
        headers={"Retry-After": OpenAPIHeader(description="Seconds", schema=Schema(type=OpenAPIType.INTEGER))}
        if is_later
        else None,
        content={
            "application/problem+json": OpenAPIMediaType(
                schema=_problem(), examples={"example": Example(value=example)}
            )
        },
    )


def _problem() -> Schema:
    text = OpenAPIType.STRING
    place = Schema(type=OpenAPIType.OBJECT, description="A place and what is wrong there")
    return Schema(
        title="Problem",
        description="A refusal; other members are its facts",
        type=OpenAPIType.OBJECT,
        required=["type", "title", "status", "code"],
        properties={
            "type": Schema(type=text),
            "title": Schema(type=text, description="In the reader's language"),
            "status": Schema(type=OpenAPIType.INTEGER),
            "code": Schema(type=text, description="Stable; programs go by this"),
            "detail": Schema(type=text, description="In the reader's language, filled with the facts"),
            "errors": Schema(type=OpenAPIType.ARRAY, items=place),
        },
    )
