"""Refused answers: evidence that counts for nothing, unless an extension covers it and two people agree."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.delivery import model, store
from exam_engine.delivery.errors import LateAnswersUnknown, SamePersonTwice
from exam_engine.delivery.model import AttemptFacts, AttemptId, Sitting, SittingId, SittingState
from exam_engine.delivery.places import place_of
from exam_engine.delivery.service.desk import (
    Desk,
    Scope,
    load_sitting,
    lock_open,
    look_at,
    record,
    seats_in,
)
from exam_engine.delivery.store import LateDecision, LateResponse, Seat


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


class LateAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The refused answers of one candidate, as those who decide look at them."""

    seat: Seat
    answers: tuple[LateResponse, ...]
    decisions: tuple[LateDecision, ...]
    undecided: int
    countable: int  # of the undecided: those that would count if two people said so now

    @property
    def proposal(self) -> LateDecision | None:
        """What waits for a second person."""
        return next((one for one in self.decisions if one.accepted_by is None), None)


async def count_late(session: AsyncSession, sitting_id: SittingId) -> int:
    """Count the refused answers of a sitting nobody has decided about."""
    return sum((await store.count_late(session, sitting_id)).values())


async def load_late_attempts(desk: Desk, sitting_id: SittingId) -> list[LateAttempt]:
    """Load the refused answers of a sitting by candidate, with what could be decided about them now.

    Raises
    ------
    SittingUnknown, ServiceUnavailable
    """
    sitting = (await load_sitting(desk.session, sitting_id)).sitting
    late = await load_late(desk, sitting_id)
    if not late.answers:
        return []
    by_attempt: dict[AttemptId, list[LateResponse]] = {}
    for one in late.answers:
        by_attempt.setdefault(AttemptId(one.attempt_id), []).append(one)
    found = await seats_in(desk, sitting_id, Scope(attempts=tuple(by_attempt)))
    seats = {seat.attempt_id: seat for seat in found}
    waiting = {AttemptId(one.attempt_id) for one in late.answers if one.decision_id is None}
    is_open = sitting.state is SittingState.OPEN
    facts = await _facts_of(desk, sitting, list(waiting)) if is_open else {}
    attempts = []
    for attempt_id, answers in by_attempt.items():
        undecided = [one for one in answers if one.decision_id is None]
        known = facts.get(attempt_id)
        attempts.append(
            LateAttempt(
                seat=seats[attempt_id],
                answers=tuple(answers),
                decisions=tuple(one for one in late.decisions if one.attempt_id == attempt_id),
                undecided=len(undecided),
                countable=0 if known is None else sum(_may_count(known, one) for one in undecided),
            )
        )
    return attempts


async def accept_late(desk: Desk, sitting_id: SittingId, acceptance: LateAcceptance) -> LateAccepted:
    """Propose that late answers count or, as a second person, agree: then they count, newest first as ever.

    Raises
    ------
    SittingUnknown, SittingStateWrong, AttemptUnknown, LateAnswersUnknown, SamePersonTwice, ServiceUnavailable
    """
    sitting = await lock_open(desk, sitting_id)
    await seats_in(desk, sitting_id, Scope(attempt_id=acceptance.attempt_id))
    proposal = await store.find_proposal(desk.session, acceptance.attempt_id)
    if proposal is None:
        return await _propose(desk, sitting, acceptance)
    if proposal.proposed_by == desk.actor:
        raise SamePersonTwice(desk.actor)
    return await _count(desk, sitting, acceptance, proposal)


async def _propose(desk: Desk, sitting: Sitting, acceptance: LateAcceptance) -> LateAccepted:
    facts = (await _facts_of(desk, sitting, [acceptance.attempt_id]))[acceptance.attempt_id]
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
    await look_at(desk, sitting, [acceptance.attempt_id])  # a Redis that began empty counts nothing
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


async def _facts_of(desk: Desk, sitting: Sitting, attempts: Sequence[AttemptId]) -> dict[AttemptId, AttemptFacts]:
    return {attempt_id: held.facts for attempt_id, held in (await look_at(desk, sitting, attempts)).items()}


def _may_count(facts: AttemptFacts, late: LateResponse) -> bool:
    return model.may_count(facts, late.refusal, late.server_ms)
