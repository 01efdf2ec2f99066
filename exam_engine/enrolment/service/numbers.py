"""Numbers of candidates."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import numbering, store
from exam_engine.enrolment.errors import NumberingRefused
from exam_engine.enrolment.model import Exam, ExamState, NumberingReport


async def assign_numbers(
    session: AsyncSession,
    exam: Exam,
    prefix: str,
    *,
    digits: int = numbering.DIGITS,
    is_anew: bool = False,
    actor: str,
    now: datetime,
) -> NumberingReport:
    """Number the candidates who have no number, in the order of names; with `is_anew` all of them.

    Raises
    ------
    PrefixUnknown, NumberingRefused
    """
    await store.lock_exam(session, exam.id)
    if digits == numbering.DIGITS:
        numbering.require_prefix(prefix, exam.year)
    elif not (prefix.isascii() and prefix.isdecimal()) or not 0 < len(prefix) < digits <= 12:
        raise NumberingRefused(f'"{prefix}" cannot begin a number of {digits} digits')
    candidates = await store.load_candidates(session, exam.id)
    if is_anew:
        await _refuse_renumbering(session, exam)
        await store.clear_numbers(session, exam.id)
    waiting = [c for c in candidates if is_anew or c.number is None]
    taken = [] if is_anew else [c.number for c in candidates if c.number is not None]
    people = [numbering.Unnumbered(c.id, c.sort_key, c.date_of_birth, str(c.school_unit_id or "")) for c in waiting]
    numbers = numbering.assign(people, prefix, taken, digits=digits)
    await store.save_numbers(session, [(UUID(str(who)), number) for who, number in numbers])
    report = NumberingReport(
        given=len(numbers), first=numbers[0][1] if numbers else None, last=numbers[-1][1] if numbers else None
    )
    if numbers:
        facts = {"given": report.given, "first": report.first, "last": report.last, "anew": is_anew}
        await audit.append(session, actor=actor, action="exam.number", subject=exam.audit_subject, facts=facts, now=now)
    return report


async def _refuse_renumbering(session: AsyncSession, exam: Exam) -> None:
    if exam.state is not ExamState.PLANNED:
        raise NumberingRefused(f"the exam is {exam.state}: its numbers stand on cards and lists")
    if await store.has_seats(session, exam_id=exam.id):
        raise NumberingRefused("seats were given by these numbers; numbers stay")
