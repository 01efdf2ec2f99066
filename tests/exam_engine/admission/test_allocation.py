"""Laws of the allocation, against oracles that enumerate, and the handbook's example."""

import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exam_engine.admission.allocation import (
    Applicant,
    Aspiration,
    Instance,
    InstanceInvalid,
    LastLevel,
    Programme,
    ReasonCode,
    Rules,
    TieRule,
    allocate,
)
from exam_engine.admission.allocation.deferred_acceptance import solve
from exam_engine.admission.allocation.market import build, pack
from tests.exam_engine.admission.markets import Market, blocking_pairs, instance, instances, rules

HANDBOOK = instance(
    {"P": 1, "Q": 1}, {"a": [("P", 2700), ("Q", 2700)], "b": [("P", 2600), ("Q", 2600)], "c": [("Q", 2600)]}
)


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        (TieRule.ADMIT_ALL, {"a": "P", "b": "Q", "c": "Q"}),
        (TieRule.ASPIRATION_RANK_THEN_ADMIT_ALL, {"a": "P", "b": None, "c": "Q"}),
        (TieRule.REJECT_ALL, {"a": "P", "b": None, "c": None}),
    ],
)
def test_the_handbooks_example_of_the_tie_rules(ties: TieRule, expected: dict[str, str | None]) -> None:
    assert allocate(HANDBOOK, Rules(ties=ties)).assignment() == expected


def test_a_refused_group_closes_the_programme_only_just_above_its_level() -> None:
    # x and y tie for the second place of Q and are refused; z falls out of P later and still fits.
    market = instance(
        {"P": 1, "Q": 2},
        {
            "t": [("Q", 2900)],
            "x": [("Q", 2600)],
            "y": [("Q", 2600)],
            "z": [("P", 2650), ("Q", 2650)],
            "w": [("P", 2800)],
        },
    )
    allocation = allocate(market, Rules())
    assert allocation.assignment() == {"t": "Q", "w": "P", "x": None, "y": None, "z": "Q"}
    assert {p.code: p.cut_off for p in allocation.programmes} == {"P": 2800, "Q": 2650}


@settings(max_examples=300, deadline=None)
@given(instances(applicants=8), rules)
def test_the_result_is_the_lowest_allowed_vector_of_limits(market: Instance, rules: Rules) -> None:
    assert allocate(market, rules).assignment() == Market(market, rules).lowest_limits()


@settings(max_examples=300, deadline=None)
@given(instances(applicants=12, programmes=4), rules)
def test_nobody_and_no_programme_would_rather_have_each_other(market: Instance, rules: Rules) -> None:
    assert blocking_pairs(market, rules, allocate(market, rules).assignment()) == []


@settings(max_examples=200, deadline=None)
@given(instances(applicants=12, programmes=4), rules, st.randoms(use_true_random=False))
def test_the_order_of_the_input_means_nothing(market: Instance, rules: Rules, chance: random.Random) -> None:
    programmes, applicants = list(market.programmes), list(market.applicants)
    chance.shuffle(programmes)
    chance.shuffle(applicants)
    one, other = allocate(market, rules), allocate(Instance(tuple(programmes), tuple(applicants)), rules)
    assert one.assignment() == other.assignment()
    assert one.programmes == other.programmes
    assert list(one.outcomes()) == list(other.outcomes())
    assert one.input_hash() == other.input_hash()


@settings(max_examples=200, deadline=None)
@given(instances(applicants=12, programmes=4), rules)
def test_quotas_are_exceeded_only_by_the_last_level_admitted_whole(market: Instance, rules: Rules) -> None:
    allocation = allocate(market, rules)
    for programme in allocation.programmes:
        if rules.last_level is LastLevel.REJECT_ALL:
            assert programme.over_quota == 0
    assert Market(market, rules).is_allowed(allocation.assignment())


@settings(max_examples=300, deadline=None)
@given(instances(applicants=12, programmes=4), rules)
def test_every_reason_says_the_truth(market: Instance, rules: Rules) -> None:
    allocation = allocate(market, rules)
    programmes = {p.code: p for p in allocation.programmes}
    applicants = {a.id: a for a in market.applicants}
    floors = {p.code: p.floor for p in market.programmes}
    for outcome in allocation.outcomes():
        aspirations = applicants[outcome.applicant].aspirations
        assert [r.programme for r in outcome.reasons] == [a.programme for a in aspirations]
        assert [r.rank for r in outcome.reasons] == list(range(1, len(aspirations) + 1))
        admitted = [r for r in outcome.reasons if r.code is ReasonCode.ADMITTED]
        assert [(r.programme, r.rank) for r in admitted] == [(outcome.programme, outcome.rank)] * len(admitted)
        assert len(admitted) == (outcome.programme is not None)
        for reason, aspiration in zip(outcome.reasons, aspirations, strict=True):
            programme = programmes[reason.programme]
            match reason.code:
                case ReasonCode.ADMITTED if reason.required is not None:
                    assert aspiration.score is not None
                    assert aspiration.score >= reason.required
                case ReasonCode.BELOW_CUT_OFF:
                    assert aspiration.score is not None
                    assert reason.required is not None
                    assert aspiration.score < reason.required
                case ReasonCode.BELOW_FLOOR:
                    floor = floors[reason.programme]
                    assert aspiration.score is not None
                    assert floor is not None
                    assert aspiration.score < floor == reason.floor
                case ReasonCode.TIED_GROUP_REFUSED:
                    assert rules.last_level is LastLevel.REJECT_ALL
                    assert reason.places == programme.quota - programme.admitted
                    assert reason.group_size is not None
                    assert reason.group_size > (reason.places or 0) > 0
                case ReasonCode.LOST_ON_SUB_CRITERIA:
                    assert reason.own_value != reason.last_value
                case ReasonCode.NO_PLACES:
                    assert programme.quota == 0
                case ReasonCode.HIGHER_ASPIRATION:
                    assert outcome.rank is not None
                    assert reason.obtained_rank == outcome.rank < reason.rank
                case _:
                    assert reason.code is ReasonCode.ADMITTED


@settings(max_examples=300, deadline=None)
@given(instances(applicants=12, programmes=4), rules)
def test_without_sub_criteria_the_cut_offs_alone_tell_who_is_admitted(market: Instance, rules: Rules) -> None:
    if rules.sub_criteria:
        rules = msgspec.structs.replace(rules, ties=TieRule.ADMIT_ALL)
    allocation = allocate(market, rules)
    required = {p.code: p.required for p in allocation.programmes}
    floors = {p.code: p.floor for p in market.programmes}
    for applicant in market.applicants:
        cleared = (
            a.programme
            for rank, a in enumerate(applicant.aspirations)
            if a.score is not None
            and a.score >= (floors[a.programme] or 0)
            and (not required[a.programme] or a.score >= required[a.programme][rank])
        )
        assert allocation.assignment()[applicant.id] == next(cleared, None)


@settings(max_examples=200, deadline=None)
@given(instances(applicants=12, programmes=4), rules, st.integers(0, 5))
def test_one_at_a_time_and_in_rounds_come_to_the_same(market: Instance, rules: Rules, rounds: int) -> None:
    arrays = build(market, rules)
    arguments = (arrays.first_edge, arrays.programme, arrays.key, arrays.quota, rules.last_level)
    in_rounds, one_by_one = solve(*arguments), solve(*arguments, max_rounds=rounds)
    assert in_rounds.held.tolist() == one_by_one.held.tolist()


@pytest.mark.parametrize("last", LastLevel)
def test_a_long_chain_of_refusals_ends_soon(last: LastLevel) -> None:
    # Everybody holds the first place of a row until one newcomer pushes all of them one place further.
    size = 20_000
    wishes = [[i, i + 1] for i in range(size)]
    first_edge = np.arange(0, 2 * size + 1, 2)
    programme = np.array(wishes).reshape(-1)
    key = np.where(np.arange(2 * size) % 2 == 0, 1, 2)  # at the next programme one ranks above its own applicant
    key[0] = 1
    extra = np.array([0])  # the newcomer at the beginning of the row
    first_edge = np.append(first_edge, 2 * size + 1)
    matching = solve(
        first_edge,
        np.concatenate([programme, extra]),
        np.concatenate([key, [3]]),
        np.ones(size + 1, dtype=np.int64),
        last,
    )
    assert matching.held.tolist() == [*range(1, 2 * size, 2), 2 * size]
    assert matching.rounds > size


def test_offsets_raise_what_further_ranks_need_and_the_last_one_holds_for_all_that_follow() -> None:
    market = instance(
        {"P": 0, "Q": 0, "R": 0, "S": 1},
        {"a": [("P", 2000), ("Q", 2000), ("R", 2000), ("S", 2000)], "b": [("S", 1850)]},
    )
    allocation = allocate(market, Rules(offsets=(0, 100, 200)))
    assert allocation.assignment() == {"a": None, "b": "S"}
    assert allocation.programmes[3].required == (1850, 1950, 2050, 2050)
    reason = next(allocation.outcomes()).reasons[3]
    assert (reason.code, reason.score, reason.required, reason.cut_off) == (ReasonCode.BELOW_CUT_OFF, 2000, 2050, 1850)


def test_percentages_are_exact() -> None:
    # 110 % of 24.10 is 26.51: 26.51 clears it, 26.50 does not.
    market = instance(
        {"P": 0, "Q": 2}, {"a": [("Q", 2410)], "b": [("P", 0), ("Q", 2651)], "c": [("P", 0), ("Q", 2650)]}
    )
    allocation = allocate(market, Rules(percentages=(0, 1000)))
    assert allocation.assignment() == {"a": "Q", "b": "Q", "c": None}
    assert allocation.programmes[1].required == (2410, 2651)


def test_sub_criteria_decide_in_their_order_and_lower_may_be_better() -> None:
    market = Instance(
        (Programme("P", 1),),
        tuple(
            Applicant(name, (Aspiration("P", 2500),), {"prize": prize, "age": age})
            for name, prize, age in [("a", 1, 16), ("b", 1, 15), ("c", 0, 14)]
        ),
    )
    by_age = Rules(ties=TieRule.CRITERIA, criteria=("prize", "-age"))
    allocation = allocate(market, by_age)
    assert allocation.assignment() == {"a": None, "b": "P", "c": None}
    reasons = {o.applicant: o.reasons[0] for o in allocation.outcomes()}
    assert (reasons["a"].criterion, reasons["a"].own_value, reasons["a"].last_value) == ("age", 16, 15)
    assert (reasons["c"].criterion, reasons["c"].own_value, reasons["c"].last_value) == ("prize", 0, 1)


@pytest.mark.parametrize(("then", "expected"), [(LastLevel.REJECT_ALL, []), (LastLevel.ADMIT_ALL, ["a", "b"])])
def test_who_is_equal_in_every_criterion_is_treated_alike(then: LastLevel, expected: list[str]) -> None:
    market = instance({"P": 1}, {"a": [("P", 2500)], "b": [("P", 2500)]}, a=1, b=1)
    rules = Rules(ties=TieRule.CRITERIA, criteria=("age",), then=then)
    assert [name for name, code in allocate(market, rules).assignment().items() if code] == expected


def test_earlier_stages_are_filled_first_and_whom_they_admit_leaves() -> None:
    market = Instance(
        (Programme("gifted", 1, stage=1), Programme("near", 1, stage=2)),
        (
            Applicant("a", (Aspiration("near", 2000), Aspiration("gifted", 2000))),
            Applicant("b", (Aspiration("near", 1900),)),
            Applicant("c", (Aspiration("gifted", 1800), Aspiration("near", 1800))),
        ),
    )
    allocation = allocate(market, Rules())
    assert allocation.assignment() == {"a": "gifted", "b": "near", "c": None}
    codes = [[r.code for r in o.reasons] for o in allocation.outcomes()]
    assert codes == [
        [ReasonCode.EARLIER_STAGE, ReasonCode.ADMITTED],
        [ReasonCode.ADMITTED],
        [ReasonCode.BELOW_CUT_OFF, ReasonCode.BELOW_CUT_OFF],
    ]


def test_a_programme_that_refused_its_only_level_is_shown_closed_just_above_it() -> None:
    market = instance({"P": 1}, {"a": [("P", 2600)], "b": [("P", 2600)]})
    (programme,) = allocate(market, Rules()).programmes
    assert (programme.admitted, programme.cut_off, programme.highest_refused) == (0, 2601, 2600)


def test_a_programme_that_refused_nobody_has_no_cut_off() -> None:
    market = instance({"P": 2}, {"a": [("P", 100)], "b": [("P", 2600)]})
    (programme,) = allocate(market, Rules()).programmes
    assert (programme.admitted, programme.cut_off) == (2, None)


def test_who_is_not_eligible_is_not_considered_and_told_why() -> None:
    market = Instance(
        (Programme("P", 1),),
        (
            Applicant("a", (Aspiration("P", None, ineligible="paper_absent:VAN"),)),
            Applicant("b", (Aspiration("P", 1),)),
        ),
    )
    allocation = allocate(market, Rules())
    assert allocation.assignment() == {"a": None, "b": "P"}
    assert next(allocation.outcomes()).reasons[0].cause == "paper_absent:VAN"


@pytest.mark.parametrize("market", [Instance((), ()), Instance((Programme("P", 1),), (Applicant("a", ()),))])
def test_empty_markets_are_allocated(market: Instance) -> None:
    allocation = allocate(market, Rules())
    assert set(allocation.assignment().values()) <= {None}
    assert sum(p.admitted for p in allocation.programmes) == 0


@pytest.mark.parametrize(
    ("market", "words"),
    [
        (instance({"P": 1}, {"a": [("X", 1)]}), "applicant a, aspiration 1: there is no programme X"),
        (instance({"P": 1}, {"a": [("P", 1), ("P", 1)]}), "programme P is chosen twice"),
        (Instance((Programme("P", 1), Programme("P", 2)), ()), "programme P stands there twice"),
        (Instance((), (Applicant("a", ()), Applicant("a", ()))), "applicant a stands there twice"),
        (Instance((Programme("P", 1),), (Applicant("a", (Aspiration("P"),)),)), "no score for programme P"),
    ],
)
def test_contradictions_are_named(market: Instance, words: str) -> None:
    with pytest.raises(InstanceInvalid, match=words):
        allocate(market, Rules())


def test_a_missing_sub_criterion_is_named() -> None:
    with pytest.raises(InstanceInvalid, match="applicant a: no value for the criterion age"):
        allocate(instance({"P": 1}, {"a": [("P", 1)]}), Rules(ties=TieRule.CRITERIA, criteria=("age",)))


@given(st.lists(st.tuples(*[st.integers(-(2**40), 2**40)] * 4), min_size=1, max_size=30))
def test_packed_keys_order_like_the_values_they_hold(rows: list[tuple[int, ...]]) -> None:
    keys = pack([np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]).tolist()
    assert all(0 < key < 2**40 for key in keys)
    for one, own in zip(rows, keys, strict=True):
        for other, theirs in zip(rows, keys, strict=True):
            assert (one < other) == (own < theirs)
