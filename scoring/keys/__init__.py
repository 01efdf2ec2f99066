"""Rules that give credit to a response, one rule a file; `rules.RULES` is the table of them."""

from scoring.keys.rules import RULES, credit
from scoring.keys.validity import require_valid_key
from scoring.keys.values import (
    ClusterKey,
    Compare,
    Criterion,
    Key,
    OneOptionKey,
    OptionSetKey,
    RubricKey,
    ShortAnswerKey,
    VoidKey,
)

__all__ = [
    "RULES",
    "ClusterKey",
    "Compare",
    "Criterion",
    "Key",
    "OneOptionKey",
    "OptionSetKey",
    "RubricKey",
    "ShortAnswerKey",
    "VoidKey",
    "credit",
    "require_valid_key",
]
