"""The table of scoring rules: which rule judges which key. A new rule is one file and one line here."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from scoring.keys import cluster, one_option, option_set, rubric, short_answer, void
from scoring.keys.values import ClusterKey, Key, OneOptionKey, OptionSetKey, RubricKey, ShortAnswerKey, VoidKey
from scoring.values import ResponseValue

ScoringRule = Callable[[ResponseValue, Any], Decimal]

RULES: Mapping[type[Key], ScoringRule] = {
    OneOptionKey: one_option.credit,
    OptionSetKey: option_set.credit,
    ClusterKey: cluster.credit,
    ShortAnswerKey: short_answer.credit,
    RubricKey: rubric.credit,
    VoidKey: void.credit,
}


def credit(response: ResponseValue, key: Key) -> Decimal:
    """Return the credit, exact and between 0 and 1, that a key gives to a response.

    Raises
    ------
    ResponseInvalid
        The response has not the shape the key judges.
    MarkMissing
        The key is a rubric and something was written.
    """
    return RULES[type(key)](response, key)
