"""Sittings for staff: plan, open, close, extra time, messages, the reconciliation statement."""

from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from api.acts import Act, delivery_of, engine_of, staff_act
from api.staff.room_rights import reachable_sittings, require_seats
from exam_engine.delivery import service as sittings
from exam_engine.delivery.draining import drain, wait_until_stored
from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.service import Desk, Extended, Extension, Message, Reconciliation, Scope, SittingPlan
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.store.sittings import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.identity.model import UnitId
from exam_engine.identity.permissions import Permission

Request_ = Request[Any, Any, Any]
RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class SittingView(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting."""

    id: UUID
    code: str
    name: str
    exam: str
    exam_name: str
    subject: str
    subject_name: str
    state: str
    starts_at: str
    ends_at: str
    minutes: int
    form_id: UUID

    @classmethod
    def of(cls, context: SittingContext) -> "SittingView":
        """Show a sitting."""
        sitting = context.sitting
        return cls(
            id=sitting.id,
            code=sitting.code,
            name=sitting.name,
            exam=context.exam_code,
            exam_name=context.exam_name,
            subject=context.subject_code,
            subject_name=context.subject_name,
            state=sitting.state.value,
            starts_at=sitting.starts_at.isoformat(),
            ends_at=sitting.ends_at.isoformat(),
            minutes=sitting.duration_seconds // 60,
            form_id=sitting.form_id,
        )


class ExtendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Extra time for one attempt, several, a room, or (none) everybody; the same request is credited once."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    room_id: UUID | None = None
    attempt_id: UUID | None = None
    attempts: Annotated[list[UUID], msgspec.Meta(max_length=500)] = []
    request: RequestId | None = None


class MessageBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words to one seat, several, a room, or (none) everybody."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    room_id: UUID | None = None
    attempt_id: UUID | None = None
    attempts: Annotated[list[UUID], msgspec.Meta(max_length=500)] = []
    request: RequestId | None = None


class SittingController(Controller):
    """`/api/sittings`."""

    path = "/api/sittings"
    tags = ("sittings",)

    @get("/", summary="Sittings")
    async def sittings(self, request: Request_, exam: FromQuery[str] = "") -> list[SittingView]:
        """Answer the sittings of the person's units, and those in which they have a room, by their start."""
        async with staff_act(request, Permission.READ_EXAMS) as act:
            return [SittingView.of(context) for context in await readable_sittings(act, exam)]

    @post("/", summary="Plan a sitting")
    async def plan(self, request: Request_, data: JSONBody[SittingPlan]) -> SittingView:
        """Plan a sitting of a sealed form."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            subject = await enrolment.require_subject_by_id(act.session, data.exam_subject_id)
            exam = await enrolment.require_exam_by_id(act.session, subject.exam_id)
            await act.require(Permission.MANAGE_SITTINGS, UnitId(exam.unit_id))
            sitting = await sittings.plan_sitting(act.session, data, actor=act.actor, now=act.now)
            return SittingView.of(await sittings.load_sitting(act.session, sitting.id))

    @post("/{sitting_id:uuid}/open", summary="Open a sitting", status_code=200)
    async def open(self, request: Request_, sitting_id: FromPath[UUID]) -> SittingView:
        """Give every seat a paper code and let candidates in; again: take in who was added since."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            await sittings.open_sitting(desk_of(request, act), SittingId(sitting_id))
            return SittingView.of(await sittings.load_sitting(act.session, sitting_id))

    @post("/{sitting_id:uuid}/close", summary="Close a sitting", status_code=200)
    async def close(self, request: Request_, sitting_id: FromPath[UUID]) -> SittingView:
        """End it for everybody; all that was saved counts. Waits until every answer is in PostgreSQL."""
        async with staff_act(request, Permission.MANAGE_SITTINGS) as act:
            await require_sitting(act, sitting_id, Permission.MANAGE_SITTINGS)
            sitting = await sittings.close_sitting(desk_of(request, act), SittingId(sitting_id))
        await wait_until_stored(engine_of(request).sessions, sitting)
        async with staff_act(request, Permission.READ_EXAMS) as act:
            return SittingView.of(await sittings.load_sitting(act.session, sitting_id))

    @get("/{sitting_id:uuid}/reconciliation", summary="Is every acknowledged answer stored")
    async def reconciliation(self, request: Request_, sitting_id: FromPath[UUID]) -> Reconciliation:
        """Compare every attempt and slot in Redis with PostgreSQL, and both with what was signed; gaps are named."""
        async with staff_act(request, Permission.WATCH_ROOMS) as act:
            context = await require_sitting(act, sitting_id, Permission.WATCH_ROOMS)
            await drain(engine_of(request).redis, context.sitting)
            return await reconciled(request, act, SittingId(sitting_id))

    @post("/{sitting_id:uuid}/extend", summary="Extra time", status_code=200)
    async def extend(self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[ExtendBody]) -> Extended:
        """Credit time; it reaches the seats with their next reply. Of several, who cannot get it is named."""
        scope = _scope(data)
        needed = Permission.INVIGILATE if scope.wanted else Permission.EXTEND_SITTINGS
        async with staff_act(request, needed) as act:
            desk = desk_of(request, act)
            await require_seats(desk, act, sitting_id, scope, needed)
            extension = Extension(
                seconds=data.seconds, reason=data.reason, request=data.request or uuid4().hex, scope=scope
            )
            return await sittings.extend(desk, SittingId(sitting_id), extension)

    @post("/{sitting_id:uuid}/messages", summary="A message to seats", status_code=200)
    async def message(
        self, request: Request_, sitting_id: FromPath[UUID], data: JSONBody[MessageBody]
    ) -> dict[str, int]:
        """Send words to one, a room or all; they reach the seats with their next reply."""
        async with staff_act(request, Permission.INVIGILATE) as act:
            desk, scope = desk_of(request, act), _scope(data)
            await require_seats(desk, act, sitting_id, scope)
            message = Message(text=data.text, request=data.request or uuid4().hex, scope=scope)
            return {"notice": await sittings.send_message(desk, SittingId(sitting_id), message)}


async def reconciled(request: Request_, act: Act, sitting_id: SittingId) -> Reconciliation:
    """Compare Redis, PostgreSQL and the signed statements; the page and the route show the same."""
    key = SigningKey(engine_of(request).master_secret)
    return await sittings.reconcile(act.session, delivery_of(request).register, sitting_id, key)


def desk_of(request: Request_, act: Act) -> Desk:
    """Return where a use case on a sitting acts from."""
    return Desk(session=act.session, register=delivery_of(request).register, actor=act.actor, now=act.now)


async def require_sitting(act: Act, sitting_id: UUID, permission: Permission) -> SittingContext:
    """Return a sitting on whose exam's unit the person holds a permission."""
    context = await sittings.load_sitting(act.session, sitting_id)
    await act.require(permission, UnitId(context.exam_unit_id))
    return context


async def readable_sittings(act: Act, exam_code: str = "") -> list[SittingContext]:
    """Return the sittings of the person's units, and those in which they have a room."""
    return [found.context for found in await reachable_sittings(act, exam_code)]


def _scope(data: ExtendBody | MessageBody) -> Scope:
    named = (*data.attempts, *([data.attempt_id] if data.attempt_id else ()))
    return Scope(room_id=data.room_id, attempts=tuple(map(AttemptId, named)))
