"""What belongs to one candidate alone, put together from the worker's memory and the register."""

import msgspec

from exam_engine.delivery.model import AttemptFacts
from exam_engine.delivery.register import Held, unpack_response
from exam_engine.delivery.rolls import Sat
from exam_engine.delivery.wire import AttemptSummary, CandidateSummary, Envelope, HeldResponse, SeatNotice
from exam_engine.infra.clock import to_milliseconds


def envelope(sat: Sat, facts: AttemptFacts, held: Held, notices: list[SeatNotice], now_ms: int) -> Envelope:
    """Return the envelope of a started attempt."""
    code = sat.roll.paper.codes[sat.seat.paper_code_id]
    return Envelope(
        attempt_id=sat.seat.attempt_id,
        form_hash=sat.roll.paper.hash,
        paper_code=code.code,
        ordering=code.ordering,
        lease=facts.lease,
        state=facts.state.value,
        started_at_ms=facts.started_ms,
        deadline_ms=facts.deadline_ms,
        server_time_ms=now_ms,
        extra_seconds=facts.extra_ms // 1000,
        responses=[_held_response(slot, packed) for slot, packed in sorted(held.responses.items())],
        notices=notices,
        candidate=candidate_summary(sat),
    )


def attempt_summary(sat: Sat, state: str) -> AttemptSummary:
    """Return an attempt as the waiting room shows it."""
    sitting = sat.roll.sitting
    return AttemptSummary(
        attempt_id=sat.seat.attempt_id,
        sitting_id=sitting.id,
        subject=sat.roll.context.subject_name,
        state=state,
        starts_at_ms=to_milliseconds(sitting.starts_at),
        ends_at_ms=to_milliseconds(sitting.ends_at),
        minutes=sitting.duration_seconds // 60,
        room=sat.seat.room_code,
        seat=sat.seat.seat_number,
    )


def candidate_summary(sat: Sat) -> CandidateSummary:
    """Return who sits there."""
    return CandidateSummary(sat.seat.number, sat.seat.full_name, sat.seat.school)


def _held_response(slot: int, packed: bytes) -> HeldResponse:
    sequence, _, value = unpack_response(packed)
    return HeldResponse(slot, sequence, msgspec.json.decode(value))
