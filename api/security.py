"""Who is asking: staff by a session cookie, candidates by a bearer token. Guards and the current person."""

from typing import Any
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler

SESSION_PERSON = "person_id"
SESSION_CREDENTIAL = "credential_version"


def require_staff(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: let only a signed-in member of staff pass."""
    if not (connection.session or {}).get(SESSION_PERSON):
        raise NotAuthorizedException


def person_id_of(request: Request[Any, Any, Any]) -> UUID:
    """Return the signed-in person's id.

    Raises
    ------
    NotAuthorizedException
        Nobody is signed in.
    """
    person_id = (request.session or {}).get(SESSION_PERSON)
    if not person_id:
        raise NotAuthorizedException
    return UUID(person_id)


def bearer_token(request: Request[Any, Any, Any]) -> str:
    """Return the candidate's token from the Authorization header.

    Raises
    ------
    NotAuthorizedException
        The header is missing or of another scheme.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthorizedException
    return token.strip()


def client_address(request: Request[Any, Any, Any], trusted_proxies: int) -> str:
    """Return the address of the client, looking through the stated number of reverse proxies and no more."""
    direct = request.client.host if request.client else ""
    if trusted_proxies == 0:
        return direct
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    return hops[-trusted_proxies] if len(hops) >= trusted_proxies else direct
