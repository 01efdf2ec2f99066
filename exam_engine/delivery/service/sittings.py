"""Planning, opening and closing a sitting.

Redis is changed before the transaction commits: each step may be repeated, so a commit that fails is repaired by
doing it again.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import FormId, PaperCodeId
from exam_engine.audit import service as audit
from exam_engine.delivery import closing, counters, model, store
from exam_engine.delivery.errors import AttemptUnknown, SittingPlanInvalid, SittingStateWrong
from exam_engine.delivery.freezing import frozen_plan
from exam_engine.delivery.model import (
    AttemptId,
    AttemptSeat,
    CloseReason,
    Sitting,
    SittingId,
    SittingSettings,
    SittingState,
)
from exam_engine.delivery.places import place_of, stream_keys
from exam_engine.delivery.register import PrimedAttempt
from exam_engine.delivery.service.desk import Desk, change_attempts, lock_sitting, record
from exam_engine.delivery.store import SittingContext
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import ExamState, SubjectMode
from exam_engine.infra import queue
from exam_engine.infra.errors import Busy
from exam_engine.infra.randomness import fresh_seed
from item_bank.messages import message

MAKE_STATEMENTS = "delivery.make_statements"
"""Name of the job that makes the signed statements of a closed sitting."""


class SittingPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What planning a sitting needs; times are aware."""

    exam_subject_id: UUID
    form_id: UUID
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._-]+$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    starts_at: datetime
    ends_at: datetime
    duration_seconds: Annotated[int, msgspec.Meta(ge=60, le=24 * 3600)]
    opens_at: datetime | None = None  # waiting room; none: half an hour before the start
    late_limit_seconds: Annotated[int, msgspec.Meta(ge=0, le=366 * 24 * 3600)] = 900
    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=600)] = 10
    shards: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    seed: int | None = None
    settings: SittingSettings = msgspec.field(default_factory=SittingSettings)


async def plan_sitting(session: AsyncSession, plan: SittingPlan, *, actor: str, now: datetime) -> Sitting:
    """Plan a sitting of a sealed form.

    Raises
    ------
    SittingPlanInvalid, SubjectUnknown, FormUnknown, FormNotSealed
    """
    sitting = _planned(plan)
    subject = await enrolment.require_subject_by_id(session, plan.exam_subject_id)
    if subject.mode is not SubjectMode.ONLINE:
        raise SittingPlanInvalid("exam_subject_id", message("this subject is not sat on line"))
    await assembly.require_sealed(session, sitting.form_id)
    if await store.find_sitting(session, plan.code) is not None:
        raise SittingPlanInvalid("code", message("there is a sitting {code} already", code=plan.code))
    await store.insert_sitting(session, sitting)
    await audit.append(
        session,
        actor=actor,
        action="sitting.plan",
        subject=f"sitting:{sitting.id}",
        facts={"code": sitting.code, "starts_at": plan.starts_at, "form_id": plan.form_id},
        now=now,
    )
    return sitting


async def load_sittings(
    session: AsyncSession, *, state: SittingState | None = None, exam_id: UUID | None = None
) -> list[SittingContext]:
    """Load sittings by their start."""
    return await store.load_sittings(session, state=state, exam_id=exam_id)


async def open_sitting(desk: Desk, sitting_id: SittingId) -> Sitting:
    """Open a sitting: freeze its form, give every seat a paper code, fill Redis. Again: take in who was added since.

    Raises
    ------
    SittingUnknown, SittingStateWrong, SittingPlanInvalid, CompiledFormUnknown, ServiceUnavailable
    """
    sitting = await lock_sitting(desk, sitting_id)
    form_hash, seats, assigned = await check_opening(desk.session, sitting)
    attempt_ids = [uuid4() for _ in seats]
    facts = [model.planned_facts(sitting, seat.room_code, seat.time_factor, seat.extra_minutes) for seat in seats]
    attempts = [
        {
            "id": attempt_id,
            "candidate_id": seat.candidate_id,
            "room_id": seat.room_id,
            "seat_number": seat.seat_number,
            "paper_code_id": assigned[seat.candidate_id],
            "extra_ms": planned.extra_ms,
            "accommodated_ms": planned.accommodated_ms,
        }
        for attempt_id, seat, planned in zip(attempt_ids, seats, facts, strict=True)
    ]
    await store.insert_attempts(desk.session, sitting, attempts)
    await desk.register.prime(
        [
            PrimedAttempt(place_of(sitting.id, sitting.shards, attempt_id), planned)
            for attempt_id, planned in zip(attempt_ids, facts, strict=True)
        ]
    )
    if sitting.state is SittingState.PLANNED:
        for stream in stream_keys(sitting.id, sitting.shards):
            await desk.register.mark_primed(stream)
        codes = await assembly.load_paper_codes(desk.session, sitting.form_id)
        frozen = frozen_plan(sitting, form_hash, codes)
        await store.mark_open(desk.session, sitting_id, form_hash, frozen, desk.now)
        await _begin_exam(desk, sitting)
    elif attempts:
        await store.raise_roll_version(desk.session, sitting_id)
    opened = msgspec.structs.replace(sitting, state=SittingState.OPEN, form_hash=form_hash)
    await record(desk, "sitting.open", opened, attempts=len(attempts), form_hash=form_hash)
    return opened


async def check_opening(
    session: AsyncSession, sitting: Sitting
) -> tuple[str, list[AttemptSeat], dict[UUID, PaperCodeId]]:
    """Return what opening would do: the form's hash, the seats to take in, and their paper codes.

    Raises
    ------
    SittingStateWrong, SittingPlanInvalid, FormNotSealed
    """
    if sitting.state is SittingState.CLOSED:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.PLANNED)
    await assembly.require_sealed(session, sitting.form_id)
    form = await assembly.load_compiled_of_form(session, sitting.form_id)
    codes = [code.id for code in await assembly.load_paper_codes(session, sitting.form_id)]
    seats = await store.load_unseated(session, sitting)
    if not seats and sitting.state is SittingState.PLANNED:
        raise SittingPlanInvalid("candidates", message("nobody is registered or seated for this subject"))
    return form.hash, seats, model.assign_paper_codes(seats, codes, sitting.seed, sitting.settings.columns)


async def attempt_of_number(session: AsyncSession, sitting: Sitting, number: str) -> AttemptId:
    """Return the attempt of a candidate number.

    Raises
    ------
    AttemptUnknown
    """
    for seat in await store.load_seats(session, sitting.id):
        if seat.number == number:
            return seat.attempt_id
    raise AttemptUnknown(number)


async def room_of_code(session: AsyncSession, sitting: Sitting, code: str) -> UUID:
    """Return the room of a code in which somebody of the sitting sits.

    Raises
    ------
    AttemptUnknown
    """
    for seat in await store.load_seats(session, sitting.id):
        if seat.room_id is not None and seat.room_code == code:
            return seat.room_id
    raise AttemptUnknown(code)


async def code_of_room(session: AsyncSession, sitting: Sitting, room_id: UUID) -> str:
    """Return the code of a room of the sitting's exam.

    Raises
    ------
    AttemptUnknown
        The exam has no such room.
    """
    subject = await enrolment.require_subject_by_id(session, sitting.exam_subject_id)
    for room in await enrolment.load_rooms(session, subject.exam_id):
        if room.id == room_id:
            return room.code
    raise AttemptUnknown(room_id)


async def close_sitting(desk: Desk, sitting_id: SittingId) -> Sitting:
    """Close a sitting: who runs is closed with all answers, who never came is absent.

    Raises
    ------
    SittingUnknown, SittingStateWrong, ServiceUnavailable
    """
    sitting = await lock_sitting(desk, sitting_id)
    if sitting.state is SittingState.CLOSED:
        return sitting
    if sitting.state is not SittingState.OPEN:
        raise SittingStateWrong(sitting.code, sitting.state, SittingState.OPEN)
    return await _close(desk, sitting)


async def close_if_over(desk: Desk, sitting_id: SittingId) -> Sitting | None:
    """Close a sitting that is open, whose end is past and in which nobody has time left; else None.

    Decided under the lock: whoever was given time, or a paper back, a moment ago keeps it.

    Raises
    ------
    SittingUnknown, ServiceUnavailable
    """
    sitting = await lock_sitting(desk, sitting_id)
    if sitting.state is not SittingState.OPEN or desk.now <= sitting.closes_at:
        return None
    if (await closing.awaited(desk.register, sitting)).attempts:
        return None
    return await _close(desk, sitting)


async def _close(desk: Desk, sitting: Sitting) -> Sitting:
    attempts = await store.load_attempt_ids(desk.session, sitting.id)
    closed = await change_attempts(
        desk, sitting, attempts, lambda held: model.close(held.facts, CloseReason.SITTING, desk.now_ms)
    )
    # An act whose transaction died with PostgreSQL may still be under way, without its lock.
    if not await closing.seal(desk.register, sitting):
        raise Busy("redis", "an attempt was opened again while the sitting closed")
    for change in closed.values():
        counters.CLOSED.labels(change.facts.reason).inc()
    await store.mark_closed(desk.session, sitting.id, desk.now)
    await queue.defer(desk.session, MAKE_STATEMENTS, {"sitting_id": str(sitting.id)})
    await record(desk, "sitting.close", sitting, closed_running=len(closed))
    return msgspec.structs.replace(sitting, state=SittingState.CLOSED)


async def _begin_exam(desk: Desk, sitting: Sitting) -> None:
    """Open the exam with its first sitting: from then on its numbers stay as they stand on the cards."""
    subject = await enrolment.require_subject_by_id(desk.session, sitting.exam_subject_id)
    exam = await enrolment.require_exam_by_id(desk.session, subject.exam_id)
    if exam.state is ExamState.PLANNED:
        await enrolment.set_state(desk.session, exam, ExamState.OPEN, actor=desk.actor, now=desk.now)


def _planned(plan: SittingPlan) -> Sitting:
    opens_at = plan.opens_at or plan.starts_at - timedelta(minutes=30)
    for field in ("starts_at", "ends_at", "opens_at"):
        moment = getattr(plan, field)
        if moment is not None and moment.tzinfo is None:
            raise SittingPlanInvalid(field, message("the time zone is missing"))
    if plan.ends_at <= plan.starts_at:
        raise SittingPlanInvalid("ends_at", message("it must lie after the start"))
    if opens_at > plan.starts_at:
        raise SittingPlanInvalid("opens_at", message("it must not lie after the start"))
    if plan.ends_at - plan.starts_at < timedelta(seconds=plan.duration_seconds):
        raise SittingPlanInvalid(
            "ends_at", message("the sitting ends before a candidate who starts on time has all the time")
        )
    return Sitting(
        id=SittingId(uuid4()),
        exam_subject_id=plan.exam_subject_id,
        form_id=FormId(plan.form_id),
        form_hash="",
        code=plan.code,
        name=plan.name,
        opens_at=opens_at,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        duration_seconds=plan.duration_seconds,
        late_limit_seconds=plan.late_limit_seconds,
        grace_seconds=plan.grace_seconds,
        state=SittingState.PLANNED,
        shards=plan.shards,
        seed=plan.seed if plan.seed is not None else fresh_seed(),
        settings=plan.settings,
    )
