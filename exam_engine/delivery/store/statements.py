"""SQL on statements, and on everything PostgreSQL holds of attempts that a statement covers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery.model import AttemptId, SittingId, SittingState
from exam_engine.delivery.statements import (
    Evidence,
    Fact,
    LogRow,
    Proof,
    SignedStatement,
    Statement,
    StoredAnswer,
    record_digest,
)
from exam_engine.delivery.store.acts import FROM_A_STICK
from exam_engine.delivery.tables import (
    AttemptEventRow,
    AttemptProofRow,
    AttemptRow,
    LateDecisionRow,
    LateResponseRow,
    NoticeRow,
    ResponseEventRow,
    ResponseRow,
    RoomStatementRow,
    SittingActRow,
    SittingRow,
)
from exam_engine.infra.database import Base

# Signs of life go on after the close; whose it is and where it belongs stands in the statement itself.
_NO_FACTS = {"id", "sitting_id", "last_seen_at"}
RECEIPT = "receipt"


class FoundEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an attempt, and the receipts noted of it: a seat may note any text, so check them."""

    evidence: Evidence
    noted_receipts: tuple[str, ...]


async def load_evidence(session: AsyncSession, attempts: Sequence[AttemptId]) -> dict[UUID, FoundEvidence]:
    """Load everything PostgreSQL holds of attempts."""
    rows = (await session.execute(select(AttemptRow).where(AttemptRow.id.in_(attempts)))).scalars().all()
    answers: dict[UUID, list[StoredAnswer]] = {row.id: [] for row in rows}
    log: dict[UUID, list[LogRow]] = {row.id: [] for row in rows}
    receipts: dict[UUID, list[str]] = {row.id: [] for row in rows}
    for answer in (await session.execute(select(ResponseRow).where(ResponseRow.attempt_id.in_(answers)))).scalars():
        fields = {name: getattr(answer, name) for name in StoredAnswer.__struct_fields__}
        answers[answer.attempt_id].append(StoredAnswer(**fields))
    raw = await session.execute(select(ResponseEventRow).where(ResponseEventRow.attempt_id.in_(answers)))
    for event in raw.scalars():
        log[event.attempt_id].append(_of_answer(event))
    happened = await session.execute(select(AttemptEventRow).where(AttemptEventRow.attempt_id.in_(answers)))
    for noted in happened.scalars():
        log[noted.attempt_id].append(_of_event(noted))
        if RECEIPT in noted.detail:
            receipts[noted.attempt_id].append(str(noted.detail.get(RECEIPT, "")))
    refused = await session.execute(select(LateResponseRow).where(LateResponseRow.attempt_id.in_(answers)))
    for late in refused.scalars():
        log[late.attempt_id].append(_of_late(late))
    return {
        row.id: FoundEvidence(
            evidence=Evidence(attempt_id=row.id, facts=_facts(row), answers=answers[row.id], log=log[row.id]),
            noted_receipts=tuple(receipts[row.id]),
        )
        for row in rows
    }


async def load_record(session: AsyncSession, sitting_id: SittingId) -> dict[str, dict[str, str]]:
    """Load digests of a sitting's own row (by column), its notices, its acts and its decisions about late answers."""
    sitting = (await session.execute(select(SittingRow).where(SittingRow.id == sitting_id))).scalar_one()
    await session.refresh(sitting)
    notices = await session.execute(select(NoticeRow).where(NoticeRow.sitting_id == sitting_id))
    acts = await session.execute(select(SittingActRow).where(SittingActRow.sitting_id == sitting_id))
    of_sitting = select(AttemptRow.id).where(AttemptRow.sitting_id == sitting_id)
    decided = await session.execute(select(LateDecisionRow).where(LateDecisionRow.attempt_id.in_(of_sitting)))
    return {
        "sitting": {name: record_digest("sitting", name, fact) for name, fact in _columns(sitting).items()},
        "notice": _digests("notice", {str(row.number): row for row in notices.scalars()}),
        "sitting_act": _digests("sitting_act", {row.request: row for row in acts.scalars()}),
        "late_decision": _digests("late_decision", {str(row.id): row for row in decided.scalars()}),
    }


async def insert_statement(session: AsyncSession, signed: SignedStatement, proofs: Sequence[Proof]) -> None:
    """Keep a statement with the proofs of its attempts."""
    statement = signed.statement
    session.add(
        RoomStatementRow(
            id=signed.id,
            sitting_id=statement.sitting_id,
            room=statement.room,
            number=statement.number,
            body=signed.body,
            signature=signed.signature,
            public_key=signed.public_key,
            created_at=statement.made_at,
        )
    )
    await session.flush()
    if proofs:
        rows = [{"statement_id": signed.id} | msgspec.structs.asdict(proof) for proof in proofs]
        await session.execute(insert(AttemptProofRow), rows)


async def load_statements(session: AsyncSession, sitting_id: SittingId) -> list[SignedStatement]:
    """Load the newest statement of each room, by room."""
    query = (
        select(RoomStatementRow)
        .where(RoomStatementRow.sitting_id == sitting_id)
        .order_by(RoomStatementRow.room, RoomStatementRow.number)
    )
    newest = {row.room: row for row in (await session.execute(query)).scalars()}
    return [
        SignedStatement(
            id=row.id,
            statement=msgspec.json.decode(row.body, type=Statement),
            body=row.body,
            signature=row.signature,
            public_key=row.public_key,
        )
        for row in newest.values()
    ]


async def load_proofs(session: AsyncSession, statement_id: UUID) -> dict[UUID, Proof]:
    """Load the proofs of a statement by attempt."""
    rows = await session.execute(select(AttemptProofRow).where(AttemptProofRow.statement_id == statement_id))
    return {
        row.attempt_id: Proof(attempt_id=row.attempt_id, answers=row.answers, log=row.log, receipt=row.receipt)
        for row in rows.scalars()
    }


async def is_stored(session: AsyncSession, sitting_id: SittingId) -> bool:
    """Whether a sitting is closed and everything acknowledged is in PostgreSQL."""
    query = select(SittingRow.state, SittingRow.stored_at).where(SittingRow.id == sitting_id)
    found = (await session.execute(query)).one_or_none()
    return found is not None and found.state == SittingState.CLOSED.value and found.stored_at is not None


def _facts(row: AttemptRow) -> dict[str, Fact]:
    return {name: fact for name, fact in _columns(row).items() if name not in _NO_FACTS}


def _columns(row: Base) -> dict[str, Fact]:
    return {column.name: _fact(getattr(row, column.name)) for column in row.__table__.columns}


def _digests(table: str, rows: Mapping[str, Base]) -> dict[str, str]:
    return {name: record_digest(table, name, _columns(row)) for name, row in rows.items()}


def _fact(value: Any) -> Fact:
    match value:
        case bool():
            return int(value)
        case None | str() | int():
            return value
        case datetime():
            return _moment(value)
        case UUID():
            return str(value)
        case _:
            return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _of_answer(row: ResponseEventRow) -> LogRow:
    times = (_moment(row.client_time), _moment(row.server_time))
    content = (row.slot, row.sequence, row.value, *times, row.stream_id, row.lease)
    return LogRow(table="response_event", stream_id=row.stream_id, place=row.slot, content=content)


def _of_event(row: AttemptEventRow) -> LogRow:
    client_time = None if row.client_time is None else _moment(row.client_time)
    content = (row.source, row.kind, client_time, _moment(row.server_time), row.detail, row.stream_id, row.position)
    return LogRow(
        table="attempt_event",
        stream_id=row.stream_id,
        place=row.position,
        content=content,
        may_follow=row.source == "seat",
    )


def _of_late(row: LateResponseRow) -> LogRow:
    times = (_moment(row.client_time), _moment(row.server_time))
    decision = None if row.decision_id is None else str(row.decision_id)
    content = (row.slot, row.sequence, row.value, *times, row.stream_id, row.lease, row.refusal, decision)
    return LogRow(
        table="late_response",
        stream_id=row.stream_id,
        place=row.slot,
        content=content,
        may_follow=decision is None,
        is_from_a_stick=row.stream_id.startswith(FROM_A_STICK),
    )


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
