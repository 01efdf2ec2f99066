"""Seeded schedules of the whole protocol: no law may break; and a schedule is the same whenever it runs."""

import msgspec
import pytest

from tests.simulation.plan import Fault, Plan, Seating, Trouble, draw, with_loss
from tests.simulation.rules import MUTANTS, OVERTAKEN, Rules
from tests.simulation.schedule import Schedule, run_plan, run_seed, shrink

QUICK = 600
LONG_ABSENCES = 12
MUST_CATCH_WITHIN = 1_500  # seeds; most are caught within fifty


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


OVERTAKING = Plan(
    seed=1683,
    duration_ms=60_000,
    writers=2,
    seatings=2 * (Seating(begins_ms=0, answers=3, thinks_ms=300, hands_in=True),),
    troubles=(
        Trouble(575, Fault.KILL_WRITER, 0, 60_000, is_aimed=True),
        Trouble(3_617, Fault.EMPTY_VALKEY, 0, 300),
    ),
)


def test_a_hand_in_that_reached_postgresql_before_its_answers_is_repeated() -> None:
    schedule = Schedule(OVERTAKING, Rules())
    schedule.run()
    assert schedule.oracle.hand_ins_brought_back == 1
    assert schedule.oracle.hand_ins_too_late == 0
    assert all(browser.protocol.is_stored for browser in schedule.browsers)


@pytest.mark.parametrize("name", OVERTAKEN)
def test_a_hand_in_that_overtakes_its_answers_needs_every_rule(name: str) -> None:
    assert not run_plan(OVERTAKING, OVERTAKEN[name]).is_sound


def _outcomes(rules: Rules):  # type: ignore[no-untyped-def]
    for seed in range(MUST_CATCH_WITHIN):
        yield run_seed(seed, rules)
        yield run_plan(with_loss(draw(seed)), rules)
