"""Figures of items, named by their hash: they never change, so browsers keep them for ever."""

import re
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from api.acts import engine_of
from exam_engine.authoring import service as authoring
from exam_engine.infra.database import transaction

_NAME = re.compile(r"([0-9a-f]{64})\.(svg|png|jpg|jpeg)")


@get("/media/{name:str}", tags=["candidate"], summary="A figure", media_type="image/svg+xml")
async def media(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Answer a figure by its hash; only who was given the hash can name it."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise NotFoundException
    async with transaction(engine_of(request).sessions) as session:
        figure = await authoring.load_media(session, match.group(1))
    # An SVG opened as a page of its own must not run anything either, however it was drawn.
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Disposition": "inline",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(figure.content, media_type=figure.media_type, headers=headers)
