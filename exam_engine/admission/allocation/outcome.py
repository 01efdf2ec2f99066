"""What an allocation gives: each applicant a place or none, with a reason at every rank; each programme a cut-off."""

from enum import StrEnum

import msgspec


class ReasonCode(StrEnum):
    """Why an aspiration was granted or not; texts stand in `admission.explanations`."""

    ADMITTED = "admitted"
    BELOW_CUT_OFF = "below_cut_off"
    BELOW_FLOOR = "below_floor"
    TIED_GROUP_REFUSED = "tied_group_refused"
    LOST_ON_SUB_CRITERIA = "lost_on_sub_criteria"
    LOWER_PRIORITY = "lower_priority"
    NOT_RANKED = "not_ranked_by_programme"
    NO_PLACES = "no_places"
    NOT_ELIGIBLE = "not_eligible"
    HIGHER_ASPIRATION = "higher_aspiration_obtained"
    EARLIER_STAGE = "earlier_stage_obtained"


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """The decision on one aspiration with the numbers that explain it (scores in hundredths).

    `required` is the smallest score that would have cleared this programme at this rank; none where nobody was refused.
    """

    rank: int
    programme: str
    code: ReasonCode
    score: int | None = None
    required: int | None = None
    cut_off: int | None = None
    floor: int | None = None
    level: int | None = None  # score of the tied group at rank 1
    group_size: int | None = None  # how many stood on that level
    places: int | None = None  # how many places were left for them
    criterion: str | None = None  # the first sub-criterion that decided
    own_value: int | None = None
    last_value: int | None = None  # of the last applicant admitted
    place: int | None = None  # on the programme's own list
    last_place: int | None = None
    obtained_rank: int | None = None
    cause: str | None = None  # why the applicant was not eligible


class ApplicantOutcome(msgspec.Struct, frozen=True):
    """What one applicant gets, and why at each rank."""

    applicant: str
    programme: str | None
    rank: int | None
    reasons: tuple[Reason, ...]


class ProgrammeOutcome(msgspec.Struct, frozen=True):
    """What one programme gets.

    `cut_off` is the effective score that was needed (hundredths, in terms of rank 1): of the last applicant admitted,
    or just above the best level refused where nobody was admitted; none where nobody had to be refused.
    """

    code: str
    quota: int
    admitted: int
    cut_off: int | None
    highest_refused: int | None
    required: tuple[int, ...] = ()  # by rank; empty without a cut-off
    last_admitted: str | None = None  # where the programme has a priority list

    @property
    def over_quota(self) -> int:
        """Places given beyond the quota, as admitting whole levels may demand."""
        return max(self.admitted - self.quota, 0)
