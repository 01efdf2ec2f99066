"""Statements of rooms: made and signed once everything acknowledged is stored, compared again whenever asked."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.assembly.model import PaperCode, PaperCodeId
from exam_engine.audit import service as audit
from exam_engine.delivery import store
from exam_engine.delivery.errors import NotStored, ReceiptError
from exam_engine.delivery.model import AttemptFacts, Sitting, SittingId
from exam_engine.delivery.places import NotHeld, place_of
from exam_engine.delivery.receipts import (
    Receipt,
    answers_hash,
    given_answers,
    receipt_of,
    verify_receipt,
    write_receipt,
)
from exam_engine.delivery.register import Held, Register
from exam_engine.delivery.service.desk import AT_ONCE, load_sitting
from exam_engine.delivery.signing import KeyRing, SigningKey, key_ring
from exam_engine.delivery.statements import (
    AttemptLine,
    Difference,
    DifferenceKind,
    Evidence,
    Proof,
    SignedStatement,
    Statement,
    StatementGap,
    chain_hash,
    compare_attempt,
    compare_record,
    later_rows,
    newest_entry,
    prove,
    root_of,
    signed_content,
    statement_body,
)
from exam_engine.delivery.store import Seat, SittingContext
from exam_engine.delivery.store import statements as kept
from exam_engine.delivery.store.statements import FoundEvidence


class StatementCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What is in PostgreSQL now beside what was stated."""

    sitting: str
    statements: int
    attempts: int
    answers: int
    events: int
    differences: tuple[Difference, ...]
    later: int = 0  # notes of seats and refused answers that came in after the statement: no difference

    @property
    def is_unchanged(self) -> bool:
        """Whether there are statements, and everything is as they say."""
        return bool(self.statements) and not self.differences


class StatementMaking(msgspec.Struct, frozen=True, kw_only=True):
    """From where statements are made: its transaction, Redis, the key, who and when."""

    session: AsyncSession
    register: Register
    key: SigningKey
    actor: str
    now: datetime


async def make_statements(
    making: StatementMaking, sitting_id: SittingId, *, is_anew: bool = False
) -> list[SignedStatement]:
    """Make the statement of each room that has none yet, or of every room anew; return the newest of all rooms.

    Raises
    ------
    SittingUnknown
    NotStored
        The sitting is not closed, or something acknowledged is not in PostgreSQL yet.
    ServiceUnavailable
    """
    context = await load_sitting(making.session, sitting_id)
    await store.lock_sitting(making.session, sitting_id)  # of two who make them at once, the second finds them made
    if not await kept.is_stored(making.session, sitting_id):
        raise NotStored(context.sitting.code, 0)
    present = {signed.statement.room: signed for signed in await kept.load_statements(making.session, sitting_id)}
    seats = sorted(await store.load_seats(making.session, sitting_id), key=lambda seat: seat.room_code or "")
    codes = {code.id: code for code in await assembly.load_paper_codes(making.session, context.sitting.form_id)}
    made: list[SignedStatement] = []
    for room, of_room in groupby(seats, key=lambda seat: seat.room_code or ""):
        if room in present and not is_anew:
            continue
        made.append(await _make(making, context, room, list(of_room), codes, present.get(room)))
    if made:
        await audit.append(
            making.session,
            actor=making.actor,
            action="sitting.state",
            subject=f"sitting:{sitting_id}",
            facts={"code": context.sitting.code, "roots": {one.statement.room: one.statement.root for one in made}},
            now=making.now,
        )
    newest = present | {one.statement.room: one for one in made}
    return [newest[room] for room in sorted(newest)]


async def load_statements(session: AsyncSession, sitting_id: SittingId) -> list[SignedStatement]:
    """Load the newest statement of each room."""
    return await kept.load_statements(session, sitting_id)


async def check_statements(
    session: AsyncSession, sitting_id: SittingId, key: SigningKey, rooms: Collection[str] | None = None
) -> StatementCheck:
    """Compute everything anew from PostgreSQL, and name each place that is not as it was stated; of some rooms alone.

    Raises
    ------
    SittingUnknown
    """
    sitting = (await load_sitting(session, sitting_id)).sitting
    signed = [
        one for one in await kept.load_statements(session, sitting_id) if rooms is None or one.statement.room in rooms
    ]
    codes = {code.id: code for code in await assembly.load_paper_codes(session, sitting.form_id)}
    differences: list[Difference] = []
    stated: set[UUID] = set()
    later = 0
    for one in signed:
        stated |= {line.attempt_id for line in one.statement.attempts}
        found, followed = await _check(session, sitting, one, codes, key)
        differences += found
        later += followed
    if signed:
        # The record of the whole sitting stands in the statement of each room; what differs is told once.
        record = await kept.load_record(session, sitting_id)
        differences += {
            (one.table, one.column): one for room in signed for one in compare_record(room.statement.record, record)
        }.values()
        differences += [
            Difference(
                room=seat.room_code or "",
                candidate_number=seat.number,
                attempt_id=seat.attempt_id,
                table="attempt",
                kind=DifferenceKind.ADDED,
            )
            for seat in await store.load_seats(session, sitting_id)
            if seat.attempt_id not in stated and (rooms is None or (seat.room_code or "") in rooms)
        ]
    lines = [line for one in signed for line in one.statement.attempts]
    return StatementCheck(
        sitting=sitting.code,
        statements=len(signed),
        attempts=len(lines),
        answers=sum(line.stored for line in lines),
        events=sum(line.events for line in lines),
        differences=tuple(differences),
        later=later,
    )


async def _make(
    making: StatementMaking,
    context: SittingContext,
    room: str,
    seats: Sequence[Seat],
    codes: Mapping[PaperCodeId, PaperCode],
    before: SignedStatement | None,
) -> SignedStatement:
    lines: list[AttemptLine] = []
    proofs: list[Proof] = []
    gaps: list[StatementGap] = []
    for first in range(0, len(seats), AT_ONCE):
        part = seats[first : first + AT_ONCE]
        found = await kept.load_evidence(making.session, [seat.attempt_id for seat in part])
        held = await asyncio.gather(*(_held(making.register, context.sitting, seat) for seat in part))
        facts = await _stored_facts(making.session, context.sitting, part)
        for seat, in_redis in zip(part, held, strict=True):
            of_seat, code = found[seat.attempt_id], codes[PaperCodeId(seat.paper_code_id)]
            receipt = _receipt(context.sitting, of_seat.evidence, facts[seat.attempt_id], code, making.key)
            noted = _noted(of_seat, making.key)
            proof = prove(of_seat.evidence, receipt)
            proofs.append(proof)
            lines.append(_line(seat, code, of_seat.evidence, proof, in_redis, noted))
            gaps += _gaps(seat, of_seat.evidence, in_redis, noted)
    statement = Statement(
        sitting_id=context.sitting.id,
        sitting=context.sitting.code,
        exam=context.exam_name,
        subject=context.subject_name,
        room=room,
        number=before.statement.number + 1 if before else 1,
        previous=before.hash if before else "",
        form_hash=context.sitting.form_hash,
        starts_at=context.sitting.starts_at,
        ends_at=context.sitting.ends_at,
        made_at=making.now,
        made_by=making.actor,
        attempts=tuple(lines),
        gaps=tuple(gaps),
        root=root_of(lines),
        record=await kept.load_record(making.session, context.sitting.id),
    )
    body = statement_body(statement)
    signed = SignedStatement(
        id=uuid4(),
        statement=statement,
        body=body,
        signature=making.key.sign(signed_content(body)),
        public_key=making.key.public.raw,
    )
    await kept.insert_statement(making.session, signed, proofs)
    return signed


async def _check(
    session: AsyncSession,
    sitting: Sitting,
    signed: SignedStatement,
    codes: Mapping[PaperCodeId, PaperCode],
    key: SigningKey,
) -> tuple[list[Difference], int]:
    """Return what differs, and how many rows came in after the statement."""
    statement = signed.statement

    def forged(column: str) -> list[Difference]:
        return [
            Difference(
                room=statement.room,
                candidate_number="",
                attempt_id=None,
                table="room_statement",
                kind=DifferenceKind.FORGED,
                column=column,
            )
        ]

    def missing(line: AttemptLine, table: str) -> Difference:
        return Difference(
            room=statement.room,
            candidate_number=line.candidate_number,
            attempt_id=line.attempt_id,
            table=table,
            kind=DifferenceKind.MISSING,
        )

    if not key.public.accepts(signed.signature, signed_content(signed.body)):
        return forged("signature"), 0
    if root_of(statement.attempts) != statement.root:
        return forged("root"), 0
    proofs = await kept.load_proofs(session, signed.id)
    differences: list[Difference] = []
    later = 0
    of_room = newest_entry(proofs.values())
    for first in range(0, len(statement.attempts), AT_ONCE):
        part = statement.attempts[first : first + AT_ONCE]
        found = await kept.load_evidence(session, [line.attempt_id for line in part])  # type: ignore[misc]
        seats = [seat for seat in await store.load_seats(session, sitting.id) if seat.attempt_id in found]
        facts = await _stored_facts(session, sitting, seats)
        paper: dict[UUID, PaperCode | None] = {
            seat.attempt_id: codes.get(PaperCodeId(seat.paper_code_id)) for seat in seats
        }
        for line in part:
            proof, of_line = proofs.get(line.attempt_id), found.get(line.attempt_id)
            if proof is None:
                differences.append(missing(line, "attempt_proof"))
            elif of_line is None:
                differences.append(missing(line, "attempt"))
            else:
                code = paper.get(line.attempt_id)
                receipt = _receipt(sitting, of_line.evidence, facts[line.attempt_id], code, key) if code else ""
                newest = newest_entry([proof]) if proof.log else of_room
                later += later_rows(proof, of_line.evidence, newest)
                differences += compare_attempt(line, proof, of_line.evidence, receipt, statement.room, newest)
    return differences, later


async def _held(register: Register, sitting: Sitting, seat: Seat) -> Held | None:
    try:
        return await register.look(place_of(sitting.id, sitting.shards, seat.attempt_id), "r")
    except NotHeld:
        return None


async def _stored_facts(session: AsyncSession, sitting: Sitting, seats: Sequence[Seat]) -> dict[UUID, AttemptFacts]:
    found = await store.load_stored_attempts(session, sitting, [seat.attempt_id for seat in seats])
    return {UUID(attempt.place.attempt): attempt.facts for attempt in found}


def _receipt(sitting: Sitting, evidence: Evidence, facts: AttemptFacts, code: PaperCode, key: SigningKey) -> str:
    if not facts.started_ms or not facts.finished_ms:
        return ""
    receipt = receipt_of(
        evidence.attempt_id,
        facts,
        evidence.given,
        form_hash=sitting.form_hash,
        paper_code=code.code,
        ordering=code.ordering,
    )
    return write_receipt(receipt, key)


def _noted(found: FoundEvidence, key: SigningKey) -> Receipt | None:
    """Return the last genuine receipt noted when the paper was handed in; a seat may note any text."""
    genuine: list[Receipt] = []
    keys: KeyRing = key_ring([key.public])
    for text in found.noted_receipts:
        try:
            receipt = verify_receipt(text, keys)
        except ReceiptError:
            continue
        if receipt.attempt_id == found.evidence.attempt_id and receipt.outcome == "submitted":
            genuine.append(receipt)
    return max(genuine, key=lambda receipt: receipt.finished_ms, default=None)


def _line(
    seat: Seat, code: PaperCode, evidence: Evidence, proof: Proof, in_redis: Held | None, noted: Receipt | None
) -> AttemptLine:
    is_submitted = evidence.facts["state"] == "submitted"
    return AttemptLine(
        attempt_id=evidence.attempt_id,
        candidate_number=seat.number,
        seat_number=seat.seat_number,
        paper_code=code.code,
        facts=evidence.facts,
        at_seat=noted.slots if noted and is_submitted else None,
        in_redis=None if in_redis is None else len(in_redis.responses),
        stored=len(evidence.answers),
        answered=sum(bool(answer.value) for answer in evidence.answers),
        answers_hash=answers_hash(evidence.given),
        events=len(evidence.log),
        log_hash=chain_hash(evidence),
        proof_hash=proof.hash,
    )


def _gaps(seat: Seat, evidence: Evidence, in_redis: Held | None, noted: Receipt | None) -> list[StatementGap]:
    def gap(slot: int | None, what: str, **sides: str) -> StatementGap:
        return StatementGap(attempt_id=seat.attempt_id, candidate_number=seat.number, slot=slot, what=what, **sides)

    gaps: list[StatementGap] = []
    stored = {answer.slot: answer for answer in evidence.given}
    if in_redis is not None:
        if in_redis.facts.state.value != evidence.facts["state"]:
            gaps.append(gap(None, "state", in_redis=in_redis.facts.state.value, stored=str(evidence.facts["state"])))
        held = {answer.slot: answer for answer in given_answers(in_redis.responses)}
        for slot in sorted(held.keys() | stored.keys()):
            there, here = held.get(slot), stored.get(slot)
            sequences = (str(there.sequence) if there else "–", str(here.sequence) if here else "–")
            if sequences[0] != sequences[1]:
                gaps.append(gap(slot, "sequence", in_redis=sequences[0], stored=sequences[1]))
            elif there and here and there.value != here.value:
                gaps.append(gap(slot, "value", in_redis=answers_hash([there])[:16], stored=answers_hash([here])[:16]))
    if noted and evidence.facts["state"] == "submitted" and noted.answers_hash != answers_hash(evidence.given):
        stated, found = noted.answers_hash[:16], answers_hash(evidence.given)[:16]
        gaps.append(gap(None, "receipt", at_seat=stated, stored=found))
    return gaps
