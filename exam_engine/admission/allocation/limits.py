"""Read off a matching: who was considered and refused, and where each programme drew its line."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.admission.allocation.market import Integers, Market

NO_EDGE = -1


class Limits(msgspec.Struct, frozen=True):
    """Per programme: places given, the last edge admitted and the best edge refused (`NO_EDGE` where there is none)."""

    admitted: Integers
    last_admitted: Integers
    best_refused: Integers
    refused: NDArray[np.bool_]  # (n_edges): considered, comparable, and not granted

    def is_open(self, programme: int) -> bool:
        """Say whether the programme had to refuse nobody."""
        return int(self.best_refused[programme]) == NO_EDGE

    def threshold(self, market: Market, programme: int) -> int | None:
        """Return the effective score (scaled) that was needed; None where nobody had to be refused."""
        if self.is_open(programme):
            return None
        last = int(self.last_admitted[programme])
        if last != NO_EDGE:
            return int(market.effective[last])
        return int(market.effective[self.best_refused[programme]]) + 1


def read_limits(market: Market, held: Integers) -> Limits:
    """Return the limits that a matching (edge held by each applicant, or -1) amounts to."""
    size = len(market.programmes)
    granted = held[held >= 0]
    refused = considered(market, held) & (market.key > 0)
    return Limits(
        admitted=np.bincount(market.programme[granted], minlength=size).astype(np.int64),
        last_admitted=_extreme(market, granted, size, lowest=True),
        best_refused=_extreme(market, np.flatnonzero(refused), size, lowest=False),
        refused=refused,
    )


def considered(market: Market, held: Integers) -> NDArray[np.bool_]:
    """Tell for each edge whether it was asked for in vain: wanted more than the place got, or in an earlier stage."""
    owner = market.owner()
    mine = held[owner]
    has_place = mine >= 0
    stage = market.stage[market.programme]
    own_stage, own_rank = stage[mine], market.rank[mine]
    asked = (stage < own_stage) | ((stage == own_stage) & (market.rank < own_rank))
    vain: NDArray[np.bool_] = ~has_place | asked
    return vain


def _extreme(market: Market, edges: Integers, size: int, *, lowest: bool) -> Integers:
    """Return per programme the edge with the lowest or the highest key among some edges."""
    found = np.full(size, NO_EDGE, dtype=np.int64)
    # The last write wins, so the edge looked for comes last; equal keys are settled by the order of applicants.
    order = np.lexsort((edges, market.key[edges]))
    edges = edges[order[::-1] if lowest else order]
    found[market.programme[edges]] = edges
    return found
