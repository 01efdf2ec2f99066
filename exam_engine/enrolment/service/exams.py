"""Exams and their subjects."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.enrolment import store
from exam_engine.enrolment.errors import ExamExists, ExamUnknown, SubjectExists, SubjectUnknown
from exam_engine.enrolment.model import (
    Exam,
    ExamId,
    ExamPlan,
    ExamState,
    ExamSubject,
    ExamSubjectId,
    SubjectPlan,
    require_code,
)
from exam_engine.identity import service as identity


async def create_exam(session: AsyncSession, plan: ExamPlan, *, actor: str, now: datetime) -> Exam:
    """Create an exam with the subjects of its plan.

    Raises
    ------
    ExamExists, ExamInvalid, SubjectExists, UnitUnknown
    """
    unit = await identity.load_unit_coded(session, plan.unit)
    exam = Exam(
        id=ExamId(uuid4()),
        code=require_code(plan.code, "code"),
        name=plan.name,
        unit_id=unit.id,
        year=plan.year,
        kind=plan.kind,
        rule_set=plan.rule_set,
        results_release_at=plan.results_release_at,
        codes_valid_until=plan.codes_valid_until,
    )
    if not await store.insert_exam(session, exam):
        raise ExamExists(plan.code)
    for subject in plan.subjects:
        await add_subject(session, exam, subject, actor=actor, now=now)
    facts = {"code": exam.code, "unit": unit.code, "subjects": [s.code for s in plan.subjects]}
    await audit.append(session, actor=actor, action="exam.create", subject=exam.audit_subject, facts=facts, now=now)
    return exam


async def add_subject(
    session: AsyncSession, exam: Exam, plan: SubjectPlan, *, actor: str, now: datetime
) -> ExamSubject:
    """Add a subject to an exam, behind those it has.

    Raises
    ------
    SubjectExists, ExamInvalid
    """
    present = await store.load_subjects(session, exam.id)
    subject = ExamSubject(
        id=ExamSubjectId(uuid4()),
        exam_id=exam.id,
        code=require_code(plan.code, "subject"),
        name=plan.name,
        mode=plan.mode,
        minutes=plan.minutes,
        maximum=plan.maximum,
        position=1 + max((s.position for s in present), default=0),
    )
    if not await store.insert_subject(session, subject):
        raise SubjectExists(plan.code)
    facts = {"code": subject.code, "mode": subject.mode, "minutes": subject.minutes}
    await audit.append(
        session, actor=actor, action="exam.add_subject", subject=exam.audit_subject, facts=facts, now=now
    )
    return subject


async def load_exams(session: AsyncSession, unit_ids: frozenset[UUID] | None = None) -> Sequence[Exam]:
    """Return the exams of some units (None: of all), the newest year first."""
    return await store.load_exams(session, unit_ids)


async def require_exam(session: AsyncSession, code: str) -> Exam:
    """Return the exam of a code.

    Raises
    ------
    ExamUnknown
    """
    exam = await store.find_exam(session, code)
    if exam is None:
        raise ExamUnknown(code)
    return exam


async def require_exam_by_id(session: AsyncSession, exam_id: UUID) -> Exam:
    """Return the exam of an id, as `require_exam` does."""
    exam = await store.find_exam_by_id(session, exam_id)
    if exam is None:
        raise ExamUnknown(exam_id)
    return exam


async def load_subjects(session: AsyncSession, exam_id: UUID) -> Sequence[ExamSubject]:
    """Return the subjects of an exam in their order."""
    return await store.load_subjects(session, exam_id)


async def require_subject(session: AsyncSession, exam_id: UUID, code: str) -> ExamSubject:
    """Return a subject of an exam by code.

    Raises
    ------
    SubjectUnknown
    """
    for subject in await store.load_subjects(session, exam_id):
        if subject.code == code:
            return subject
    raise SubjectUnknown(code)


async def require_subject_by_id(session: AsyncSession, subject_id: UUID) -> ExamSubject:
    """Return the subject of an id, as `require_subject` does."""
    subject = await store.find_subject_by_id(session, subject_id)
    if subject is None:
        raise SubjectUnknown(subject_id)
    return subject


async def set_state(session: AsyncSession, exam: Exam, state: ExamState, *, actor: str, now: datetime) -> Exam:
    """Open or close an exam; numbers stay as they are from then on."""
    await store.update_exam(session, exam.id, state=state)
    facts = {"before": exam.state, "after": state}
    await audit.append(session, actor=actor, action="exam.set_state", subject=exam.audit_subject, facts=facts, now=now)
    return msgspec.structs.replace(exam, state=state)


async def set_codes_valid_until(
    session: AsyncSession, exam: Exam, until: datetime | None, *, actor: str, now: datetime
) -> Exam:
    """Say until when the codes on the cards hold."""
    await store.update_exam(session, exam.id, codes_valid_until=until)
    facts = {"until": None if until is None else until.isoformat()}
    await audit.append(
        session, actor=actor, action="exam.set_codes_until", subject=exam.audit_subject, facts=facts, now=now
    )
    return msgspec.structs.replace(exam, codes_valid_until=until)
