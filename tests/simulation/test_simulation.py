"""Seeded schedules of the whole protocol: no law may break; and a schedule is the same whenever it runs."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from tests.simulation import moments
from tests.simulation.plan import Act, ActKind, Fault, Plan, Seating, Trouble, draw, with_loss
from tests.simulation.rules import (
    BESIDE,
    HEARSAY,
    MUTANTS,
    NOBODY_WAITS,
    OVERTAKEN,
    TWICE,
    UNCOMMITTED,
    UNHELD,
    UNQUEUED,
    UNSEEN,
    Rules,
)
from tests.simulation.schedule import Schedule, run_plan, run_seed, shrink

QUICK = 600
LONG_ABSENCES = 12
MUST_CATCH_WITHIN = 1_500  # seeds; most are caught within fifty
_NARROW = [
    moments.closing,
    moments.late_answers,
    moments.counted_at_the_hand_in,
    moments.alone_beside_another,
    moments.told_by_an_act,
    moments.undoing,
    moments.stopped_beyond_the_end,
    moments.uncommitted,
]


@pytest.mark.parametrize("first", range(0, QUICK, 100))
def test_no_law_breaks_in_a_hundred_schedules(first: int) -> None:
    for seed in range(first, first + 100):
        outcome = run_seed(seed)
        assert outcome.is_sound, f"python -m tests.simulation --seed {seed} --shrink: {outcome.detail}"


def test_postgresql_away_for_ten_minutes_is_noticed_by_no_candidate_not_even_when_handing_in() -> None:
    seeds = range(7, 40 * LONG_ABSENCES, 40)
    handed_in = 0
    for seed in seeds:
        plan = draw(seed)
        away = [trouble for trouble in plan.troubles if trouble.fault is Fault.KILL_POSTGRES]
        assert away[0].for_ms == 10 * 60_000
        alone = msgspec.structs.replace(plan, troubles=tuple(away), loss=0.0)
        schedule = Schedule(alone, Rules())
        schedule.run()
        assert sum(browser.protocol.retries for browser in schedule.browsers) == 0
        handed_in += sum(browser.protocol.receipt is not None for browser in schedule.browsers)
        assert run_seed(seed).is_sound
    assert handed_in >= LONG_ABSENCES


def test_a_seed_always_gives_the_same_schedule() -> None:
    for seed in (3, 151, 911):
        first, second = run_seed(seed, is_traced=True), run_seed(seed, is_traced=True)
        assert first.trace == second.trace
        assert len(first.trace) > 20


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_caught(name: str) -> None:
    caught = next((outcome for outcome in _outcomes(MUTANTS[name]) if not outcome.is_sound), None)
    assert caught is not None, f"{MUST_CATCH_WITHIN} schedules do not notice that {name}"


def test_a_violation_is_shrunk_to_a_plan_that_still_breaks_the_same_law() -> None:
    rules = MUTANTS["Valkey replies before its file is synced"]
    seed = next(seed for seed in range(MUST_CATCH_WITHIN) if not run_seed(seed, rules).is_sound)
    plan = draw(seed)
    small = shrink(plan, rules)
    assert run_plan(small, rules).law == run_plan(plan, rules).law
    assert len(small.troubles) <= len(plan.troubles)
    assert any(trouble.fault in (Fault.KILL_VALKEY, Fault.EMPTY_VALKEY) for trouble in small.troubles)
    assert run_plan(small, Rules()).is_sound


def test_an_idle_seat_learns_that_redis_began_empty_and_brings_back_what_it_had_confirmed() -> None:
    seating = Seating(begins_ms=0, answers=4, thinks_ms=300, hands_in=False)
    away = Trouble(200, Fault.KILL_POSTGRES, 0, 20_000)
    lost = Trouble(16_000, Fault.EMPTY_VALKEY, 0, 1_000)
    plan = Plan(seed=1, duration_ms=60_000, seatings=(seating,), troubles=(away, lost))
    schedule = Schedule(plan, Rules(), is_traced=True)
    schedule.run()
    assert schedule.oracle.was_emptied
    assert schedule.oracle.acknowledged_answers >= 4
    assert schedule.oracle.out_of_reach == 0
    deaf = run_plan(plan, MUTANTS["a worker goes on telling what a lost Redis knew"])
    assert deaf.law == "an acknowledged answer is never lost"


def test_a_paper_handed_in_is_brought_back_by_its_seat_when_postgresql_had_not_heard_of_it() -> None:
    seating = Seating(begins_ms=0, answers=4, thinks_ms=300, hands_in=True)
    away = Trouble(200, Fault.KILL_POSTGRES, 0, 20_000)
    lost = Trouble(10_000, Fault.EMPTY_VALKEY, 0, 1_000)
    plan = Plan(seed=1, duration_ms=60_000, seatings=(seating,), troubles=(away, lost))
    schedule = Schedule(plan, Rules())
    schedule.run()
    assert schedule.oracle.hand_ins_brought_back == 1
    (browser,) = schedule.browsers
    assert browser.protocol.is_stored
    assert not browser.protocol.vault.responses
    hasty = run_plan(plan, MUTANTS["a seat forgets its paper as soon as Valkey has it"])
    assert hasty.law == "a paper handed in comes back"


def test_a_hand_in_that_reached_postgresql_before_its_answers_is_repeated() -> None:
    brought_back = 0
    for plan in moments.overtaking():
        schedule = Schedule(plan, Rules())
        schedule.run()
        assert schedule.oracle.hand_ins_too_late == 0
        assert all(browser.protocol.is_stored for browser in schedule.browsers)
        brought_back += schedule.oracle.hand_ins_brought_back
    assert brought_back >= 5


@pytest.mark.parametrize("name", OVERTAKEN)
def test_a_hand_in_that_overtakes_its_answers_needs_every_rule(name: str) -> None:
    assert any(not run_plan(plan, OVERTAKEN[name]).is_sound for plan in moments.overtaking())


@pytest.mark.parametrize("plans", _NARROW)
def test_no_law_breaks_in_a_narrow_moment(plans: Callable[[], Iterator[Plan]]) -> None:
    for plan in plans():
        outcome = run_plan(plan, Rules())
        assert outcome.is_sound, f"{plan}: {outcome.detail}"


@pytest.mark.parametrize("name", UNHELD)
def test_a_hand_in_beside_answers_that_come_to_count_needs_every_rule(name: str) -> None:
    assert any(not run_plan(plan, UNHELD[name]).is_sound for plan in moments.counted_at_the_hand_in())


@pytest.mark.parametrize("name", HEARSAY)
def test_a_hand_in_told_by_an_act_needs_every_rule(name: str) -> None:
    assert any(not run_plan(plan, HEARSAY[name]).is_sound for plan in moments.told_by_an_act())


@pytest.mark.parametrize("name", UNCOMMITTED)
def test_an_act_whose_commit_was_lost_needs_every_rule(name: str) -> None:
    assert any(not run_plan(plan, UNCOMMITTED[name]).is_sound for plan in moments.uncommitted())


@pytest.mark.parametrize("name", UNQUEUED)
def test_an_act_in_the_moment_of_closing_needs_every_rule(name: str) -> None:
    assert any(not run_plan(plan, UNQUEUED[name]).is_sound for plan in moments.closing())


@pytest.mark.parametrize("name", UNSEEN)
def test_late_answers_under_a_seat_that_writes_need_every_rule(name: str) -> None:
    assert any(not run_plan(plan, UNSEEN[name]).is_sound for plan in moments.late_answers())


@pytest.mark.parametrize("name", BESIDE)
def test_a_seat_that_began_alone_needs_every_rule_beside_another(name: str) -> None:
    assert any(not run_plan(plan, BESIDE[name]).is_sound for plan in moments.alone_beside_another())


@pytest.mark.parametrize("name", TWICE)
def test_what_is_done_to_a_room_needs_every_rule_when_it_is_asked_twice(name: str) -> None:
    assert any(not run_plan(plan, TWICE[name]).is_sound for plan in moments.undoing())


def test_who_may_start_after_the_end_because_the_clock_stood_is_waited_for() -> None:
    outcomes = [run_plan(plan, NOBODY_WAITS) for plan in moments.stopped_beyond_the_end()]
    assert {outcome.law for outcome in outcomes} == {"time closes nobody early"}


def test_a_room_everybody_left_with_its_clock_stopped_keeps_no_sitting_open_for_ever() -> None:
    for begins_ms in (0, 50_000):  # started, or not yet
        seating = Seating(begins_ms=begins_ms, answers=4, thinks_ms=300, hands_in=False, leaves_ms=45_000)
        act = Act(20_000, ActKind.PAUSE, 0)
        outcome = run_plan(Plan(seed=1, duration_ms=60_000, seatings=(seating,), acts=(act,)), Rules())
        assert outcome.is_sound, outcome.detail


def _outcomes(rules: Rules):  # type: ignore[no-untyped-def]
    for seed in range(MUST_CATCH_WITHIN):
        yield run_seed(seed, rules)
        yield run_plan(with_loss(draw(seed)), rules)
