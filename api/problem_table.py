"""The table of problems: one line an error class. A test walks all error classes and fails on one that is missing."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from exam_engine.infra import errors as infra
from exam_engine.infra.i18n import N_


class Problem(msgspec.Struct, frozen=True):
    """A kind of refusal as clients see it: a stable code, a status, a title and a sentence with facts."""

    code: str
    status: HTTPStatus
    title: str  # message id
    detail: str = ""  # message id with {fact} fields
    retry_after_seconds: int | None = None


UNEXPECTED = Problem(
    "unexpected",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    N_("Something went wrong on our side"),
    N_("Nothing was changed. Please try again; if it stays, tell the administrator the time it happened."),
)

PROBLEMS: Mapping[type[Exception], Problem] = {
    infra.ServiceUnavailable: Problem(
        "service-unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The server is busy for a moment"),
        N_("What you typed is kept on this machine. It will be sent again by itself."),
        retry_after_seconds=2,
    ),
    infra.FileRefused: Problem(
        "file-refused",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The file was not accepted"),
        N_("Nothing was imported from {file_name}. Mend the places listed and send it again."),
    ),
}
