"""The page a person sees when something was refused: what, why, and where to go next."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import Request, Response
from litestar.response import Redirect

from api.pages.templating import page
from api.sessions import has_lost_session


def error_page(
    request: Request[Any, Any, Any], document: Mapping[str, Any], headers: Mapping[str, str]
) -> Response[Any]:
    """Show a problem as a page; somebody who is not signed in is sent to the sign-in page instead."""
    if document["code"] == "sign-in-needed" and request.url.path.startswith("/staff"):
        query = {"next": _way_back(request)}
        if has_lost_session(request):
            query["ended"] = "form" if request.method == "POST" else "page"
        return Redirect(f"/staff/sign-in?{urlencode(query, safe='/')}", status_code=303)
    answer = page(request, "error.html", status_code=int(document["status"]), problem=document)
    answer.headers.update(headers)
    return answer


def _way_back(request: Request[Any, Any, Any]) -> str:
    """Return where to go after signing in: the page itself or, of a form that was sent, the page it stood on."""
    if request.method != "POST":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    page_of_form = urlsplit(request.headers.get("referer", ""))
    is_ours = page_of_form.netloc == request.url.netloc and page_of_form.path.startswith("/staff/")
    return page_of_form.path if is_ours else "/staff"
