"""What an allocation is computed from: programmes, applicants with ranked aspirations, and the rules that compare them.

All scores are whole hundredths. Rank 1 is the aspiration an applicant wants most.
"""

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from exam_engine.admission.allocation.errors import InstanceInvalid

ASPIRATION_RANK = "aspiration_rank"
"""The sub-criterion every applicant has: who ranked the programme higher goes first."""


class TieRule(StrEnum):
    """What happens when the last places of a programme do not suffice for everybody on one level."""

    REJECT_ALL = "reject_all"  # the whole level is refused; the quota is never exceeded
    ADMIT_ALL = "admit_all"  # the whole level is admitted
    ASPIRATION_RANK_THEN_ADMIT_ALL = "aspiration_rank_then_admit_all"
    CRITERIA = "criteria"  # sub-criteria in order; `then` for those who stay equal


class LastLevel(StrEnum):
    """What happens to applicants who are equal in everything the rules compare."""

    REJECT_ALL = "reject_all"
    ADMIT_ALL = "admit_all"


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How applicants are compared inside a programme; data of a province and a year.

    `offsets` (hundredths) and `percentages` (hundredths of a percent) stand by rank, and the last value holds for all
    further ranks. With cut-off c, aspiration r is cleared by a score of at least c x (1 + percentage) + offset.
    """

    ties: TieRule = TieRule.REJECT_ALL
    criteria: tuple[str, ...] = ()  # sub-criteria, higher is better ("-age": lower), or "aspiration_rank"
    then: LastLevel = LastLevel.REJECT_ALL  # after the criteria
    offsets: tuple[int, ...] = ()
    percentages: tuple[Annotated[int, msgspec.Meta(gt=-10_000)], ...] = ()

    @property
    def sub_criteria(self) -> tuple[str, ...]:
        """What is compared below the score, in order."""
        if self.ties is TieRule.ASPIRATION_RANK_THEN_ADMIT_ALL:
            return (ASPIRATION_RANK,)
        return self.criteria if self.ties is TieRule.CRITERIA else ()

    @property
    def last_level(self) -> LastLevel:
        """What happens to those who stay equal."""
        if self.ties is TieRule.CRITERIA:
            return self.then
        return LastLevel.REJECT_ALL if self.ties is TieRule.REJECT_ALL else LastLevel.ADMIT_ALL

    def offset(self, rank: int) -> int:
        """Hundredths an aspiration of this rank must have above the cut-off."""
        return _by_rank(self.offsets, rank)

    def percentage(self, rank: int) -> int:
        """Hundredths of a percent an aspiration of this rank must have above the cut-off."""
        return _by_rank(self.percentages, rank)


class Programme(msgspec.Struct, frozen=True, omit_defaults=True):
    """An offer of places.

    With `priority` the programme orders applicants itself, the first named before the others; who is not named is
    not acceptable. Else scores decide. Programmes of an earlier `stage` are filled first, and whom they admit leaves.
    """

    code: str
    quota: Annotated[int, msgspec.Meta(ge=0)]
    floor: int | None = None  # hundredths, of the score itself
    priority: tuple[str, ...] | None = None
    stage: int = 1


class Aspiration(msgspec.Struct, frozen=True, omit_defaults=True):
    """One wish; the score is the applicant's score for this programme, `ineligible` says why it cannot be granted."""

    programme: str
    score: int | None = None
    ineligible: str | None = None


class Applicant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person with wishes in rank order."""

    id: str
    aspirations: tuple[Aspiration, ...]
    criteria: Mapping[str, int] = {}


class Instance(msgspec.Struct, frozen=True):
    """Everything an allocation depends on besides the rules; the order of both lists means nothing."""

    programmes: tuple[Programme, ...]
    applicants: tuple[Applicant, ...]

    def canonical(self) -> bytes:
        """Return the instance as JSON in the order of its codes, the same for every order of input."""
        ordered = Instance(
            tuple(sorted(self.programmes, key=lambda p: p.code)), tuple(sorted(self.applicants, key=lambda a: a.id))
        )
        return msgspec.json.encode(ordered, order="sorted")


def input_hash(instance: Instance, rules: Rules) -> str:
    """Return the SHA-256 of instance and rules, in hexadecimal digits: what a run was computed from."""
    digest = hashlib.sha256(instance.canonical())
    digest.update(msgspec.json.encode(rules, order="sorted"))
    return digest.hexdigest()


def check(instance: Instance, rules: Rules) -> None:
    """Refuse an instance that contradicts itself or lacks what the rules compare.

    Raises
    ------
    InstanceInvalid
        Every problem, each naming the applicant or programme.
    """
    problems = list(_problems(instance, rules))
    if problems:
        raise InstanceInvalid(problems)


def criterion_name(entry: str) -> str:
    """Return the name of a sub-criterion without the sign that says that lower is better."""
    return entry.removeprefix("-")


def _problems(instance: Instance, rules: Rules) -> Iterator[str]:
    programmes: dict[str, Programme] = {}
    for programme in instance.programmes:
        if programme.code in programmes:
            yield f"programme {programme.code} stands there twice"
        programmes[programme.code] = programme
        if programme.priority is not None and len(set(programme.priority)) < len(programme.priority):
            yield f"programme {programme.code}: its priority list names an applicant twice"
    applicants: set[str] = set()
    wanted = [criterion_name(entry) for entry in rules.sub_criteria if entry != ASPIRATION_RANK]
    for applicant in instance.applicants:
        if applicant.id in applicants:
            yield f"applicant {applicant.id} stands there twice"
        applicants.add(applicant.id)
        chosen: set[str] = set()
        for rank, aspiration in enumerate(applicant.aspirations, start=1):
            code = aspiration.programme
            place = f"applicant {applicant.id}, aspiration {rank}"
            if code in chosen:
                yield f"{place}: programme {code} is chosen twice"
            chosen.add(code)
            if code not in programmes:
                yield f"{place}: there is no programme {code}"
            elif aspiration.score is None and programmes[code].priority is None and not aspiration.ineligible:
                yield f"{place}: no score for programme {code}"
        is_compared = any(not aspiration.ineligible for aspiration in applicant.aspirations)
        for name in wanted:
            if is_compared and name not in applicant.criteria:
                yield f"applicant {applicant.id}: no value for the criterion {name}"


def _by_rank(values: tuple[int, ...], rank: int) -> int:
    return values[min(rank, len(values)) - 1] if values else 0
