"""The page a person sees when something was refused: what, why, and where to go next."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Redirect

from api.pages.templating import page


def error_page(
    request: Request[Any, Any, Any], document: Mapping[str, Any], headers: Mapping[str, str]
) -> Response[Any]:
    """Show a problem as a page; somebody who is not signed in is sent to the sign-in page instead."""
    if document["code"] == "sign-in-needed" and request.url.path.startswith("/staff"):
        return Redirect(f"/staff/sign-in?next={quote(request.url.path)}")
    answer = page(request, "error.html", status_code=int(document["status"]), problem=document)
    answer.headers.update(headers)
    return answer
