"""Candidates from files: every mistake placed, nothing half-imported, the same file twice changes nothing."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.enrolment import service
from exam_engine.enrolment.errors import TimeFactorInvalid
from exam_engine.enrolment.model import Exam, ImportReport
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import read_table
from exam_engine.infra.sheets import workbook_bytes

ACTOR = "person:board"
GOOD = """SBD;Họ và tên;Ngày sinh;Trường;Môn thi;Nhóm ưu tiên;TB12
08000001;Nguyễn Văn An;15/03/2009;{p}-A;TOAN VAN LI HOA;2;7,15
08000002;H'Hen Niê;2009;{p}-B;toan, van;;8
08000003;Lê Hoà;5/3/09;;;;
"""


async def take(
    session: AsyncSession,
    exam: Exam,
    now: datetime,
    text: str | bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    is_dry_run: bool = False,
    name: str = "candidates.csv",
) -> ImportReport:
    content = text.encode() if isinstance(text, str) else text
    table = read_table(content, name)
    return await service.import_candidates(
        session, exam, table, mapping=mapping, is_dry_run=is_dry_run, actor=ACTOR, now=now
    )


async def refusal(session: AsyncSession, exam: Exam, now: datetime, text: str | bytes, **more: object) -> list[str]:
    with pytest.raises(FileRefused) as refused:
        await take(session, exam, now, text, **more)  # type: ignore[arg-type]
    assert await service.load_candidates(session, exam.id) == []
    return [f"{e.place}: {e.reason}" for e in refused.value.errors]


async def test_a_vietnamese_file_is_read_as_it_stands(
    session: AsyncSession, exam: Exam, province: str, now: datetime
) -> None:
    report = await take(session, exam, now, GOOD.format(p=province))
    assert (report.created, report.changed, report.unchanged) == (3, 0, 0)
    an, hen, hoa = await service.load_candidates(session, exam.id)
    assert (an.number, an.full_name, an.date_of_birth) == ("08000001", "Nguyễn Văn An", "2009-03-15")
    assert an.attributes == {"priority_group": "2", "year12": "7.15"}
    assert hen.subjects == ("TOAN", "VAN")
    assert (hoa.date_of_birth, hoa.school_unit_id) == ("2009-03-05", None)
    assert hoa.subjects == ("TOAN", "VAN", "LI", "HOA")


async def test_the_same_file_again_changes_nothing(
    session: AsyncSession, exam: Exam, province: str, now: datetime
) -> None:
    await take(session, exam, now, GOOD.format(p=province))
    before = await service.load_candidates(session, exam.id)
    report = await take(session, exam, now, GOOD.format(p=province))
    assert (report.created, report.changed, report.unchanged) == (0, 0, 3)
    assert await service.load_candidates(session, exam.id) == before


async def test_a_corrected_file_tells_every_change(
    session: AsyncSession, exam: Exam, province: str, now: datetime
) -> None:
    await take(session, exam, now, GOOD.format(p=province))
    corrected = GOOD.format(p=province).replace("15/03/2009", "16/03/2009").replace("7,15", "7,2").replace(";8", ";9")
    seen = await take(session, exam, now, corrected, is_dry_run=True)
    assert seen.is_dry_run
    assert (await service.load_candidates(session, exam.id))[0].date_of_birth == "2009-03-15"
    done = await take(session, exam, now, corrected)
    assert done.changes == seen.changes
    assert {(c.subject, c.field, c.before, c.after) for c in done.changes} == {
        ("08000001", "date_of_birth", "15/03/2009", "16/03/2009"),
        ("08000001", "year12", "7.15", "7.2"),
        ("08000002", "year12", "8", "9"),
    }
    assert (await service.load_candidates(session, exam.id))[0].date_of_birth == "2009-03-16"


async def test_without_numbers_people_are_told_apart_by_name_birth_and_school(
    session: AsyncSession, exam: Exam, province: str, now: datetime
) -> None:
    text = f"Họ và tên,Ngày sinh,Trường\nNguyễn An,1/2/2009,{province}-A\nNguyễn An,1/2/2009,{province}-B\n"
    assert (await take(session, exam, now, text)).created == 2
    await service.assign_numbers(session, exam, "31", actor=ACTOR, now=now)
    assert (await take(session, exam, now, text)).unchanged == 2


async def test_a_whole_workbook_of_mistakes_is_listed_at_once(
    session: AsyncSession, exam: Exam, province: str, now: datetime
) -> None:
    rows: Sequence[Sequence[object]] = [
        ["08000001", "Nguyễn Văn An", "31/02/2009", f"{province}-A", "TOAN"],
        ["0800000X", "Lê Bình", "1/1/2009", "nowhere", "TOAN SINH"],
        ["08000003", "", "1/1/2009", "", ""],
        ["08000003", "Trần Cường", "1/1/2029", "", ""],
        [8000004, "Vũ Dũng 2", "", "", ""],
    ]
    content = workbook_bytes({"DS": (["SBD", "Họ và tên", "Ngày sinh", "Trường", "Môn thi"], rows)})
    errors = await refusal(session, exam, now, content, name="ds.xlsx")
    assert [e.split(":")[0] for e in errors] == [
        "row 2, column Ngày sinh",
        "row 3, column SBD",
        "row 3, column Trường",
        "row 3, column Môn thi",
        "row 4, column Họ và tên",
        "row 5, column Ngày sinh",
        "row 5, column SBD",
        "row 6, column Họ và tên",
        "row 6, column SBD",
    ]
    assert "SINH" in errors[3]
    assert "row 4" in errors[6]
    assert "Trần Cường" in errors[6]
    assert "7 digits" in errors[8]
    assert "leading zeros" in errors[8]


async def test_a_duplicate_number_names_both_rows_and_people(session: AsyncSession, exam: Exam, now: datetime) -> None:
    errors = await refusal(session, exam, now, "SBD,Họ và tên\n08000001,An\n08000002,Bình\n08000001,Cúc\n")
    expected = "row 4, column SBD: the number 08000001 already stands in row 2: “An” and “Cúc”"
    assert errors == [expected]


async def test_a_number_of_somebody_else_is_refused(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await take(session, exam, now, "SBD,Họ và tên,Ngày sinh\n08000001,Nguyễn An,1/2/2009\n")
    with pytest.raises(FileRefused, match="belongs to “Nguyễn An”, not to “Lê Cúc”"):
        await take(session, exam, now, "SBD,Họ và tên,Ngày sinh\n08000001,Lê Cúc,3/4/2009\n")
    report = await take(session, exam, now, "SBD,Họ và tên,Ngày sinh\n08000001,Nguyễn Ân,1/2/2009\n")
    assert report.changed == 1


async def test_a_second_number_for_the_same_person_is_refused(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await take(session, exam, now, "SBD,Họ và tên,Ngày sinh\n08000001,Nguyễn An,1/2/2009\n")
    with pytest.raises(FileRefused, match="already has the number 08000001"):
        await take(session, exam, now, "SBD,Họ và tên,Ngày sinh\n08000009,Nguyễn An,1/2/2009\n")


async def test_columns_may_be_mapped_by_hand(session: AsyncSession, exam: Exam, now: datetime) -> None:
    text = "Mã,Thí sinh\n08000001,Nguyễn An\n"
    mapping = {"Mã": "candidate_number", "Thí sinh": "full_name"}
    await take(session, exam, now, text, mapping=mapping)
    assert [c.full_name for c in await service.load_candidates(session, exam.id)] == ["Nguyễn An"]


async def test_a_missing_column_and_a_wrong_mapping_are_named(session: AsyncSession, exam: Exam, now: datetime) -> None:
    errors = await refusal(session, exam, now, "SBD\n08000001\n", mapping={"Tên đủ": "full_name"})
    assert any("Tên đủ" in e for e in errors)
    assert any("full_name is missing" in e for e in errors)


async def test_two_columns_of_one_meaning_are_refused(session: AsyncSession, exam: Exam, now: datetime) -> None:
    errors = await refusal(session, exam, now, "Họ và tên,Họ tên\nAn,Bình\n")
    assert "Họ và tên and Họ tên both mean full_name" in errors[0]


async def test_decomposed_letters_are_accepted_and_kept_composed(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, unicodedata.normalize("NFD", "SBD,Họ và tên\n08000001,Nguyễn Thị Hoà\n"))
    (candidate,) = await service.load_candidates(session, exam.id)
    assert candidate.full_name == "Nguyễn Thị Hoà"
    assert unicodedata.is_normalized("NFC", candidate.full_name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("SBD,Ho ten\n08000001,NguyÔn V¨n An\n".encode("latin-1"), ["TCVN3", "Nguyễn Văn An"]),
        ("SBD,Ho ten\n08000001,NguyÔn V¨n An\n".encode(), ["TCVN3", "Nguyễn Văn An"]),
        ("SBD,Ho ten\n08000001,Traàn Thò Haïnh\n".encode(), ["VNI", "Trần Thị Hạnh"]),
        (b"SBD,Ho ten\n08000001,\xff\xff\n", ["UTF-8"]),
    ],
    ids=["tcvn3 bytes", "tcvn3 pasted into unicode", "vni pasted into unicode", "no text"],
)
async def test_old_fonts_are_shown_and_refused(
    session: AsyncSession, exam: Exam, now: datetime, content: bytes, words: list[str]
) -> None:
    errors = await refusal(session, exam, now, content)
    assert all(word in errors[0] for word in words)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
async def test_excels_own_unicode_files_are_read(
    session: AsyncSession, exam: Exam, now: datetime, encoding: str
) -> None:
    report = await take(session, exam, now, "SBD\tHọ và tên\n08000001\tĐặng Ân\n".encode(encoding))
    assert report.created == 1


async def test_a_given_name_column_decides_the_order(session: AsyncSession, exam: Exam, now: datetime) -> None:
    text = "Họ và tên đệm,Tên\nNiê,H'Hen\nLê,Mai\nTrần,Bình\n"
    await take(session, exam, now, text)
    await service.assign_numbers(session, exam, "31", actor=ACTOR, now=now)
    names = [c.full_name for c in await service.load_candidates(session, exam.id)]
    assert names == ["Trần Bình", "Niê H'Hen", "Lê Mai"]


async def test_an_import_is_on_record(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await take(session, exam, now, "SBD,Họ và tên\n08000001,An\n")
    (entry,) = await audit.load_entries(
        session, AuditQuery(action="exam.import_candidates", subject=exam.audit_subject)
    )
    assert (entry.actor, entry.facts["created"]) == (ACTOR, 1)


async def test_an_accommodation_is_taken_from_its_column_and_an_empty_cell_takes_none_away(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    text = "SBD;Họ và tên;Hệ số thời gian\n08000001;Nguyễn Văn An;1,25\n08000002;Lê Hoà;\n"
    await take(session, exam, now, text)
    assert [c.time_factor for c in await service.load_candidates(session, exam.id)] == [125, 100]
    assert (await take(session, exam, now, text.replace("1,25", ""))).changed == 0
    report = await take(session, exam, now, text.replace("1,25", "1.5"))
    assert [(c.field, c.before, c.after) for c in report.changes] == [("time_factor", "1.25", "1.50")]


async def test_an_accommodation_out_of_range_is_refused_with_its_cell(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    found = await refusal(session, exam, now, "SBD;Họ và tên;Hệ số thời gian\n08000001;Nguyễn Văn An;3,5\n")
    assert len(found) == 1
    assert "3,5" in found[0]


async def test_staff_changes_an_accommodation_and_it_is_written_down(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await take(session, exam, now, "SBD;Họ và tên\n08000001;Nguyễn Văn An\n")
    (an,) = await service.load_candidates(session, exam.id)
    given = await service.set_time_factor(session, exam, an, "1,33", reason="khiếm thị", actor=ACTOR, now=now)
    assert given.time_factor == 133
    assert (await service.load_candidates(session, exam.id))[0].time_factor == 133
    with pytest.raises(TimeFactorInvalid):
        await service.set_time_factor(session, exam, an, "4", reason="nhầm", actor=ACTOR, now=now)
    entries = await audit.load_entries(session, AuditQuery(action="candidate.accommodate"))
    assert [(e.facts["before"], e.facts["after"]) for e in entries] == [
        ({"time_factor": "1.00"}, {"time_factor": "1.33"})
    ]
