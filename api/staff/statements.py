"""Statements of closed sittings for staff: as JSON, compared again, and to print."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from api.acts import Act, engine_of, staff_act
from api.staff.room_rights import Reach, reach
from exam_engine.delivery import service as sittings
from exam_engine.delivery.documents import StatementIssue, statement_document
from exam_engine.delivery.model import SittingId
from exam_engine.delivery.service import StatementCheck
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.statements import SignedStatement, Statement
from exam_engine.identity.errors import PermissionDenied
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
        """Answer the newest statement of each of the person's rooms; none before everything is stored."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            _, found = await readable_statements(act, sitting_id)
            return [StatementView.of(one) for one in found]

    @get("/check", summary="Everything stored beside what was stated")
    async def check(self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID]) -> StatementCheck:
        """Compute every hash anew from the database and name each place that differs."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            reached = await require_rooms(act, sitting_id)
            key = SigningKey(engine_of(request).master_secret)
            return await sittings.check_statements(act.session, SittingId(sitting_id), key, codes_of(reached))

    @get("/statements.pdf", summary="The statements to print and sign", media_type="application/pdf")
    async def printed(
        self, request: Request[Any, Any, Any], sitting_id: FromPath[UUID], room: FromQuery[str | None] = None
    ) -> Response[bytes]:
        """Answer the statements of all rooms the person watches, or of one."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            reached, found = await readable_statements(act, sitting_id)
        settings = engine_of(request).settings
        issue = StatementIssue(time_zone=settings.time_zone, language=settings.default_language)
        body = statement_document([one for one in found if room in (None, one.statement.room)], issue)
        name = f"{reached.context.sitting.code}-statements.pdf"
        headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"}
        return Response(body, media_type="application/pdf", headers=headers)


async def readable_statements(act: Act, sitting_id: UUID) -> tuple[Reach, list[SignedStatement]]:
    """Return the statements of the rooms the person watches.

    Raises
    ------
    SittingUnknown, PermissionDenied
    """
    reached = await require_rooms(act, sitting_id)
    rooms = codes_of(reached)
    found = await sittings.load_statements(act.session, SittingId(sitting_id))
    return reached, [one for one in found if rooms is None or one.statement.room in rooms]


async def require_rooms(act: Act, sitting_id: UUID) -> Reach:
    """Return a sitting of which the person watches at least a room.

    Raises
    ------
    SittingUnknown, PermissionDenied
    """
    reached = await reach(act, sitting_id)
    if not reached.rooms and not reached.is_whole:
        raise PermissionDenied(Permission.WATCH_ROOMS)
    return reached


def codes_of(reached: Reach) -> frozenset[str] | None:
    """Return the codes of the rooms somebody watches; None: all, also of those who sit anywhere."""
    return None if reached.is_whole else frozenset(room.code for room in reached.rooms)
