"""Headers every answer carries: a strict content security policy and, on pages, its companions."""

from collections.abc import Mapping

from litestar.types import Message, Scope

DIRECTIVES: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

CONTENT_SECURITY_POLICY = "; ".join(f"{name} {sources}" for name, sources in DIRECTIVES.items())

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

DATA_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""What JSON carries: it is never a page, so nothing may come of it should somebody open it as one."""

ENCODED_DATA_HEADERS = [(name.lower().encode(), value.encode()) for name, value in DATA_HEADERS.items()]
_ENCODED_PAGE_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_DATA_TYPES = (b"application/json", b"application/problem+json")


async def set_security_headers(message: Message, _: Scope) -> None:
    """Hook: put the headers on every answer, refusals among them."""
    if message["type"] == "http.response.start":
        headers = [*message.get("headers", [])]
        is_data = any(name.lower() == b"content-type" and value.startswith(_DATA_TYPES) for name, value in headers)
        message["headers"] = headers + (ENCODED_DATA_HEADERS if is_data else _ENCODED_PAGE_HEADERS)
