"""What a seat fetches while it waits, so that the start needs 32 bytes, or the room's release code and no network."""

import msgspec

from exam_engine.delivery import sealing
from exam_engine.delivery.envelopes import candidate_summary
from exam_engine.delivery.errors import SealedPaperUnknown
from exam_engine.delivery.hot_path import Delivery
from exam_engine.delivery.model import AttemptFacts, AttemptId
from exam_engine.delivery.rolls import Sat
from exam_engine.delivery.tokens import CandidatePass
from exam_engine.delivery.wire import CandidateSummary, SealedStart
from exam_engine.infra.sealing import WRAP_ROUNDS, seal
from item_bank.forms.ordering import OrderedSlot


class StartContent(msgspec.Struct, frozen=True, kw_only=True):
    """What stands inside a sealed start: an envelope but for the moment it begins."""

    attempt_id: str
    form_hash: str
    paper_code: str
    ordering: tuple[OrderedSlot, ...]
    candidate: CandidateSummary
    starts_at_ms: int
    latest_start_ms: int
    ends_at_ms: int
    duration_ms: int
    extra_ms: int
    seat_key: bytes
    hand_over_key: bytes


async def sealed_paper(delivery: Delivery, candidate: CandidatePass, sealed_hash: str) -> bytes:
    """Return a sealed paper to a candidate who will sit it, from the moment the waiting room is open.

    Raises
    ------
    SealedPaperUnknown, ServiceUnavailable
    """
    for sat in await delivery.rolls.of_candidate(candidate.candidate_id):
        if sat.roll.is_open and sat.roll.sealed.hash == sealed_hash:
            return sat.roll.sealed.content
    raise SealedPaperUnknown(sealed_hash)


async def sealed_start(delivery: Delivery, candidate: CandidatePass, attempt_id: AttemptId) -> SealedStart:
    """Return what a seat needs to begin by itself once somebody tells it the release code.

    Raises
    ------
    AttemptUnknown, NotYours, SealedPaperUnknown, ServiceUnavailable
    """
    sat = await delivery.rolls.require(candidate.candidate_id, attempt_id)
    if not sat.roll.is_open:
        raise SealedPaperUnknown(sat.roll.sealed.hash)
    room_code = sat.seat.room_code or ""
    facts = (await delivery.look(sat)).facts
    seals = sat.roll.seals
    return SealedStart(
        attempt_id=attempt_id,
        sealed_hash=sat.roll.sealed.hash,
        salt=seals.salt(room_code),
        rounds=WRAP_ROUNDS,
        wrapped_key=await seals.wrapped_paper_key(room_code),
        start=seal(seals.paper_key, sealing.START_LABEL, msgspec.json.encode(_content(sat, facts))),
    )


def _content(sat: Sat, facts: AttemptFacts) -> StartContent:
    code = sat.roll.paper.codes[sat.seat.paper_code_id]
    return StartContent(
        attempt_id=str(sat.seat.attempt_id),
        form_hash=sat.roll.paper.hash,
        paper_code=code.code,
        ordering=code.ordering,
        candidate=candidate_summary(sat),
        starts_at_ms=facts.starts_ms,
        latest_start_ms=facts.late_ms,
        ends_at_ms=facts.ends_ms,
        duration_ms=facts.duration_ms,
        extra_ms=facts.extra_ms,
        seat_key=sat.roll.seals.seat_key(sat.seat.attempt_id),
        hand_over_key=sat.roll.seals.hand_over_key,
    )
