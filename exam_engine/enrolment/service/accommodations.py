"""Use cases of accommodations; what they change in an open sitting is `delivery`'s to say."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import accommodation_store, store
from exam_engine.enrolment.accommodation_files import read_accommodations
from exam_engine.enrolment.accommodations import (
    Accommodation,
    AccommodationLine,
    Granted,
    TypedAccommodation,
    differences,
    in_subject,
    require_registered,
    require_time_factor,
)
from exam_engine.enrolment.errors import AccommodationUnknown, SubjectUnknown
from exam_engine.enrolment.model import Candidate, CandidateId, Change, Exam, ExamSubject, ImportReport
from exam_engine.enrolment.service.candidates import require_candidate, require_candidate_by_id
from exam_engine.infra.files import Table


class AccommodationImport(msgspec.Struct, frozen=True):
    """What an import of accommodations did, or would do, and to whom."""

    report: ImportReport
    candidates: frozenset[UUID]


async def accommodations_in(
    session: AsyncSession, subject_id: UUID, candidates: Collection[UUID]
) -> Mapping[UUID, Granted]:
    """Return what each of some candidates is granted in a subject."""
    found = await accommodation_store.load_of_candidates(session, candidates)
    return in_subject(found, list(candidates), subject_id)


async def load_accommodations(session: AsyncSession, exam_id: UUID) -> Sequence[AccommodationLine]:
    """Return the accommodations of an exam by candidate number."""
    return await accommodation_store.load_lines(session, exam_id)


async def save_accommodation(
    session: AsyncSession, exam: Exam, typed: TypedAccommodation, *, reason: str, actor: str, now: datetime
) -> Candidate:
    """Grant a candidate an accommodation, in place of the one in the same subject.

    Raises
    ------
    CandidateUnknown, SubjectUnknown, NotRegistered, TimeFactorInvalid, ExtraMinutesInvalid, AccommodationEmpty
    """
    granted = typed.granted()
    await store.lock_exam(session, exam.id)
    candidate = await require_candidate(session, exam.id, typed.number.replace("\x00", "").strip())
    subject = await _subject(session, exam, typed.subject.strip())
    require_registered(candidate, subject)
    await _grant(session, exam, candidate, subject, granted, reason=reason, actor=actor, now=now)
    return candidate


async def withdraw_accommodation(
    session: AsyncSession, exam: Exam, accommodation_id: UUID, *, reason: str, actor: str, now: datetime
) -> Candidate:
    """Take an accommodation back.

    Raises
    ------
    AccommodationUnknown
    """
    await store.lock_exam(session, exam.id)
    found = await accommodation_store.find(session, exam.id, accommodation_id)
    if found is None:
        raise AccommodationUnknown(accommodation_id)
    candidate = await require_candidate_by_id(session, found.candidate_id)
    subjects = {subject.id: subject for subject in await store.load_subjects(session, exam.id)}
    subject = subjects[found.exam_subject_id] if found.exam_subject_id else None  # type: ignore[index]
    await _grant(session, exam, candidate, subject, Granted(), reason=reason, actor=actor, now=now)
    return candidate


async def import_accommodations(
    session: AsyncSession, exam: Exam, table: Table, *, is_dry_run: bool = False, actor: str, now: datetime
) -> AccommodationImport:
    """Take accommodations from a table; those the file does not name stay, the same file twice changes nothing.

    Raises
    ------
    FileRefused
        Anything is wrong in any row; nothing was changed.
    """
    await store.lock_exam(session, exam.id)
    subjects = await store.load_subjects(session, exam.id)
    file = read_accommodations(table, await store.load_candidates(session, exam.id), subjects)
    file.reader.finish()
    held = {one.place: one.granted for one in await accommodation_store.load_of_exam(session, exam.id)}
    wanted: list[Accommodation] = []
    changes: list[Change] = []
    for candidate, subject, accommodation in file.rows:
        before, after = held.get(accommodation.place), accommodation.granted
        found = differences(_shown(candidate, subject), before, None if after.is_nothing else after)
        if found:
            wanted.append(accommodation)
            changes += found
    created = sum(one.place not in held for one in wanted)
    report = ImportReport(
        file_name=table.file_name,
        rows=len(file.rows),
        created=created,
        changed=len(wanted) - created,
        unchanged=len(file.rows) - len(wanted),
        changes=tuple(changes),
        is_dry_run=is_dry_run,
    )
    if wanted and not is_dry_run:
        await accommodation_store.save(session, wanted, by=actor, at=now)
        facts = {
            "file": report.file_name,
            "rows": report.rows,
            "created": report.created,
            "n_changed": report.changed,
            # What is arranged may tell of an illness: the record says that a note changed, not what it says.
            "changed": [msgspec.to_builtins(change) for change in changes if change.field != "note"][:200],
        }
        action = "exam.import_accommodations"
        await audit.append(session, actor=actor, action=action, subject=exam.audit_subject, facts=facts, now=now)
    return AccommodationImport(report, frozenset(one.candidate_id for one in wanted))


async def set_time_factor(
    session: AsyncSession, exam: Exam, candidate: Candidate, typed: str, *, reason: str, actor: str, now: datetime
) -> Candidate:
    """Give a candidate a factor on everybody's time in all subjects; minutes and note stay as they are.

    Raises
    ------
    TimeFactorInvalid
    """
    factor = require_time_factor(typed)
    held = await accommodation_store.load_of_candidates(session, [candidate.id])
    before = next((one.granted for one in held if one.exam_subject_id is None), Granted())
    after = msgspec.structs.replace(before, time_factor=factor)
    await _grant(session, exam, candidate, None, after, reason=reason, actor=actor, now=now)
    return msgspec.structs.replace(candidate, time_factor=factor)


async def save_time_factors(
    session: AsyncSession, factors: Mapping[CandidateId, int], *, actor: str, now: datetime
) -> None:
    """Write factors for all subjects, as a file of candidates has them; minutes and notes stay as they are."""
    held = {
        one.candidate_id: one
        for one in await accommodation_store.load_of_candidates(session, factors)
        if one.exam_subject_id is None
    }
    wanted = []
    for candidate_id, factor in factors.items():
        before = held[candidate_id].granted if candidate_id in held else Granted()
        if before.time_factor != factor:
            granted = msgspec.structs.replace(before, time_factor=factor)
            wanted.append(Accommodation(candidate_id=candidate_id, exam_subject_id=None, granted=granted))
    await accommodation_store.save(session, wanted, by=actor, at=now)


async def _grant(
    session: AsyncSession,
    exam: Exam,
    candidate: Candidate,
    subject: ExamSubject | None,
    granted: Granted,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    subject_id = subject.id if subject else None
    wanted = Accommodation(candidate_id=candidate.id, exam_subject_id=subject_id, granted=granted)
    held = await accommodation_store.load_of_candidates(session, [candidate.id])
    before = next((one.granted for one in held if one.place == wanted.place), Granted())
    await accommodation_store.save(session, [wanted], by=actor, at=now)
    changed = differences(_shown(candidate, subject), before, granted)
    facts = {
        "exam": exam.code,
        "number": candidate.number,
        "subject": subject.code if subject else None,
        "before": {change.field: change.before for change in changed if change.field != "note"},
        "after": {change.field: change.after for change in changed if change.field != "note"},
        "reason": reason,
    }
    place = f"candidate:{candidate.id}"
    await audit.append(session, actor=actor, action="candidate.accommodate", subject=place, facts=facts, now=now)


async def _subject(session: AsyncSession, exam: Exam, code: str) -> ExamSubject | None:
    if not code:
        return None
    for subject in await store.load_subjects(session, exam.id):
        if subject.code == code:
            return subject
    raise SubjectUnknown(code)


def _shown(candidate: Candidate, subject: ExamSubject | None) -> str:
    who = candidate.number or candidate.full_name
    return f"{who} · {subject.code}" if subject else who
