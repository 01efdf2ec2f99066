"""Marks from files."""

from datetime import datetime

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment import service
from exam_engine.enrolment.model import Exam, ImportReport, MarkNote
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import read_table
from exam_engine.infra.sheets import workbook_bytes

ACTOR = "person:board"


@pytest_asyncio.fixture
async def enrolled(session: AsyncSession, exam: Exam, now: datetime) -> Exam:
    text = "SBD,Họ và tên,Môn thi\n08000001,Nguyễn An,\n08000002,Lê Bình,TOAN VAN LI\n08000003,Trần Cúc,\n"
    await service.import_candidates(session, exam, read_table(text.encode(), "candidates.csv"), actor=ACTOR, now=now)
    return exam


async def take(
    session: AsyncSession, exam: Exam, now: datetime, text: str | bytes, *, is_dry_run: bool = False
) -> ImportReport:
    content = text.encode() if isinstance(text, str) else text
    name = "marks.csv" if isinstance(text, str) else "marks.xlsx"
    table = read_table(content, name)
    return await service.import_marks(session, exam, table, is_dry_run=is_dry_run, actor=ACTOR, now=now)


async def marks(session: AsyncSession, exam: Exam) -> dict[tuple[str, str], int | MarkNote | None]:
    numbers = {c.id: c.number or "" for c in await service.load_candidates(session, exam.id)}
    found = await service.load_marks(session, exam.id)
    return {(numbers[m.candidate_id], m.exam_subject_code): m.note or m.hundredths for m in found}


async def test_comma_point_whole_and_absent(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    report = await take(session, enrolled, now, "SBD;Ngữ văn;LI;HOA\n08000001;7,5;7.25;10\n08000002;V;0;\n")
    assert report.created == 5
    assert await marks(session, enrolled) == {
        ("08000001", "VAN"): 750,
        ("08000001", "LI"): 725,
        ("08000001", "HOA"): 1000,
        ("08000002", "VAN"): MarkNote.ABSENT,
        ("08000002", "LI"): 0,
    }


async def test_numbers_of_a_workbook_are_read_as_shown(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    content = workbook_bytes({"1": (["SBD", "VAN"], [["08000001", 7.3], ["08000002", 0.1 + 0.2], ["08000003", 8]])})
    await take(session, enrolled, now, content)
    assert list((await marks(session, enrolled)).values()) == [730, 30, 800]


async def test_the_same_file_again_changes_nothing(session: AsyncSession, enrolled: Exam, now: datetime) -> None:
    text = "SBD;VAN\n08000001;7,5\n08000002;V\n"
    await take(session, enrolled, now, text)
    again = await take(session, enrolled, now, text)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)


async def test_a_corrected_file_tells_every_change_and_an_empty_cell_takes_nothing_away(
    session: AsyncSession, enrolled: Exam, now: datetime
) -> None:
    await take(session, enrolled, now, "SBD;VAN;LI\n08000001;7,5;8\n08000002;V;5\n08000003;4;6\n")
    text = "SBD;VAN;LI\n08000001;7,75;\n08000002;6;5\n08000003;-;6\n"
    seen = await take(session, enrolled, now, text, is_dry_run=True)
    assert (await marks(session, enrolled))["08000001", "VAN"] == 750
    done = await take(session, enrolled, now, text)
    assert seen.changes == done.changes
    assert {(c.subject, c.field, c.before, c.after) for c in done.changes} == {
        ("08000001", "VAN", "7.50", "7.75"),
        ("08000002", "VAN", "absent", "6.00"),
        ("08000003", "VAN", "4.00", None),
    }
    kept = await marks(session, enrolled)
    assert kept["08000001", "LI"] == 800
    assert ("08000003", "VAN") not in kept


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("SBD;VAN\n08000001;75\n", "row 2, column VAN", "75 is outside 0 to 10"),
        ("SBD;VAN\n08000001;10,25\n", "row 2, column VAN", "10,25 is outside 0 to 10"),
        ("SBD;VAN\n08000001;-1\n", "row 2, column VAN", "is no mark"),
        ("SBD;VAN\n08000001;7,125\n", "row 2, column VAN", "is no mark"),
        ("SBD;VAN\n08000001;bảy\n", "row 2, column VAN", "is no mark"),
        ("SBD;VAN\n08000009;7\n", "row 2, column SBD", "no candidate 08000009"),
        ("SBD;SU\n08000001;7\n", "row 1, column SU", "no subject su"),
        ("SBD;TOAN\n08000001;7\n", "row 1, column TOAN", "sat on line"),
        ("SBD;HOA\n08000002;7\n", "row 2, column HOA", "not registered for HOA"),
        ("SBD;VAN\n08000001;7\n08000001;8\n", "row 3, column SBD", "row 2"),
        ("SBD;VAN\n;8\n", "row 2, column SBD", "empty"),
        ("SBD;Họ tên;VAN\n08000001;Lê Bình;8\n", "row 2, column Họ tên", "belongs to “Nguyễn An”"),
    ],
)
async def test_every_mistake_is_placed_and_nothing_kept(
    session: AsyncSession, enrolled: Exam, now: datetime, text: str, place: str, words: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        await take(session, enrolled, now, text)
    (error,) = refused.value.errors
    assert error.place == place
    assert words in error.reason
    assert await marks(session, enrolled) == {}
