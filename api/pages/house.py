"""Pages of the house: people with their roles, and the audit log."""

from typing import Annotated, Any

from litestar import Controller, Request, get
from litestar.params import FromQuery, Parameter
from litestar.response import Template

from api.acts import actor_names, staff_act
from api.pages.staff_page import staff_page
from api.pages.words import ACTIONS, ROLES
from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.identity import service as identity
from exam_engine.identity.permissions import Permission

Word = Annotated[str, Parameter(max_length=100)]


class HousePages(Controller):
    """`/staff/people`, `/staff/audit`."""

    path = "/staff"
    include_in_schema = False

    @get("/people")
    async def people(self, request: Request[Any, Any, Any]) -> Template:
        """List people with the roles that hold today."""
        async with staff_act(request, Permission.MANAGE_PEOPLE) as act:
            people = await identity.load_people(act.session, on=act.today)
            return staff_page(request, act.person, "staff/house/people.html", people=people, roles=ROLES)

    @get("/audit")
    async def audit_log(
        self,
        request: Request[Any, Any, Any],
        actor: FromQuery[Word] = "",
        action: FromQuery[Word] = "",
        before: FromQuery[int | None] = None,
        check: FromQuery[bool] = False,
    ) -> Template:
        """Show the record, newest first; on request the whole chain is recomputed."""
        async with staff_act(request, Permission.READ_AUDIT) as act:
            query = AuditQuery(actor=actor or None, action=action or None, before_sequence=before)
            entries = await audit.load_entries(act.session, query)
            verification = await audit.verify(act.session) if check else None
            return staff_page(
                request,
                act.person,
                "staff/house/audit.html",
                entries=entries,
                verification=verification,
                actions=ACTIONS,
                actor_name=await actor_names(act),
            )
