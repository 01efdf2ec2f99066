"""The check of a seat's Safe Exam Browser: by the header of the request, or by what the page's script read.

It answers, notes the outcome in the seat's record, and ends nothing.
"""

from typing import Any
from uuid import UUID

from litestar import Request, post
from litestar.params import FromPath, JSONBody

from api.acts import delivery_of, engine_of
from api.security import bearer_token
from api.views.safe_browser import SeatShows, SeatTold
from exam_engine.delivery.model import AttemptId
from exam_engine.infra.database import transaction
from exam_engine.invigilation import safe_browser
from exam_engine.invigilation import service as invigilation


@post(
    "/api/attempts/{attempt_id:uuid}/safe-browser",
    tags=["candidate"],
    summary="Show Safe Exam Browser's settings",
    status_code=200,
)
async def check_safe_browser(
    request: Request[Any, Any, Any], attempt_id: FromPath[UUID], data: JSONBody[SeatShows]
) -> SeatTold:
    """Compare what the browser shows with the settings of the sitting; a failed check warns the invigilator."""
    delivery, engine = delivery_of(request), engine_of(request)
    candidate = delivery.authenticate(bearer_token(request))
    sat = await delivery.rolls.require(candidate.candidate_id, AttemptId(attempt_id))
    async with transaction(engine.sessions) as session:
        settings = await invigilation.find_safe_browser(session, sat.roll.sitting.id)
    if settings is None:
        return SeatTold(is_needed=False, is_right=False)
    base_url = engine.settings.base_url
    # Behind a proxy the address is the one the browser asked for, not the one we were asked by.
    asked = base_url + request.url.path + (f"?{request.url.query}" if request.url.query else "")
    header = request.headers.get(safe_browser.HEADER, "")
    is_right = bool(header) and safe_browser.is_right(settings.config_key, asked, header)
    if not is_right and data.config_key_hash and safe_browser.is_our_page(base_url, data.page_url):
        is_right = safe_browser.is_right(settings.config_key, data.page_url, data.config_key_hash)
    kind = "seb_checked" if is_right else "seb_check_failed"
    await delivery.note(sat, kind, version=data.version[:100])
    return SeatTold(is_needed=True, is_right=is_right)
