"""The public half of the key that signs receipts and statements, for whoever wants to check one without us."""

from typing import Any

from litestar import Request, Response, get

from api.acts import engine_of
from exam_engine.delivery.signing import PublishedKeys, SigningKey


@get("/.well-known/receipt-keys.json", tags=["receipts"], summary="Public keys of receipts and statements")
async def receipt_keys(request: Request[Any, Any, Any]) -> Response[PublishedKeys]:
    """Answer the keys as JSON Web Keys (RFC 7517)."""
    key = SigningKey(engine_of(request).master_secret).public
    return Response(PublishedKeys((key.published(),)), headers={"Cache-Control": "public, max-age=3600"})
