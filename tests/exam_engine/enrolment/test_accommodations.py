"""Accommodations by file and by hand: one subject goes before all, mistakes are placed, nothing is half written."""

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.enrolment import service
from exam_engine.enrolment.accommodations import Granted, TypedAccommodation
from exam_engine.enrolment.errors import (
    AccommodationEmpty,
    AccommodationUnknown,
    CandidateUnknown,
    ExtraMinutesInvalid,
    NotRegistered,
    SubjectUnknown,
    TimeFactorInvalid,
)
from exam_engine.enrolment.model import Exam
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import read_table
from tests.exam_engine.enrolment.test_candidate_import import ACTOR, take

PEOPLE = "SBD;Họ và tên;Môn thi\n08000001;Nguyễn Văn An;TOAN VAN\n08000002;Trần Thị Bình;TOAN\n"


async def grant(session: AsyncSession, exam: Exam, now: datetime, **typed: str) -> None:
    await service.save_accommodation(session, exam, TypedAccommodation(**typed), reason="QĐ 12", actor=ACTOR, now=now)


async def granted(session: AsyncSession, exam: Exam, subject: str) -> list[tuple[int, int]]:
    subjects = {one.code: one.id for one in await service.load_subjects(session, exam.id)}
    people = await service.load_candidates(session, exam.id)
    found = await service.accommodations_in(session, subjects[subject], [one.id for one in people])
    return [(found[one.id].time_factor, found[one.id].extra_minutes) for one in people]


async def test_the_one_for_a_subject_takes_the_place_of_the_one_for_all(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, PEOPLE)
    await grant(session, exam, now, number="08000001", factor="1,25")
    await grant(session, exam, now, number="08000001", subject="VAN", minutes="20", note="Người đọc đề")
    assert await granted(session, exam, "TOAN") == [(125, 0), (100, 0)]
    assert await granted(session, exam, "VAN") == [(100, 20), (100, 0)]
    lines = await service.load_accommodations(session, exam.id)
    assert [(line.subject, line.granted.note) for line in lines] == [(None, ""), ("VAN", "Người đọc đề")]
    await service.withdraw_accommodation(session, exam, lines[1].id, reason="nhầm", actor=ACTOR, now=now)
    assert await granted(session, exam, "VAN") == [(125, 0), (100, 0)]
    with pytest.raises(AccommodationUnknown):
        await service.withdraw_accommodation(session, exam, lines[1].id, reason="nhầm", actor=ACTOR, now=now)


async def test_the_audit_record_names_the_time_and_never_what_a_note_says(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, PEOPLE)
    await grant(session, exam, now, number="08000001", factor="1.5", note="Khiếm thị")
    (entry,) = await audit.load_entries(session, AuditQuery(action="candidate.accommodate"))
    assert entry.facts["after"] == {"time_factor": "1.50"}
    assert "Khiếm thị" not in str(entry.facts)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        pytest.param({"number": "08000001"}, AccommodationEmpty, id="nothing granted"),
        pytest.param({"number": "08000001", "factor": "4"}, TimeFactorInvalid, id="factor above 3"),
        pytest.param({"number": "08000001", "minutes": "241"}, ExtraMinutesInvalid, id="too many minutes"),
        pytest.param({"number": "08000001", "minutes": "-5"}, ExtraMinutesInvalid, id="minutes below 0"),
        pytest.param({"number": "08000001", "minutes": "٥"}, ExtraMinutesInvalid, id="digits of another script"),
        pytest.param({"number": "08000009", "factor": "2"}, CandidateUnknown, id="unknown candidate"),
        pytest.param({"number": "08000001", "factor": "2", "subject": "SU"}, SubjectUnknown, id="unknown subject"),
        pytest.param({"number": "08000002", "factor": "2", "subject": "VAN"}, NotRegistered, id="not registered"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    session: AsyncSession, exam: Exam, now: datetime, typed: dict[str, str], refusal: type[Exception]
) -> None:
    await take(session, exam, now, PEOPLE)
    with pytest.raises(refusal):
        await grant(session, exam, now, **typed)
    assert await service.load_accommodations(session, exam.id) == []


async def test_a_file_says_first_what_it_would_change_and_changes_nothing_twice(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, PEOPLE)
    text = (
        "SBD;Môn thi;Hệ số thời gian;Thêm phút;Ghi chú\n08000001;;1,25;;\n08000001;VAN;;20;Máy riêng\n08000002;;;10;\n"
    )
    table = read_table(text.encode(), "ho-tro.csv")
    planned = await service.import_accommodations(session, exam, table, is_dry_run=True, actor=ACTOR, now=now)
    assert (planned.report.created, planned.report.changed) == (3, 0)
    assert await service.load_accommodations(session, exam.id) == []
    await service.import_accommodations(session, exam, table, actor=ACTOR, now=now)
    assert await granted(session, exam, "VAN") == [(100, 20), (100, 10)]
    again = await service.import_accommodations(session, exam, table, actor=ACTOR, now=now)
    assert (again.report.unchanged, again.candidates) == (3, frozenset())
    away = read_table("SBD;Môn thi\n08000001;VAN\n".encode(), "bo.csv")
    done = await service.import_accommodations(session, exam, away, actor=ACTOR, now=now)
    assert done.report.changed == 1
    assert await granted(session, exam, "VAN") == [(125, 0), (100, 10)]


async def test_every_wrong_cell_of_a_file_is_named_and_nothing_is_written(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, PEOPLE)
    text = (
        "SBD;Họ tên;Môn thi;Hệ số thời gian;Thêm phút\n"
        "08000001;Nguyễn Văn An;;1,25;\n08000009;;;2;\n08000002;Lê Cường;VAN;5;x\n08000001;;;2;\n"
    )
    with pytest.raises(FileRefused) as refused:
        await service.import_accommodations(session, exam, read_table(text.encode(), "x.csv"), actor=ACTOR, now=now)
    rows = [error.place.split(",")[0] for error in refused.value.errors]
    assert len(rows) == 6
    assert await service.load_accommodations(session, exam.id) == []


async def test_a_file_of_candidates_keeps_minutes_and_notes(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await take(session, exam, now, PEOPLE)
    await grant(session, exam, now, number="08000001", factor="1.25", minutes="5", note="Máy riêng")
    await take(session, exam, now, "SBD;Họ và tên;Hệ số thời gian\n08000001;Nguyễn Văn An;1,5\n")
    (line,) = await service.load_accommodations(session, exam.id)
    assert line.granted == Granted(time_factor=150, extra_minutes=5, note="Máy riêng")
