"""SQL of enrolment: exams and subjects, candidates with their registrations, marks from files, rooms and seats."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.model import (
    Candidate,
    CandidateId,
    Exam,
    ExamId,
    ExamKind,
    ExamState,
    ExamSubject,
    ExamSubjectId,
    MarkNote,
    Room,
    RoomId,
    SubjectCandidate,
    SubjectMark,
    SubjectMode,
)
from exam_engine.enrolment.tables import (
    AccommodationRow,
    CandidateRow,
    CandidateSubjectRow,
    ExamRow,
    ExamSubjectRow,
    RoomRow,
    SeatRow,
    SubjectMarkRow,
)
from exam_engine.infra.bulk import insert_many, update_many
from exam_engine.infra.vietnamese import search_texts


async def insert_exam(session: AsyncSession, exam: Exam) -> bool:
    """Write an exam; False when its code is taken."""
    statement = (
        upsert(ExamRow)
        .values({name: getattr(exam, name) for name in Exam.__struct_fields__})
        .on_conflict_do_nothing(constraint="uq_exam_code")
        .returning(ExamRow.id)
    )
    return await session.scalar(statement) is not None


async def update_exam(session: AsyncSession, exam_id: ExamId, **values: Any) -> None:
    """Change columns of an exam."""
    await session.execute(update(ExamRow).where(ExamRow.id == exam_id).values(**values))


async def find_exam(session: AsyncSession, code: str) -> Exam | None:
    """Return the exam of a code."""
    if "\x00" in code:  # PostgreSQL refuses the character, and no code has it
        return None
    row = await session.scalar(select(ExamRow).where(ExamRow.code == code))
    return None if row is None else _exam(row)


async def find_exam_by_id(session: AsyncSession, exam_id: UUID) -> Exam | None:
    """Return the exam of an id."""
    row = await session.scalar(select(ExamRow).where(ExamRow.id == exam_id))
    return None if row is None else _exam(row)


async def lock_exam(session: AsyncSession, exam_id: ExamId) -> None:
    """Make imports, numbering and seating of one exam wait for each other."""
    await session.execute(select(ExamRow.id).where(ExamRow.id == exam_id).with_for_update())


async def load_exams(session: AsyncSession, unit_ids: Collection[UUID] | None) -> list[Exam]:
    """Return the exams of some units (None: of all), the newest year first."""
    statement = select(ExamRow).order_by(ExamRow.year.desc(), ExamRow.code)
    if unit_ids is not None:
        statement = statement.where(ExamRow.unit_id.in_(unit_ids))
    return [_exam(row) for row in await session.scalars(statement)]


async def insert_subject(session: AsyncSession, subject: ExamSubject) -> bool:
    """Write a subject; False when the exam has it already."""
    statement = (
        upsert(ExamSubjectRow)
        .values({name: getattr(subject, name) for name in ExamSubject.__struct_fields__})
        .on_conflict_do_nothing(constraint="uq_exam_subject_exam_id_code")
        .returning(ExamSubjectRow.id)
    )
    return await session.scalar(statement) is not None


async def load_subjects(session: AsyncSession, exam_id: UUID) -> list[ExamSubject]:
    """Return the subjects of an exam in their order."""
    statement = (
        select(ExamSubjectRow)
        .where(ExamSubjectRow.exam_id == exam_id)
        .order_by(ExamSubjectRow.position, ExamSubjectRow.code)
    )
    return [_subject(row) for row in await session.scalars(statement)]


async def find_subject_by_id(session: AsyncSession, subject_id: UUID) -> ExamSubject | None:
    """Return the subject of an id."""
    row = await session.scalar(select(ExamSubjectRow).where(ExamSubjectRow.id == subject_id))
    return None if row is None else _subject(row)


async def load_candidates(session: AsyncSession, exam_id: UUID) -> list[Candidate]:
    """Return all candidates of an exam by number, those without one last in the order of names."""
    return await candidates_of(
        session, select(*CANDIDATE_COLUMNS).where(CandidateRow.exam_id == exam_id).order_by(*BY_NUMBER)
    )


async def find_candidate(session: AsyncSession, exam_id: UUID, number: str) -> Candidate | None:
    """Return the candidate of a number."""
    if "\x00" in number:
        return None
    found = await candidates_of(
        session, select(*CANDIDATE_COLUMNS).where(CandidateRow.exam_id == exam_id, CandidateRow.number == number)
    )
    return found[0] if found else None


async def find_code_version(session: AsyncSession, exam_code: str, number: str) -> int | None:
    """Return the version of a candidate's codes, and nothing else of the candidate."""
    statement = (
        select(CandidateRow.code_version)
        .join(ExamRow, ExamRow.id == CandidateRow.exam_id)
        .where(ExamRow.code == exam_code, CandidateRow.number == number)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def find_candidate_by_id(session: AsyncSession, candidate_id: UUID) -> Candidate | None:
    """Return the candidate of an id."""
    found = await candidates_of(session, select(*CANDIDATE_COLUMNS).where(CandidateRow.id == candidate_id))
    return found[0] if found else None


async def insert_candidates(session: AsyncSession, candidates: Sequence[Candidate]) -> None:
    """Write new candidates."""
    await insert_many(session, CandidateRow, [_candidate_values(c) for c in candidates])


async def update_candidates(session: AsyncSession, candidates: Sequence[Candidate]) -> None:
    """Write candidates over those with the same ids."""
    await update_many(session, CandidateRow, [_candidate_values(c) for c in candidates])


async def clear_numbers(session: AsyncSession, exam_id: ExamId) -> None:
    """Take all numbers of an exam back, before they are given anew."""
    await session.execute(update(CandidateRow).where(CandidateRow.exam_id == exam_id).values(number=None))


async def save_numbers(session: AsyncSession, numbers: Sequence[tuple[UUID, str]]) -> None:
    """Give numbers."""
    await update_many(session, CandidateRow, [{"id": id_, "number": number} for id_, number in numbers])


async def raise_code_version(session: AsyncSession, candidate_id: CandidateId) -> int:
    """Make the codes on the present card worthless and return the new version."""
    statement = (
        update(CandidateRow)
        .where(CandidateRow.id == candidate_id)
        .values(code_version=CandidateRow.code_version + 1)
        .returning(CandidateRow.code_version)
    )
    version = await session.scalar(statement)
    return int(version or 0)


async def save_registrations(session: AsyncSession, registrations: Mapping[CandidateId, Collection[UUID]]) -> None:
    """Set the subjects of some candidates."""
    await session.execute(
        delete(CandidateSubjectRow).where(_is_one_of(CandidateSubjectRow.candidate_id, registrations))
    )
    values = [{"candidate_id": c, "exam_subject_id": s} for c, subjects in registrations.items() for s in subjects]
    await insert_many(session, CandidateSubjectRow, values)


async def load_marks(session: AsyncSession, exam_id: UUID) -> list[SubjectMark]:
    """Return the marks from files of an exam."""
    statement = (
        select(SubjectMarkRow)
        .join(CandidateRow, CandidateRow.id == SubjectMarkRow.candidate_id)
        .where(CandidateRow.exam_id == exam_id)
    )
    return [_mark(row) for row in await session.scalars(statement)]


async def save_marks(session: AsyncSession, marks: Sequence[SubjectMark]) -> None:
    """Write marks; one that was there is replaced."""
    values = [{name: getattr(m, name) for name in SubjectMark.__struct_fields__} for m in marks]
    await insert_many(session, SubjectMarkRow, values, replaces=("hundredths", "note", "source_file", "row"))


async def delete_marks(session: AsyncSession, marks: Sequence[tuple[CandidateId, str]]) -> None:
    """Take marks away."""
    for candidate_id, code in marks:
        await session.execute(
            delete(SubjectMarkRow).where(
                SubjectMarkRow.candidate_id == candidate_id, SubjectMarkRow.exam_subject_code == code
            )
        )


async def load_rooms(session: AsyncSession, exam_id: UUID) -> list[Room]:
    """Return the rooms of an exam by code."""
    rows = await session.scalars(select(RoomRow).where(RoomRow.exam_id == exam_id).order_by(RoomRow.code))
    return [_room(row) for row in rows]


async def load_subject_rooms(session: AsyncSession, subject_id: UUID) -> list[Room]:
    """Return the rooms in which somebody sits a subject, by code."""
    sat = select(SeatRow.room_id).where(SeatRow.exam_subject_id == subject_id)
    rows = await session.scalars(select(RoomRow).where(RoomRow.id.in_(sat)).order_by(RoomRow.code))
    return [_room(row) for row in rows]


async def save_rooms(session: AsyncSession, rooms: Sequence[Room]) -> None:
    """Write rooms; a room that is there keeps its id and takes the larger capacity."""
    for room in rooms:
        statement = upsert(RoomRow).values({name: getattr(room, name) for name in Room.__struct_fields__})
        larger = func.greatest(RoomRow.capacity, statement.excluded.capacity)
        await session.execute(
            statement.on_conflict_do_update(constraint="uq_room_exam_id_code", set_={"capacity": larger})
        )


async def has_seats(session: AsyncSession, *, exam_id: UUID | None = None, subject_id: UUID | None = None) -> bool:
    """Tell whether seats were given in an exam or in one subject."""
    statement = select(SeatRow.id).join(ExamSubjectRow, ExamSubjectRow.id == SeatRow.exam_subject_id).limit(1)
    if exam_id is not None:
        statement = statement.where(ExamSubjectRow.exam_id == exam_id)
    if subject_id is not None:
        statement = statement.where(SeatRow.exam_subject_id == subject_id)
    return await session.scalar(statement) is not None


async def replace_seats(session: AsyncSession, subject_id: ExamSubjectId, seats: Sequence[Mapping[str, Any]]) -> None:
    """Give the seats of one subject, in place of those given before."""
    await session.execute(delete(SeatRow).where(SeatRow.exam_subject_id == subject_id))
    await insert_many(session, SeatRow, seats)


async def load_subject_candidates(session: AsyncSession, subject_id: UUID) -> list[SubjectCandidate]:
    """Return everybody registered for a subject, by number, with seats."""
    statement = (
        select(
            CandidateRow.id.label("candidate_id"),
            CandidateRow.number,
            CandidateRow.full_name,
            CandidateRow.school_unit_id,
            SeatRow.room_id,
            RoomRow.code.label("room_code"),
            SeatRow.number.label("seat_number"),
        )
        .join(CandidateSubjectRow, CandidateSubjectRow.candidate_id == CandidateRow.id)
        .outerjoin(SeatRow, (SeatRow.candidate_id == CandidateRow.id) & (SeatRow.exam_subject_id == subject_id))
        .outerjoin(RoomRow, RoomRow.id == SeatRow.room_id)
        .where(CandidateSubjectRow.exam_subject_id == subject_id)
        .order_by(*BY_NUMBER)
    )
    return [SubjectCandidate(**row) for row in (await session.execute(statement)).mappings()]


async def load_seats(session: AsyncSession, exam_id: UUID) -> list[tuple[UUID, UUID, str, int]]:
    """Return (candidate, subject, room code, seat number) of an exam."""
    statement = (
        select(SeatRow.candidate_id, SeatRow.exam_subject_id, RoomRow.code, SeatRow.number)
        .join(RoomRow, RoomRow.id == SeatRow.room_id)
        .where(RoomRow.exam_id == exam_id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(statement)]


async def candidates_of(session: AsyncSession, statement: Select[Any]) -> list[Candidate]:
    """Run a selection of `CANDIDATE_COLUMNS` and add the subjects."""
    rows = list(await session.execute(statement))
    subjects: dict[UUID, list[str]] = {row.id: [] for row in rows}
    found = await session.execute(
        select(CandidateSubjectRow.candidate_id, ExamSubjectRow.code)
        .join(ExamSubjectRow, ExamSubjectRow.id == CandidateSubjectRow.exam_subject_id)
        .where(_is_one_of(CandidateSubjectRow.candidate_id, subjects))
        .order_by(ExamSubjectRow.position, ExamSubjectRow.code)
    )
    for candidate_id, code in found:
        subjects[candidate_id].append(code)
    return [Candidate(**row._mapping, subjects=tuple(subjects[row.id])) for row in rows]  # noqa: SLF001 (public)


TIME_FACTOR = func.coalesce(
    select(AccommodationRow.time_factor)
    .where(AccommodationRow.candidate_id == CandidateRow.id, AccommodationRow.exam_subject_id.is_(None))
    .scalar_subquery(),
    100,
).label("time_factor")
"""In all subjects that have no accommodation of their own; `accommodation_store` writes it."""

_ELSEWHERE = frozenset({"subjects", "time_factor"})
_OWN_COLUMNS = tuple(getattr(CandidateRow, name) for name in Candidate.__struct_fields__ if name not in _ELSEWHERE)
CANDIDATE_COLUMNS = (*_OWN_COLUMNS, TIME_FACTOR)
BY_NUMBER = (CandidateRow.number.asc().nulls_last(), CandidateRow.sort_key, CandidateRow.id)
BY_NAME = (CandidateRow.sort_key, CandidateRow.date_of_birth, CandidateRow.number, CandidateRow.id)


def _is_one_of(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    # One array, where an IN list would take a parameter for each id.
    chosen: ColumnElement[bool] = column == any_(bindparam(None, list(ids), type_=ARRAY(Uuid())))
    return chosen


def _candidate_values(candidate: Candidate) -> dict[str, Any]:
    plain, exact = search_texts(candidate.full_name)
    values = {name: getattr(candidate, name) for name in Candidate.__struct_fields__ if name not in _ELSEWHERE}
    return {**values, "attributes": dict(candidate.attributes), "folded_name": plain, "lower_name": exact}


def _exam(row: ExamRow) -> Exam:
    return Exam(
        id=ExamId(row.id),
        code=row.code,
        name=row.name,
        unit_id=row.unit_id,
        year=row.year,
        kind=ExamKind(row.kind),
        state=ExamState(row.state),
        rule_set=row.rule_set,
        results_release_at=row.results_release_at,
        codes_valid_until=row.codes_valid_until,
    )


def _subject(row: ExamSubjectRow) -> ExamSubject:
    return ExamSubject(
        id=ExamSubjectId(row.id),
        exam_id=ExamId(row.exam_id),
        code=row.code,
        name=row.name,
        mode=SubjectMode(row.mode),
        minutes=row.minutes,
        maximum=row.maximum,
        position=row.position,
    )


def _mark(row: SubjectMarkRow) -> SubjectMark:
    return SubjectMark(
        candidate_id=CandidateId(row.candidate_id),
        exam_subject_code=row.exam_subject_code,
        hundredths=row.hundredths,
        note=None if row.note is None else MarkNote(row.note),
        source_file=row.source_file,
        row=row.row,
    )


def _room(row: RoomRow) -> Room:
    return Room(
        id=RoomId(row.id),
        exam_id=ExamId(row.exam_id),
        code=row.code,
        capacity=row.capacity,
        site_unit_id=row.site_unit_id,
    )
