"""Statements of closed sittings for staff: as JSON, compared again, and to print."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from api.acts import engine_of, staff_act
from api.staff.sittings import require_sitting
from exam_engine.delivery import service as sittings
from exam_engine.delivery.documents import StatementIssue, statement_document
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.service import StatementCheck
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.statements import SignedStatement, Statement
from exam_engine.identity.permissions import Permission


class StatementView(msgspec.Struct, frozen=True):
    """A statement with its signature; `body` is the text that is signed, byte for byte."""

    statement: Statement
    body: str
    signature: str
    public_key: str
    hash: str

    @classmethod
    def of(cls, signed: SignedStatement) -> "StatementView":
        """Show a statement."""
        return cls(
            signed.statement,
            signed.body.decode(),
            signed.signature.hex(),
            signed.public_key.hex(),
            signed.hash,
        )


class StatementController(Controller):
    """`/api/sittings/{sitting_id}/statements`."""

    path = "/api/sittings/{sitting_id:uuid}/statements"
    tags = ("sittings",)

    @get("/", summary="The signed statements of a closed sitting")
    async def statements(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> list[StatementView]:
        """Answer the newest statement of each room; none before everything is stored."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            found = await sittings.load_statements(act.session, SittingId(sitting_id))
            return [StatementView.of(one) for one in found]

    @get("/check", summary="Everything stored beside what was stated")
    async def check(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> StatementCheck:
        """Compute every hash anew from the database and name each place that differs."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            key = SigningKey(engine_of(request).master_secret)
            return await sittings.check_statements(act.session, SittingId(sitting_id), key)

    @get("/statements.pdf", summary="The statements to print and sign", media_type="application/pdf")
    async def printed(
        self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID], room: FromQuery[str | None] = None
    ) -> Response[bytes]:
        """Answer the statements of all rooms, or of one."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context = await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            found = await sittings.load_statements(act.session, SittingId(sitting_id))
        settings = engine_of(request).settings
        issue = StatementIssue(time_zone=settings.time_zone, language=settings.default_language)
        body = statement_document([one for one in found if room in (None, one.statement.room)], issue)
        name = f"{context.sitting.code}-statements.pdf"
        headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"}
        return Response(body, media_type="application/pdf", headers=headers)
