"""Keys as data: one struct a rule. A key never travels in anything a candidate receives."""

from enum import StrEnum

import msgspec

CLUSTER_STEPS_2025 = (0, 10, 25, 50, 100)
"""Credit in hundredths for 0, 1, 2, 3, 4 right statements (decision QĐ 764/QĐ-BGDĐT)."""


class Compare(StrEnum):
    """How a short answer is compared with its key."""

    NUMERIC = "numeric"  # 0,50 equals 0,5
    LITERAL = "literal"  # same characters: 0803 differs from 803


class OneOptionKey(msgspec.Struct, frozen=True, tag_field="rule", tag="one_option"):
    """Full credit for any one accepted option; usually one, several only after a key change."""

    accepted: tuple[str, ...]


class OptionSetKey(msgspec.Struct, frozen=True, tag_field="rule", tag="option_set"):
    """Full credit for exactly this set of options."""

    correct: tuple[str, ...]


class ClusterKey(msgspec.Struct, frozen=True, tag_field="rule", tag="cluster"):
    """Credit by the number of right statements; `steps` has one entry more than there are statements."""

    statements: dict[str, bool]
    steps: tuple[int, ...] = CLUSTER_STEPS_2025  # hundredths


class ShortAnswerKey(msgspec.Struct, frozen=True, tag_field="rule", tag="short_answer"):
    """Full credit for one of the accepted strings, at most four characters each."""

    accepted: tuple[str, ...]
    compare: Compare = Compare.NUMERIC


class Criterion(msgspec.Struct, frozen=True):
    """One line of a rubric."""

    id: str
    title: str
    maximum: int  # hundredths
    levels: tuple[str, ...] = ()  # what a marker should see, best first


class RubricKey(msgspec.Struct, frozen=True, tag_field="rule", tag="rubric"):
    """Marked by people, criterion by criterion; the sum of the maxima is full credit."""

    criteria: tuple[Criterion, ...]


class VoidKey(msgspec.Struct, frozen=True, tag_field="rule", tag="void"):
    """The item was found defective: everyone gets full credit, answered or not."""

    reason: str


Key = OneOptionKey | OptionSetKey | ClusterKey | ShortAnswerKey | RubricKey | VoidKey
