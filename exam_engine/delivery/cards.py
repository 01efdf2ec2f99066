"""Who shows a card: PostgreSQL decides, since a card may have been reissued a minute ago; without it, memory does."""

from datetime import datetime
from uuid import UUID

import msgspec

from exam_engine.delivery.rolls import Rolls
from exam_engine.delivery.wire import CandidateSummary, ExamSummary, SignInBody
from exam_engine.enrolment import cards
from exam_engine.enrolment.codes import CodePurpose, sit_code_matches
from exam_engine.enrolment.errors import CodeExpired, CodeRefused
from exam_engine.enrolment.model import CodeClaim
from exam_engine.infra.database import SessionMaker
from exam_engine.infra.errors import ServiceUnavailable
from exam_engine.infra.joint_queries import JointQuery


class CardHolder(msgspec.Struct, frozen=True):
    """Somebody whose card was right."""

    candidate_id: UUID
    exam_id: UUID
    code_version: int
    candidate: CandidateSummary
    exam: ExamSummary


class CardDesk:
    """Reads cards at the door, those that come together by one statement."""

    def __init__(self, sessions: SessionMaker, rolls: Rolls, secret: bytes) -> None:
        self._issued = JointQuery(sessions, cards.load_cards)
        self._rolls, self._secret = rolls, secret

    async def check(self, body: SignInBody, now: datetime) -> CardHolder:
        """Return who holds a card.

        Raises
        ------
        CodeRefused
            Exam, number and code do not belong together; whether anybody has that number is neither said nor to be
            timed.
        CodeExpired, ServiceUnavailable
        """
        claim = CodeClaim(exam_code=body.exam, number=body.candidate_number, code=body.code, purpose=CodePurpose.SIT)
        try:
            issued = await self._issued.ask(cards.card_key(claim))
        except ServiceUnavailable:
            holder = _remember(body, self._rolls, self._secret, now)
            if holder is None:
                raise
            return holder
        card = cards.require_card(issued, claim, secret=self._secret, now=now)
        return CardHolder(
            card.candidate_id,
            card.exam_id,
            card.code_version,
            CandidateSummary(card.number, card.full_name, card.school),
            ExamSummary(card.exam_code, card.exam_name),
        )


def _remember(body: SignInBody, rolls: Rolls, secret: bytes, now: datetime) -> CardHolder | None:
    exam_code, number = body.exam.strip(), body.candidate_number.strip()
    sat = rolls.candidate_named(exam_code, number)
    if sat is None:
        return None
    context = sat.roll.context
    if not sit_code_matches(secret, exam_code, number, sat.seat.code_version, body.code):
        raise CodeRefused
    if context.codes_valid_until is not None and now >= context.codes_valid_until:
        raise CodeExpired(context.codes_valid_until)
    summary = CandidateSummary(sat.seat.number, sat.seat.full_name, sat.seat.school)
    exam = ExamSummary(context.exam_code, context.exam_name)
    return CardHolder(sat.seat.candidate_id, context.exam_id, sat.seat.code_version, summary, exam)
