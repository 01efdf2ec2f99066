"""What stands on the candidates' cards: who, where, when the subjects are sat, and both codes."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import codes, store
from exam_engine.enrolment.birth_dates import show_birth_date
from exam_engine.enrolment.model import Candidate, CandidateCard, CardSubject, Exam, ExamSubject
from exam_engine.enrolment.numbering import place_of_number
from exam_engine.identity import service as identity


async def candidates_for_cards(
    session: AsyncSession,
    exam: Exam,
    *,
    secret: bytes,
    base_url: str,
    numbers: Collection[str] | None = None,
    actor: str,
    now: datetime,
) -> Sequence[CandidateCard]:
    """Return the cards of all numbered candidates of an exam (or of some numbers), room by room, then by number.

    Cards hold codes, so the record keeps who took them.
    """
    subjects = await store.load_subjects(session, exam.id)
    schools = {UUID(str(unit.id)): unit.name for unit in await identity.load_units(session)}
    seats: dict[UUID, dict[UUID, tuple[str, int]]] = defaultdict(dict)
    for candidate_id, subject_id, room, seat in await store.load_seats(session, exam.id):
        seats[candidate_id][subject_id] = (room, seat)
    cards = [
        _card(exam, candidate, subjects, seats[candidate.id], schools, secret, base_url)
        for candidate in await store.load_candidates(session, exam.id)
        if candidate.number is not None and (numbers is None or candidate.number in numbers)
    ]
    facts = {"cards": len(cards), "numbers": sorted(numbers)[:100] if numbers is not None else None}
    await audit.append(
        session, actor=actor, action="exam.print_cards", subject=exam.audit_subject, facts=facts, now=now
    )
    return sorted(cards, key=lambda card: (card.room or "", card.number))


def _card(
    exam: Exam,
    candidate: Candidate,
    subjects: Sequence[ExamSubject],
    seats: dict[UUID, tuple[str, int]],
    schools: dict[UUID, str],
    secret: bytes,
    base_url: str,
) -> CandidateCard:
    number = candidate.number or ""
    lines = []
    for subject in subjects:
        if subject.code in candidate.subjects:
            room, seat = seats.get(subject.id, (None, None))
            lines.append(CardSubject(subject.code, subject.name, subject.mode, subject.minutes, room, seat))
    seated = next((line for line in lines if line.room is not None), None)
    return CandidateCard(
        candidate_id=candidate.id,
        exam_code=exam.code,
        exam_name=exam.name,
        number=number,
        place=place_of_number(number, exam.year),
        full_name=candidate.full_name,
        date_of_birth=show_birth_date(candidate.date_of_birth),
        school=schools.get(candidate.school_unit_id) if candidate.school_unit_id else None,
        room=seated.room if seated else None,
        seat=seated.seat if seated else None,
        subjects=tuple(lines),
        sit_code=codes.sit_code(secret, exam.code, number, candidate.code_version),
        look_up_code=codes.look_up_code(secret, exam.code, number, candidate.code_version),
        sign_in_url=f"{base_url.rstrip('/')}/exam/?exam={exam.code}",
        look_up_url=f"{base_url.rstrip('/')}/results?exam={exam.code}",
    )
