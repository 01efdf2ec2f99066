"""Graduation runs over an exam: marks that count, attributes, violations, and the trace kept with every outcome."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.enrolment.tables import CandidateRow
from exam_engine.results import service
from exam_engine.results.errors import (
    AdjustmentInvalid,
    GraduationRunUnknown,
    RecordsInvalid,
    RuleSetMissing,
    SubjectNotScored,
)
from exam_engine.results.model import MarkState
from scoring.errors import RuleSetNotValid, RuleSetUnknown
from scoring.graduation import ReasonCode
from scoring.violations import Violation
from tests.exam_engine.results.scene import ACTOR, Scene, answer_rightly, build, give_marks


async def scored(session: AsyncSession, now: datetime, *, n: int = 3, rules: str | None = "grad_2025") -> Scene:
    """TOAN is 5.00 for everybody; the first candidate has all four papers."""
    scene = await build(session, n=n, rules=rules)
    for position in range(n):
        await answer_rightly(session, scene, position)
    await service.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="first scoring")
    await give_marks(session, scene, 0, VAN=675, LI=700, HOA=625)
    return scene


async def test_marks_of_both_kinds_and_attributes_give_the_score(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1)
    run = await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    assert (run.number, run.rule_set, run.n_complete, run.n_passed) == (1, "grad_2025", 1, 1)
    found, outcomes = await service.load_graduation_outcomes(session, run.id)
    assert found == run
    outcome = outcomes[scene.number(0)]
    # (6.75 + 5.00 + 7.00 + 6.25) / 4 = 6.25; (6.25 + 7.61) / 2 = 6.93
    assert (outcome.score, outcome.passed) == (693, True)
    assert [line.value for line in outcome.lines if line.label == "Mathematics"] == ["5.00"]


async def test_an_absent_candidate_has_an_incomplete_record(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=2)
    await give_marks(session, scene, 1, VAN=None, LI=700, HOA=625)
    run = await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    _, outcomes = await service.load_graduation_outcomes(session, run.id)
    outcome = outcomes[scene.number(1)]
    assert (outcome.is_complete, outcome.score, outcome.passed) == (False, None, None)
    assert [reason.code for reason in outcome.reasons] == [ReasonCode.ABSENT]


async def test_a_reprimand_takes_a_quarter_off_and_leaves_the_raw_mark(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1)
    violation = Violation("reprimand", "LI")
    await service.record_violation(
        session, scene.exam.id, scene.number(0), violation, decision="QĐ 12", actor=ACTOR, now=now
    )
    marks, _ = await service.load_marks(session, scene.exam.id)
    mark = marks[scene.candidates[0].id].marks["LI"]
    assert (mark.hundredths, mark.raw) == (525, 700)


async def test_a_suspension_cancels_everything(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1)
    violation = Violation("suspension", "LI")
    await service.record_violation(
        session, scene.exam.id, scene.number(0), violation, decision="QĐ 13", actor=ACTOR, now=now
    )
    run = await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    _, outcomes = await service.load_graduation_outcomes(session, run.id)
    assert outcomes[scene.number(0)].passed is False
    assert ReasonCode.CANCELLED in [reason.code for reason in outcomes[scene.number(0)].reasons]


@pytest.mark.parametrize(
    ("violation", "decision", "field"),
    [
        pytest.param(Violation("whispering", "LI"), "QĐ 1", "kind", id="an unknown kind"),
        pytest.param(Violation("reprimand", "SU"), "QĐ 1", "subject", id="a subject the exam has not"),
        pytest.param(Violation("reprimand", "LI"), " ", "decision", id="no decision"),
    ],
)
async def test_a_violation_that_makes_no_sense_is_refused(
    session: AsyncSession, now: datetime, violation: Violation, decision: str, field: str
) -> None:
    scene = await build(session, n=1)
    with pytest.raises(AdjustmentInvalid) as refused:
        await service.record_violation(
            session, scene.exam.id, scene.number(0), violation, decision=decision, actor=ACTOR, now=now
        )
    assert refused.value.field == field


async def test_marks_say_where_they_come_from(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1)
    marks, runs = await service.load_marks(session, scene.exam.id)
    own = marks[scene.candidates[0].id].marks
    assert own["VAN"].source == "marks.csv"
    assert own["TOAN"].source.startswith("run 1 of ca-")
    assert own["TOAN"].parts == {1: Decimal(2), 2: Decimal(2), 3: Decimal(1), 4: Decimal(0)}
    assert own["TOAN"].state is MarkState.MARKED
    assert len(runs) == 1


async def test_nothing_is_computed_before_every_subject_on_line_is_scored(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=1)
    with pytest.raises(SubjectNotScored) as refused:
        await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    assert refused.value.subjects == ("TOAN",)


async def test_a_cell_that_cannot_be_read_is_named_and_nobody_is_computed(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=2)
    broken = {**scene.candidates[1].attributes, "year11": "seven", "priority_group": "9"}
    await session.execute(
        update(CandidateRow).where(CandidateRow.id == scene.candidates[1].id).values(attributes=broken)
    )
    with pytest.raises(RecordsInvalid) as refused:
        await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    places = [error.place for error in refused.value.errors]
    assert places == [f"candidate {scene.number(1)}, year11", f"candidate {scene.number(1)}, priority_group"]
    assert await service.load_graduation_runs(session, scene.exam.id) == []


async def test_rule_sets_must_exist_and_hold_for_the_year(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1, rules=None)
    with pytest.raises(RuleSetMissing):
        await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    with pytest.raises(RuleSetUnknown):
        await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now, rule_set="grad_2031")
    with pytest.raises(RuleSetNotValid):
        await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now, rule_set="grad_2020")
    with pytest.raises(GraduationRunUnknown):
        await service.load_graduation_outcomes(session, uuid4())


async def test_a_second_run_leaves_the_first(session: AsyncSession, now: datetime) -> None:
    scene = await scored(session, now, n=1)
    first = await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    await service.record_violation(
        session, scene.exam.id, scene.number(0), Violation("warning", "LI"), decision="QĐ 3", actor=ACTOR, now=now
    )
    second = await service.compute_graduation(session, scene.exam.id, actor=ACTOR, now=now)
    _, before = await service.load_graduation_outcomes(session, first.id)
    _, after = await service.load_graduation_outcomes(session, second.id)
    assert before[scene.number(0)].score == 693
    assert after[scene.number(0)].score == 649  # 3.50 less over four papers, half of it: 6.49
    assert [run.number for run in await service.load_graduation_runs(session, scene.exam.id)] == [2, 1]
