"""What a refusal looks like to a client, and the one for what nobody foresaw."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from exam_engine.infra.i18n import N_


class Problem(msgspec.Struct, frozen=True):
    """A kind of refusal as clients see it: a stable code, a status, a title and a sentence with facts."""

    code: str
    status: HTTPStatus
    title: str  # message id
    detail: str = ""  # message id with {fact} fields
    retry_after_seconds: int | None = None


ProblemTable = Mapping[type[Exception], Problem]

UNEXPECTED = Problem(
    "unexpected",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    N_("Something went wrong on our side"),
    N_("Nothing was changed. Please try again; if it stays, tell the administrator the time it happened."),
)
