"""An instance as arrays: one edge per aspiration, and one whole number per edge that its programme compares."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from exam_engine.admission.allocation.model import ASPIRATION_RANK, Instance, Rules, criterion_name

Integers = NDArray[np.int64]

KEY_BITS = 40
"""Keys stay below 2**40, so that programme and key fit into one int64 for sorting."""


class Scale(msgspec.Struct, frozen=True):
    """Turns scores into effective scores exactly, whatever percentages the ranks carry.

    Effective scores are whole multiples of a unit in which every rank's quotient is exact:
    `effective = (score - offset) x factor`. Without percentages the unit is one hundredth.
    """

    rules: Rules
    factors: tuple[int, ...]  # by rank
    unit: Fraction  # effective units per hundredth of cut-off

    @classmethod
    def of(cls, rules: Rules, ranks: int) -> "Scale":
        """Return the scale that serves ranks 1 to `ranks`."""
        divisors = [10_000 + rules.percentage(rank) for rank in range(1, max(ranks, 1) + 1)]
        common = lcm(*divisors)
        factors = [common // divisor for divisor in divisors]
        shared = gcd(*factors)
        return cls(rules, tuple(f // shared for f in factors), Fraction(common, 10_000 * shared))

    def cut_off(self, effective: int) -> int:
        """Return the smallest cut-off in hundredths that is not below an effective score."""
        return -(-effective * self.unit.denominator // self.unit.numerator)

    def required(self, effective: int, rank: int) -> int:
        """Return the smallest score in hundredths with which an aspiration of this rank reaches an effective score."""
        factor = self.factors[min(rank, len(self.factors)) - 1]
        return -(-effective // factor) + self.rules.offset(rank)


class Market(msgspec.Struct, frozen=True):
    """Edges sorted by applicant and rank; applicants and programmes stand in the order of their codes.

    Axes: `first_edge` (n_applicants + 1), `quota`, `stage` (n_programmes), the others (n_edges).
    A key of 0 means that the aspiration cannot be granted at all; keys compare inside one programme only.
    """

    applicants: tuple[str, ...]
    programmes: tuple[str, ...]
    first_edge: Integers
    programme: Integers
    rank: Integers
    score: Integers  # hundredths; 0 where a priority list decides
    effective: Integers  # scaled; for a priority list the place counted from its end
    key: Integers
    quota: Integers
    stage: Integers
    scale: Scale

    def owner(self) -> Integers:
        """Return the applicant (index) of every edge."""
        return np.repeat(np.arange(len(self.applicants)), np.diff(self.first_edge))


def build(instance: Instance, rules: Rules) -> Market:
    """Lay a checked instance out as arrays."""
    programmes = sorted(instance.programmes, key=lambda p: p.code)
    applicants = sorted(instance.applicants, key=lambda a: a.id)
    index = {p.code: i for i, p in enumerate(programmes)}
    counts = np.array([len(a.aspirations) for a in applicants], dtype=np.int64)
    first_edge = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    owner = np.repeat(np.arange(len(applicants)), counts)
    rank = np.arange(len(owner)) - first_edge[owner] + 1
    programme = _integers([index[x.programme] for a in applicants for x in a.aspirations])
    score = _integers([x.score or 0 for a in applicants for x in a.aspirations])
    scale = Scale.of(rules, int(counts.max(initial=1)))

    floor = _integers([np.iinfo(np.int64).min if p.floor is None else p.floor for p in programmes])
    listed = np.array([p.priority is not None for p in programmes], dtype=bool)
    by_priority = listed[programme]
    effective = _effective(score, rank, scale)
    if listed.any():
        places = [_places(p.priority) for p in programmes]
        ids = [a.id for a in applicants]
        for edge in np.flatnonzero(by_priority):
            effective[edge] = places[programme[edge]].get(ids[owner[edge]], 0)
    below_floor = ~by_priority & (score < floor[programme])
    ineligible = np.array([x.ineligible is not None for a in applicants for x in a.aspirations], dtype=bool)
    granted = ~below_floor & ~ineligible & ~(by_priority & (effective == 0))

    components = [effective]
    for entry in rules.sub_criteria:
        # Inside one programme a priority list leaves nothing equal, so criteria below it change nothing.
        if entry == ASPIRATION_RANK:
            components.append(-rank)
        else:
            sign = -1 if entry.startswith("-") else 1
            values = _integers([sign * a.criteria.get(criterion_name(entry), 0) for a in applicants])
            components.append(values[owner])
    key = np.where(granted, pack(components), 0)
    return Market(
        applicants=tuple(a.id for a in applicants),
        programmes=tuple(p.code for p in programmes),
        first_edge=first_edge,
        programme=programme,
        rank=rank,
        score=score,
        effective=effective,
        key=key,
        quota=_integers([p.quota for p in programmes]),
        stage=_integers([p.stage for p in programmes]),
        scale=scale,
    )


def pack(components: Sequence[Integers]) -> Integers:
    """Return keys from 1 that order like the components, the first one deciding first.

    Values that would not fit are replaced by their order, which keeps every comparison.
    """
    packed = _shifted(components[0])
    for component in components[1:]:
        below = _shifted(component)
        bits = int(below.max(initial=0)).bit_length()
        if int(packed.max(initial=0)).bit_length() + bits > KEY_BITS:
            packed, below = _ordinal(packed), _ordinal(below)
            bits = int(below.max(initial=0)).bit_length()
        packed = (packed << bits) | below
    if int(packed.max(initial=0)).bit_length() >= KEY_BITS:
        packed = _ordinal(packed)
    return packed + 1


def _shifted(values: Integers) -> Integers:
    # Differences of int64 could overflow only for values nobody can enter; then the order alone is kept.
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    return values - low if high - low < 2**62 else _ordinal(values)


def _ordinal(values: Integers) -> Integers:
    order: Any = np.unique(values, return_inverse=True)[1]
    return np.asarray(order, dtype=np.int64)


def _effective(score: Integers, rank: Integers, scale: Scale) -> Integers:
    ranks = len(scale.factors)
    offset = _integers([scale.rules.offset(r) for r in range(1, ranks + 1)])
    factor = _integers(scale.factors)
    return (score - offset[rank - 1]) * factor[rank - 1]


def _places(priority: tuple[str, ...] | None) -> Mapping[str, int]:
    names = priority or ()
    return {name: len(names) - place for place, name in enumerate(names)}


def _integers(values: Sequence[int]) -> Integers:
    return np.asarray(values, dtype=np.int64).reshape(-1)
