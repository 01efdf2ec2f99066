"""True/false cluster: credit by the number of statements judged rightly.

QĐ 764/QĐ-BGDĐT of 8/3/2024: of four statements 0, 1, 2, 3, 4 right give 0, 0.1, 0.25, 0.5, 1; the steps are data of
the key. A statement left blank is wrong; so is one marked both ways on a sheet, which arrives here as blank.
"""

from decimal import Decimal

from scoring.errors import KeyInvalid, ResponseInvalid
from scoring.keys.values import ClusterKey
from scoring.values import ResponseValue, to_decimal


def credit(response: ResponseValue, key: ClusterKey) -> Decimal:
    """Return the step that belongs to the number of right statements.

    Raises
    ------
    ResponseInvalid
        The response judges a statement the cluster does not have, or with something else than true and false.
    KeyInvalid
        The key has not one step more than statements.
    """
    if len(key.steps) != len(key.statements) + 1:
        raise KeyInvalid("steps", f"{len(key.statements)} statements need {len(key.statements) + 1} steps")
    if response is None:
        response = {}
    if not isinstance(response, dict):
        raise ResponseInvalid("response", "true or false for each statement is expected")
    for statement, judgement in response.items():
        if statement not in key.statements:
            raise ResponseInvalid(f"statement {statement}", "the cluster has no such statement")
        if not isinstance(judgement, bool):
            raise ResponseInvalid(f"statement {statement}", "true or false is expected")
    right = sum(response.get(statement) is truth for statement, truth in key.statements.items())
    return to_decimal(key.steps[right])
