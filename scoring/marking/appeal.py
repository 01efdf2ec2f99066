"""Appeal (phúc khảo) of an essay: two fresh examiners, a third where they differ; does the published mark change?"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from scoring.marking.rules import AppealRules
from scoring.marking.settlement import majority, mean
from scoring.values import Hundredths


class AppealOutcome(msgspec.Struct, frozen=True):
    """What the examiners found and what it does to the published mark."""

    found: Hundredths | None  # None: another examiner is needed
    mark: Hundredths  # the one that holds from now on
    is_changed: bool
    needs_dialogue: bool  # of first markers and examiners, recorded


def settle_appeal(published: int, examiners: Sequence[int], rules: AppealRules) -> AppealOutcome:
    """Settle an appeal (TT 24/2024/TT-BGDĐT, article 37).

    Parameters
    ----------
    published : int
        Hundredths.
    examiners : sequence of int
        Marks of up to three examiners, hundredths. Two equal ones hold; three different ones give their mean.
    rules : AppealRules
    """
    found = majority(examiners)
    if found is None and len(examiners) >= 3:
        found = mean(examiners)
    if found is None:
        return AppealOutcome(None, Hundredths(published), is_changed=False, needs_dialogue=False)
    difference = Fraction(abs(found - published), 100)
    is_changed = difference >= Fraction(rules.change_from)
    return AppealOutcome(
        found,
        found if is_changed else Hundredths(published),
        is_changed,
        needs_dialogue=is_changed and difference >= Fraction(rules.dialogue_from),
    )
