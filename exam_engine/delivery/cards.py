"""Who shows a card: PostgreSQL decides, since a card may have been reissued a minute ago; without it, memory does."""

from datetime import datetime
from uuid import UUID

import msgspec

from exam_engine.delivery.rolls import Rolls
from exam_engine.delivery.wire import CandidateSummary, ExamSummary, SignInBody
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import CodePurpose, sit_code_matches
from exam_engine.enrolment.errors import CodeExpired, CodeRefused
from exam_engine.enrolment.model import CodeClaim
from exam_engine.identity import service as identity
from exam_engine.identity.model import UnitId
from exam_engine.infra.database import SessionMaker, reaching_database
from exam_engine.infra.errors import ServiceUnavailable


class CardHolder(msgspec.Struct, frozen=True):
    """Somebody whose card was right."""

    candidate_id: UUID
    exam_id: UUID
    candidate: CandidateSummary
    exam: ExamSummary


async def check_card(
    body: SignInBody, sessions: SessionMaker, rolls: Rolls, secret: bytes, now: datetime
) -> CardHolder:
    """Return who holds a card.

    Raises
    ------
    CodeRefused
        Exam, number and code do not belong together; whether anybody has that number is neither said nor to be timed.
    CodeExpired, ServiceUnavailable
    """
    try:
        with reaching_database():
            return await _ask(body, sessions, secret, now)
    except ServiceUnavailable:
        holder = _remember(body, rolls, secret, now)
        if holder is None:
            raise
        return holder


async def _ask(body: SignInBody, sessions: SessionMaker, secret: bytes, now: datetime) -> CardHolder:
    claim = CodeClaim(exam_code=body.exam, number=body.candidate_number, code=body.code, purpose=CodePurpose.SIT)
    async with sessions() as session:
        exam, candidate = await enrolment.require_candidate_by_code(session, claim, secret=secret, now=now)
        school = ""
        if candidate.school_unit_id is not None:
            school = (await identity.load_unit(session, UnitId(candidate.school_unit_id))).name
    summary = CandidateSummary(candidate.number or "", candidate.full_name, school)
    return CardHolder(candidate.id, exam.id, summary, ExamSummary(exam.code, exam.name))


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
    return CardHolder(
        sat.seat.candidate_id, context.exam_id, summary, ExamSummary(context.exam_code, context.exam_name)
    )
