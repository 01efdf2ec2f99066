"""The sign-in page of staff, signing out, and the first page after it."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from api.acts import Act, staff_act
from api.language import language_of
from api.pages.staff_page import refusal, staff_page
from api.pages.templating import page
from api.pages.words import ROLES
from api.staff.session import begin_session
from api.staff.sittings import readable_sittings
from exam_engine.authoring import service as authoring
from exam_engine.authoring.model import ItemQuery
from exam_engine.delivery.model import SittingState
from exam_engine.identity.errors import IdentityError
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_, Translator, translator
from exam_engine.marking import service as marking
from item_bank.model.review import ItemState


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
        ended = request.query_params.get("ended", "")
        return page(request, "staff/sign_in.html", problem=None, typed_name="", next=target, ended=ended)

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
                ended="",
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
            _ = translator(language_of(request))
            return staff_page(
                request,
                act.person,
                "staff/home.html",
                roles_line=", ".join(f"{_(ROLES[grant.role])} · {grant.unit_name}" for grant in act.person.grants),
                notes=await _notes(act, _),
            )


class Note(msgspec.Struct, frozen=True):
    """A number on the first page: something that waits or runs."""

    href: str
    label: str
    count: int
    more: str


async def _notes(act: Act, _: Translator) -> list[Note]:
    notes = []
    if act.person.may_somewhere(Permission.READ_ITEMS):
        for state, label in ((ItemState.SUBMITTED, N_("Items that wait for review")), (ItemState.DRAFT, N_("Drafts"))):
            query = ItemQuery(state=state)
            found = await authoring.list_items(act.session, query, actor=act.person)
            notes.append(Note(f"/staff/items?state={state.value}", _(label), found.total, _(N_("in your banks"))))
    if act.person.may_somewhere(Permission.WATCH_ROOMS):
        running = [c for c in await readable_sittings(act) if c.sitting.state is SittingState.OPEN]
        names = ", ".join(context.subject_name for context in running[:3])
        notes.append(Note("/staff/sittings", _(N_("Open sittings")), len(running), names))
    if act.person.may_somewhere(Permission.MARK_ESSAYS):
        units = await act.units(Permission.MARK_ESSAYS)
        lines = await marking.load_queue(act.session, marker_id=act.person.id, units=units, now=act.now)
        waiting = sum(line.n_open for line in lines)
        notes.append(Note("/staff/marking", _(N_("Essays that wait for a mark")), waiting, ""))
    return notes


def _inside(target: str) -> str:
    """Only an address of our own staff pages is gone to; anything else would be an open door for phishing."""
    return target if target.startswith("/staff/") and "//" not in target and "\\" not in target else "/staff"
