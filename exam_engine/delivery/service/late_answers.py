"""Refused answers: evidence that counts for nothing, unless an extension covers it and two people agree."""

from typing import Annotated
from uuid import UUID, uuid4

import msgspec

from exam_engine.delivery import model, store
from exam_engine.delivery.errors import LateAnswersUnknown, SamePersonTwice
from exam_engine.delivery.model import AttemptFacts, AttemptId, Sitting, SittingId
from exam_engine.delivery.register import place_of
from exam_engine.delivery.service.desk import Desk, Scope, lock_sitting, record, require_open, seats_in
from exam_engine.delivery.store import LateDecision, LateResponse


class LateAcceptance(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants the late answers of an attempt to count."""

    attempt_id: AttemptId
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class LateAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: proposed and waiting for a second person, or counted."""

    decision_id: UUID
    is_accepted: bool
    answers: int  # that the decision is about
    counted: int  # of these, newer than what was held; the others stay evidence
    proposed_by: str


class LateView(msgspec.Struct, frozen=True, kw_only=True):
    """The refused answers of a sitting with the decisions about them."""

    answers: list[LateResponse]
    decisions: list[LateDecision]


async def load_late(desk: Desk, sitting_id: SittingId) -> LateView:
    """Load the refused answers of a sitting; what stands in them is shown to nobody."""
    return LateView(
        answers=await store.load_late(desk.session, sitting_id),
        decisions=await store.load_decisions(desk.session, sitting_id),
    )


async def accept_late(desk: Desk, sitting_id: SittingId, acceptance: LateAcceptance) -> LateAccepted:
    """Propose that late answers count or, as a second person, agree: then they count, newest first as ever.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AttemptUnknown, LateAnswersUnknown, SamePersonTwice, ServiceUnavailable
    """
    sitting = await require_open(desk, sitting_id)
    await lock_sitting(desk, sitting_id)
    await seats_in(desk, sitting_id, Scope(attempt_id=acceptance.attempt_id))
    proposal = await store.find_proposal(desk.session, acceptance.attempt_id)
    if proposal is None:
        return await _propose(desk, sitting, acceptance)
    if proposal.proposed_by == desk.actor:
        raise SamePersonTwice(desk.actor)
    return await _count(desk, sitting, acceptance, proposal)


async def _propose(desk: Desk, sitting: Sitting, acceptance: LateAcceptance) -> LateAccepted:
    facts = (await desk.register.look(place_of(sitting.id, sitting.shards, acceptance.attempt_id))).facts
    late = await store.load_late(desk.session, sitting.id, acceptance.attempt_id)
    ids = [one.id for one in late if one.decision_id is None and _may_count(facts, one)]
    if not ids:
        raise LateAnswersUnknown(acceptance.attempt_id)
    decision = LateDecision(
        id=uuid4(),
        attempt_id=acceptance.attempt_id,
        reason=acceptance.reason,
        proposed_by=desk.actor,
        proposed_at=desk.now,
        accepted_by=None,
        accepted_at=None,
    )
    await store.insert_proposal(desk.session, decision, ids)
    await record(
        desk,
        "sitting.late.propose",
        sitting,
        attempt_id=acceptance.attempt_id,
        reason=acceptance.reason,
        answers=len(ids),
    )
    return LateAccepted(decision_id=decision.id, is_accepted=False, answers=len(ids), counted=0, proposed_by=desk.actor)


async def _count(desk: Desk, sitting: Sitting, acceptance: LateAcceptance, proposal: LateDecision) -> LateAccepted:
    ids = await store.accept_proposal(desk.session, proposal.id, desk.actor, desk.now)
    answers = await store.load_late_answers(desk.session, ids)
    place = place_of(sitting.id, sitting.shards, acceptance.attempt_id)
    counted = 0
    for answer in answers:
        counted += await desk.register.count(place, answer.lease, answer.arrival_ms, answer.slot, answer.packed)
    await record(
        desk,
        "sitting.late.accept",
        sitting,
        attempt_id=acceptance.attempt_id,
        reason=acceptance.reason,
        proposed_by=proposal.proposed_by,
        answers=len(ids),
        counted=counted,
    )
    return LateAccepted(
        decision_id=proposal.id,
        is_accepted=True,
        answers=len(ids),
        counted=counted,
        proposed_by=proposal.proposed_by,
    )


def _may_count(facts: AttemptFacts, late: LateResponse) -> bool:
    return model.may_count(facts, late.refusal, late.server_ms)
