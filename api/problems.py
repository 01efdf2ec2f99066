"""Errors of the engine as RFC 9457 problem details: the only map from a refusal to an HTTP answer.

A problem has a fixed code and title; its detail is the refusal's own sentence in the reader's language, filled with the
facts the error carries. Nothing an error does not carry as a public attribute leaves the house.
"""

import traceback
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, InternalServerException, ValidationException

from api.language import language_of
from api.problem_tables import PROBLEMS, UNEXPECTED, Problem
from api.refusal_log import note_refusal
from api.sessions import has_lost_session
from exam_engine.infra import database, redis_client
from exam_engine.infra.errors import RowError, ServiceUnavailable
from exam_engine.infra.i18n import N_, Translator, translator
from item_bank.checks.findings import Finding
from item_bank.messages import Message
from scoring.errors import Misplaced

log = structlog.get_logger(__name__)

TYPE_PREFIX = "urn:exam-engine:problem:"

_BY_STATUS: Mapping[int, Problem] = {
    400: Problem("request-invalid", HTTPStatus.BAD_REQUEST, N_("The request is not understood")),
    401: Problem("sign-in-needed", HTTPStatus.UNAUTHORIZED, N_("Please sign in first")),
    403: Problem("not-allowed", HTTPStatus.FORBIDDEN, N_("You may not do this")),
    404: Problem("not-found", HTTPStatus.NOT_FOUND, N_("There is nothing at this address")),
    405: Problem("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, N_("This address does not take such a request")),
    408: Problem("request-timeout", HTTPStatus.REQUEST_TIMEOUT, N_("The request took too long to arrive")),
    413: Problem("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, N_("What was sent is too large")),
    415: Problem("wrong-media-type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, N_("This kind of content is not understood")),
    429: Problem("too-many-requests", HTTPStatus.TOO_MANY_REQUESTS, N_("Too many requests, please wait a moment")),
}


def problem_of(error: Exception) -> Problem:
    """Find the problem of an error by its class, the nearest base first."""
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind]
    if _is_unreadable(error):
        return _BY_STATUS[HTTPStatus.BAD_REQUEST]
    if _is_server_away(error):
        return PROBLEMS[ServiceUnavailable]
    if isinstance(error, HTTPException):
        known = _BY_STATUS.get(error.status_code)
        if known is not None:
            return known
        if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Problem("request-refused", HTTPStatus(error.status_code), N_("The request was refused"))
    return UNEXPECTED


def describe(error: Exception, language: str) -> dict[str, Any]:
    """Return the problem document of an error in a language."""
    translate = translator(language)
    problem = problem_of(error)
    facts = _facts(error, translate) if _is_ours(error) else {}
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": translate(problem.title),
        "status": int(problem.status),
        "code": problem.code,
    }
    if isinstance(error, ValidationException):
        document["errors"] = _validation_places(error)
    if problem.detail:
        document["detail"] = _fill(translate(problem.detail), facts)
    elif isinstance(error, HTTPException) and problem.status == HTTPStatus.BAD_REQUEST:
        document["detail"] = error.detail
    for name, value in facts.items():
        document.setdefault(name, value)
    return document


def problem_response(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a request with the problem of an error: JSON for programs, a page for people."""
    problem = problem_of(error)
    if problem is UNEXPECTED:
        log.error(
            "unexpected_error",
            path=request.url.path,
            error=type(error).__name__,
            trace="".join(traceback.format_exception(error)),
        )
    note_refusal(request, problem.code)
    document = describe(error, language_of(request))
    if problem.code == "sign-in-needed" and has_lost_session(request):
        document |= _session_lost(translator(language_of(request)))
    headers = dict(getattr(error, "headers", None) or {})
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    elif "retry_after_seconds" in document:
        headers["Retry-After"] = str(document["retry_after_seconds"])
    if _wants_page(request):
        from api.pages.errors import error_page

        return error_page(request, document, headers)
    return Response(
        content=document,
        status_code=int(problem.status),
        headers=headers,
        media_type="application/problem+json",
    )


def _session_lost(translate: Translator) -> dict[str, str]:
    return {
        "title": translate(N_("Please sign in again")),
        "detail": translate(
            N_("Your session has ended. Nothing that was stored is lost; what was just sent was not stored.")
        ),
    }


def _is_ours(error: Exception) -> bool:
    """Tell whether somebody decided what the error may say; a database's error carries its SQL as an attribute."""
    return any(kind in PROBLEMS for kind in type(error).__mro__)


def _is_server_away(error: Exception) -> bool:
    """Tell whether PostgreSQL or Redis broke off; a missing file is also an `OSError`, and none of this."""
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        return False
    return database.is_away(error) or redis_client.is_away(error)


def _is_unreadable(error: Exception) -> bool:
    """Tell whether it was nested beyond all measure, held what no column can, or its sender went away meanwhile."""
    if isinstance(error, InternalServerException):
        return error.detail == "client disconnected prematurely"  # a weak network, not a fault of ours
    return isinstance(error, RecursionError) or database.is_beyond_database(error)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    path = request.url.path
    is_page = not path.startswith(("/api/", "/health/", "/metrics", "/static/", "/media/"))
    # A part of a page asked for by script cannot be a whole page: the script tells the problem in words.
    is_part = request.headers.get("hx-request") == "true"
    return is_page and not is_part and MediaType.HTML in request.headers.get("accept", "")


def _facts(error: Exception, translate: Translator) -> dict[str, Any]:
    if isinstance(error, Misplaced):
        place, reason = error.sentences
        return {"place": translate(place, **error.facts), "reason": translate(reason, **error.facts)}
    return {
        name: _said(value, translate)
        for name, value in vars(error).items()
        if not name.startswith("_") and _is_plain(value)
    }


def _said(value: object, translate: Translator) -> Any:
    """Say messages and findings of the item bank in the reader's language; all else stays as it is."""
    if isinstance(value, Message):
        return value.translated(translate)
    if isinstance(value, Finding):
        return {
            "severity": value.severity.value,
            "code": value.code,
            "place": value.place.described(translate),
            "field": value.place.field,
            "message": value.message.translated(translate),
        }
    if isinstance(value, RowError):
        return {
            "place": _row_place(value, translate),
            "reason": translate(value.message or value.reason, **value.facts),
        }
    if isinstance(value, tuple | list):
        return [_said(part, translate) for part in value]
    return _plain(value)


def _row_place(error: RowError, translate: Translator) -> str:
    if error.row is None:
        return error.place
    row = translate(N_("row {row}"), row=error.row)
    return row if error.column is None else row + ", " + translate(N_("column {column}"), column=error.column)


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list | set | frozenset):
        return all(_is_plain(part) for part in value)
    if isinstance(value, Mapping):
        return all(_is_plain(part) for part in value.values())
    return value is None or isinstance(value, str | int | float | bool | UUID | date | datetime | msgspec.Struct)


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value, str_keys=True)


def _fill(template: str, facts: Mapping[str, Any]) -> str:
    shown = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in facts.items()}
    try:
        return template.format(**shown)
    except (KeyError, IndexError, ValueError):
        return template


def _validation_places(error: ValidationException) -> list[dict[str, str]]:
    extra = error.extra if isinstance(error.extra, list) else []
    return [
        {"place": str(entry.get("key", entry.get("source", ""))), "reason": str(entry.get("message", ""))}
        for entry in extra
        if isinstance(entry, dict)
    ]
