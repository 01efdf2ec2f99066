"""Marking essays: anonymous tasks, one marker at a time, marks that are added and never overwritten."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from exam_engine.identity.model import Person
from exam_engine.marking import service
from exam_engine.marking.errors import TaskTaken, TaskUnknown
from exam_engine.marking.model import CLAIM, Mark, TaskState, TaskView
from exam_engine.results import service as results
from scoring.errors import MarkInvalid
from tests.exam_engine.identity.people import person
from tests.exam_engine.results.scene import ACTOR, Scene, answer, build

ESSAY = 13
GOOD = {"c1": 75, "c2": 100}


async def essays(session: AsyncSession, *texts: str | None) -> Scene:
    """A closed sitting in which each candidate wrote one of the texts."""
    scene = await build(session, n=len(texts))
    for attempt_id, text in zip(scene.attempts, texts, strict=True):
        await answer(session, attempt_id, {ESSAY: text})
    return scene


def units(scene: Scene) -> set[UUID]:
    return {scene.exam.unit_id}


async def take(session: AsyncSession, scene: Scene, marker: Person, now: datetime) -> TaskView | None:
    return await service.next_task(session, marker_id=marker.id, units=units(scene), now=now)


async def give(
    session: AsyncSession,
    scene: Scene,
    task_id: UUID,
    marker: Person,
    now: datetime,
    criteria: Mapping[str, int] = GOOD,
) -> Mark:
    return await service.record_mark(
        session,
        task_id,
        marker_id=marker.id,
        units=units(scene),
        criteria=criteria,
        comment=" clear ",
        actor=ACTOR,
        now=now,
    )


async def test_every_answered_essay_becomes_one_task(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "Mùa thu", None, "  ", "Hà Nội")
    assert await service.make_tasks(session, now=now, sitting_id=scene.sitting_id) == 2
    assert await service.make_tasks(session, now=now, sitting_id=scene.sitting_id) == 0


async def test_a_marker_sees_the_text_and_not_who_wrote_it(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "Mùa thu Hà Nội")
    await service.make_tasks(session, now=now)
    view = await take(session, scene, await person(session), now)
    assert view is not None
    assert (view.response, view.n_words, view.maximum) == ("Mùa thu Hà Nội", 4, 200)
    assert [criterion.id for criterion in view.rubric.criteria] == ["c1", "c2"]
    shown = msgspec.json.encode(view).decode()
    assert scene.number(0) not in shown
    assert "Nguyễn" not in shown
    assert str(scene.attempts[0]) not in shown


async def test_two_markers_never_get_the_same_task(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one", "two")
    await service.make_tasks(session, now=now)
    first, second, third = [await person(session) for _ in range(3)]
    taken = [await take(session, scene, marker, now) for marker in (first, second)]
    assert {view.response for view in taken if view} == {"one", "two"}
    assert await take(session, scene, third, now) is None


async def test_a_marker_goes_on_with_the_task_left_open(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one", "two", "three")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    first = await take(session, scene, marker, now)
    again = await take(session, scene, marker, now + timedelta(minutes=1))
    assert first is not None
    assert again is not None
    assert first.task_id == again.task_id


async def test_a_task_left_too_long_goes_to_somebody_else(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    first, second = await person(session), await person(session)
    taken = await take(session, scene, first, now)
    assert taken is not None
    assert await take(session, scene, second, now + CLAIM - timedelta(seconds=1)) is None
    assert await take(session, scene, second, now + CLAIM + timedelta(seconds=1)) is not None
    with pytest.raises(TaskTaken):
        await give(session, scene, taken.task_id, first, now + CLAIM + timedelta(seconds=2))


async def test_a_mark_is_kept_by_criterion_and_counts_in_the_score(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    mark = await give(session, scene, view.task_id, marker, now)
    assert (mark.total, mark.criteria, mark.comment, mark.number) == (175, GOOD, "clear", 1)
    run = await results.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="first scoring")
    assert (await results.load_scores(session, run.id))[scene.number(0)].total == 175


async def test_a_correction_is_added_and_the_newest_counts(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    await give(session, scene, view.task_id, marker, now)
    await give(session, scene, view.task_id, marker, now, {"c1": 0, "c2": 25})
    again = await service.load_task(session, view.task_id, marker_id=marker.id, units=units(scene), now=now)
    assert (again.state, [mark.total for mark in again.marks]) == (TaskState.MARKED, [175, 25])
    marks = await service.settled_marks(session, scene.sitting_id)
    assert (marks.totals, marks.n_open) == ({(scene.attempts[0], ESSAY): 25}, 0)


async def test_a_corrected_mark_makes_another_run_with_its_cause(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    await give(session, scene, view.task_id, marker, now)
    await results.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="first scoring")
    await give(session, scene, view.task_id, marker, now, {"c1": 100, "c2": 100})
    after = await results.score_sitting(session, scene.sitting_id, actor=ACTOR, now=now, reason="a mark corrected")
    (change,) = (await results.compare_runs(session, after.id)).changes
    assert (change.before, change.after, [slot.cause for slot in change.slots]) == (175, 200, ["mark_changed"])


async def test_a_marked_task_is_closed_to_others(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker, other = await person(session), await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    await give(session, scene, view.task_id, marker, now)
    later = now + CLAIM * 2
    assert await take(session, scene, other, later) is None
    with pytest.raises(TaskTaken):
        await give(session, scene, view.task_id, other, later)


@pytest.mark.parametrize(
    "criteria", [{"c1": 101, "c2": 0}, {"c1": 50}, {"c1": 50, "c2": 50, "c3": 0}, {"c1": -1, "c2": 0}], ids=str
)
async def test_a_mark_outside_the_rubric_changes_nothing(
    session: AsyncSession, now: datetime, criteria: dict[str, int]
) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    with pytest.raises(MarkInvalid):
        await give(session, scene, view.task_id, marker, now, criteria)
    assert (await service.settled_marks(session, scene.sitting_id)).n_open == 1


async def test_tasks_of_other_units_do_not_exist_for_a_marker(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one")
    await service.make_tasks(session, now=now)
    marker = await person(session)
    view = await take(session, scene, marker, now)
    assert view is not None
    elsewhere = {uuid4()}
    assert await service.next_task(session, marker_id=marker.id, units=elsewhere, now=now) is None
    with pytest.raises(TaskUnknown):
        await service.load_task(session, view.task_id, marker_id=marker.id, units=elsewhere, now=now)
    with pytest.raises(TaskUnknown):
        await service.record_mark(
            session,
            view.task_id,
            marker_id=marker.id,
            units=elsewhere,
            criteria=GOOD,
            comment="",
            actor=ACTOR,
            now=now,
        )


async def test_the_queue_counts_what_is_open_and_what_i_marked(session: AsyncSession, now: datetime) -> None:
    scene = await essays(session, "one", "two", "three")
    marker, other = await person(session), await person(session)
    for who in (marker, other):
        await service.load_queue(session, marker_id=who.id, units=units(scene), now=now)
        view = await take(session, scene, who, now)
        assert view is not None
        await give(session, scene, view.task_id, who, now)
    (line,) = await service.load_queue(session, marker_id=marker.id, units=units(scene), now=now)
    assert (line.sitting_id, line.n_open, line.n_marked, line.n_mine) == (scene.sitting_id, 1, 2, 1)
