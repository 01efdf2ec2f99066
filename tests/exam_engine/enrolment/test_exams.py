"""Exams and their subjects."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import service
from exam_engine.enrolment.errors import ExamExists, ExamInvalid, ExamUnknown, SubjectExists, SubjectUnknown
from exam_engine.enrolment.model import Exam, ExamKind, ExamPlan, SubjectMode, SubjectPlan
from exam_engine.identity.errors import UnitUnknown

ACTOR = "person:board"


async def test_an_exam_is_found_by_code_with_its_subjects_in_order(session: AsyncSession, exam: Exam) -> None:
    found = await service.require_exam(session, exam.code)
    assert found == exam
    assert [s.code for s in await service.load_subjects(session, exam.id)] == ["TOAN", "VAN", "LI", "HOA"]
    subject = await service.require_subject(session, exam.id, "VAN")
    assert await service.require_subject_by_id(session, subject.id) == subject


async def test_a_code_is_given_once(session: AsyncSession, exam: Exam, province: str, now: datetime) -> None:
    plan = ExamPlan(code=exam.code, name="Hai", unit=province, year=2027, kind=ExamKind.PRACTICE)
    with pytest.raises(ExamExists):
        await service.create_exam(session, plan, actor=ACTOR, now=now)
    again = SubjectPlan(code="VAN", name="Văn", mode=SubjectMode.MARKS_FILE, minutes=120)
    with pytest.raises(SubjectExists):
        await service.add_subject(session, exam, again, actor=ACTOR, now=now)


async def test_what_makes_no_sense_is_refused(session: AsyncSession, province: str, now: datetime) -> None:
    plan = ExamPlan(code="thi thử", name="x", unit=province, year=2027, kind=ExamKind.PRACTICE)
    with pytest.raises(ExamInvalid):
        await service.create_exam(session, plan, actor=ACTOR, now=now)
    with pytest.raises(UnitUnknown):
        await service.create_exam(session, msgspec.structs.replace(plan, unit="nowhere"), actor=ACTOR, now=now)


async def test_what_is_not_there_is_named(session: AsyncSession, exam: Exam) -> None:
    with pytest.raises(ExamUnknown, match="khong-co"):
        await service.require_exam(session, "khong-co")
    with pytest.raises(SubjectUnknown, match="SU"):
        await service.require_subject(session, exam.id, "SU")


def test_a_moment_without_its_offset_is_refused() -> None:
    plan = {"code": "a", "name": "A", "unit": "31", "year": 2027, "kind": "intake"}
    with pytest.raises(msgspec.ValidationError, match="codes_valid_until"):
        msgspec.convert({**plan, "codes_valid_until": "2027-09-01T00:00:00"}, ExamPlan)
    read = msgspec.convert({**plan, "results_release_at": "2027-07-01T08:00:00+07:00"}, ExamPlan)
    assert read.results_release_at == datetime(2027, 7, 1, 1, tzinfo=UTC)
