"""Decisions on calibrated items: accepted, held, taken back; anchors and links; scores on a reporting scale."""

from uuid import uuid4

import numpy as np
import pytest
import pytest_asyncio

from exam_engine.audit import service as audit
from exam_engine.audit.model import AuditQuery
from exam_engine.authoring import service as authoring
from exam_engine.authoring.parameters import ParameterState
from exam_engine.calibration import service
from exam_engine.calibration.choices import AnchorUse, ModelFamily
from exam_engine.calibration.errors import (
    CalibrationRunUnknown,
    DecisionWrong,
    HoldReasonMissing,
    ItemNotAcceptable,
    ItemNotInRun,
)
from exam_engine.calibration.model import CalibrationItem, CalibrationRun, Decision
from exam_engine.identity.errors import PermissionDenied
from exam_engine.infra.database import SessionMaker, transaction
from exam_engine.results import service as results
from exam_engine.results.errors import ParametersMissing
from exam_engine.results.reporting import STANDARD_SCALE, Estimator, IrtOrder
from tests.exam_engine.calibration import rooms
from tests.exam_engine.calibration.rooms import NOW, Room, calibrated


@pytest_asyncio.fixture(scope="module")
async def room(own: SessionMaker) -> Room:
    async with transaction(own) as session:
        return await rooms.build(session, n=500, blueprints=[rooms.spec(16, 8, n_tried=4)], seed=11)


@pytest_asyncio.fixture
async def run(own: SessionMaker, room: Room) -> CalibrationRun:
    found, _ = await calibrated(own, room, family=ModelFamily.TWO_PL)
    return found


async def items_of(own: SessionMaker, run: CalibrationRun) -> dict[str, CalibrationItem]:
    async with transaction(own) as session:
        return {item.report.name: item for item in await service.load_items(session, run.id)}


async def test_an_accepted_item_gets_a_version_with_its_run_sample_and_errors(
    own: SessionMaker, room: Room, run: CalibrationRun
) -> None:
    name, item = next(iter((await items_of(own, run)).items()))
    async with transaction(own) as session:
        await service.accept_items(session, run.id, [name], actor=room.psychometrician, now=NOW)
    async with transaction(own) as session:
        accepted = await authoring.accepted_parameters(session, [item.report.item_version_id])
        history = await service.load_item_history(session, run.id, item.report.item_version_id)
    version = accepted[item.report.item_version_id]
    assert version.parameters == item.report.parameters
    assert version.errors == item.report.errors
    assert version.origin is not None
    assert (version.origin.run_id, version.origin.n_candidates) == (run.id, item.report.n_answers)
    assert version.decided_at == NOW
    assert history.item.decision is Decision.ACCEPTED
    assert history.accepted[0] == version


async def test_all_sound_items_are_accepted_at_once_and_a_second_time_nothing_is(
    own: SessionMaker, room: Room, run: CalibrationRun
) -> None:
    sound = [name for name, item in (await items_of(own, run)).items() if item.report.is_good]
    async with transaction(own) as session:
        accepted = await service.accept_items(session, run.id, None, actor=room.psychometrician, now=NOW)
        assert sorted(item.report.name for item in accepted) == sorted(sound)
        assert await service.accept_items(session, run.id, None, actor=room.psychometrician, now=NOW) == []


async def test_taking_back_adds_a_version_and_what_held_before_holds_again(
    own: SessionMaker, room: Room, run: CalibrationRun
) -> None:
    second, _ = await calibrated(own, room, family=ModelFamily.RASCH)
    names = [name for name, item in (await items_of(own, run)).items() if not item.report.code.startswith("TF")]
    name = names[-1]
    version_id = (await items_of(own, run))[name].report.item_version_id
    async with transaction(own) as session:
        before = len(await authoring.parameter_history(session, version_id))
        await service.accept_items(session, run.id, [name], actor=room.psychometrician, now=NOW)
        await service.accept_items(session, second.id, [name], actor=room.psychometrician, now=NOW)
        await service.reopen_items(
            session, second.id, [name], reason="wrong model", actor=room.psychometrician, now=NOW
        )
        newest, *older = await authoring.parameter_history(session, version_id)
        assert len(older) == before + 2
        assert newest.parameters is not None
        assert newest.parameters.model == "2pl"
        assert newest.comment == "wrong model"
    assert (await items_of(own, second))[name].decision is Decision.OPEN
    assert (await items_of(own, run))[name].decision is Decision.ACCEPTED


async def test_taking_the_only_version_back_leaves_the_item_without_parameters(own: SessionMaker) -> None:
    async with transaction(own) as session:
        fresh = await rooms.build(session, n=200, seed=12)
    run, reports = await calibrated(own, fresh)
    name, version_id = reports[0].name, reports[0].item_version_id
    async with transaction(own) as session:
        await service.accept_items(session, run.id, [name], actor=fresh.psychometrician, now=NOW)
        await service.reopen_items(session, run.id, [name], reason="key", actor=fresh.psychometrician, now=NOW)
        assert await authoring.accepted_parameters(session, [version_id]) == {}
        states = [version.state for version in await authoring.parameter_history(session, version_id)]
    assert states == [ParameterState.WITHDRAWN, ParameterState.ACCEPTED]


async def test_a_held_item_keeps_its_reason_and_no_parameters_of_it_come_into_use(
    own: SessionMaker, room: Room, run: CalibrationRun
) -> None:
    name = next(iter(await items_of(own, run)))
    async with transaction(own) as session:
        with pytest.raises(HoldReasonMissing):
            await service.hold_items(session, run.id, [name], reason=" ", actor=room.psychometrician, now=NOW)
        await service.hold_items(session, run.id, [name], reason="check C", actor=room.psychometrician, now=NOW)
    held = (await items_of(own, run))[name]
    assert (held.decision, held.comment) == (Decision.HELD, "check C")
    async with transaction(own) as session:
        accepted = await service.accept_items(session, run.id, None, actor=room.psychometrician, now=NOW)
    assert name not in [item.report.name for item in accepted]


async def test_who_may_not_calibrate_decides_nothing(own: SessionMaker, room: Room, run: CalibrationRun) -> None:
    for stranger in (room.developer, room.board):
        async with transaction(own) as session:
            with pytest.raises(PermissionDenied):
                await service.accept_items(session, run.id, None, actor=stranger, now=NOW)
    assert all(item.decision is Decision.OPEN for item in (await items_of(own, run)).values())


async def test_a_refused_choice_changes_no_item(own: SessionMaker, room: Room, run: CalibrationRun) -> None:
    name = next(iter(await items_of(own, run)))
    with pytest.raises(ItemNotInRun):
        async with transaction(own) as session:
            await service.accept_items(session, run.id, [name, "NO-SUCH"], actor=room.psychometrician, now=NOW)
    with pytest.raises(DecisionWrong):
        async with transaction(own) as session:
            await service.reopen_items(session, run.id, [name], reason="x", actor=room.psychometrician, now=NOW)
    with pytest.raises(CalibrationRunUnknown):
        async with transaction(own) as session:
            await service.accept_items(session, uuid4(), None, actor=room.psychometrician, now=NOW)
    assert (await items_of(own, run))[name].decision is Decision.OPEN


async def test_every_decision_stands_in_the_record(own: SessionMaker, room: Room, run: CalibrationRun) -> None:
    name = next(iter(await items_of(own, run)))
    async with transaction(own) as session:
        await service.accept_items(session, run.id, [name], actor=room.psychometrician, now=NOW)
        entry, *_ = await audit.load_entries(session, AuditQuery(action="calibration.accept"))
        assert (await audit.verify(session)).is_intact
    assert entry.actor == f"person:{room.psychometrician.user_name}"
    assert entry.facts["items"] == [name]


async def test_new_items_are_placed_beside_fixed_anchors_which_do_not_move(own: SessionMaker) -> None:
    rng = np.random.default_rng(5)
    async with transaction(own) as session:
        first = await rooms.build(session, n=900, blueprints=[rooms.spec(16, 8)], seed=21)
    base, _ = await calibrated(own, first, family=ModelFamily.THREE_PL)
    async with transaction(own) as session:
        accepted = await service.accept_items(session, base.id, None, actor=first.psychometrician, now=NOW)
        # Abler candidates, other items besides: without anchors everything would look easier.
        sitting = await rooms.add_sitting(session, first, rooms.spec(22, 8), n=900, number=1, rng=rng, mean=0.8)
    fixed, reports = await calibrated(
        own, first, sittings=[sitting], family=ModelFamily.THREE_PL, anchors=AnchorUse.FIXED
    )
    assert fixed.outcome is not None
    assert fixed.outcome.link is not None
    anchors = [report for report in reports if report.is_anchor]
    assert {report.name for report in anchors} == set(fixed.outcome.link.anchors)
    held = {item.report.name: item.report.parameters for item in accepted}
    assert all(np.isclose(report.parameters.a, held[report.name].a) for report in anchors)
    assert fixed.outcome.mean == pytest.approx(0.8, abs=0.2)
    new = [report for report in reports if not report.is_anchor and not report.code.startswith("TF")]
    true_b = np.array([first.truth[report.code].b for report in new])
    b = np.array([report.parameters.b[0] for report in new], dtype=float)
    assert len(new) >= 4
    # On a scale of their own they would look easier by the 0.8 logits these candidates are abler.
    assert abs(np.mean(b - true_b)) < 0.3
    async with transaction(own) as session:
        with pytest.raises(ItemNotAcceptable):
            await service.accept_items(session, fixed.id, [anchors[0].name], actor=first.psychometrician, now=NOW)
    linked, moved = await calibrated(
        own, first, sittings=[sitting], family=ModelFamily.THREE_PL, anchors=AnchorUse.LINKED
    )
    assert linked.outcome is not None
    assert linked.outcome.link is not None
    assert linked.outcome.mean == pytest.approx(fixed.outcome.mean, abs=0.15)
    assert all(report.drift is not None for report in moved if report.name in linked.outcome.link.anchors)
    by_name = {report.name: report.parameters.b[0] for report in moved}
    differences = [by_name[report.name] - report.parameters.b[0] for report in new]  # type: ignore[operator]
    assert abs(np.mean(differences)) < 0.15


async def test_a_sitting_is_scored_on_the_reporting_scale_beside_its_raw_score(own: SessionMaker) -> None:
    async with transaction(own) as session:
        sat = await rooms.build(session, n=500, blueprints=[rooms.spec(16, 8, n_tried=4)], seed=31)
    order = IrtOrder(scale=STANDARD_SCALE)
    with pytest.raises(ParametersMissing) as refused:
        async with transaction(own) as session:
            await results.score_by_irt(session, sat.sittings[0], order, actor="person:test", now=NOW, reason="r")
    assert refused.value.n_known == 0
    run, reports = await calibrated(own, sat, family=ModelFamily.TWO_PL)
    names = [report.name for report in reports]
    async with transaction(own) as session:
        await service.accept_items(session, run.id, names, actor=sat.psychometrician, now=NOW)
        scored = await results.score_by_irt(
            session, sat.sittings[0], order, actor="person:test", now=NOW, reason="first"
        )
        again = await results.score_by_irt(
            session, sat.sittings[0], order, actor="person:test", now=NOW, reason="once more"
        )
        weighted = await results.score_by_irt(
            session,
            sat.sittings[0],
            IrtOrder(estimator=Estimator.WLE, scale=order.scale),
            actor="person:test",
            now=NOW,
            reason="wle",
        )
        scores = await results.load_irt_scores(session, run_id=scored.id)
        by_wle = await results.load_irt_scores(session, run_id=weighted.id)
        raw = await results.score_sitting(session, sat.sittings[0], actor="person:test", now=NOW, reason="raw")
        totals = await results.load_scores(session, raw.id)
    tried = {report.code for report in reports if not report.is_scored}
    assert len(tried) == 4
    assert {item.code for item in scored.items} == {report.code for report in reports} - tried
    assert {item.parameter_version for item in scored.items} == {1}
    assert (again.number, again.input_hash) == (2, scored.input_hash)
    assert scored.reliability is not None
    assert weighted.reliability is None
    theta = np.array([scores[number].theta for number in totals])
    truth = np.array([sat.abilities[scores[number].candidate_id] for number in totals])
    assert np.corrcoef(theta, truth)[0, 1] > 0.75
    assert np.corrcoef(theta, [totals[number].total for number in totals])[0, 1] > 0.9
    # EAP errors have the spread the standard errors say.
    se = np.array([scores[number].se for number in totals])
    assert 0.8 < np.sqrt(np.mean((theta - truth) ** 2) / np.mean(se**2)) < 1.25
    one = next(iter(scores.values()))
    assert one.score == round(500 + 100 * one.theta) * 100
    assert one.score_se == round(100 * one.se) * 100
    assert np.std([score.theta for score in by_wle.values()]) > np.std(theta)


async def test_a_pretest_block_adds_nothing_to_the_raw_score(own: SessionMaker, room: Room) -> None:
    async with transaction(own) as session:
        raw = await results.score_sitting(session, room.sittings[0], actor="person:test", now=NOW, reason="raw")
        scores = await results.load_scores(session, raw.id)
    slots = {slot.slot: slot for slot in raw.form_key.slots}
    tried = [number for number, slot in slots.items() if slot.points == 0]
    assert len(tried) == 4
    assert raw.form_key.maximum == 16 * 25 + 2 * 100 + 8 * 50
    assert all(score.slots[number] == 0 for score in scores.values() for number in tried)
