"""Many rows in one statement."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission.tables import AllocationRunRow, ProgrammeRow
from exam_engine.enrolment.model import Exam
from exam_engine.enrolment.tables import CandidateRow, SubjectMarkRow
from exam_engine.infra import bulk
from exam_engine.infra.bulk import insert_many, update_many
from tests.exam_engine.enrolment.conftest import exam, province

__all__ = ["exam", "province"]


def candidate(exam: Exam, number: str | None, **attributes: object) -> dict[str, object]:
    return {
        "id": uuid4(),
        "exam_id": exam.id,
        "number": number,
        "full_name": "Ân “Đỗ”, {x}",
        "folded_name": "",
        "lower_name": "",
        "sort_key": "A",
        "code_version": 1,
        "attributes": attributes,
    }


async def test_every_kind_of_column_arrives_as_it_was(session: AsyncSession, exam: Exam) -> None:
    rows = [candidate(exam, "1", note="Ế\"'\\{}", deep=[1, {"a": None}]), candidate(exam, None)]
    await insert_many(session, CandidateRow, rows)
    found = {row.id: row for row in await session.scalars(select(CandidateRow).where(CandidateRow.exam_id == exam.id))}
    for row in rows:
        held = found[UUID(str(row["id"]))]
        assert {name: getattr(held, name) for name in row} == row
    run: dict[str, object] = {
        "id": uuid4(),
        "exam_id": exam.id,
        "number": 1,
        "rules": {},
        "inputs": b"\x00\xff",
        "input_hash": "",
        "state": "computed",
        "n_applicants": 0,
        "n_admitted": 0,
        "created_by": "x",
        "created_at": datetime(2027, 6, 1, 8, tzinfo=UTC),
        "release_at": None,
    }
    await insert_many(session, AllocationRunRow, [run])
    (held_run,) = await session.scalars(select(AllocationRunRow).where(AllocationRunRow.exam_id == exam.id))
    assert {name: getattr(held_run, name) for name in run} == run


async def test_more_rows_than_one_statement_takes_are_written_and_overwritten(
    session: AsyncSession, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)
    rows = [candidate(exam, str(i)) for i in range(10)]
    await insert_many(session, CandidateRow, rows)
    await update_many(session, CandidateRow, [{"id": r["id"], "number": f"9{r['number']}"} for r in rows])
    numbers = await session.scalars(select(CandidateRow.number).where(CandidateRow.exam_id == exam.id))
    assert sorted(n or "" for n in numbers) == [f"9{i}" for i in range(10)]


async def test_a_row_of_the_same_key_takes_the_columns_that_are_to_be_replaced(
    session: AsyncSession, exam: Exam
) -> None:
    who = candidate(exam, "1")
    await insert_many(session, CandidateRow, [who])
    mark = {"candidate_id": who["id"], "exam_subject_code": "VAN", "hundredths": 700, "note": None, "source_file": "a"}
    for hundredths, source in ((700, "a"), (750, "b")):
        values = {**mark, "hundredths": hundredths, "source_file": source, "row": 2}
        await insert_many(session, SubjectMarkRow, [values], replaces=("hundredths",))
    (held,) = await session.scalars(select(SubjectMarkRow).where(SubjectMarkRow.candidate_id == who["id"]))
    assert (held.hundredths, held.source_file) == (750, "a")


async def test_nothing_to_write_is_no_statement(session: AsyncSession) -> None:
    await insert_many(session, ProgrammeRow, [])
    await update_many(session, ProgrammeRow, [])
