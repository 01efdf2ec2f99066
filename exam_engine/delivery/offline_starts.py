"""Starts without a network, told to the server afterwards: the seat names the moment and proves that it had the key.

The moment can only shorten a candidate's time: it is taken no earlier than the sitting's start, no later than now, and
the deadline is reckoned from it as if the start had been asked for then, with every stop of the clock since.
"""

import hmac

import msgspec

from exam_engine.delivery import model
from exam_engine.delivery.errors import StartProofInvalid
from exam_engine.delivery.model import AttemptFacts, AttemptId, Change
from exam_engine.delivery.sealing import SittingSeals
from exam_engine.infra import sealing


class StartClaim(msgspec.Struct, frozen=True):
    """When a seat says it began, and its proof: HMAC-SHA-256 under the seat's key, in hexadecimal."""

    started_at_ms: int
    proof: str


def start_proof(seals: SittingSeals, attempt_id: AttemptId, started_at_ms: int) -> str:
    """Return the proof only a seat can give that has opened its sealed start."""
    return sealing.mac(seals.seat_key(attempt_id), f"exam-start/1:{attempt_id}:{started_at_ms}".encode()).hex()


def require_proof(seals: SittingSeals, attempt_id: AttemptId, claim: StartClaim) -> None:
    """Refuse a claim that does not come from this attempt's seat.

    Raises
    ------
    StartProofInvalid
    """
    if not hmac.compare_digest(start_proof(seals, attempt_id, claim.started_at_ms), claim.proof):
        raise StartProofInvalid(claim.started_at_ms)


def start_as_claimed(facts: AttemptFacts, client: str, started_at_ms: int, now_ms: int) -> Change:
    """Start an attempt that nobody has started at the moment its seat began by itself.

    Raises
    ------
    SittingNotStarted, LateStart, AttemptClosed, TimeOver
    """
    moment_ms = min(now_ms, max(started_at_ms, facts.starts_ms))
    return msgspec.structs.replace(model.start(facts, client, moment_ms), at_ms=now_ms)
