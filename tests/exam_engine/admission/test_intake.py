"""An intake on the real database: choices in, a run, its release, the look-up, and the same again from its inputs."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.admission import service
from exam_engine.admission.allocation import LastLevel, ReasonCode, Rules, TieRule
from exam_engine.admission.errors import (
    DecisionsNotReleased,
    FourEyesNeeded,
    IntakeRulesNotInForce,
    NoAspirations,
    NothingToAllocate,
    RecordsUnreadable,
    RunStateWrong,
    RunUnknown,
)
from exam_engine.admission.model import Decision, OutcomeQuery, RunState
from exam_engine.enrolment import service as enrolment
from exam_engine.enrolment.codes import look_up_code
from exam_engine.enrolment.errors import CodeRefused
from exam_engine.enrolment.model import Exam, ExamKind, ExamPlan, ImportReport, SubjectMode, SubjectPlan
from exam_engine.identity import store as identity_store
from exam_engine.identity.model import OrgUnit, UnitId
from exam_engine.infra.errors import FileRefused
from exam_engine.infra.files import read_table

OFFICER, BOARD = "person:admission", "person:board"
SECRET = b"the secret of one installation, thirty-two bytes or more"
CANDIDATES = """SBD,Họ và tên,Nhóm ưu tiên,Khuyến khích,TB9
31000001,Lê An,,,"8,5"
31000002,Trần Bình,3,,9
31000003,Đỗ Cúc,,provincial_3,8
31000004,Vũ Dung,,,7
31000005,Mai Yến,,,7
"""
MARKS = """SBD,TOAN,VAN,ANH
31000001,9,9,9
31000002,8,8,9
31000003,8,"8,5",9
31000004,5,V,5
31000005,5,5,5
"""
PROGRAMMES = "Mã,Tên,Chỉ tiêu,Điểm sàn\nP,Trường Sông,1,\nQ,Trường Núi,1,15\n"
ASPIRATIONS = "SBD,NV,Trường\n31000001,1,P\n31000001,2,Q\n31000002,1,P\n31000002,2,Q\n31000003,1,Q\n31000004,1,Q\n"


@pytest_asyncio.fixture
async def exam(session: AsyncSession, now: datetime) -> Exam:
    code = f"T{uuid4().hex[:8]}"
    unit = OrgUnit(id=UnitId(uuid4()), code=code, name="Tỉnh", kind="x", parent_id=None, valid_from=date(2025, 7, 1))
    await identity_store.save_units(session, [unit])
    subjects = tuple(
        SubjectPlan(code=c, name=c.title(), mode=SubjectMode.MARKS_FILE, minutes=90) for c in ("TOAN", "VAN", "ANH")
    )
    plan = ExamPlan(code=f"vao10-{code}", name="Vào 10", unit=code, year=2027, kind=ExamKind.INTAKE, subjects=subjects)
    made = await enrolment.create_exam(session, plan, actor=BOARD, now=now)
    for content, take in ((CANDIDATES, enrolment.import_candidates), (MARKS, enrolment.import_marks)):
        await take(session, made, read_table(content.encode(), "f.csv"), actor=BOARD, now=now)
    return made


async def choose(
    session: AsyncSession, exam: Exam, now: datetime, programmes: str = PROGRAMMES, aspirations: str = ASPIRATIONS
) -> tuple[ImportReport, ImportReport]:
    one = read_table(programmes.encode(), "programmes.csv")
    first = await service.import_programmes(session, exam, one, actor=OFFICER, now=now)
    two = read_table(aspirations.encode(), "aspirations.csv")
    return first, await service.import_aspirations(session, exam, two, actor=OFFICER, now=now)


async def look_up(session: AsyncSession, exam: Exam, number: str, now: datetime, code: str | None = None) -> Decision:
    code = code or look_up_code(SECRET, exam.code, number, 1)
    return await service.look_up(
        session, exam_code=exam.code, candidate_number=number, code=code, secret=SECRET, now=now
    )


async def test_choices_are_taken_and_the_same_files_again_change_nothing(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    first, second = await choose(session, exam, now)
    assert (first.created, second.created) == (2, 4)
    again = await choose(session, exam, now)
    assert [(r.created, r.changed, r.unchanged) for r in again] == [(0, 0, 2), (0, 0, 4)]
    changed = await choose(session, exam, now, PROGRAMMES.replace("Sông,1", "Sông,2"), "SBD,NV,Trường\n31000001,1,Q\n")
    assert [(c.subject, c.field, c.before, c.after) for r in changed for c in r.changes] == [
        ("P", "quota", "1", "2"),
        ("31000001", "aspirations", "P Q", "Q"),
    ]


@pytest.mark.parametrize(
    ("aspirations", "place"),
    [
        ("SBD,NV,Trường\n31000001,1,X\n", "row 2, column Trường"),
        ("SBD,NV,Trường\n31000009,1,P\n", "row 2, column SBD"),
        ("SBD,NV,Trường\n31000001,1,P\n31000001,1,Q\n", "row 3, column NV"),
        ("SBD,NV,Trường\n31000001,2,P\n", "row 2, column NV"),
    ],
)
async def test_a_wrong_wish_refuses_the_whole_file(
    session: AsyncSession, exam: Exam, now: datetime, aspirations: str, place: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        await choose(session, exam, now, aspirations=aspirations)
    assert [e.place for e in refused.value.errors] == [place]
    with pytest.raises(NothingToAllocate, match="aspirations"):
        await service.run_allocation(session, exam, actor=OFFICER, now=now)


async def test_a_run_places_applicants_and_says_why(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await choose(session, exam, now)
    run = await service.run_allocation(session, exam, actor=OFFICER, now=now)
    assert (run.number, run.n_applicants, run.n_admitted, run.state) == (1, 4, 1, RunState.COMPUTED)
    results = await service.load_programme_results(session, run.id)
    # 25 + 1.0 priority and 25.5 + 0.5 encouragement are level for the one place of Q: nobody gets it.
    assert [(p.code, p.admitted, p.cut_off) for p in results] == [("P", 1, 2700), ("Q", 0, 2601)]
    page = await service.load_outcomes(session, run.id, OutcomeQuery())
    an, binh, cuc, dung = page.outcomes
    assert (page.total, an.programme_name, an.rank, an.score) == (4, "Trường Sông", 1, 2700)
    assert [r.code for r in binh.reasons] == [ReasonCode.BELOW_CUT_OFF, ReasonCode.TIED_GROUP_REFUSED]
    assert (cuc.score, cuc.programme) == (2600, None)
    assert (dung.score, dung.reasons[0].cause) == (None, "paper_absent:VAN")
    assert [line.points for line in cuc.score_lines] == ["8.00", "8.50", "9.00", "0.5", "26.00"]
    assert (await service.load_outcomes(session, run.id, OutcomeQuery(is_admitted=True))).total == 1
    assert (await service.load_outcomes(session, run.id, OutcomeQuery(programme="P"))).outcomes[0] == an
    assert (await service.load_outcomes(session, run.id, OutcomeQuery(text="cúc"))).outcomes == [cuc]
    assert await service.require_outcome(session, run.id, cuc.candidate_id) == cuc


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        (Rules(ties=TieRule.ADMIT_ALL), ["P", "Q", "Q", None]),
        (Rules(ties=TieRule.ASPIRATION_RANK_THEN_ADMIT_ALL), ["P", None, "Q", None]),
        (Rules(ties=TieRule.CRITERIA, criteria=("year9",), then=LastLevel.REJECT_ALL), ["P", "Q", None, None]),
        (Rules(offsets=(0, 100)), ["P", None, "Q", None]),
    ],
    ids=["admit all", "rank", "year average", "offset"],
)
async def test_a_province_says_its_own_rules(
    session: AsyncSession, exam: Exam, now: datetime, rules: Rules, places: list[str | None]
) -> None:
    await choose(session, exam, now)
    run = await service.run_allocation(session, exam, allocation_rules=rules, actor=OFFICER, now=now)
    page = await service.load_outcomes(session, run.id, OutcomeQuery())
    assert [o.programme for o in page.outcomes] == places
    assert (await service.load_run(session, run.id)).rules.allocation == rules


async def test_a_stored_run_comes_out_the_same_from_its_inputs_even_after_the_marks_changed(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await choose(session, exam, now)
    first = await service.run_allocation(session, exam, actor=OFFICER, now=now)
    marks = read_table(b"SBD,VAN\n31000003,9\n", "corrected.csv")
    await enrolment.import_marks(session, exam, marks, actor=BOARD, now=now)
    second = await service.run_allocation(session, exam, actor=OFFICER, now=now)
    assert (second.number, second.input_hash == first.input_hash) == (2, False)
    assert [r.number for r in await service.load_runs(session, exam.id)] == [2, 1]
    assert (await service.verify_run(session, first.id)).is_same
    assert (await service.verify_run(session, second.id)).is_same
    await session.execute(text("update cut_off set admitted = 7 where run_id = :id"), {"id": first.id})
    assert (await service.verify_run(session, first.id)).differing == ("P", "Q")


async def test_a_run_is_released_by_somebody_else_and_seen_from_its_moment(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    await choose(session, exam, now)
    run = await service.run_allocation(session, exam, actor=OFFICER, now=now)
    with pytest.raises(DecisionsNotReleased):
        await look_up(session, exam, "31000001", now)
    moment = now + timedelta(hours=2)
    with pytest.raises(FourEyesNeeded):
        await service.release_run(session, run.id, release_at=moment, actor=OFFICER, now=now)
    await service.release_run(session, run.id, release_at=moment, actor=BOARD, now=now)
    with pytest.raises(RunStateWrong):
        await service.release_run(session, run.id, release_at=moment, actor=BOARD, now=now)
    with pytest.raises(DecisionsNotReleased) as early:
        await look_up(session, exam, "31000001", moment - timedelta(seconds=1))
    assert early.value.release_at == moment
    decision = await look_up(session, exam, "31000001", moment)
    assert (decision.programme, decision.programme_name, decision.rank) == ("P", "Trường Sông", 1)
    assert decision.programmes == {"P": "Trường Sông", "Q": "Trường Núi"}
    assert "An" not in msgspec.json.encode(decision).decode()


async def test_a_withdrawn_run_gives_way_to_the_earlier_one(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await choose(session, exam, now)
    runs = [await service.run_allocation(session, exam, actor=OFFICER, now=now) for _ in range(2)]
    for run in runs:
        await service.release_run(session, run.id, release_at=now, actor=BOARD, now=now)
    assert (await look_up(session, exam, "31000001", now)).run_number == 2
    await service.withdraw_run(session, runs[1].id, reason="phúc khảo", actor=BOARD, now=now)
    assert (await look_up(session, exam, "31000001", now)).run_number == 1
    with pytest.raises(RunStateWrong):
        await service.withdraw_run(session, runs[1].id, reason="again", actor=BOARD, now=now)
    with pytest.raises(RunUnknown):
        await service.release_run(session, uuid4(), release_at=now, actor=BOARD, now=now)


async def test_a_look_up_never_tells_which_part_was_wrong(session: AsyncSession, exam: Exam, now: datetime) -> None:
    await choose(session, exam, now)
    run = await service.run_allocation(session, exam, actor=OFFICER, now=now)
    await service.release_run(session, run.id, release_at=now, actor=BOARD, now=now)
    answers = set()
    for number, code in (("31000001", "0000-0000-0000"), ("99999999", None), ("", None)):
        with pytest.raises(CodeRefused) as refused:
            await look_up(session, exam, number, now, code or "1111-1111-1111")
        answers.add(str(refused.value))
    assert len(answers) == 1
    with pytest.raises(NoAspirations):
        await look_up(session, exam, "31000005", now)


async def test_rules_of_another_year_and_unknown_groups_are_refused(
    session: AsyncSession, exam: Exam, now: datetime
) -> None:
    with pytest.raises(NothingToAllocate, match="programmes"):
        await service.run_allocation(session, exam, actor=OFFICER, now=now)
    await choose(session, exam, now)
    with pytest.raises(IntakeRulesNotInForce):
        await service.run_allocation(session, exam, rules_name="intake_ha_noi_2024", actor=OFFICER, now=now)
    table = read_table("SBD,Họ và tên,Nhóm ưu tiên\n31000001,Lê An,9\n".encode(), "c.csv")
    await enrolment.import_candidates(session, exam, table, actor=BOARD, now=now)
    with pytest.raises(RecordsUnreadable, match='candidate 31000001, priority_group: "9" is none of 1, 2, 3'):
        await service.run_allocation(session, exam, actor=OFFICER, now=now)
    assert await service.load_runs(session, exam.id) == []
