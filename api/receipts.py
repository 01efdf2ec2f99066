"""The public keys that signed receipts and statements, as JSON and as a page, for who checks one without us."""

from typing import Any

from litestar import Request, Response, get
from litestar.response import Template

from api.acts import engine_of
from api.pages.templating import page
from exam_engine.delivery import service as sittings
from exam_engine.delivery.signing import PublishedKeys, SigningKey
from exam_engine.infra.database import transaction

Request_ = Request[Any, Any, Any]


@get("/.well-known/receipt-keys.json", tags=["receipts"], summary="Public keys of receipts and statements")
async def receipt_keys(request: Request_) -> Response[PublishedKeys]:
    """Answer every key ever used, with its dates, as JSON Web Keys (RFC 7517)."""
    return Response(await _keys(request), headers={"Cache-Control": "public, max-age=3600"})


@get("/receipt-keys", include_in_schema=False)
async def receipt_keys_page(request: Request_) -> Template:
    """Show the keys, and how a receipt is checked with them."""
    return page(request, "public/receipt_keys.html", keys=(await _keys(request)).keys)


async def _keys(request: Request_) -> PublishedKeys:
    engine = engine_of(request)
    key = SigningKey(engine.master_secret)
    async with transaction(engine.sessions) as session:
        return await sittings.published_keys(session, key, time_zone=engine.settings.time_zone, now=engine.clock())
