"""Score runs on stored responses: exact, versioned, never overwritten, and refused while something is under way."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.assembly import service as assembly
from exam_engine.delivery.errors import SittingStateWrong, SittingUnknown
from exam_engine.delivery.tables import StreamRejectRow
from exam_engine.results import service
from exam_engine.results.errors import AnswersUnderWay, MarksOutstanding, ResponsesUnscorable, ScoreRunUnknown
from exam_engine.results.model import ScoreRun
from scoring.keys import OneOptionKey, VoidKey
from scoring.rescoring import Cause
from tests.exam_engine.results.scene import ACTOR, Scene, answer, answer_rightly, build, change_sitting, wrong


async def score(session: AsyncSession, scene: Scene, now: datetime, reason: str = "first scoring") -> ScoreRun:
    return await service.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason=reason)


async def test_a_run_scores_every_started_attempt_exactly(session: AsyncSession, now: datetime) -> None:
    scene = await build(session)
    await answer_rightly(session, scene, 0)
    await answer_rightly(session, scene, 1, but={1: wrong(scene.key[1]), 9: {"a": True}})
    run = await score(session, scene, now)
    assert (run.number, run.key_version, run.n_scored, run.n_changed) == (1, 1, 3, 0)
    scores = await service.load_scores(session, run.id)
    assert [scores[scene.number(i)].total for i in range(3)] == [500, 500 - 25 - 90, 0]
    first = scores[scene.number(0)]
    assert first.parts == {1: Decimal(2), 2: Decimal(2), 3: Decimal(1), 4: Decimal(0)}
    assert scores[scene.number(1)].slots[9] == Decimal("0.1")


async def test_a_cleared_response_and_a_missing_one_score_alike(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=2)
    await answer(session, scene.attempts[0], dict.fromkeys(scene.key))
    run = await score(session, scene, now)
    assert {score.total for score in (await service.load_scores(session, run.id)).values()} == {0}


async def test_who_never_started_has_no_score(session: AsyncSession, now: datetime) -> None:
    from sqlalchemy import update

    from exam_engine.delivery.tables import AttemptRow

    scene = await build(session)
    await session.execute(
        update(AttemptRow).where(AttemptRow.id == scene.attempts[2]).values(started_at=None, state="closed")
    )
    run = await score(session, scene, now)
    assert run.n_scored == 2
    marks, _ = await service.load_marks(session, scene.exam.id)
    assert marks[scene.candidates[2].id].marks["TOAN"].state == "absent"


async def test_the_same_inputs_give_the_same_hash_and_scores(session: AsyncSession, now: datetime) -> None:
    scene = await build(session)
    await answer_rightly(session, scene, 0)
    first, second = await score(session, scene, now), await score(session, scene, now, "once more")
    assert first.input_hash == second.input_hash
    assert (second.number, second.previous_run_id, second.n_changed) == (2, first.id, 0)
    assert await service.load_scores(session, first.id) == await service.load_scores(session, second.id)
    assert (await service.compare_runs(session, second.id)).changes == ()


async def test_a_key_change_makes_a_new_run_with_a_list_of_changes(session: AsyncSession, now: datetime) -> None:
    scene = await build(session)
    other = str(wrong(scene.key[1]))
    await answer_rightly(session, scene, 0)
    await answer_rightly(session, scene, 1, but={1: other})
    before = await score(session, scene, now)
    key = scene.key[1]
    assert isinstance(key, OneOptionKey)
    changed = OneOptionKey((*key.accepted, other))
    await assembly.change_key(session, scene.form.id, 1, changed, "two right options", actor=scene.hall.board, now=now)
    after = await score(session, scene, now, "key of slot 1 changed")
    assert (after.key_version, after.n_changed) == (2, 1)
    report = await service.compare_runs(session, after.id)
    assert report.changed_keys == (1,)
    (change,) = report.changes
    assert (change.candidate, change.before, change.after) == (scene.number(1), 475, 500)
    assert [(slot.slot, slot.cause) for slot in change.slots] == [(1, Cause.KEY_CHANGED)]
    assert (await service.load_scores(session, before.id))[scene.number(1)].total == 475


async def test_a_voided_item_counts_for_everybody(session: AsyncSession, now: datetime) -> None:
    scene = await build(session)
    await score(session, scene, now)
    void = VoidKey("a misprint")
    await assembly.change_key(session, scene.form.id, 2, void, "a misprint", actor=scene.hall.board, now=now)
    after = await score(session, scene, now, "slot 2 voided")
    assert {score.total for score in (await service.load_scores(session, after.id)).values()} == {25}
    assert after.n_changed == 3


@pytest.mark.parametrize("state", ["planned", "open"])
async def test_a_sitting_that_is_not_closed_is_not_scored(session: AsyncSession, now: datetime, state: str) -> None:
    scene = await build(session, n=1)
    await change_sitting(session, scene, state=state)
    with pytest.raises(SittingStateWrong):
        await score(session, scene, now)


async def test_scoring_waits_for_answers_on_their_way(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=1)
    with pytest.raises(AnswersUnderWay) as refused:
        await service.score_sitting(
            session, scene.sitting_id, actor=ACTOR, now=now, reason="first scoring", pending_writes=7
        )
    assert refused.value.waiting == 7
    await change_sitting(session, scene, stored_at=None)
    with pytest.raises(AnswersUnderWay):
        await score(session, scene, now)


async def test_a_stream_entry_the_database_did_not_take_stops_scoring(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=1)
    stream = f"sit:{{{scene.sitting_id}:0}}:events"
    session.add(StreamRejectRow(stream=stream, stream_id="1-0", body={}, reason="broken", at=now))
    await session.flush()
    with pytest.raises(AnswersUnderWay) as refused:
        await score(session, scene, now)
    assert refused.value.waiting == 1


async def test_a_response_that_cannot_be_judged_is_named_and_nobody_is_scored(
    session: AsyncSession, now: datetime
) -> None:
    scene = await build(session, n=2)
    await answer_rightly(session, scene, 0)
    await answer(session, scene.attempts[1], {9: {"x": True}})
    with pytest.raises(ResponsesUnscorable) as refused:
        await score(session, scene, now)
    (error,) = refused.value.errors
    assert error.place == f"attempt {scene.attempts[1]}"
    assert "slot 9, statement x" in error.reason
    assert await service.load_runs(session, scene.exam.id) == []


async def test_an_answered_essay_waits_for_its_mark(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=2)
    await answer(session, scene.attempts[0], {13: "Mùa thu Hà Nội"})
    await answer(session, scene.attempts[1], {13: "  "})
    with pytest.raises(MarksOutstanding) as refused:
        await score(session, scene, now)
    assert refused.value.count == 1


async def test_unknown_sittings_and_runs_are_refused(session: AsyncSession, now: datetime) -> None:
    with pytest.raises(SittingUnknown):
        await service.score_sitting(session, uuid4(), actor=ACTOR, now=now, reason="x")
    with pytest.raises(ScoreRunUnknown):
        await service.load_run(session, uuid4())
    scene = await build(session, n=1)
    first = await score(session, scene, now)
    with pytest.raises(ScoreRunUnknown, match="before run 1"):
        await service.compare_runs(session, first.id)


async def test_runs_are_listed_newest_first_with_their_mean(session: AsyncSession, now: datetime) -> None:
    scene = await build(session, n=2)
    await answer_rightly(session, scene, 0)
    await score(session, scene, now)
    await score(session, scene, now, "once more")
    runs = await service.load_runs(session, scene.exam.id)
    assert [(run.number, run.subject_code, run.mean) for run in runs] == [
        (2, "TOAN", Decimal("2.50")),
        (1, "TOAN", Decimal("2.50")),
    ]
