"""Why: for each aspiration the decision with the numbers that show it, for each programme its cut-off."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from exam_engine.admission.allocation.limits import NO_EDGE, read_limits
from exam_engine.admission.allocation.market import Integers, Market
from exam_engine.admission.allocation.model import ASPIRATION_RANK, Applicant, Instance, Programme, criterion_name
from exam_engine.admission.allocation.outcome import ApplicantOutcome, ProgrammeOutcome, Reason, ReasonCode


class Explanation:
    """A matching with the means to explain every single decision of it; reasons are made when they are asked for."""

    def __init__(self, instance: Instance, market: Market, held: Integers) -> None:
        self._market = market
        self._held: list[int] = held.tolist()
        self._limits = read_limits(market, held)
        self._applicants: Sequence[Applicant] = sorted(instance.applicants, key=lambda a: a.id)
        self._programmes: Sequence[Programme] = sorted(instance.programmes, key=lambda p: p.code)
        self._targets: list[int] = market.programme.tolist()
        self._first: list[int] = market.first_edge.tolist()
        self._refused: list[bool] = self._limits.refused.tolist()

    @cached_property
    def programmes(self) -> tuple[ProgrammeOutcome, ...]:
        """Cut-offs and counts, by programme code."""
        return tuple(self._programme(i) for i in range(len(self._programmes)))

    def places(self) -> Iterator[tuple[str, str | None]]:
        """Applicant → programme, by applicant id."""
        for applicant, edge in zip(self._market.applicants, self._held, strict=True):
            yield applicant, None if edge == NO_EDGE else self._market.programmes[self._targets[edge]]

    def outcomes(self) -> Iterator[ApplicantOutcome]:
        """Place and reasons of everybody, by applicant id."""
        return (self.outcome(i) for i in range(len(self._applicants)))

    def outcome(self, applicant: int) -> ApplicantOutcome:
        """Place and reasons of one applicant, by his index among the sorted ids."""
        start, end = self._first[applicant], self._first[applicant + 1]
        edge = self._held[applicant]
        rank = None if edge == NO_EDGE else edge - start + 1
        code = None if edge == NO_EDGE else self._programmes[self._targets[edge]].code
        reasons = tuple(self._reason(applicant, e, rank) for e in range(start, end))
        return ApplicantOutcome(self._applicants[applicant].id, code, rank, reasons)

    def _programme(self, index: int) -> ProgrammeOutcome:
        market, limits, programme = self._market, self._limits, self._programmes[index]
        threshold = limits.threshold(market, index)
        last, best = int(limits.last_admitted[index]), int(limits.best_refused[index])
        by_score = programme.priority is None
        is_closed = threshold is not None and by_score
        ranks = range(1, len(market.scale.factors) + 1)
        return ProgrammeOutcome(
            code=programme.code,
            quota=programme.quota,
            admitted=int(limits.admitted[index]),
            cut_off=market.scale.cut_off(threshold or 0) if is_closed else None,
            highest_refused=market.scale.cut_off(int(market.effective[best])) if is_closed else None,
            required=tuple(market.scale.required(threshold or 0, r) for r in ranks) if is_closed else (),
            last_admitted=None if by_score or last == NO_EDGE else market.applicants[self._owner[last]],
        )

    def _reason(self, applicant: int, edge: int, obtained: int | None) -> Reason:
        rank = edge - self._first[applicant] + 1
        programme = self._programmes[self._targets[edge]]
        if self._refused[edge]:
            return self._refusal(edge, rank, programme)
        aspiration, code = self._applicants[applicant].aspirations[rank - 1], programme.code
        if obtained == rank:
            return self._admission(edge, rank, programme, aspiration.score)
        if obtained is not None and self._was_passed(applicant, edge):
            later = ReasonCode.HIGHER_ASPIRATION if obtained < rank else ReasonCode.EARLIER_STAGE
            return Reason(rank, code, later, obtained_rank=obtained)
        if aspiration.ineligible is not None:
            return Reason(rank, code, ReasonCode.NOT_ELIGIBLE, cause=aspiration.ineligible)
        if programme.priority is not None:
            return Reason(rank, code, ReasonCode.NOT_RANKED)
        return Reason(rank, code, ReasonCode.BELOW_FLOOR, score=aspiration.score, floor=programme.floor)

    def _was_passed(self, applicant: int, edge: int) -> bool:
        mine = self._programmes[self._targets[self._held[applicant]]].stage
        stage = self._programmes[self._targets[edge]].stage
        return stage > mine or (stage == mine and edge > int(self._held[applicant]))

    def _admission(self, edge: int, rank: int, programme: Programme, score: int | None) -> Reason:
        outcome = self.programmes[self._targets[edge]]
        if programme.priority is not None:
            return Reason(rank, programme.code, ReasonCode.ADMITTED, place=self._place(edge, programme))
        required = outcome.required[rank - 1] if outcome.required else None
        return Reason(
            rank, programme.code, ReasonCode.ADMITTED, score=score, required=required, cut_off=outcome.cut_off
        )

    def _refusal(self, edge: int, rank: int, programme: Programme) -> Reason:
        market, limits, target = self._market, self._limits, self._targets[edge]
        outcome = self.programmes[target]
        code, score = programme.code, int(market.score[edge])
        last, best = int(limits.last_admitted[target]), int(limits.best_refused[target])
        if programme.quota == 0:
            return Reason(rank, code, ReasonCode.NO_PLACES)
        if programme.priority is not None:
            place, last_place = self._place(edge, programme), self._place(last, programme)
            return Reason(rank, code, ReasonCode.LOWER_PRIORITY, place=place, last_place=last_place)
        places = outcome.quota - outcome.admitted
        if places > 0 and market.key[edge] == market.key[best]:
            return Reason(
                rank,
                code,
                ReasonCode.TIED_GROUP_REFUSED,
                score=score,
                level=market.scale.cut_off(int(market.effective[edge])),
                group_size=self._group_sizes[target],
                places=places,
            )
        if last != NO_EDGE and market.effective[edge] == market.effective[last]:
            name, own, theirs = self._deciding_criterion(edge, last)
            return Reason(
                rank,
                code,
                ReasonCode.LOST_ON_SUB_CRITERIA,
                score=score,
                cut_off=outcome.cut_off,
                criterion=name,
                own_value=own,
                last_value=theirs,
            )
        required = outcome.required[rank - 1]
        return Reason(rank, code, ReasonCode.BELOW_CUT_OFF, score=score, required=required, cut_off=outcome.cut_off)

    def _deciding_criterion(self, edge: int, last: int) -> tuple[str, int, int]:
        for name in map(criterion_name, self._market.scale.rules.sub_criteria):
            own, theirs = self._value(edge, name), self._value(last, name)
            if own != theirs:
                return name, own, theirs
        raise AssertionError("equal in every criterion, yet treated differently")

    def _value(self, edge: int, criterion: str) -> int:
        if criterion == ASPIRATION_RANK:
            return int(self._market.rank[edge])
        return self._applicants[self._owner[edge]].criteria[criterion]

    def _place(self, edge: int, programme: Programme) -> int:
        return len(programme.priority or ()) - int(self._market.effective[edge]) + 1

    @cached_property
    def _owner(self) -> list[int]:
        owner: list[int] = self._market.owner().tolist()
        return owner

    @cached_property
    def _group_sizes(self) -> list[int]:
        """Per programme: how many of the refused stand on the level of the best refused."""
        market, limits = self._market, self._limits
        top = np.where(limits.best_refused >= 0, market.key[limits.best_refused], 0) if len(market.key) else 0
        on_level = limits.refused & (market.key == np.asarray(top)[market.programme])
        sizes: list[int] = np.bincount(market.programme[on_level], minlength=len(market.programmes)).tolist()
        return sizes
