"""The candidate's own photo, shown in the waiting room beside the name: "is this you?"."""

from typing import Any

from litestar import Request, Response, get
from litestar.openapi import ResponseSpec

from api.acts import delivery_of, engine_of
from api.security import bearer_token
from exam_engine.enrolment import service as enrolment
from exam_engine.infra.database import reaching_database, transaction


@get(
    "/api/candidate/photo",
    tags=["candidate"],
    summary="My photo",
    media_type="image/jpeg",
    responses={204: ResponseSpec(None, generate_examples=False, description="No photo was imported")},
)
async def candidate_photo(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer the photo of who holds the token as JPEG; nothing (204) where none was imported."""
    candidate_id = delivery_of(request).authenticate(bearer_token(request)).candidate_id
    with reaching_database():
        async with transaction(engine_of(request).sessions) as session:
            found = await enrolment.load_photos(session, [candidate_id])
    headers = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
    content = found.get(candidate_id, b"")
    return Response(content, status_code=200 if content else 204, media_type="image/jpeg", headers=headers)
