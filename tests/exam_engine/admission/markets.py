"""Small markets for the tests, and slow, transparent oracles that share no code with the engine."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from hypothesis import strategies as st

from exam_engine.admission.allocation import (
    ASPIRATION_RANK,
    Applicant,
    Aspiration,
    Instance,
    LastLevel,
    Programme,
    Rules,
    TieRule,
)

Level = tuple[Fraction | int, ...]
"""What two applicants are compared by inside a programme: effective score, then sub-criteria; higher is better."""


def instance(quotas: Mapping[str, int], wishes: Mapping[str, list[tuple[str, int]]], **criteria: int) -> Instance:
    """Make an instance; `criteria` give every named applicant's value of the criterion "age"."""
    return Instance(
        tuple(Programme(code, quota) for code, quota in quotas.items()),
        tuple(
            Applicant(
                name,
                tuple(Aspiration(code, score) for code, score in mine),
                {"age": criteria[name]} if name in criteria else {},
            )
            for name, mine in wishes.items()
        ),
    )


def level(rules: Rules, applicant: Applicant, rank: int, score: int) -> Level:
    """Return what an aspiration is compared by, straight from the rule."""
    effective = Fraction(10_000 * (score - rules.offset(rank)), 10_000 + rules.percentage(rank))
    below = [-rank if name == ASPIRATION_RANK else applicant.criteria[name] for name in rules.sub_criteria]
    return (effective, *below)


class Market:
    """An instance as plain dictionaries: for each applicant the acceptable wishes with their levels, in rank order."""

    def __init__(self, instance: Instance, rules: Rules) -> None:
        self.rules = rules
        self.quota = {p.code: p.quota for p in instance.programmes}
        floors = {p.code: p.floor for p in instance.programmes}
        self.wishes: dict[str, list[tuple[str, Level]]] = {}
        for applicant in instance.applicants:
            self.wishes[applicant.id] = [
                (a.programme, level(rules, applicant, rank, a.score or 0))
                for rank, a in enumerate(applicant.aspirations, start=1)
                if not _is_below(a.score or 0, floors[a.programme]) and a.ineligible is None
            ]

    def assign(self, limits: Mapping[str, Level | None]) -> dict[str, str | None]:
        """Give everybody the first wish that clears its limit (None: open)."""
        assigned: dict[str, str | None] = {}
        for name, mine in self.wishes.items():
            cleared = (code for code, mine_level in mine if limits[code] is None or mine_level >= limits[code])  # type: ignore[operator]
            assigned[name] = next(cleared, None)
        return assigned

    def is_allowed(self, assigned: Mapping[str, str | None]) -> bool:
        """Whether no quota rule is broken."""
        for code, quota in self.quota.items():
            levels = sorted(own for name, mine in self.wishes.items() for c, own in mine if c == code == assigned[name])
            if len(levels) <= quota:
                continue
            above = sum(own > levels[0] for own in levels)
            if self.rules.last_level is LastLevel.REJECT_ALL or above >= quota:
                return False
        return True

    def lowest_limits(self) -> dict[str, str | None]:
        """Enumerate every vector of limits and return the assignment of the lowest allowed one."""
        codes = list(self.quota)
        grids: list[list[Level | None]] = []
        for code in codes:
            levels = sorted({own for mine in self.wishes.values() for c, own in mine if c == code})
            # Open, at each level, and above all of them.
            grids.append([None, *levels[1:], (*((Fraction(10**9),)),)] if levels else [None])
        allowed = []
        for indices in product(*(range(len(grid)) for grid in grids)):
            assigned = self.assign({c: grids[i][k] for i, (c, k) in enumerate(zip(codes, indices, strict=True))})
            if self.is_allowed(assigned):
                allowed.append((indices, assigned))
        lowest = tuple(min(column) for column in zip(*(indices for indices, _ in allowed), strict=True))
        found = [assigned for indices, assigned in allowed if indices == lowest]
        assert found, "the allowed limits have no lowest vector"
        return found[0]


def blocking_pairs(instance: Instance, rules: Rules, assigned: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Return whom a programme would rather take, and who would rather go, than what came out."""
    market = Market(instance, rules)
    pairs = []
    for name, mine in market.wishes.items():
        for code, own in mine:
            if assigned[name] == code:
                break
            inside = [lv for n, wishes in market.wishes.items() for c, lv in wishes if c == code == assigned[n]]
            places = market.quota[code]
            if rules.last_level is LastLevel.ADMIT_ALL:
                fits = sum(lv > own for lv in inside) < places
            else:
                waiting = sum(
                    c == code and lv >= own and assigned[n] != code and _would_go(market, assigned, n, code)
                    for n, wishes in market.wishes.items()
                    for c, lv in wishes
                )
                # All who stand as high must fit in together, or nobody lower may be inside.
                fits = sum(lv >= own for lv in inside) + waiting <= places or any(lv < own for lv in inside)
            if fits:
                pairs.append((name, code))
    return pairs


def _would_go(market: Market, assigned: Mapping[str, str | None], name: str, code: str) -> bool:
    order = [c for c, _ in market.wishes[name]]
    held = assigned[name]
    return held is None or order.index(code) < order.index(held)


def _is_below(score: int, floor: int | None) -> bool:
    return floor is not None and score < floor


@st.composite
def instances(draw: st.DrawFn, *, applicants: int = 6, programmes: int = 3) -> Instance:
    """Draw a small market with many ties."""
    codes = [f"P{i}" for i in range(draw(st.integers(1, programmes)))]
    offers = tuple(
        Programme(code, draw(st.integers(0, 3)), floor=draw(st.sampled_from([None, None, 1800, 2000])))
        for code in codes
    )
    people = []
    for i in range(draw(st.integers(0, applicants))):
        wishes = draw(st.lists(st.sampled_from(codes), unique=True, max_size=len(codes)))
        scores = st.sampled_from([1700, 1800, 1900, 2000, 2050, 2100])
        same = draw(st.none() | scores)
        aspirations = tuple(Aspiration(code, same if same is not None else draw(scores)) for code in wishes)
        people.append(
            Applicant(f"A{i}", aspirations, {"age": draw(st.integers(0, 2)), "prize": draw(st.integers(0, 1))})
        )
    return Instance(offers, tuple(people))


rules = st.builds(
    Rules,
    ties=st.sampled_from(TieRule),
    criteria=st.sampled_from([("age",), ("age", ASPIRATION_RANK), (ASPIRATION_RANK, "prize"), ("prize", "age")]),
    then=st.sampled_from(LastLevel),
    offsets=st.sampled_from([(), (0, 100), (0, 100, 200), (50,)]),
    percentages=st.sampled_from([(), (), (0, 1000), (0, 250, 700)]),
)
