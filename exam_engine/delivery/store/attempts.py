"""SQL on attempts and their answers, and on the candidates and seats behind their foreign keys."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import cast, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import model
from exam_engine.delivery.model import (
    AttemptFacts,
    AttemptId,
    AttemptSeat,
    AttemptState,
    ChangeKind,
    CloseReason,
    Sitting,
    SittingId,
    SittingState,
    planned_facts,
)
from exam_engine.delivery.packing import pack_response, sequences_of
from exam_engine.delivery.places import place_of
from exam_engine.delivery.register import PrimedAttempt
from exam_engine.delivery.store.sittings import raise_roll_version
from exam_engine.delivery.tables import AttemptEventRow, AttemptRow, ResponseEventRow, ResponseRow, SittingActRow
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.tables import (
    CandidateRow,
    CandidateSubjectRow,
    ExamSubjectRow,
    RoomRow,
    SeatRow,
)
from exam_engine.identity.tables import OrgUnitRow
from exam_engine.infra.clock import to_milliseconds
from scoring.values import ResponseValue


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a sitting: whose it is, where, on which paper."""

    attempt_id: AttemptId
    candidate_id: UUID
    number: str
    full_name: str
    school: str
    code_version: int
    room_id: UUID | None
    room_code: str | None
    seat_number: int | None
    paper_code_id: UUID
    state: AttemptState  # as PostgreSQL knows it


class RoomCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many sit in a room, and how many of them have begun as far as PostgreSQL was told."""

    room_id: UUID | None  # none: they sit anywhere
    code: str
    seats: int
    started: int = 0


class AttemptCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL holds of a sitting."""

    states: dict[str, int]
    responses: int
    events: int


async def load_unseated(session: AsyncSession, sitting: Sitting) -> list[AttemptSeat]:
    """Load candidates of the subject who have no attempt in this sitting yet, room by room and seat by seat.

    Those with a seat sit there; those registered without a seat sit anywhere (practice exams have no rooms).
    """
    has_attempt = (
        select(AttemptRow.id)
        .where(AttemptRow.sitting_id == sitting.id, AttemptRow.candidate_id == CandidateRow.id)
        .exists()
    )
    query = (
        select(CandidateRow.id, SeatRow.room_id, SeatRow.number, RoomRow.code)
        .join(ExamSubjectRow, ExamSubjectRow.exam_id == CandidateRow.exam_id)
        .outerjoin(SeatRow, (SeatRow.candidate_id == CandidateRow.id) & (SeatRow.exam_subject_id == ExamSubjectRow.id))
        .outerjoin(RoomRow, RoomRow.id == SeatRow.room_id)
        .outerjoin(
            CandidateSubjectRow,
            (CandidateSubjectRow.candidate_id == CandidateRow.id)
            & (CandidateSubjectRow.exam_subject_id == ExamSubjectRow.id),
        )
        .where(
            ExamSubjectRow.id == sitting.exam_subject_id,
            CandidateRow.number.is_not(None),
            SeatRow.id.is_not(None) | CandidateSubjectRow.candidate_id.is_not(None),
            ~has_attempt,
        )
        .order_by(RoomRow.code.nulls_last(), SeatRow.number, CandidateRow.number)
    )
    rows = (await session.execute(query)).all()
    granted = await enrolment.accommodations_in(session, sitting.exam_subject_id, [row.id for row in rows])
    return [
        AttemptSeat(
            candidate_id=row.id,
            room_id=row.room_id,
            seat_number=row.number,
            room_code=row.code or "",
            time_factor=granted[row.id].time_factor,
            extra_minutes=granted[row.id].extra_minutes,
        )
        for row in rows
    ]


async def insert_attempts(session: AsyncSession, sitting: Sitting, attempts: Sequence[dict[str, Any]]) -> None:
    """Make the ready attempts of a sitting."""
    if not attempts:
        return
    common = {
        "sitting_id": sitting.id,
        "state": AttemptState.READY.value,
        "revision": 0,
        "lease": 0,
        "client": "",
        "extensions": [],
    }
    await session.execute(insert(AttemptRow), [common | attempt for attempt in attempts])


async def save_place(
    session: AsyncSession, sitting_id: SittingId, attempt_id: AttemptId, room_id: UUID | None, seat_number: int | None
) -> None:
    """Let an attempt be sat elsewhere; workers that know the sitting load it anew."""
    await session.execute(
        update(AttemptRow).where(AttemptRow.id == attempt_id).values(room_id=room_id, seat_number=seat_number)
    )
    await raise_roll_version(session, sitting_id)


async def rooms_moved_to(session: AsyncSession, sitting_id: SittingId | None = None) -> dict[SittingId, set[UUID]]:
    """Return the rooms in which somebody who was moved sits now, of one sitting or of all."""
    moved = cast(SittingActRow.attempts, JSONB)[0].astext
    query = (
        select(AttemptRow.sitting_id, AttemptRow.room_id)
        .join(SittingActRow, cast(moved, PG_UUID(as_uuid=True)) == AttemptRow.id)
        .where(SittingActRow.kind == "move", AttemptRow.room_id.is_not(None))
        .distinct()
    )
    if sitting_id is not None:
        query = query.where(SittingActRow.sitting_id == sitting_id)
    found: dict[SittingId, set[UUID]] = {}
    for sitting, room in (await session.execute(query)).tuples():
        assert room is not None  # noqa: S101 (asked for)
        found.setdefault(SittingId(sitting), set()).add(room)
    return found


async def load_seats(session: AsyncSession, sitting_id: SittingId) -> list[Seat]:
    """Load who sits in a sitting, by room and seat."""
    query = (
        select(
            AttemptRow.id.label("attempt_id"),
            AttemptRow.candidate_id,
            CandidateRow.number,
            CandidateRow.full_name,
            func.coalesce(OrgUnitRow.name, "").label("school"),
            CandidateRow.code_version,
            AttemptRow.room_id,
            RoomRow.code.label("room_code"),
            AttemptRow.seat_number,
            AttemptRow.paper_code_id,
            AttemptRow.state,
        )
        .join(CandidateRow, CandidateRow.id == AttemptRow.candidate_id)
        .outerjoin(RoomRow, RoomRow.id == AttemptRow.room_id)
        .outerjoin(OrgUnitRow, OrgUnitRow.id == CandidateRow.school_unit_id)
        .where(AttemptRow.sitting_id == sitting_id)
        .order_by(RoomRow.code.nulls_last(), AttemptRow.seat_number, CandidateRow.number)
    )
    return [
        Seat(**({**row} | {"state": AttemptState(row["state"]), "number": row["number"] or ""}))
        for row in (await session.execute(query)).mappings()
    ]


async def sitting_of_attempt(session: AsyncSession, attempt_id: AttemptId) -> SittingId | None:
    """Return which sitting an attempt belongs to."""
    found = (await session.execute(select(AttemptRow.sitting_id).where(AttemptRow.id == attempt_id))).scalar()
    return None if found is None else SittingId(found)


async def sittings_of_candidate(session: AsyncSession, candidate_id: UUID) -> list[SittingId]:
    """Return the sittings in which a candidate has an attempt."""
    query = select(AttemptRow.sitting_id).where(AttemptRow.candidate_id == candidate_id)
    return [SittingId(found) for found in (await session.execute(query)).scalars()]


async def load_stored_attempts(
    session: AsyncSession, sitting: Sitting, attempts: Sequence[AttemptId] | None = None, *, is_lost: bool = False
) -> list[PrimedAttempt]:
    """Load attempts with their answers as PostgreSQL knows them, ready to be taken over by Redis.

    `is_lost`: Redis had them and lost them, so revision and lease must be newer than any it gave out.
    """
    query = select(AttemptRow).where(AttemptRow.sitting_id == sitting.id)
    if attempts is not None:
        query = query.where(AttemptRow.id.in_(attempts))
    rows = (await session.execute(query)).scalars().all()
    rooms = await session.execute(
        select(RoomRow.id, RoomRow.code).where(RoomRow.id.in_({row.room_id for row in rows if row.room_id}))
    )
    room_codes = {row.id: row.code for row in rooms}
    answers: dict[UUID, dict[int, bytes]] = {row.id: {} for row in rows}
    alive = {row.id: _milliseconds(row.last_seen_at) for row in rows}
    found = await session.execute(select(ResponseRow).where(ResponseRow.attempt_id.in_(answers)))
    for answer in found.scalars():
        alive[answer.attempt_id] = max(alive[answer.attempt_id], to_milliseconds(answer.server_time))
        answers[answer.attempt_id][answer.slot] = pack_response(
            answer.sequence, to_milliseconds(answer.client_time), msgspec.json.encode(answer.value), bool(answer.value)
        )
    facts = {row.id: _facts(sitting, row, room_codes) for row in rows}
    if is_lost:
        moment_ms = to_milliseconds((await session.execute(select(func.clock_timestamp()))).scalar_one())
        named = await _named_at_hand_in(session, rows)
        for row in rows:
            is_told = row.state != AttemptState.SUBMITTED or row.id in named
            is_whole = is_told and model.is_whole(named.get(row.id, {}), sequences_of(answers[row.id]))
            facts[row.id] = model.taken_back(facts[row.id], moment_ms, is_whole=is_whole)
    return [
        PrimedAttempt(place_of(sitting.id, sitting.shards, row.id), facts[row.id], answers[row.id], alive[row.id])
        for row in rows
    ]


async def load_sequences(session: AsyncSession, sitting_id: SittingId) -> dict[UUID, dict[int, int]]:
    """Load the newest stored sequence of every slot of every attempt of a sitting."""
    query = (
        select(ResponseRow.attempt_id, ResponseRow.slot, ResponseRow.sequence)
        .join(AttemptRow, AttemptRow.id == ResponseRow.attempt_id)
        .where(AttemptRow.sitting_id == sitting_id)
    )
    stored: dict[UUID, dict[int, int]] = {}
    for attempt_id, slot, sequence in (await session.execute(query)).all():
        stored.setdefault(attempt_id, {})[slot] = sequence
    return stored


async def load_attempt_ids(session: AsyncSession, sitting_id: SittingId) -> list[AttemptId]:
    """Load the attempts of a sitting."""
    query = select(AttemptRow.id).where(AttemptRow.sitting_id == sitting_id).order_by(AttemptRow.id)
    return [AttemptId(found) for found in (await session.execute(query)).scalars()]


async def count_rooms(session: AsyncSession, sitting: Sitting) -> list[RoomCount]:
    """Count the seats of a sitting by room: of those who were taken in, or before it opens of those who will be."""
    if sitting.state is SittingState.PLANNED:
        waiting = Counter((seat.room_code, seat.room_id) for seat in await load_unseated(session, sitting))
        return [RoomCount(room_id=room, code=code, seats=seats) for (code, room), seats in waiting.items()]
    started = func.count().filter(AttemptRow.started_at.is_not(None))
    query = (
        select(AttemptRow.room_id, RoomRow.code, func.count(), started)
        .outerjoin(RoomRow, RoomRow.id == AttemptRow.room_id)
        .where(AttemptRow.sitting_id == sitting.id)
        .group_by(AttemptRow.room_id, RoomRow.code)
        .order_by(RoomRow.code.nulls_last())
    )
    return [
        RoomCount(room_id=room, code=code or "", seats=seats, started=begun)
        for room, code, seats, begun in await session.execute(query)
    ]


async def count_stored(session: AsyncSession, sitting_id: SittingId) -> AttemptCounts:
    """Count what PostgreSQL holds of a sitting."""
    of_sitting = select(AttemptRow.id).where(AttemptRow.sitting_id == sitting_id).scalar_subquery()
    states = await session.execute(
        select(AttemptRow.state, func.count()).where(AttemptRow.sitting_id == sitting_id).group_by(AttemptRow.state)
    )
    responses = select(func.count()).select_from(ResponseRow).where(ResponseRow.attempt_id.in_(of_sitting))
    events = select(func.count()).select_from(ResponseEventRow).where(ResponseEventRow.attempt_id.in_(of_sitting))
    return AttemptCounts(
        states=dict(states.tuples().all()),
        responses=(await session.execute(responses)).scalar_one(),
        events=(await session.execute(events)).scalar_one(),
    )


def _milliseconds(moment: datetime | None) -> int:
    return to_milliseconds(moment) if moment else 0


async def _named_at_hand_in(session: AsyncSession, rows: Sequence[AttemptRow]) -> dict[UUID, dict[int, int]]:
    """Load the sequences that seats said they held when they handed in, by slot.

    An act of people may write that a paper is in before the hand-in itself has come with its answers: such a paper is
    not among them.
    """
    handed_in = {row.id: row.submitted_at for row in rows if row.state == AttemptState.SUBMITTED}
    query = select(AttemptEventRow.attempt_id, AttemptEventRow.server_time, AttemptEventRow.detail).where(
        AttemptEventRow.attempt_id.in_(handed_in),
        AttemptEventRow.source == "server",
        AttemptEventRow.kind == ChangeKind.SUBMIT.value,
    )
    return {
        attempt_id: {int(slot): sequence for slot, sequence in detail.get("sequences", {}).items()}
        for attempt_id, at, detail in (await session.execute(query)).all()
        if at == handed_in[attempt_id]
    }


def _facts(sitting: Sitting, row: AttemptRow, room_codes: Mapping[UUID, str]) -> AttemptFacts:
    finished = row.submitted_at or row.closed_at
    room_code = "" if row.room_id is None else room_codes.get(row.room_id, "")
    return msgspec.structs.replace(
        planned_facts(sitting, room_code),
        state=AttemptState(row.state),
        revision=row.revision,
        lease=row.lease,
        client=row.client,
        seated_ms=_milliseconds(row.seated_at),
        claimant=row.claimant,
        claimed_ms=_milliseconds(row.claimed_at),
        refused=row.refused,
        extra_ms=row.extra_ms,
        accommodated_ms=row.accommodated_ms,
        extensions=" ".join(row.extensions),
        started_ms=_milliseconds(row.started_at),
        deadline_ms=_milliseconds(row.due_at),
        paused_ms=_milliseconds(row.paused_at),
        stops=row.stops,
        is_locked=row.is_locked,
        finished_ms=_milliseconds(finished),
        reason=CloseReason(row.close_reason).value if row.close_reason else "",
    )


async def load_stored_values(session: AsyncSession, sitting_id: SittingId) -> dict[tuple[str, int], ResponseValue]:
    """Load every stored answer of a sitting by candidate number and slot; an answer taken back is left out."""
    query = (
        select(CandidateRow.number, ResponseRow.slot, ResponseRow.value)
        .join(AttemptRow, AttemptRow.id == ResponseRow.attempt_id)
        .join(CandidateRow, CandidateRow.id == AttemptRow.candidate_id)
        .where(AttemptRow.sitting_id == sitting_id)
    )
    rows = await session.execute(query)
    return {(number or "", slot): value for number, slot, value in rows if value is not None}
