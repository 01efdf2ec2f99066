"""Deferred acceptance with score limits: applicants propose, full programmes raise their limits, until nobody moves.

Limits only rise, and only as far as a quota forces them, so the result is the lowest vector of limits and the best
stable outcome for every applicant at once; it does not depend on the order in which anybody proposes.
"""

from bisect import insort

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.admission.allocation.market import KEY_BITS, Integers
from exam_engine.admission.allocation.model import LastLevel

MAX_ROUNDS = 200
"""Ordinary markets end in some 20 rounds. In a long chain a round moves one applicant: then one at a time is faster."""

_CLOSED = np.int64(2**62)


class Matching(msgspec.Struct, frozen=True):
    """Who holds what in the end.

    `held` (n_applicants) is the edge granted, or -1; `limit` (n_programmes) the lowest key the programme still takes.
    """

    held: Integers
    limit: Integers
    rounds: int


def solve(
    first_edge: Integers,
    programme: Integers,
    key: Integers,
    quota: Integers,
    last: LastLevel,
    *,
    max_rounds: int = MAX_ROUNDS,
) -> Matching:
    """Return the applicant-optimal stable matching under score limits.

    Parameters
    ----------
    first_edge : ndarray, shape (n_applicants + 1,)
        Edges of applicant i are `first_edge[i]` to `first_edge[i + 1]`, the most wanted first.
    programme, key : ndarray, shape (n_edges,)
        The programme of each edge and the number it is compared by; key 0 is never granted.
    quota : ndarray, shape (n_programmes,)
    last : LastLevel
        Whether a level that does not fit into the last places is refused or admitted as a whole.
    max_rounds : int
        After so many rounds the rest is settled one at a time; the result is the same.

    References
    ----------
    Gale & Shapley (1962); Biró & Kiselgof (2015), "College admissions with stable score-limits": refusing the level
    gives their H-stable, admitting it their L-stable limits.
    """
    market = _State(first_edge, programme, key, quota, last)
    free = np.arange(len(first_edge) - 1)
    rounds = 0
    while free.size and rounds < max_rounds:
        rounds += 1
        free = market.refuse(market.propose(free))
    if free.size:
        rounds += market.finish_one_by_one(free)
    return Matching(market.held, market.limit, rounds)


class _State:
    def __init__(
        self, first_edge: Integers, programme: Integers, key: Integers, quota: Integers, last: LastLevel
    ) -> None:
        self.programme, self.key, self.quota = programme, key, quota
        self.admits_level = last is LastLevel.ADMIT_ALL
        self.position = first_edge[:-1].copy()
        self.end = first_edge[1:]
        self.held = np.full(len(self.position), -1, dtype=np.int64)
        self.limit = np.ones(len(quota), dtype=np.int64)
        self.count = np.zeros(len(quota), dtype=np.int64)

    def propose(self, free: Integers) -> NDArray[np.bool_]:
        """Move the free applicants to the first aspiration that clears its limit; tell which programmes overflow."""
        arrived = np.zeros(len(self.quota), dtype=np.int64)
        while free.size:
            edge = self.position[free]
            inside = edge < self.end[free]
            free, edge = free[inside], edge[inside]
            clears = self.key[edge] >= self.limit[self.programme[edge]]
            taken = edge[clears]
            self.held[free[clears]] = taken
            arrived += np.bincount(self.programme[taken], minlength=len(arrived))
            free = free[~clears]
            self.position[free] += 1
        self.count += arrived
        return (arrived > 0) & (self.count > self.quota)

    def refuse(self, over_full: NDArray[np.bool_]) -> Integers:
        """Raise the limits of over-full programmes and free those who fall below."""
        holders = np.flatnonzero(self.held >= 0)
        holders = holders[over_full[self.programme[self.held[holders]]]]
        if not holders.size:
            return holders
        edges = self.held[holders]
        where, keys = self.programme[edges], self.key[edges]
        ordered = np.sort((where << KEY_BITS) | keys)
        raised = np.flatnonzero(over_full)
        ends = np.searchsorted(ordered, (raised + 1) << KEY_BITS)
        self.limit[raised] = self._limits(ordered, ends, raised)
        refused = keys < self.limit[where]
        self.count -= np.bincount(where[refused], minlength=len(self.count))
        leaving = holders[refused]
        self.held[leaving] = -1
        self.position[leaving] += 1
        return leaving

    def _limits(self, ordered: Integers, ends: Integers, raised: Integers) -> Integers:
        quota = self.quota[raised]
        mask = (1 << KEY_BITS) - 1
        raised_to: Integers
        if self.admits_level:
            last_in = ordered[np.minimum(ends - quota, len(ordered) - 1)] & mask
            raised_to = np.where(quota > 0, last_in, _CLOSED)
        else:
            # The best applicant too many: his whole level is refused, the programme stays open just above it.
            raised_to = (ordered[ends - quota - 1] & mask) + 1
        return raised_to

    def finish_one_by_one(self, free: Integers) -> int:
        """Settle the rest applicant by applicant, each programme holding a sorted list; return the number of moves."""
        lists: list[list[tuple[int, int]]] = [[] for _ in self.quota]
        for applicant in np.flatnonzero(self.held >= 0).tolist():
            edge = self.held[applicant]
            lists[self.programme[edge]].append((int(self.key[edge]), applicant))
        for held in lists:
            held.sort()
        waiting, moves = free.tolist(), 0
        while waiting:
            applicant = waiting.pop()
            moves += 1
            edge = int(self.position[applicant])
            while edge < self.end[applicant] and self.key[edge] < self.limit[self.programme[edge]]:
                edge += 1
            self.position[applicant] = edge
            if edge == self.end[applicant]:
                continue
            target = int(self.programme[edge])
            self.held[applicant] = edge
            insort(lists[target], (int(self.key[edge]), applicant))
            for _, leaving in self._overflow(lists[target], target):
                self.held[leaving] = -1
                self.position[leaving] += 1
                waiting.append(leaving)
        return moves

    def _overflow(self, held: list[tuple[int, int]], target: int) -> list[tuple[int, int]]:
        quota = int(self.quota[target])
        if len(held) <= quota:
            return []
        if self.admits_level:
            limit = held[len(held) - quota][0] if quota else int(_CLOSED)
        else:
            limit = held[len(held) - quota - 1][0] + 1
        self.limit[target] = limit
        out = next((i for i, (key, _) in enumerate(held) if key >= limit), len(held))
        leaving = held[:out]
        del held[:out]
        return leaving
