"""Programmes and wishes from files: refused as a whole, or taken with a report; the same file twice changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import store
from exam_engine.admission.choice_files import AspirationRecord, ProgrammeRecord, read_aspirations, read_programmes
from exam_engine.admission.model import ProgrammeId, StoredProgramme
from exam_engine.admission.result_files import points
from exam_engine.audit import service as audit
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.model import CandidateId, Change, Exam, ImportReport
from exam_engine.identity import service as identity
from exam_engine.infra.files import Table


async def load_programmes(session: AsyncSession, exam_id: UUID) -> Sequence[StoredProgramme]:
    """Return the programmes of an exam by code."""
    return await store.load_programmes(session, exam_id)


async def import_programmes(
    session: AsyncSession,
    exam: Exam,
    table: Table,
    *,
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
) -> ImportReport:
    """Create and update programmes from a table; those it does not name stay as they are.

    Raises
    ------
    FileRefused
        Anything is wrong in any row; nothing was changed.
    """
    schools = {unit.code: UUID(str(unit.id)) for unit in await identity.load_units(session)}
    file = read_programmes(table, school_codes=schools, mapping=mapping)
    file.reader.finish()
    present = {p.code: p for p in await store.load_programmes(session, exam.id)}
    codes = {unit: code for code, unit in schools.items()}
    created, changed, changes = [], [], list[Change]()
    for record in file.records:
        before = present.get(record.code)
        after = _programme(exam, record, schools, before)
        if before is None:
            created.append(after)
        elif before != after:
            changed.append(after)
            changes += _differences(before, after, codes)
    report = ImportReport(
        file_name=table.file_name,
        rows=len(file.records),
        created=len(created),
        changed=len(changed),
        unchanged=len(file.records) - len(created) - len(changed),
        changes=tuple(changes),
        is_dry_run=is_dry_run,
    )
    if not is_dry_run and (created or changed):
        await store.save_programmes(session, [*created, *changed])
        await _record(session, exam, "admission.import_programmes", report, actor=actor, now=now)
    return report


async def import_aspirations(
    session: AsyncSession,
    exam: Exam,
    table: Table,
    *,
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    actor: str,
    now: datetime,
) -> ImportReport:
    """Take the ranked wishes of the candidates a table names, in place of those they had.

    Raises
    ------
    FileRefused
        Anything is wrong in any row; nothing was changed.
    """
    programmes = {p.code: p.id for p in await store.load_programmes(session, exam.id)}
    numbers = {c.number: c.id for c in await enrolment.load_candidates(session, exam.id) if c.number}
    file = read_aspirations(table, applicants=numbers, programmes=programmes, mapping=mapping)
    file.reader.finish()
    present = {a.number: a.programmes for a in await store.load_aspirations(session, exam.id)}
    wanted = _wishes(file.records)
    changed = {number: codes for number, codes in wanted.items() if number in present and present[number] != codes}
    created = {number: codes for number, codes in wanted.items() if number not in present}
    report = ImportReport(
        file_name=table.file_name,
        rows=len(file.records),
        created=len(created),
        changed=len(changed),
        unchanged=len(wanted) - len(created) - len(changed),
        changes=tuple(
            Change(number, "aspirations", " ".join(present[number]), " ".join(codes))
            for number, codes in changed.items()
        ),
        is_dry_run=is_dry_run,
    )
    if not is_dry_run and (created or changed):
        wishes: dict[CandidateId, list[ProgrammeId]] = {
            numbers[number]: [programmes[code] for code in codes] for number, codes in (created | changed).items()
        }
        await store.replace_aspirations(session, exam.id, wishes)
        await _record(session, exam, "admission.import_aspirations", report, actor=actor, now=now)
    return report


def _programme(
    exam: Exam, record: ProgrammeRecord, schools: Mapping[str, UUID], before: StoredProgramme | None
) -> StoredProgramme:
    return StoredProgramme(
        id=before.id if before else ProgrammeId(uuid4()),
        exam_id=exam.id,
        code=record.code,
        name=record.name,
        school_unit_id=schools[record.school] if record.school else None,
        quota=record.quota,
        floor=record.floor,
        stage=record.stage,
    )


def _differences(before: StoredProgramme, after: StoredProgramme, codes: Mapping[UUID, str]) -> list[Change]:
    def shown(programme: StoredProgramme) -> dict[str, str | None]:
        school = codes.get(programme.school_unit_id) if programme.school_unit_id else None
        return {
            "name": programme.name,
            "school": school,
            "quota": str(programme.quota),
            "floor": points(programme.floor) or None,
            "stage": str(programme.stage),
        }

    old, new = shown(before), shown(after)
    return [Change(before.code, field, old[field], new[field]) for field in old if old[field] != new[field]]


def _wishes(records: Sequence[AspirationRecord]) -> dict[str, tuple[str, ...]]:
    ranked: dict[str, dict[int, str]] = {}
    for record in records:
        ranked.setdefault(record.applicant, {})[record.rank] = record.programme
    return {number: tuple(mine[rank] for rank in sorted(mine)) for number, mine in ranked.items()}


async def _record(
    session: AsyncSession, exam: Exam, action: str, report: ImportReport, *, actor: str, now: datetime
) -> None:
    facts = {
        "file": report.file_name,
        "rows": report.rows,
        "created": report.created,
        "n_changed": report.changed,
        "changed": [msgspec.to_builtins(change) for change in report.changes[:200]],
    }
    await audit.append(session, actor=actor, action=action, subject=exam.audit_subject, facts=facts, now=now)
