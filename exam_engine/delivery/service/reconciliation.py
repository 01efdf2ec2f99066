"""Reconciliation: every attempt and every slot in Redis beside PostgreSQL, and both beside what was signed."""

import asyncio
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import store
from exam_engine.delivery.model import Sitting, SittingId
from exam_engine.delivery.places import NotHeld, place_of
from exam_engine.delivery.register import Register
from exam_engine.delivery.service.desk import AT_ONCE, load_sitting
from exam_engine.delivery.service.statements import check_statements
from exam_engine.delivery.signing import SigningKey
from exam_engine.delivery.statements import Difference
from exam_engine.delivery.store import Seat
from exam_engine.delivery.store import statements as kept

GAPS_NAMED = 100


class Gap(msgspec.Struct, frozen=True):
    """One difference between Redis and PostgreSQL."""

    attempt_id: UUID
    seat_number: int | None
    candidate_number: str
    slot: int | None  # none: the state of the attempt
    in_redis: str
    stored: str


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """Redis beside PostgreSQL, counted."""

    attempts: int
    states: dict[str, int]
    responses_in_redis: int
    responses_stored: int
    differences: int
    gaps: tuple[Gap, ...]  # the first hundred
    statements: int = 0  # rooms whose signed statement was compared as well
    changed: tuple[Difference, ...] = ()  # since the statements were signed

    @property
    def is_equal(self) -> bool:
        """Whether both hold the same, and what was signed."""
        return self.differences == 0 and not self.changed


async def reconcile(
    session: AsyncSession, register: Register, sitting_id: SittingId, key: SigningKey
) -> Reconciliation:
    """Compare every attempt and every slot in Redis with PostgreSQL; drain the sitting first.

    PostgreSQL is compared with the signed statements of a closed sitting, too. A stored sitting of which
    Redis holds nothing any more (it lets go after a week) is compared with its statements alone.

    Raises
    ------
    SittingUnknown, ServiceUnavailable
    """
    sitting = (await load_sitting(session, sitting_id)).sitting
    seats = await store.load_seats(session, sitting_id)
    stored = await store.load_sequences(session, sitting_id)
    gaps: list[Gap] = []
    states: dict[str, int] = {}
    in_redis = 0
    held_at_all = False
    for first in range(0, len(seats), AT_ONCE):
        part = seats[first : first + AT_ONCE]
        held = await asyncio.gather(*(_sequences(register, sitting, seat) for seat in part))
        for seat, (state, sequences) in zip(part, held, strict=True):
            states[seat.state] = states.get(seat.state, 0) + 1
            in_redis += len(sequences)
            gaps += _compare(seat, state, sequences, stored.get(seat.attempt_id, {}))
            held_at_all = held_at_all or bool(state)
    if not held_at_all and await kept.is_stored(session, sitting_id):
        gaps = []
    check = await check_statements(session, sitting_id, key)
    return Reconciliation(
        attempts=len(seats),
        states=states,
        responses_in_redis=in_redis,
        responses_stored=sum(map(len, stored.values())),
        differences=len(gaps),
        gaps=tuple(gaps[:GAPS_NAMED]),
        statements=check.statements,
        changed=check.differences,
    )


async def _sequences(register: Register, sitting: Sitting, seat: Seat) -> tuple[str, dict[int, int]]:
    try:
        held = await register.look(place_of(sitting.id, sitting.shards, seat.attempt_id), "s")
    except NotHeld:
        return "", {}
    return held.facts.state.value, held.sequences()


def _compare(seat: Seat, state: str, sequences: dict[int, int], stored: dict[int, int]) -> list[Gap]:
    def gap(slot: int | None, in_redis: object, in_store: object) -> Gap:
        return Gap(seat.attempt_id, seat.seat_number, seat.number, slot, str(in_redis), str(in_store))

    gaps = [] if state == seat.state else [gap(None, state or "nothing", seat.state)]
    return gaps + [
        gap(slot, sequences.get(slot, "nothing"), stored.get(slot, "nothing"))
        for slot in sorted(sequences.keys() | stored.keys())
        if sequences.get(slot) != stored.get(slot)
    ]
