"""Several marks of one script become one, or tell what has to happen next."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec

from scoring.marking.rules import MarkingRules
from scoring.values import Hundredths, to_hundredths


class Step(StrEnum):
    """What the marks so far call for."""

    MARK = "mark"  # a round is still to be marked
    SETTLED = "settled"
    AGREE = "agree"  # the two markers name one mark together
    AGREE_WITH_MINUTES = "agree_with_minutes"
    THIRD_MARK = "third_mark"
    COLLECTIVE = "collective"  # marked together by a group


class Settlement(msgspec.Struct, frozen=True):
    """The mark that counts, or the step that is still missing."""

    step: Step
    mark: Hundredths | None = None


def settle(marks: Sequence[int], rules: MarkingRules, *, agreed: int | None = None) -> Settlement:
    """Settle the independent marks of one script.

    Parameters
    ----------
    marks : sequence of int
        Hundredths, in the order of the rounds; a third one only where two rounds disagreed.
    rules : MarkingRules
    agreed : int, optional
        What the two markers, or the group, agreed on.
    """
    if len(marks) < rules.rounds:
        return Settlement(Step.MARK)
    if rules.rounds == 1:
        return Settlement(Step.SETTLED, Hundredths(marks[-1]))
    if len(marks) == 2:
        return _settle_two(marks[0], marks[1], rules, agreed)
    return _settle_three(marks, rules, agreed)


def mean(marks: Sequence[int]) -> Hundredths:
    """Mean of marks in hundredths, half up to two decimals."""
    return to_hundredths(Fraction(sum(marks), len(marks) * 100))


def majority(marks: Sequence[int]) -> Hundredths | None:
    """Return the mark that stands there at least twice, if any."""
    return next((Hundredths(mark) for mark in marks if marks.count(mark) > 1), None)


def _settle_two(first: int, second: int, rules: MarkingRules, agreed: int | None) -> Settlement:
    difference = Fraction(abs(first - second), 100)
    if difference == 0:
        return Settlement(Step.SETTLED, Hundredths(first))
    if difference > Fraction(rules.agree_with_minutes_to):
        return Settlement(Step.THIRD_MARK)
    if agreed is not None:
        return Settlement(Step.SETTLED, Hundredths(agreed))
    return Settlement(Step.AGREE if difference < Fraction(rules.agree_below) else Step.AGREE_WITH_MINUTES)


def _settle_three(marks: Sequence[int], rules: MarkingRules, agreed: int | None) -> Settlement:
    twice = majority(marks)
    if twice is not None:
        return Settlement(Step.SETTLED, twice)
    if Fraction(max(marks) - min(marks), 100) <= Fraction(rules.mean_of_three_to):
        return Settlement(Step.SETTLED, mean(marks))
    if agreed is not None:
        return Settlement(Step.SETTLED, Hundredths(agreed))
    return Settlement(Step.COLLECTIVE)
