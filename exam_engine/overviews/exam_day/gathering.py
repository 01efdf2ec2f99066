"""Gathers what a check of a day judges: the plan from PostgreSQL, the machines from themselves."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from redis.asyncio import Redis
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.errors import AssemblyError
from exam_engine.assembly.model import FormState
from exam_engine.assembly.tables import PaperCodeRow
from exam_engine.authoring.tables import BankRow
from exam_engine.delivery import store
from exam_engine.delivery.draining import writer_signs
from exam_engine.delivery.freezing import Thaw, engine_version, frozen_plan, thaws
from exam_engine.delivery.model import AttemptSeat, Sitting, SittingState
from exam_engine.delivery.signs import load_signs
from exam_engine.delivery.store import SittingContext
from exam_engine.delivery.tables import AttemptRow, SittingRow
from exam_engine.enrolment import service as enrolment
from exam_engine.identity import service as identity
from exam_engine.identity.model import OrgUnit
from exam_engine.identity.permissions import Permission, roles_with
from exam_engine.identity.tables import PersonRow, RoleGrantRow
from exam_engine.infra.clock import Clock, local_day, to_milliseconds
from exam_engine.infra.errors import RedisNotDurable
from exam_engine.infra.migrations.standing import newest_revision
from exam_engine.infra.redis_client import require_durable
from exam_engine.overviews.exam_day.machines import MachineFacts
from exam_engine.overviews.exam_day.plan import PlannedPaper, PlannedRoom, PlannedSitting


async def sittings_of_day(session: AsyncSession, day: date, zone: str) -> list[SittingContext]:
    """Return the sittings that are not closed and run on a day of a time zone."""
    begin = datetime.combine(day, time(), ZoneInfo(zone))
    end = begin + timedelta(days=1)
    return [
        context
        for context in await store.load_sittings(session)
        if context.sitting.state is not SittingState.CLOSED
        and context.sitting.starts_at < end
        and context.sitting.ends_at > begin
    ]


async def gather_plan(
    session: AsyncSession, contexts: Sequence[SittingContext], time_zone: str
) -> list[PlannedSitting]:
    """Load everything the sittings of a day of a time zone lean on."""
    units: dict[UUID, OrgUnit] = {unit.id: unit for unit in await identity.load_units(session)}
    return [await _planned(session, context, units, time_zone) for context in contexts]


async def gather_machines(session: AsyncSession, redis: Redis, data_folder: Path, clock: Clock) -> MachineFacts:
    """Measure servers and processes.

    Raises
    ------
    ServiceUnavailable
    """
    client: Any = redis
    not_durable: Sequence[str] = ()
    try:
        await require_durable(redis)
    except RedisNotDurable as error:
        not_durable = error.findings
    before_ms = to_milliseconds(clock())
    seconds, microseconds = await client.time()
    redis_ms = 1000 * int(seconds) + int(microseconds) // 1000
    middle_ms = (before_ms + to_milliseconds(clock())) // 2
    before_ms = to_milliseconds(clock())
    stored_at: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    middle_of_postgresql_ms = (before_ms + to_milliseconds(clock())) // 2
    memory = await client.info("memory")
    now_ms = to_milliseconds(clock())
    signs = await writer_signs(redis)
    revision = (await session.execute(text("select version_num from alembic_version"))).scalar()
    limit = int(memory.get("maxmemory") or 0)
    return MachineFacts(
        engine=engine_version(),
        schema=newest_revision(),
        stored_schema=revision or "",
        not_durable=not_durable,
        redis_ahead_ms=redis_ms - middle_ms,
        postgresql_ahead_ms=to_milliseconds(stored_at) - middle_of_postgresql_ms,
        disk_free_bytes=_free_bytes(data_folder),
        redis_memory_share=int(memory["used_memory"]) / limit if limit else 0.0,
        signs=await load_signs(redis, now_ms),
        writers={name: (now_ms - sign.at_ms, sign.lag_ms, sign.waiting) for name, sign in signs.items()},
        now_ms=now_ms,
    )


async def _planned(
    session: AsyncSession, context: SittingContext, units: Mapping[UUID, OrgUnit], time_zone: str
) -> PlannedSitting:
    sitting = context.sitting
    day = local_day(sitting.starts_at, time_zone)
    subject = await enrolment.require_subject_by_id(session, sitting.exam_subject_id)
    rooms = await enrolment.load_rooms(session, context.exam_id)
    paper, found = await _paper(session, sitting)
    sites = {room.site_unit_id or context.exam_unit_id for room in rooms}
    people = {site: await _invigilators(session, _above(units, site), day) for site in sorted(sites)}
    planned_rooms: dict[UUID, PlannedRoom] = {
        room.id: PlannedRoom(
            id=room.id,
            code=room.code,
            capacity=room.capacity,
            site=str(room.site_unit_id or context.exam_unit_id),
            invigilators=people[room.site_unit_id or context.exam_unit_id],
        )
        for room in rooms
    }
    return PlannedSitting(
        sitting=sitting,
        exam_code=context.exam_code,
        subject_code=context.subject_code,
        subject_minutes=subject.minutes,
        codes_valid_until=context.codes_valid_until,
        paper=paper,
        rooms=planned_rooms,
        seats=[*await _seated(session, sitting), *await store.load_unseated(session, sitting)],
        strangers=await _strangers(session, sitting),
        thaws=found,
    )


async def _paper(session: AsyncSession, sitting: Sitting) -> tuple[PlannedPaper, list[Thaw]]:
    form = await assembly.load_form(session, sitting.form_id)
    codes = await assembly.load_paper_codes(session, sitting.form_id)
    is_sealed = form.state is FormState.SEALED
    try:
        compiled = await assembly.load_compiled_of_form(session, sitting.form_id)
    except AssemblyError:
        compiled = None
    minutes = None
    if compiled is not None:
        minutes = msgspec.json.decode(compiled.body).get("minutes")
    subject = (await session.execute(select(BankRow.subject_code).where(BankRow.id == form.bank_id))).scalar_one()
    paper = PlannedPaper(
        code=form.code,
        subject_code=subject,
        minutes=minutes,
        paper_codes=len(codes),
        is_sealed=is_sealed,
        seal_holds=is_sealed and await assembly.seal_holds(session, sitting.form_id),
        hash=compiled.hash if compiled is not None else "",
    )
    frozen = (await session.execute(select(SittingRow.frozen).where(SittingRow.id == sitting.id))).scalar()
    return paper, [] if frozen is None else thaws(frozen, frozen_plan(sitting, paper.hash, codes))


async def _seated(session: AsyncSession, sitting: Sitting) -> list[AttemptSeat]:
    seats = await store.load_seats(session, sitting.id)
    known = await enrolment.accommodations_in(session, sitting.exam_subject_id, [seat.candidate_id for seat in seats])
    return [
        AttemptSeat(
            candidate_id=seat.candidate_id,
            room_id=seat.room_id,
            seat_number=seat.seat_number,
            room_code=seat.room_code or "",
            time_factor=known[seat.candidate_id].time_factor,
            extra_minutes=known[seat.candidate_id].extra_minutes,
        )
        for seat in seats
    ]


async def _strangers(session: AsyncSession, sitting: Sitting) -> int:
    query = (
        select(func.count())
        .select_from(AttemptRow)
        .join(PaperCodeRow, PaperCodeRow.id == AttemptRow.paper_code_id)
        .where(AttemptRow.sitting_id == sitting.id, PaperCodeRow.form_id != sitting.form_id)
    )
    return (await session.execute(query)).scalar_one()


async def _invigilators(session: AsyncSession, units: Sequence[UUID], day: date) -> frozenset[str]:
    roles = [role.value for role in roles_with(Permission.INVIGILATE)]
    query = (
        select(PersonRow.user_name)
        .join(RoleGrantRow, RoleGrantRow.person_id == PersonRow.id)
        .where(
            RoleGrantRow.unit_id.in_(units),
            RoleGrantRow.role.in_(roles),
            RoleGrantRow.valid_from <= day,
            RoleGrantRow.valid_to.is_(None) | (RoleGrantRow.valid_to > day),
            PersonRow.is_active,
        )
    )
    return frozenset((await session.execute(query)).scalars())


def _above(units: Mapping[UUID, OrgUnit], unit_id: UUID) -> list[UUID]:
    """A unit and all above it: a role holds below the unit it was given on."""
    found: list[UUID] = []
    current: UUID | None = unit_id
    while current is not None and current not in found:
        found.append(current)
        unit = units.get(current)
        current = unit.parent_id if unit is not None else None
    return found


def _free_bytes(folder: Path) -> int:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free
