"""An exam with its province and schools, in the transaction of the test."""

from datetime import date, datetime
from uuid import uuid4

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import service
from exam_engine.enrolment.model import Exam, ExamKind, ExamPlan, SubjectMode, SubjectPlan
from exam_engine.identity import store as identity_store
from exam_engine.identity.model import OrgUnit, UnitId

ACTOR = "person:board"


@pytest_asyncio.fixture
async def province(session: AsyncSession) -> str:
    """Code of a province with the schools `<code>-A` and `<code>-B`."""
    code = f"T{uuid4().hex[:8]}"
    root = UnitId(uuid4())
    day = date(2025, 7, 1)
    units = [OrgUnit(id=root, code=code, name="Tỉnh thử", kind="province", parent_id=None, valid_from=day)]
    units += [
        OrgUnit(
            id=UnitId(uuid4()), code=f"{code}-{x}", name=f"Trường {x}", kind="school", parent_id=root, valid_from=day
        )
        for x in "AB"
    ]
    await identity_store.save_units(session, units)
    return code


@pytest_asyncio.fixture
async def exam(session: AsyncSession, province: str, now: datetime) -> Exam:
    """A graduation exam of 2027: Toán on line; Văn, Lí, Hóa from a file."""
    plan = ExamPlan(
        code=f"thi-{province.lower()}",
        name="Thi thử tốt nghiệp",
        unit=province,
        year=2027,
        kind=ExamKind.GRADUATION,
        subjects=(
            SubjectPlan(code="TOAN", name="Toán", mode=SubjectMode.ONLINE, minutes=90),
            SubjectPlan(code="VAN", name="Ngữ văn", mode=SubjectMode.MARKS_FILE, minutes=120),
            SubjectPlan(code="LI", name="Vật lí", mode=SubjectMode.MARKS_FILE, minutes=50),
            SubjectPlan(code="HOA", name="Hóa học", mode=SubjectMode.MARKS_FILE, minutes=50),
        ),
    )
    return await service.create_exam(session, plan, actor=ACTOR, now=now)
