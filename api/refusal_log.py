"""Which refusals are written down: those an honest page does not meet. Never a token, an answer or a name."""

from typing import Any

import structlog
from litestar import Request

from api.security import client_address

log = structlog.get_logger(__name__)

# What a page of ours never asks for: somebody tries something, or a program is broken; either way people should know.
SUSPICIOUS = frozenset(
    {
        *(
            "not-yours",
            "attempt-unknown",
            "unknown-slot",
            "response-invalid",
            "sitting-not-started",
            "start-proof-invalid",
        ),
        *("too-large", "request-timeout", "request-invalid", "too-many-requests"),
    }
)
# What only somebody who edited it can bring; it comes by the hands of staff.
FORGED = frozenset({"hand-over-invalid"})
_CANDIDATE = ("/api/attempts/", "/api/candidate/", "/api/forms/", "/api/papers/")


def note_refusal(request: Request[Any, Any, Any], code: str) -> None:
    """Write a refusal of a candidate's request, or of what came from a seat, down, if it is one to know of."""
    is_candidates = request.url.path.startswith(_CANDIDATE)
    is_forged = is_candidates and code == "sign-in-needed" and "authorization" in request.headers
    if is_forged or code in FORGED or (is_candidates and code in SUSPICIOUS):
        source = client_address(request, request.app.state.engine.settings.trusted_proxies)
        log.warning("request_refused", code=code, method=request.method, path=request.url.path, source=source)
