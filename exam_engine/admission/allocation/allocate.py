"""The allocation: a pure function of instance and rules, stage by stage, with cut-offs and reasons."""

from collections.abc import Iterator

import numpy as np

from exam_engine.admission.allocation.deferred_acceptance import solve
from exam_engine.admission.allocation.explain import Explanation
from exam_engine.admission.allocation.market import Integers, Market, build
from exam_engine.admission.allocation.model import Instance, Rules, check, input_hash
from exam_engine.admission.allocation.outcome import ApplicantOutcome, ProgrammeOutcome


class Allocation:
    """The whole result, with the hash of what it was computed from; reasons are made as they are read."""

    def __init__(self, instance: Instance, rules: Rules, explanation: Explanation, rounds: int) -> None:
        self.rules = rules
        self.rounds = rounds
        self._instance = instance
        self._explanation = explanation

    @property
    def programmes(self) -> tuple[ProgrammeOutcome, ...]:
        """Cut-offs and counts, by programme code."""
        return self._explanation.programmes

    def outcomes(self) -> Iterator[ApplicantOutcome]:
        """Places and reasons, by applicant id."""
        return self._explanation.outcomes()

    def assignment(self) -> dict[str, str | None]:
        """Return applicant → programme, by applicant id."""
        return dict(self._explanation.places())

    def input_hash(self) -> str:
        """Return the hash of instance and rules, in hexadecimal digits."""
        return input_hash(self._instance, self.rules)


def allocate(instance: Instance, rules: Rules) -> Allocation:
    """Give every applicant the best aspiration that the limits allow, and say why.

    Raises
    ------
    InstanceInvalid
        The instance contradicts itself or lacks what the rules compare.
    """
    check(instance, rules)
    market = build(instance, rules)
    held, rounds = match(market)
    return Allocation(instance, rules, Explanation(instance, market, held), rounds)


def match(market: Market) -> tuple[Integers, int]:
    """Return the edge each applicant holds in the end (or -1), and the number of rounds.

    Stages run one after the other: an applicant admitted in one takes no part in the next.
    """
    last = market.scale.rules.last_level
    stages = np.unique(market.stage)
    if len(stages) <= 1:
        matching = solve(market.first_edge, market.programme, market.key, market.quota, last)
        return matching.held, matching.rounds
    owner, rounds = market.owner(), 0
    held = np.full(len(market.applicants), -1, dtype=np.int64)
    for stage in stages:
        takes_part = (market.stage[market.programme] == stage) & (held[owner] < 0)
        key = np.where(takes_part, market.key, 0)
        matching = solve(market.first_edge, market.programme, key, market.quota, last)
        held = np.where(matching.held >= 0, matching.held, held)
        rounds += matching.rounds
    return held, rounds
