"""SQL on what people did to seats, and on late answers with the decisions about them."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import AttemptId, SittingId
from exam_engine.delivery.packing import pack_response, unpack_response
from exam_engine.delivery.tables import AttemptRow, LateDecisionRow, LateResponseRow, SittingActRow
from exam_engine.enrolment.tables import CandidateRow
from exam_engine.infra.clock import from_milliseconds, to_milliseconds

FROM_A_STICK = "stick-"  # begins the stream id of what no stream brought


class StoredAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act on seats of a sitting, as kept."""

    request: str
    kind: str
    actor: str
    at: datetime
    reason: str
    room_id: UUID | None
    attempts: tuple[UUID, ...]
    outcome: dict[str, Any]
    undone_by: str | None


class LateResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One refused answer; its value is for nobody's eyes until it counts."""

    id: int
    attempt_id: UUID
    candidate_number: str
    slot: int
    sequence: int
    lease: int
    refusal: str
    client_ms: int
    server_ms: int
    decision_id: UUID | None


class LateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A refused answer as it came, packed as Redis keeps answers."""

    lease: int
    arrival_ms: int
    slot: int
    packed: bytes


class LateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants late answers to count, and who agreed."""

    id: UUID
    attempt_id: UUID
    reason: str
    proposed_by: str
    proposed_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None


async def find_act(session: AsyncSession, sitting_id: SittingId, request: str) -> StoredAct | None:
    """Find an act by its request."""
    row = await session.get(SittingActRow, (sitting_id, request))
    return None if row is None else _act(row)


async def load_acts(session: AsyncSession, sitting_id: SittingId, limit: int) -> list[StoredAct]:
    """Load the latest acts of a sitting, the newest first."""
    query = (
        select(SittingActRow)
        .where(SittingActRow.sitting_id == sitting_id)
        .order_by(SittingActRow.at.desc(), SittingActRow.request)
        .limit(limit)
    )
    return [_act(row) for row in (await session.execute(query)).scalars()]


async def load_acts_of(session: AsyncSession, sitting_id: SittingId, kinds: Sequence[str]) -> list[StoredAct]:
    """Load every act of some kinds, the newest first."""
    query = (
        select(SittingActRow)
        .where(SittingActRow.sitting_id == sitting_id, SittingActRow.kind.in_(kinds))
        .order_by(SittingActRow.at.desc(), SittingActRow.request)
    )
    return [_act(row) for row in (await session.execute(query)).scalars()]


async def insert_act(session: AsyncSession, sitting_id: SittingId, act: StoredAct) -> None:
    """Keep an act."""
    values = msgspec.structs.asdict(act) | {"attempts": [str(attempt) for attempt in act.attempts]}
    session.add(SittingActRow(sitting_id=sitting_id, **values))
    await session.flush()


async def mark_undone(session: AsyncSession, sitting_id: SittingId, request: str, undone_by: str) -> None:
    """Note which act took an act back."""
    await session.execute(
        update(SittingActRow)
        .where(SittingActRow.sitting_id == sitting_id, SittingActRow.request == request)
        .values(undone_by=undone_by)
    )


async def load_late(
    session: AsyncSession, sitting_id: SittingId, attempt_id: AttemptId | None = None
) -> list[LateResponse]:
    """Load the refused answers of a sitting or of one attempt, by candidate, slot and sequence."""
    query = _late().where(AttemptRow.sitting_id == sitting_id)
    if attempt_id is not None:
        query = query.where(AttemptRow.id == attempt_id)
    query = query.order_by(CandidateRow.number, LateResponseRow.slot, LateResponseRow.sequence, LateResponseRow.id)
    return [_late_response(*row) for row in await session.execute(query)]


async def load_late_answers(session: AsyncSession, ids: Sequence[int]) -> list[LateAnswer]:
    """Load what stands in refused answers."""
    query = select(LateResponseRow).where(LateResponseRow.id.in_(ids)).order_by(LateResponseRow.id)
    return [
        LateAnswer(
            lease=row.lease,
            arrival_ms=to_milliseconds(row.server_time),
            slot=row.slot,
            packed=pack_response(
                row.sequence,
                to_milliseconds(row.client_time),
                msgspec.json.encode(row.value),
                is_answered=row.value is not None,
            ),
        )
        for row in (await session.execute(query)).scalars()
    ]


async def keep_late(
    session: AsyncSession, attempt_id: AttemptId, lease: int, arrival_ms: int, answers: Sequence[tuple[int, bytes]]
) -> None:
    """Keep packed answers that came on a stick after Redis had let the closed sitting go; again: changes nothing."""
    if not answers:
        return
    rows = []
    for slot, packed in answers:
        sequence, client_ms, value = unpack_response(packed)
        row = {"attempt_id": attempt_id, "slot": slot, "sequence": sequence, "value": msgspec.json.decode(value)}
        # No stream brought them. The name says by what they are known again, should the stick come twice.
        row |= {
            "client_time": from_milliseconds(client_ms),
            "stream_id": FROM_A_STICK + sha256(packed).hexdigest()[:16],
        }
        row |= {"server_time": from_milliseconds(arrival_ms), "lease": lease, "refusal": "attempt-closed"}
        rows.append(row)
    await session.execute(insert(LateResponseRow).on_conflict_do_nothing(), rows)


async def find_proposal(session: AsyncSession, attempt_id: AttemptId) -> LateDecision | None:
    """Find and lock the proposal about an attempt that waits for a second person."""
    query = (
        select(LateDecisionRow)
        .where(LateDecisionRow.attempt_id == attempt_id, LateDecisionRow.accepted_by.is_(None))
        .with_for_update(key_share=True)
    )
    row = (await session.execute(query)).scalars().first()
    return None if row is None else _decision(row)


async def insert_proposal(session: AsyncSession, decision: LateDecision, ids: Sequence[int]) -> None:
    """Keep a proposal and which answers it is about."""
    session.add(LateDecisionRow(**msgspec.structs.asdict(decision)))
    await session.flush()
    await session.execute(update(LateResponseRow).where(LateResponseRow.id.in_(ids)).values(decision_id=decision.id))


async def accept_proposal(session: AsyncSession, decision_id: UUID, actor: str, now: datetime) -> list[int]:
    """Note who agreed; returns the answers it is about."""
    await session.execute(
        update(LateDecisionRow).where(LateDecisionRow.id == decision_id).values(accepted_by=actor, accepted_at=now)
    )
    query = select(LateResponseRow.id).where(LateResponseRow.decision_id == decision_id).order_by(LateResponseRow.id)
    return list((await session.execute(query)).scalars())


async def load_decisions(session: AsyncSession, sitting_id: SittingId) -> list[LateDecision]:
    """Load the decisions about late answers of a sitting."""
    query = (
        select(LateDecisionRow)
        .join(AttemptRow, AttemptRow.id == LateDecisionRow.attempt_id)
        .where(AttemptRow.sitting_id == sitting_id)
        .order_by(LateDecisionRow.proposed_at, LateDecisionRow.id)
    )
    return [_decision(row) for row in (await session.execute(query)).scalars()]


async def count_late(session: AsyncSession, sitting_id: SittingId) -> dict[UUID, int]:
    """Count the refused answers nobody has decided about, by attempt."""
    query = (
        select(LateResponseRow.attempt_id, func.count())
        .join(AttemptRow, AttemptRow.id == LateResponseRow.attempt_id)
        .where(AttemptRow.sitting_id == sitting_id, LateResponseRow.decision_id.is_(None))
        .group_by(LateResponseRow.attempt_id)
    )
    return dict((await session.execute(query)).all())


def _late() -> Any:
    return (
        select(LateResponseRow, CandidateRow.number)
        .join(AttemptRow, AttemptRow.id == LateResponseRow.attempt_id)
        .join(CandidateRow, CandidateRow.id == AttemptRow.candidate_id)
    )


def _late_response(row: LateResponseRow, number: str | None) -> LateResponse:
    return LateResponse(
        id=row.id,
        attempt_id=row.attempt_id,
        candidate_number=number or "",
        slot=row.slot,
        sequence=row.sequence,
        lease=row.lease,
        refusal=row.refusal,
        client_ms=to_milliseconds(row.client_time),
        server_ms=to_milliseconds(row.server_time),
        decision_id=row.decision_id,
    )


def _act(row: SittingActRow) -> StoredAct:
    fields = {name: getattr(row, name) for name in StoredAct.__struct_fields__}
    return StoredAct(**(fields | {"attempts": tuple(UUID(attempt) for attempt in row.attempts)}))


def _decision(row: LateDecisionRow) -> LateDecision:
    return LateDecision(**{name: getattr(row, name) for name in LateDecision.__struct_fields__})
