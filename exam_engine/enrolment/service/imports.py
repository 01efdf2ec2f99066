"""Candidates and marks from files: refused as a whole, or taken with a report; the same file twice changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import candidate_changes, store
from exam_engine.enrolment.candidate_files import CandidateRecord, read_candidates
from exam_engine.enrolment.mark_files import MarkRecord, compare_marks, read_marks
from exam_engine.enrolment.model import Candidate, CandidateId, Exam, ImportReport, SubjectMark
from exam_engine.enrolment.service.accommodations import save_time_factors
from exam_engine.identity import service as identity
from exam_engine.infra.files import Table


async def import_candidates(
    session: AsyncSession,
    exam: Exam,
    table: Table,
    *,
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
) -> ImportReport:
    """Create and update candidates from a table; the same file a second time changes nothing.

    Raises
    ------
    FileRefused
        Anything is wrong in any row; nothing was changed.
    """
    await store.lock_exam(session, exam.id)
    subjects = await store.load_subjects(session, exam.id)
    schools = {unit.code: UUID(str(unit.id)) for unit in await identity.load_units(session)}
    subject_codes = [s.code for s in subjects]
    file = read_candidates(
        table,
        exam_year=exam.year,
        subject_codes=subject_codes,
        school_codes=frozenset(schools),
        mapping=mapping,
    )
    present = await store.load_candidates(session, exam.id)
    work = candidate_changes.compare(file, present, schools, subject_codes)
    file.reader.finish()
    report = ImportReport(
        file_name=table.file_name,
        rows=len(file.records),
        created=len(work.created),
        changed=len(work.changed),
        unchanged=work.unchanged,
        changes=tuple(work.changes),
        is_dry_run=is_dry_run,
    )
    if is_dry_run or not (work.created or work.changed):
        return report
    new = [_candidate(exam, record, schools, subject_codes) for record in work.created]
    await store.insert_candidates(session, new)
    await store.update_candidates(session, work.changed)
    factors = {one.id: one.time_factor for one in (*new, *work.changed)}
    await save_time_factors(session, factors, actor=actor, now=now)
    ids = {s.code: s.id for s in subjects}
    registrations = {c.id: [ids[code] for code in c.subjects] for c in (*new, *work.changed)}
    await store.save_registrations(session, registrations)
    await _record_import(session, exam, "exam.import_candidates", report, actor=actor, now=now)
    return report


async def import_marks(
    session: AsyncSession,
    exam: Exam,
    table: Table,
    *,
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
) -> ImportReport:
    """Take marks from a table; the same file a second time changes nothing.

    Raises
    ------
    FileRefused
        Anything is wrong in any cell; nothing was changed.
    """
    await store.lock_exam(session, exam.id)
    subjects = await store.load_subjects(session, exam.id)
    file = read_marks(table, await store.load_candidates(session, exam.id), subjects, mapping)
    file.reader.finish()
    work = compare_marks(file, await store.load_marks(session, exam.id))
    report = ImportReport(
        file_name=table.file_name,
        rows=file.rows,
        created=len(work.created),
        changed=len(work.changed) + len(work.removed),
        unchanged=work.unchanged,
        changes=tuple(work.changes),
        is_dry_run=is_dry_run,
    )
    if is_dry_run or not (report.created or report.changed):
        return report
    await store.save_marks(session, [_mark(record, table.file_name) for record in (*work.created, *work.changed)])
    await store.delete_marks(session, [(r.candidate.id, r.subject.code) for r in work.removed])
    await _record_import(session, exam, "exam.import_marks", report, actor=actor, now=now)
    return report


def _candidate(
    exam: Exam, record: CandidateRecord, schools: Mapping[str, UUID], subject_codes: Sequence[str]
) -> Candidate:
    return Candidate(
        id=CandidateId(uuid4()),
        exam_id=exam.id,
        number=record.number,
        full_name=record.full_name,
        sort_key=record.sort_key,
        date_of_birth=record.date_of_birth,
        school_unit_id=schools[record.school] if record.school else None,
        time_factor=record.time_factor or 100,
        attributes=record.attributes,
        subjects=record.subjects or tuple(subject_codes),
    )


def _mark(record: MarkRecord, file_name: str) -> SubjectMark:
    return SubjectMark(
        candidate_id=record.candidate.id,
        exam_subject_code=record.subject.code,
        hundredths=record.hundredths,
        note=record.note,
        source_file=file_name,
        row=record.row,
    )


async def _record_import(
    session: AsyncSession, exam: Exam, action: str, report: ImportReport, *, actor: str, now: datetime
) -> None:
    facts = {
        "file": report.file_name,
        "rows": report.rows,
        "created": report.created,
        "changed": [msgspec.to_builtins(change) for change in report.changes[:200]],
        "n_changed": report.changed,
    }
    await audit.append(session, actor=actor, action=action, subject=exam.audit_subject, facts=facts, now=now)
