"""The page of a closed sitting's statements: what each room held, and whether anything was changed since."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, get
from litestar.params import FromPath
from litestar.response import Template

from api.acts import engine_of, staff_act
from api.pages.staff_page import staff_page
from api.staff.statements import codes_of, readable_statements
from exam_engine.delivery import service as sittings
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.signing import SigningKey
from exam_engine.identity.permissions import Permission
from exam_engine.infra.i18n import N_

KINDS = {"changed": N_("changed"), "missing": N_("missing"), "added": N_("added"), "forged": N_("forged")}


class StatementPages(Controller):
    """`/staff/sittings/{sitting_id}/statements`."""

    path = "/staff/sittings/{sitting_id:uuid}/statements"
    include_in_schema = False

    @get("/")
    async def statements(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> Template:
        """Show the statements of the person's rooms, compared with the database at this very moment."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            reached, signed = await readable_statements(act, sitting_id)
            key = SigningKey(engine_of(request).master_secret)
            check = await sittings.check_statements(act.session, SittingId(sitting_id), key, codes_of(reached))
            return staff_page(
                request,
                act.person,
                "staff/sittings/statements.html",
                context=reached.context,
                signed=signed,
                check=check,
                key_id=key.public.id,
                kinds=KINDS,
            )
