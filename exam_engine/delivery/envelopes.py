"""What belongs to one candidate alone, put together from the worker's memory and the register."""

from zlib import crc32

import msgspec

from exam_engine.delivery.model import AttemptFacts, AttemptState, planned_facts
from exam_engine.delivery.packing import unpack_response
from exam_engine.delivery.recollection import Known
from exam_engine.delivery.register import Held
from exam_engine.delivery.rolls import Sat
from exam_engine.delivery.wire import AttemptSummary, CandidateSummary, Envelope, HeldResponse, SeatNotice
from exam_engine.infra.clock import to_milliseconds

JITTER_MS_A_SEAT = 3  # a start costs two round trips and one paper: so many may come in a second on a small machine
LONGEST_JITTER_MS = 15_000


def envelope(
    sat: Sat, facts: AttemptFacts, held: Held, notices: list[SeatNotice], now_ms: int, client: str
) -> Envelope:
    """Return the envelope of a started attempt; without a lease for a client that does not hold it."""
    code = sat.roll.paper.codes[sat.seat.paper_code_id]
    return Envelope(
        attempt_id=sat.seat.attempt_id,
        form_hash=sat.roll.paper.hash,
        paper_code=code.code,
        ordering=code.ordering,
        lease=facts.lease if client == facts.client else 0,
        state=facts.state.value,
        started_at_ms=facts.started_ms,
        deadline_ms=facts.deadline_ms,
        server_time_ms=now_ms,
        extra_seconds=facts.extra_ms // 1000,
        responses=[_held_response(slot, packed) for slot, packed in sorted(held.responses.items())],
        notices=notices,
        candidate=candidate_summary(sat),
        is_paused=facts.is_paused,
        is_locked=facts.is_locked,
        start_jitter_ms=start_jitter_ms(sat),
        paper_key=sat.roll.seals.paper_key,
        seat_key=sat.roll.seals.seat_key(sat.seat.attempt_id),
        hand_over_key=sat.roll.seals.hand_over_key,
    )


def attempt_summary(sat: Sat, known: Known, notices: list[SeatNotice]) -> AttemptSummary:
    """Return an attempt as the waiting room shows it: its own times, which a pause or a postponed start has moved."""
    sitting, state = sat.roll.sitting, known.gate.state
    planned = planned_facts(sitting, sat.seat.room_code or "")
    return AttemptSummary(
        attempt_id=sat.seat.attempt_id,
        sitting_id=sitting.id,
        subject=sat.roll.context.subject_name,
        state=state,
        starts_at_ms=known.starts_ms or planned.starts_ms,
        ends_at_ms=known.ends_ms or planned.ends_ms,
        minutes=sitting.duration_seconds // 60,
        room=sat.seat.room_code,
        seat=sat.seat.seat_number,
        start_jitter_ms=start_jitter_ms(sat),
        sealed_hash=sat.roll.sealed.hash if sat.roll.is_open and state == AttemptState.READY else "",
        sealed_bytes=len(sat.roll.sealed.content),
        latest_start_ms=known.latest_ms or planned.late_ms,
        notices=notices if state == AttemptState.READY else [],  # who writes hears them with the answers
    )


def start_jitter_ms(sat: Sat) -> int:
    """Return how long after the beginning a seat shall ask for its paper, so that a herd comes as a stream.

    The same for the same attempt at every worker; never longer than the sitting lasts beyond a candidate's own time,
    so that waiting costs nobody a second.
    """
    sitting = sat.roll.sitting
    spare_ms = to_milliseconds(sitting.ends_at) - to_milliseconds(sitting.starts_at) - 1000 * sitting.duration_seconds
    window_ms = min(JITTER_MS_A_SEAT * len(sat.roll.seats), LONGEST_JITTER_MS, spare_ms)
    return crc32(b"start" + sat.seat.attempt_id.bytes) % (window_ms + 1)


def candidate_summary(sat: Sat) -> CandidateSummary:
    """Return who sits there."""
    return CandidateSummary(sat.seat.number, sat.seat.full_name, sat.seat.school)


def _held_response(slot: int, packed: bytes) -> HeldResponse:
    sequence, _, value = unpack_response(packed)
    return HeldResponse(slot, sequence, msgspec.json.decode(value))
