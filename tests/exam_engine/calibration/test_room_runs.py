"""Calibration runs on stored responses: the truth is found again, progress is told, nothing is half written."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from exam_engine.calibration import job, service
from exam_engine.calibration.choices import AnchorUse, ModelFamily, RunSettings
from exam_engine.calibration.errors import RunStateWrong, SampleTooSmall, SittingsUnsuitable
from exam_engine.calibration.findings import ItemReport, Severity
from exam_engine.calibration.model import MOST_TRIES, CalibrationRun, RunState, Stage
from exam_engine.calibration.service import runs as running
from exam_engine.calibration.tables import CalibrationItemRow
from exam_engine.delivery.tables import SittingRow
from exam_engine.infra.database import SessionMaker, transaction
from tests.exam_engine.calibration import rooms
from tests.exam_engine.calibration.rooms import NOW, Room, calibrated, requested

ODD = {"SA-00": "reversed", "SA-01": "constant"}


@pytest_asyncio.fixture(scope="module")
async def room(own: SessionMaker) -> Room:
    """Two forms that share items, one with a pretest block; 700 candidates each."""
    async with transaction(own) as session:
        blueprints = [rooms.spec(14, 8, n_tried=4), rooms.spec(10, 8)]
        return await rooms.build(session, n=700, blueprints=blueprints, odd=ODD, seed=3)


@pytest_asyncio.fixture(scope="module")
async def three_pl(own: SessionMaker, room: Room) -> tuple[CalibrationRun, list[ItemReport]]:
    return await calibrated(own, room, family=ModelFamily.THREE_PL, groups_by="gender")


async def test_a_run_finds_the_parameters_the_candidates_answered_by(
    room: Room, three_pl: tuple[CalibrationRun, list[ItemReport]]
) -> None:
    run, reports = three_pl
    assert run.state is RunState.COMPLETE
    assert run.outcome is not None
    assert run.outcome.converged
    assert (run.outcome.n_candidates, run.outcome.n_forms) == (1400, 2)
    sound = [r for r in reports if r.code not in ODD and not r.code.startswith("TF")]
    b = np.array([r.parameters.b[0] for r in sound], dtype=float)
    a = np.array([r.parameters.a for r in sound])
    se = np.array([r.errors.b[0] for r in sound if r.errors is not None], dtype=float)
    true_b = np.array([room.truth[r.code].b for r in sound])
    true_a = np.array([room.truth[r.code].a for r in sound])
    assert len(sound) == len(se) >= 24
    # Standardised errors spread by about one: the standard errors are honest. The mean square of n of them has
    # standard deviation sqrt(2/n), so that three of those away would be chance once in some hundred runs.
    standardised = (b - true_b) / se
    assert 0.3 < np.mean(standardised**2) < 1 + 3 * np.sqrt(2 / len(sound))
    assert np.corrcoef(b, true_b)[0, 1] > 0.95
    assert np.corrcoef(np.log(a), np.log(true_a))[0, 1] > 0.5
    assert np.sqrt(np.mean((b - true_b) ** 2)) < 1.5 * np.sqrt(np.mean(se**2))


def test_an_item_that_works_backwards_stands_on_top_and_one_that_tells_nothing_is_left_out(
    three_pl: tuple[CalibrationRun, list[ItemReport]],
) -> None:
    run, reports = three_pl
    assert reports[0].code == "SA-00"
    assert reports[0].troubles[0].severity is Severity.BAD
    assert not reports[0].is_good
    assert run.outcome is not None
    assert [each.item for each in run.outcome.excluded] == ["SA-01"]
    assert sum(report.is_good for report in reports) > 0.8 * len(reports)


def test_items_of_a_pretest_block_are_calibrated_and_told_apart(
    three_pl: tuple[CalibrationRun, list[ItemReport]],
) -> None:
    _, reports = three_pl
    tried = [report for report in reports if not report.is_scored]
    assert 0 < len(tried) <= 4
    assert all(report.code.startswith("MC") for report in tried)
    assert all(report.n_answers >= 600 for report in tried)


def test_each_report_holds_fit_statistics_options_groups_and_points(
    three_pl: tuple[CalibrationRun, list[ItemReport]],
) -> None:
    _, reports = three_pl
    for report in reports:
        assert report.fit.s_x2 is not None
        assert report.fit.infit is not None
        assert report.classical.facility is not None
        assert report.errors is not None
        assert len(report.points) >= 8
        assert all(later.theta > earlier.theta for earlier, later in pairwise(report.points))
        assert [dif.focal for dif in report.dif] in (["female"], ["male"], [])
        if report.code.startswith("MC"):
            assert [option.option for option in report.options] == ["A", "B", "C", "D"]
            (key,) = [option.option for option in report.options if option.is_key]
            assert key == "ABCD"[int(report.code[3:]) % 4]
    clusters = [report for report in reports if report.code.startswith("TF")]
    assert all(report.parameters.model == "gpcm" for report in clusters)
    assert all(len(report.counts) == 5 for report in clusters)


async def test_the_same_data_and_order_give_the_same_numbers(
    own: SessionMaker, room: Room, three_pl: tuple[CalibrationRun, list[ItemReport]]
) -> None:
    again, reports = await calibrated(own, room, family=ModelFamily.THREE_PL, groups_by="gender")
    first, before = three_pl
    assert again.number == first.number + 1
    assert first.outcome is not None
    assert again.outcome is not None
    assert again.outcome.input_hash == first.outcome.input_hash
    assert [report.parameters for report in reports] == [report.parameters for report in before]


async def test_a_model_the_sample_cannot_carry_is_refused_with_the_one_that_suits_it(own: SessionMaker) -> None:
    async with transaction(own) as session:
        small = await rooms.build(session, n=300, seed=5)
    with pytest.raises(SampleTooSmall) as refused:
        await requested(own, small, family=ModelFamily.THREE_PL)
    assert (refused.value.family, refused.value.n_candidates, refused.value.needed) == ("3PL", 300, 500)
    assert "2PL" in str(refused.value)
    run, _ = await calibrated(own, small)
    assert run.outcome is not None
    assert run.outcome.family is ModelFamily.TWO_PL


async def test_a_handful_of_candidates_is_refused_before_anything_is_written(own: SessionMaker) -> None:
    async with transaction(own) as session:
        few = await rooms.build(session, n=20, seed=6)
    with pytest.raises(SampleTooSmall, match="Wait for more sittings"):
        await requested(own, few)
    async with transaction(own) as session:
        assert await service.load_runs(session, exam_subject_id=few.subject_id) == []


async def test_a_sitting_that_is_open_or_not_stored_yet_is_refused_by_its_code(own: SessionMaker) -> None:
    async with transaction(own) as session:
        unready = await rooms.build(session, n=60, seed=7)
        sitting = await session.get(SittingRow, unready.sittings[0])
        assert sitting is not None
        sitting.stored_at = None
    with pytest.raises(SittingsUnsuitable, match="no sitting of this subject is closed"):
        await requested(own, unready)
    async with transaction(own) as session:
        order = RunSettings(sitting_ids=(unready.sittings[0],))
        with pytest.raises(SittingsUnsuitable, match=sitting.code):
            await service.check_run(session, unready.subject_id, order)


async def test_what_the_data_make_impossible_ends_the_run_with_its_reason(own: SessionMaker) -> None:
    async with transaction(own) as session:
        unmarked = await rooms.build(session, n=60, seed=8)
    run, reports = await calibrated(own, unmarked, anchors=AnchorUse.FIXED)
    assert run.state is RunState.REFUSED
    assert run.refusal is not None
    assert run.refusal.kind == "AnchorsUnusable"
    assert reports == []


async def test_a_run_that_waits_is_cancelled_at_once(own: SessionMaker, room: Room) -> None:
    run = await requested(own, room)
    async with transaction(own) as session:
        await service.cancel_run(session, run.id, actor="person:test", now=NOW)
    await job.work(own, lambda: NOW, run.id)
    async with transaction(own) as session:
        stopped = await service.load_run(session, run.id)
        assert stopped.state is RunState.CANCELLED
        assert await service.load_items(session, run.id) == []
        with pytest.raises(RunStateWrong):
            await service.cancel_run(session, run.id, actor="person:test", now=NOW)


async def test_a_run_under_way_tells_how_far_it_is_and_stops_when_asked(own: SessionMaker, room: Room) -> None:
    run = await requested(own, room, family=ModelFamily.THREE_PL)
    work = asyncio.create_task(job.work(own, lambda: NOW, run.id, tell_seconds=0.01))
    seen = await started(own, run)
    assert seen.progress.stage is not Stage.WAITING
    async with transaction(own) as session:
        await service.cancel_run(session, run.id, actor="person:test", now=NOW)
    await work
    async with transaction(own) as session:
        assert (await service.load_run(session, run.id)).state is RunState.CANCELLED
    assert await count_items(own, run) == 0


async def test_a_killed_worker_leaves_nothing_half_written_and_the_next_one_begins_anew(
    own: SessionMaker, room: Room
) -> None:
    run = await requested(own, room)
    work = asyncio.create_task(job.work(own, lambda: NOW, run.id, tell_seconds=0.01))
    await started(own, run)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    async with transaction(own) as session:
        left = await service.load_run(session, run.id)
    assert (left.state, left.outcome) == (RunState.RUNNING, None)
    assert await count_items(own, run) == 0
    await job.work(own, lambda: NOW, run.id)
    async with transaction(own) as session:
        done = await service.load_run(session, run.id)
    assert (done.state, done.tries) == (RunState.COMPLETE, 2)


async def test_a_worker_that_was_only_thought_dead_drops_its_result(own: SessionMaker, room: Room) -> None:
    run = await requested(own, room)
    async with transaction(own) as session:
        slow = await running.begin(session, run.id, now=NOW)
    await job.work(own, lambda: NOW, run.id)
    async with transaction(own) as session:
        done = await service.load_run(session, run.id)
        reports = [item.report for item in await service.load_items(session, run.id)]
        assert slow is not None
        assert done.outcome is not None
        assert not await running.complete(session, slow, done.outcome, reports, now=NOW)
    assert await count_items(own, run) == len(reports) > 0


async def test_a_run_that_kills_its_workers_is_refused_in_the_end(own: SessionMaker, room: Room) -> None:
    run = await requested(own, room)
    for _ in range(MOST_TRIES):
        async with transaction(own) as session:
            assert await running.begin(session, run.id, now=NOW) is not None
    await job.work(own, lambda: NOW, run.id)
    async with transaction(own) as session:
        ended = await service.load_run(session, run.id)
    assert ended.state is RunState.REFUSED
    assert ended.refusal is not None
    assert ended.refusal.kind == "WorkerFailed"


async def started(own: SessionMaker, run: CalibrationRun) -> CalibrationRun:
    """The run once a worker has begun."""
    async with asyncio.timeout(30):
        while True:
            async with transaction(own) as session:
                seen = await service.load_run(session, run.id)
            if seen.state is not RunState.WAITING:
                return seen


async def count_items(own: SessionMaker, run: CalibrationRun) -> int:
    async with transaction(own) as session:
        query = select(func.count()).where(CalibrationItemRow.run_id == run.id)
        return (await session.execute(query)).scalar_one()
