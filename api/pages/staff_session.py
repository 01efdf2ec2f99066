"""The sign-in page of staff, signing out, and the first page after it."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from api.acts import staff_act
from api.pages.staff_page import refusal, staff_page
from api.pages.templating import page
from api.staff.session import begin_session
from exam_engine.identity.errors import IdentityError


class SignInForm(msgspec.Struct, frozen=True):
    """The sign-in form."""

    user_name: str = ""
    password: str = ""
    next: str = ""


class StaffSessionPages(Controller):
    """`/staff`, `/staff/sign-in`, `/staff/sign-out`."""

    path = "/staff"
    include_in_schema = False

    @get("/sign-in")
    async def show(self, request: Request[Any, Any, Any]) -> Template:
        """Show the sign-in form."""
        target = request.query_params.get("next", "")
        return page(request, "staff/sign_in.html", problem=None, typed_name="", next=target)

    @post("/sign-in", status_code=200)
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[SignInForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[Any]:
        """Sign in and go where the person wanted to go; a refused form keeps the name."""
        try:
            await begin_session(request, data.user_name, data.password)
        except IdentityError as error:
            status, problem = refusal(request, error)
            return page(
                request,
                "staff/sign_in.html",
                status_code=status,
                problem=problem,
                typed_name=data.user_name,
                next=data.next,
            )
        return Redirect(_inside(data.next), status_code=303)

    @post("/sign-out", status_code=200)
    async def sign_out(self, request: Request[Any, Any, Any]) -> Redirect:
        """End the session."""
        request.clear_session()
        return Redirect("/staff/sign-in", status_code=303)

    @get("/")
    async def home(self, request: Request[Any, Any, Any]) -> Template:
        """Show what the person can do, as cards."""
        async with staff_act(request) as act:
            return staff_page(request, act.person, "staff/home.html")


def _inside(target: str) -> str:
    """Only an address of our own staff pages is gone to; anything else would be an open door for phishing."""
    return target if target.startswith("/staff/") and "//" not in target and "\\" not in target else "/staff"
