"""From credits to a score: points per slot, exact sums per part, one rounding at the very end.

A form key names for every slot its part, its points in hundredths and its key. Slots of a track count only for the
candidates who took that track.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from scoring.errors import MarkMissing, ResponseInvalid
from scoring.keys import rubric
from scoring.keys.rules import credit as credit_of
from scoring.keys.values import Key, RubricKey
from scoring.values import Hundredths, ResponseValue, Rounding, is_blank, to_decimal, to_hundredths

RULE_VERSION = "1"
"""Goes up whenever some rule gives another score for the same key and response; every score run keeps it."""


class SlotKey(msgspec.Struct, frozen=True):
    """One slot of a form: where it stands, what it is worth, how it is judged."""

    slot: int
    part: int
    points: int  # hundredths for full credit; 0: tried out, not scored
    key: Key
    track: str | None = None  # in a paper with a choice (Tin học): the track this slot belongs to


class FormKey(msgspec.Struct, frozen=True):
    """The key of a whole form, in master letters."""

    slots: tuple[SlotKey, ...]
    total_rounding: Rounding = Rounding.HALF_UP

    @property
    def maximum(self) -> Hundredths:
        """Points of all slots; in a paper with tracks, of the common slots and the dearest track."""
        tracks: dict[str | None, int] = {}
        for slot in self.slots:
            tracks[slot.track] = tracks.get(slot.track, 0) + slot.points
        common = tracks.pop(None, 0)
        return Hundredths(common + max(tracks.values(), default=0))


class SlotScore(msgspec.Struct, frozen=True):
    """What one slot gave."""

    slot: int
    part: int
    credit: Decimal  # 0…1
    points: Decimal  # exact: 0.1 of a slot worth 0.25 is 0.025


class AttemptScore(msgspec.Struct, frozen=True):
    """What an attempt gave. Slots and parts are exact; the total has two decimals."""

    total: int | None  # hundredths; None while it is undecided which track counts
    parts: dict[int, Decimal]
    slots: tuple[SlotScore, ...]
    undecided_tracks: tuple[str, ...] = ()


def score_attempt(
    form_key: FormKey,
    responses: Mapping[int, ResponseValue],
    marks: Mapping[int, int] | None = None,
    *,
    track: str | None = None,
) -> AttemptScore:
    """Score one attempt.

    Parameters
    ----------
    form_key : FormKey
    responses : mapping
        Slot to response, in master letters; a slot left out is blank.
    marks : mapping, optional
        Slot to the marker's total in hundredths, for answered essays.
    track : str, optional
        The track the candidate chose, where the paper has tracks and the choice is recorded.

    Raises
    ------
    ResponseInvalid
        A response stands in a slot the form does not have, or does not fit its key.
    MarkMissing
        An essay was answered and has no mark.
    """
    known = {slot.slot for slot in form_key.slots}
    for slot in responses:
        if slot not in known:
            raise ResponseInvalid(f"slot {slot}", "the form has no such slot")
    tracks = _tracks_that_count(form_key, responses, track)
    scores = tuple(
        slot_score(slot, responses.get(slot.slot), (marks or {}).get(slot.slot))
        for slot in form_key.slots
        if slot.track is None or slot.track in tracks
    )
    parts: dict[int, Decimal] = {}
    for score in scores:
        parts[score.part] = parts.get(score.part, Decimal(0)) + score.points
    if len(tracks) > 1:
        return AttemptScore(None, parts, scores, undecided_tracks=tracks)
    return AttemptScore(to_hundredths(sum(parts.values(), Decimal(0)), form_key.total_rounding), parts, scores)


def slot_score(slot: SlotKey, response: ResponseValue, mark: int | None = None) -> SlotScore:
    """Judge one slot; `mark` is a person's total in hundredths where the key is a rubric.

    Raises
    ------
    ResponseInvalid, MarkMissing, MarkInvalid
        With the slot as the place.
    """
    try:
        if isinstance(slot.key, RubricKey) and mark is not None:
            # A rubric may have another scale than the slot; a person's mark keeps two decimals either way.
            share = rubric.credit_of_mark(mark, slot.key)
            points = to_decimal(to_hundredths(share * Fraction(slot.points, 100)))
            return SlotScore(slot.slot, slot.part, Decimal(share.numerator) / Decimal(share.denominator), points)
        credit = credit_of(response, slot.key)
    except ResponseInvalid as refused:
        raise ResponseInvalid(f"slot {slot.slot}, {refused.place}", refused.reason) from refused
    except MarkMissing as missing:
        raise MarkMissing(f"slot {slot.slot}") from missing
    return SlotScore(slot.slot, slot.part, credit, credit * to_decimal(slot.points))


def is_on_grid(hundredths: int, step: int) -> bool:
    """Tell whether a score is a multiple of the subject's step (both in hundredths)."""
    return hundredths % step == 0


def _tracks_that_count(
    form_key: FormKey, responses: Mapping[int, ResponseValue], chosen: str | None
) -> tuple[str, ...]:
    """Return the chosen track, else those with an answer; more than one has to be decided by people."""
    tracks = tuple(dict.fromkeys(slot.track for slot in form_key.slots if slot.track is not None))
    if not tracks:
        return ()
    if chosen is not None:
        if chosen not in tracks:
            raise ResponseInvalid("track", f"the form has no track {chosen!r}; it has {', '.join(tracks)}")
        return (chosen,)
    answered = {
        slot.track for slot in form_key.slots if slot.track is not None and not is_blank(responses.get(slot.slot))
    }
    return tuple(track for track in tracks if track in answered)
