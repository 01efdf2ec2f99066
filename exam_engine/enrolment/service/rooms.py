"""Rooms and seats."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import seating, store
from exam_engine.enrolment.errors import SeatingRefused
from exam_engine.enrolment.model import (
    Exam,
    ExamSubject,
    Room,
    RoomId,
    SeatingReport,
    SeatingRules,
    SubjectCandidate,
    SubjectMode,
)
from exam_engine.enrolment.service.exams import require_subject


async def assign_rooms(
    session: AsyncSession, exam: Exam, rules: SeatingRules, *, actor: str, now: datetime
) -> SeatingReport:
    """Seat the candidates of some subjects (none named: all sat on line) by number, room after room.

    Raises
    ------
    SeatingRefused, SubjectUnknown
    """
    await store.lock_exam(session, exam.id)
    rooms = {room.code: room for room in await store.load_rooms(session, exam.id)}
    used: set[str] = set()
    seats = 0
    subjects = await _subjects(session, exam, rules)
    for subject in subjects:
        if not rules.is_anew and await store.has_seats(session, subject_id=subject.id):
            raise SeatingRefused(f"seats were given in {subject.code} already")
        people = await store.load_subject_candidates(session, subject.id)
        _require_numbers(subject, people)
        names = _furnish(exam, rules, len(people), rooms)
        await store.save_rooms(session, [rooms[name] for name in names])
        await store.replace_seats(session, subject.id, _seats(subject, people, rules, [rooms[name] for name in names]))
        seats += len(people)
        used.update(names)
    report = SeatingReport(subjects=tuple(s.code for s in subjects), rooms=len(used), seats=seats)
    facts = {"subjects": list(report.subjects), "rooms": report.rooms, "seats": seats, "anew": rules.is_anew}
    await audit.append(session, actor=actor, action="exam.seat", subject=exam.audit_subject, facts=facts, now=now)
    return report


async def load_subject_rooms(session: AsyncSession, subject_id: UUID) -> Sequence[Room]:
    """Return the rooms in which somebody sits a subject, by code."""
    return await store.load_subject_rooms(session, subject_id)


async def load_rooms(session: AsyncSession, exam_id: UUID) -> Sequence[Room]:
    """Return the rooms of an exam by code."""
    return await store.load_rooms(session, exam_id)


async def _subjects(session: AsyncSession, exam: Exam, rules: SeatingRules) -> list[ExamSubject]:
    if rules.subject_codes:
        return [await require_subject(session, exam.id, code) for code in rules.subject_codes]
    return [s for s in await store.load_subjects(session, exam.id) if s.mode is SubjectMode.ONLINE]


def _require_numbers(subject: ExamSubject, people: Sequence[SubjectCandidate]) -> None:
    unnumbered = sum(person.number is None for person in people)
    if unnumbered:
        raise SeatingRefused(f"{unnumbered} candidates of {subject.code} have no number yet")


def _furnish(exam: Exam, rules: SeatingRules, count: int, rooms: dict[str, Room]) -> list[str]:
    """Make sure the rooms for so many people exist, and return their codes; rooms serve all subjects in turn."""
    names = []
    for index, size in enumerate(seating.room_sizes(count, rules.capacity, rules.last_room_capacity)):
        name = f"{rules.room_prefix}{index + 1:03}"
        known = rooms.get(name)
        rooms[name] = Room(
            id=known.id if known else RoomId(uuid4()),
            exam_id=exam.id,
            code=name,
            capacity=max(size, rules.capacity, known.capacity if known else 0),
            site_unit_id=known.site_unit_id if known else rules.site_unit_id,
        )
        names.append(name)
    return names


def _seats(
    subject: ExamSubject, people: Sequence[SubjectCandidate], rules: SeatingRules, rooms: Sequence[Room]
) -> list[dict[str, object]]:
    plans = seating.plan_seats([p.candidate_id for p in people], rules.capacity, rules.last_room_capacity)
    return [
        {
            "id": uuid4(),
            "exam_subject_id": subject.id,
            "candidate_id": plan.who,
            "room_id": rooms[plan.room].id,
            "number": plan.number,
        }
        for plan in plans
    ]
